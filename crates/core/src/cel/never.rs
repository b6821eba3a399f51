//! What a condition asks of the fields of its subject: whether it can hold at all, and together with another.
//!
//! The condition is taken apart into alternatives, each a set of demands on fields. What is not a plain
//! comparison with a constant counts as "may hold", so a verdict of "never" is always right.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enums of the expression library are not ours"
)]

use std::collections::{BTreeMap, BTreeSet};

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};

use super::{Expression, Scope};
use crate::runbook::nearest;

/// Conditions with more alternatives than this are not taken apart.
const MOST_ALTERNATIVES: usize = 64;

/// The ways in which a condition can become true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Never empty.
    pub alternatives: Vec<Alternative>,
    /// Constants that a field can never have, each as a sentence.
    pub dead: Vec<String>,
}

/// One way: what each field must be and must not be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alternative {
    /// By path without the variable, such as `labels.monitor`: one of these values.
    pub is: BTreeMap<String, BTreeSet<String>>,
    pub is_not: BTreeMap<String, BTreeSet<String>>,
}

/// Takes a condition apart. An error says why it can never hold.
pub fn reach(condition: &Expression, scope: &Scope) -> Result<Reach, String> {
    let any = || Reach { alternatives: vec![Alternative::default()], dead: Vec::new() };
    let Ok(program) = condition.program() else { return Ok(any()) };
    let Some(found) = ways(program.expression(), Sense::True, scope) else { return Ok(any()) };
    let mut dead = Vec::new();
    let mut reasons = Vec::new();
    let mut alternatives = Vec::new();
    for way in found {
        match way.possible(scope, &mut dead) {
            Ok(()) => alternatives.push(way),
            Err(reason) => reasons.push(reason),
        }
    }
    dead.sort();
    dead.dedup();
    if alternatives.is_empty() {
        let reason = reasons.into_iter().next();
        return Err(reason.unwrap_or_else(|| "it is false whatever the values are".to_owned()));
    }
    Ok(Reach { alternatives, dead })
}

impl Reach {
    /// Values that make both true as far as can be seen, or `None` where nothing can.
    pub fn together(&self, other: &Reach) -> Option<BTreeMap<String, String>> {
        self.alternatives
            .iter()
            .flat_map(|one| other.alternatives.iter().map(move |two| one.and(two)))
            .find(|both| both.contradiction().is_none())
            .map(|both| {
                both.is
                    .into_iter()
                    .filter_map(|(path, values)| Some((path, values.into_iter().next()?)))
                    .collect()
            })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sense {
    True,
    False,
}

impl Sense {
    fn other(self) -> Self {
        if self == Sense::True { Sense::False } else { Sense::True }
    }
}

/// `None`: too many to list. An empty list: none.
fn ways(node: &IdedExpr, sense: Sense, scope: &Scope) -> Option<Vec<Alternative>> {
    let any = || Some(vec![Alternative::default()]);
    match &node.expr {
        Expr::Literal(LiteralValue::Boolean(value)) => {
            if *value.inner() == (sense == Sense::True) {
                any()
            } else {
                Some(Vec::new())
            }
        }
        Expr::Call(call) if call.target.is_none() => match (call.func_name.as_str(), sense) {
            (operators::LOGICAL_AND, Sense::True) | (operators::LOGICAL_OR, Sense::False) => {
                let mut product = vec![Alternative::default()];
                for part in &call.args {
                    let part = ways(part, sense, scope)?;
                    product = product
                        .iter()
                        .flat_map(|one| part.iter().map(move |two| one.and(two)))
                        .collect();
                    if product.len() > MOST_ALTERNATIVES {
                        return None;
                    }
                }
                Some(product)
            }
            (operators::LOGICAL_OR, Sense::True) | (operators::LOGICAL_AND, Sense::False) => {
                let mut all = Vec::new();
                for part in &call.args {
                    all.extend(ways(part, sense, scope)?);
                }
                (all.len() <= MOST_ALTERNATIVES).then_some(all)
            }
            (operators::LOGICAL_NOT, _) => match call.args.first() {
                Some(inner) => ways(inner, sense.other(), scope),
                None => any(),
            },
            _ => comparison(call, sense, scope).map_or_else(any, |way| Some(vec![way])),
        },
        _ => any(),
    }
}

/// `path == constant`, `path != constant`, `path in [constants]`, either way round.
fn comparison(call: &CallExpr, sense: Sense, scope: &Scope) -> Option<Alternative> {
    let [one, other] = call.args.as_slice() else { return None };
    let (path, values, positive) = match call.func_name.as_str() {
        name @ (operators::EQUALS | operators::NOT_EQUALS) => {
            let (path, value) = match (path_of(one, scope), constant(other)) {
                (Some(path), Some(value)) => (path, value),
                _ => (path_of(other, scope)?, constant(one)?),
            };
            (path, BTreeSet::from([value]), name == operators::EQUALS)
        }
        operators::IN => {
            let Expr::List(list) = &other.expr else { return None };
            let values: Option<BTreeSet<String>> = list.elements.iter().map(constant).collect();
            (path_of(one, scope)?, values?, true)
        }
        _ => return None,
    };
    let mut way = Alternative::default();
    let demands = if positive == (sense == Sense::True) { &mut way.is } else { &mut way.is_not };
    demands.insert(path, values);
    Some(way)
}

/// `alert.labels.monitor` and `alert.labels["monitor"]` are both `labels.monitor`.
fn path_of(node: &IdedExpr, scope: &Scope) -> Option<String> {
    let join = |of: &IdedExpr, name: &str| {
        if matches!(&of.expr, Expr::Ident(variable) if variable == scope.variable) {
            return Some(name.to_owned());
        }
        path_of(of, scope).map(|path| format!("{path}.{name}"))
    };
    match &node.expr {
        Expr::Select(select) if !select.test => join(&select.operand, &select.field),
        Expr::Call(call) if call.func_name == operators::INDEX => match call.args.as_slice() {
            [of, key] => join(of, &constant(key)?),
            _ => None,
        },
        _ => None,
    }
}

fn constant(node: &IdedExpr) -> Option<String> {
    match &node.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner().to_owned()),
        _ => None,
    }
}

impl Alternative {
    fn and(&self, other: &Alternative) -> Alternative {
        let mut both = self.clone();
        for (path, values) in &other.is {
            both.is
                .entry(path.clone())
                .and_modify(|mine| mine.retain(|value| values.contains(value)))
                .or_insert_with(|| values.clone());
        }
        for (path, values) in &other.is_not {
            both.is_not.entry(path.clone()).or_default().extend(values.iter().cloned());
        }
        both
    }

    fn contradiction(&self) -> Option<String> {
        let none = BTreeSet::new();
        self.is.iter().find_map(|(path, values)| {
            let not = self.is_not.get(path).unwrap_or(&none);
            values.iter().all(|value| not.contains(value)).then(|| path.clone())
        })
    }

    /// Notes each constant that a field never has; an error when nothing is left.
    fn possible(&self, scope: &Scope, dead: &mut Vec<String>) -> Result<(), String> {
        let variable = scope.variable;
        if let Some(path) = self.contradiction() {
            return Err(format!(
                "`{variable}.{path}` cannot have all the values that are asked of it"
            ));
        }
        for (path, values) in &self.is {
            let Some(words) = scope.field(path).and_then(|field| field.kind.words()) else {
                continue;
            };
            let mut alive = false;
            let mut reason = String::new();
            for value in values {
                if words.contains(&value.as_str()) {
                    alive = true;
                    continue;
                }
                let near = nearest(value, words.iter().copied());
                let help = near.map_or_else(
                    || format!("it is one of {}", words.join(", ")),
                    |near| format!("did you mean \"{near}\"?"),
                );
                reason = format!("`{variable}.{path}` is never \"{value}\"; {help}");
                dead.push(reason.clone());
            }
            if !alive {
                return Err(reason);
            }
        }
        Ok(())
    }
}
