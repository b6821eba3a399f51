//! From the tree of an expression to its quick form; `None` wherever the answer could differ.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enums of the expression library are not ours"
)]

use std::cmp::Ordering;

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, SelectExpr, operators};
use regex::Regex;

use super::{Assign, Node, Operand};

pub(super) struct Compile<'a, 'b> {
    pub(super) variable: &'a str,
    pub(super) assign: &'a mut Assign<'b>,
}

impl Compile<'_, '_> {
    pub(super) fn node(&mut self, node: &IdedExpr) -> Option<Node> {
        match &node.expr {
            Expr::Literal(LiteralValue::Boolean(value)) => Some(Node::Known(*value.inner())),
            Expr::Select(select) if select.test => self.has(select),
            Expr::Call(call) => match &call.target {
                None => self.free_call(call),
                Some(target) => self.member_call(call, target),
            },
            _ => match self.operand(node)? {
                Operand::Slot(slot) => Some(Node::Truth(slot)),
                _ => None,
            },
        }
    }

    fn free_call(&mut self, call: &CallExpr) -> Option<Node> {
        let name = call.func_name.as_str();
        match (name, call.args.as_slice()) {
            (operators::LOGICAL_AND, parts) => {
                Some(Node::All(parts.iter().map(|part| self.node(part)).collect::<Option<_>>()?))
            }
            (operators::LOGICAL_OR, parts) => {
                Some(Node::Any(parts.iter().map(|part| self.node(part)).collect::<Option<_>>()?))
            }
            (operators::LOGICAL_NOT, [inner]) => Some(Node::Not(Box::new(self.node(inner)?))),
            (operators::EQUALS | operators::NOT_EQUALS, [left, right]) => {
                let (left, right) = (self.operand(left)?, self.operand(right)?);
                // Two objects or lists may be equal, and slots do not know what is in them.
                let may_be_whole = matches!((&left, &right), (Operand::Slot(_), Operand::Slot(_)));
                let negated = name == operators::NOT_EQUALS;
                (!may_be_whole).then_some(Node::Same { left, right, negated })
            }
            (operators::LESS, [left, right]) => self.order(left, right, Ordering::is_lt),
            (operators::LESS_EQUALS, [left, right]) => self.order(left, right, Ordering::is_le),
            (operators::GREATER, [left, right]) => self.order(left, right, Ordering::is_gt),
            (operators::GREATER_EQUALS, [left, right]) => self.order(left, right, Ordering::is_ge),
            (operators::IN, [of, within]) => {
                let Expr::List(list) = &within.expr else { return None };
                let of = self.operand(of)?;
                let list: Vec<Operand> =
                    list.elements.iter().map(|one| literal(&one.expr)).collect::<Option<_>>()?;
                Some(Node::OneOf { of, list })
            }
            ("matches", [text, form]) => self.matches(text, form),
            _ => None,
        }
    }

    fn member_call(&mut self, call: &CallExpr, target: &IdedExpr) -> Option<Node> {
        let [part] = call.args.as_slice() else { return None };
        let fits: fn(&str, &str) -> bool = match call.func_name.as_str() {
            "contains" => |text, part| text.contains(part),
            "startsWith" => |text, part| text.starts_with(part),
            "endsWith" => |text, part| text.ends_with(part),
            "matches" => return self.matches(target, part),
            _ => return None,
        };
        let (text, part) = (self.operand(target)?, self.operand(part)?);
        // `contains` of a list is another question.
        matches!(part, Operand::Text(_)).then_some(Node::Text { text, part, fits })
    }

    fn matches(&mut self, text: &IdedExpr, form: &IdedExpr) -> Option<Node> {
        let Operand::Text(form) = literal(&form.expr)? else { return None };
        let form = Regex::new(&form).ok()?;
        Some(Node::Matches { text: self.operand(text)?, form })
    }

    fn order(
        &mut self,
        left: &IdedExpr,
        right: &IdedExpr,
        fits: fn(Ordering) -> bool,
    ) -> Option<Node> {
        Some(Node::Order { left: self.operand(left)?, right: self.operand(right)?, fits })
    }

    fn has(&mut self, select: &SelectExpr) -> Option<Node> {
        let parent = self.path(&select.operand)?;
        let mut path = parent.clone();
        path.push(select.field.clone());
        let slot = (self.assign)(&path);
        // The variable itself and what stands right under it are always there.
        let within = (parent.len() > 1).then(|| (self.assign)(&parent));
        Some(Node::Has { slot, within })
    }

    pub(super) fn operand(&mut self, node: &IdedExpr) -> Option<Operand> {
        if let Some(literal) = literal(&node.expr) {
            return Some(literal);
        }
        if let Expr::Call(call) = &node.expr
            && call.target.is_none()
            && call.func_name == "double"
            && let [inner] = call.args.as_slice()
        {
            return Some(Operand::AsNumber(Box::new(self.operand(inner)?)));
        }
        let path = self.path(node)?;
        (path.len() > 1 || path.first().is_some_and(|name| name != "fields"))
            .then(|| Operand::Slot((self.assign)(&path)))
    }

    /// `event.fields.a` and `event.fields["a"]` alike.
    fn path(&self, node: &IdedExpr) -> Option<Vec<String>> {
        match &node.expr {
            Expr::Ident(name) if name == self.variable => Some(Vec::new()),
            Expr::Select(select) if !select.test => {
                let mut path = self.path(&select.operand)?;
                path.push(select.field.clone());
                Some(path)
            }
            Expr::Call(call) if call.target.is_none() && call.func_name == operators::INDEX => {
                let [of, index] = call.args.as_slice() else { return None };
                let mut path = self.path(of)?;
                let Operand::Text(name) = literal(&index.expr)? else { return None };
                path.push(name);
                Some(path)
            }
            _ => None,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of events are such numbers too")]
fn literal(expr: &Expr) -> Option<Operand> {
    match expr {
        Expr::Literal(LiteralValue::Null) => Some(Operand::Null),
        Expr::Literal(LiteralValue::Boolean(value)) => Some(Operand::Bool(*value.inner())),
        Expr::Literal(LiteralValue::Double(value)) => Some(Operand::Number(*value.inner())),
        Expr::Literal(LiteralValue::Int(value)) => Some(Operand::Number(*value.inner() as f64)),
        Expr::Literal(LiteralValue::UInt(value)) => Some(Operand::Number(*value.inner() as f64)),
        Expr::Literal(LiteralValue::String(value)) => Some(Operand::Text(value.inner().to_owned())),
        _ => None,
    }
}
