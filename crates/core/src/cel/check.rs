//! The type check of an expression: every name exists, every call and comparison can succeed.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enums of the expression library are not ours"
)]

use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue, operators};
use cel::{ParseErrors, Program};

use super::functions::{FUNCTIONS, Signature};
use super::{Field, Kind, Scope};
use crate::runbook::nearest;

/// Something wrong in an expression, with its place in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// In bytes of the expression's text.
    pub at: std::ops::Range<usize>,
    pub message: String,
    pub help: Option<String>,
}

impl Flaw {
    pub(super) fn whole(text: &str, message: &str) -> Self {
        Self { at: 0..text.len(), message: message.to_owned(), help: None }
    }

    pub(super) fn syntax(text: &str, errors: &ParseErrors) -> Self {
        let first = errors.errors.first();
        let (line, column) = first.map_or((1, 1), |error| error.pos);
        let begin: usize = text
            .split_inclusive('\n')
            .take(usize::try_from(line - 1).unwrap_or_default())
            .map(str::len)
            .sum();
        let at = (begin + usize::try_from(column - 1).unwrap_or_default()).min(text.len());
        let at = text.floor_char_boundary(at);
        let end = text.ceil_char_boundary((at + 1).min(text.len()));
        let message = first.map_or("it is not an expression", |error| error.msg.as_str());
        let message = message.lines().next().unwrap_or_default().to_owned();
        Self { at: at..end, message: format!("this is not an expression: {message}"), help: None }
    }
}

/// What the expression is to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// True or false.
    Truth,
    /// A text or a list of texts.
    Ids,
    /// Any plain value.
    Value,
}

pub(super) fn check(program: &Program, scope: &Scope, wanted: Wanted) -> Vec<Flaw> {
    let text = &program.source_info().source;
    let mut check = Check { program, scope, text, flaws: Vec::new(), locals: Vec::new() };
    let kind = check.kind(program.expression());
    let fits = match wanted {
        Wanted::Truth => kind.fits(&Kind::Bool),
        Wanted::Ids => kind.fits(&Kind::Text) || kind.fits(&Kind::List(Box::new(Kind::Text))),
        Wanted::Value => true,
    };
    if !fits {
        let wanted = match wanted {
            Wanted::Truth => "true or false",
            Wanted::Ids => "a text or a list of texts",
            Wanted::Value => "a value",
        };
        check.flaws.push(Flaw::whole(text, &format!("this gives {}, not {wanted}", kind.words())));
    }
    check.flaws
}

struct Check<'a> {
    program: &'a Program,
    scope: &'a Scope,
    text: &'a str,
    flaws: Vec<Flaw>,
    locals: Vec<(String, Kind)>,
}

impl Check<'_> {
    fn kind(&mut self, node: &IdedExpr) -> Kind {
        match &node.expr {
            Expr::Literal(literal) => literal_kind(literal),
            Expr::Ident(name) => self.variable(node, name),
            Expr::Select(select) => {
                let of = self.kind(&select.operand);
                let found = self.field(node, &of, &select.field);
                if select.test { Kind::Bool } else { found }
            }
            Expr::Call(call) => match &call.target {
                None => self.free_call(node, &call.func_name, &call.args),
                Some(target) => {
                    let on = self.kind(target);
                    self.member_call(node, &call.func_name, &on, &call.args)
                }
            },
            Expr::List(list) => {
                let kinds: Vec<Kind> = list.elements.iter().map(|part| self.kind(part)).collect();
                Kind::List(Box::new(together(kinds)))
            }
            Expr::Map(map) => {
                let mut kinds = Vec::new();
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(pair) = &entry.expr {
                        self.kind(&pair.key);
                        kinds.push(self.kind(&pair.value));
                    }
                }
                Kind::Map(Box::new(together(kinds)))
            }
            Expr::Comprehension(over) => {
                let item = match self.kind(&over.iter_range) {
                    Kind::List(item) => *item,
                    Kind::Map(_) | Kind::Object(_) => Kind::Text,
                    _ => Kind::Any,
                };
                let start = self.kind(&over.accu_init);
                let depth = self.locals.len();
                self.locals.push((over.iter_var.clone(), item));
                if let Some(second) = &over.iter_var2 {
                    self.locals.push((second.clone(), Kind::Any));
                }
                self.locals.push((over.accu_var.clone(), Kind::Any));
                self.kind(&over.loop_cond);
                self.kind(&over.loop_step);
                let result = self.kind(&over.result);
                self.locals.truncate(depth);
                if matches!(result, Kind::Any) && matches!(start, Kind::Bool) {
                    Kind::Bool
                } else {
                    result
                }
            }
            Expr::Struct(made) => {
                self.flaw(
                    node,
                    &made.type_name,
                    format!("`{}` does not exist", made.type_name),
                    None,
                );
                Kind::Any
            }
            Expr::Unspecified => Kind::Any,
        }
    }

    fn variable(&mut self, node: &IdedExpr, name: &str) -> Kind {
        if let Some((_, kind)) = self.locals.iter().rev().find(|(local, _)| local == name) {
            return kind.clone();
        }
        if name == self.scope.variable {
            return Kind::Object(self.scope.fields);
        }
        if name.starts_with('@')
            || matches!(name, "int" | "double" | "string" | "bool" | "list" | "map")
        {
            return Kind::Any;
        }
        let variable = self.scope.variable;
        let help = if self.scope.field(name).is_some() {
            format!("write `{variable}.{name}`")
        } else {
            format!("the only variable is `{variable}`")
        };
        self.flaw(node, name, format!("`{name}` does not exist"), Some(help));
        Kind::Any
    }

    fn field(&mut self, node: &IdedExpr, of: &Kind, name: &str) -> Kind {
        match of {
            Kind::Object(fields) => {
                if let Some(field) = fields.iter().find(|field| field.name == name) {
                    return field.kind.kind();
                }
                let variable = self.scope.variable;
                let help = missing_field(variable, fields, name);
                self.flaw(node, name, format!("`{variable}` has no `{name}`"), Some(help));
                Kind::Any
            }
            Kind::Map(value) => (**value).clone(),
            Kind::Any => Kind::Any,
            other => {
                let message = format!("{} has no field `{name}`", other.words());
                self.flaw(node, name, message, None);
                Kind::Any
            }
        }
    }

    fn free_call(&mut self, node: &IdedExpr, name: &str, args: &[IdedExpr]) -> Kind {
        let kinds: Vec<Kind> = args.iter().map(|arg| self.kind(arg)).collect();
        let sign = sign_of(name);
        match (name, kinds.as_slice()) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, [..]) => {
                for (arg, kind) in args.iter().zip(&kinds) {
                    self.want(arg, kind, &Kind::Bool, sign);
                }
                Kind::Bool
            }
            (operators::LOGICAL_NOT | operators::NOT_STRICTLY_FALSE, [kind]) => {
                if let Some(arg) = args.first() {
                    self.want(arg, kind, &Kind::Bool, sign);
                }
                Kind::Bool
            }
            (operators::EQUALS | operators::NOT_EQUALS, [one, other]) => {
                if !one.fits(other) && *one != Kind::Null && *other != Kind::Null {
                    let message = format!("{} is never equal to {}", one.words(), other.words());
                    let help = convert(one, other);
                    self.flaw(node, sign, message, help);
                }
                Kind::Bool
            }
            (
                operators::LESS
                | operators::LESS_EQUALS
                | operators::GREATER
                | operators::GREATER_EQUALS,
                [one, other],
            ) => {
                if !one.fits(other) {
                    let message =
                        format!("{} cannot be compared with {}", one.words(), other.words());
                    let help = convert(one, other);
                    self.flaw(node, sign, message, help);
                }
                Kind::Bool
            }
            (operators::IN, [item, within]) => {
                match within {
                    Kind::List(of) if !of.fits(item) => {
                        let message = format!("{} is never in {}", item.words(), within.words());
                        self.flaw(node, "in", message, None);
                    }
                    Kind::Bool | Kind::Number | Kind::Text | Kind::Null => {
                        let message = format!("nothing is in {}", within.words());
                        let help =
                            (*within == Kind::Text).then(|| "use `text.contains(part)`".to_owned());
                        self.flaw(node, "in", message, help);
                    }
                    _ => {}
                }
                Kind::Bool
            }
            (operators::CONDITIONAL, [condition, yes, no]) => {
                if let Some(arg) = args.first() {
                    self.want(arg, condition, &Kind::Bool, "?");
                }
                together(vec![yes.clone(), no.clone()])
            }
            (operators::INDEX, [of, _]) => match of {
                Kind::List(item) | Kind::Map(item) => (**item).clone(),
                _ => Kind::Any,
            },
            (operators::OPT_INDEX | operators::OPT_SELECT, _) => Kind::Any,
            (operators::ADD, [one, other]) => {
                if !one.fits(other) {
                    let message = format!("{} and {} cannot be joined", one.words(), other.words());
                    let help = convert(one, other);
                    self.flaw(node, sign, message, help);
                }
                if *one == Kind::Any { other.clone() } else { one.clone() }
            }
            (
                operators::SUBSTRACT
                | operators::MULTIPLY
                | operators::DIVIDE
                | operators::MODULO
                | operators::NEGATE,
                [..],
            ) => {
                for (arg, kind) in args.iter().zip(&kinds) {
                    self.want(arg, kind, &Kind::Number, sign);
                }
                Kind::Number
            }
            _ if name.starts_with('@')
                || name.starts_with("cel.")
                || name.starts_with("optional.") =>
            {
                Kind::Any
            }
            _ => self.called(node, name, None, &kinds, args),
        }
    }

    fn member_call(&mut self, node: &IdedExpr, name: &str, on: &Kind, args: &[IdedExpr]) -> Kind {
        let kinds: Vec<Kind> = args.iter().map(|arg| self.kind(arg)).collect();
        // Calls on an optional value, as `alert.labels[?"zone"].orValue("a")` makes one.
        if *on == Kind::Any && matches!(name, "orValue" | "value" | "hasValue" | "or") {
            return if name == "hasValue" { Kind::Bool } else { Kind::Any };
        }
        self.called(node, name, Some(on), &kinds, args)
    }

    fn called(
        &mut self,
        node: &IdedExpr,
        name: &str,
        on: Option<&Kind>,
        kinds: &[Kind],
        args: &[IdedExpr],
    ) -> Kind {
        let named: Vec<&Signature> = FUNCTIONS
            .iter()
            .filter(|known| known.name == name && known.on.is_some() == on.is_some())
            .collect();
        if named.is_empty() {
            let known = FUNCTIONS.iter().map(|known| known.name);
            let help = nearest(name, known).map(|near| format!("did you mean `{near}`?"));
            self.flaw(node, name, format!("there is no function `{name}`"), help);
            return Kind::Any;
        }
        let fits = |known: &&&Signature| {
            let of = known.on.zip(on).is_none_or(|(wanted, on)| wanted.kind().fits(on));
            of && known.takes.len() == kinds.len()
                && known.takes.iter().zip(kinds).all(|(wanted, kind)| wanted.kind().fits(kind))
        };
        let Some(known) = named.iter().find(fits) else {
            let forms: Vec<String> = named.iter().map(|known| form(known)).collect();
            let given: Vec<String> = on.into_iter().chain(kinds).map(Kind::words).collect();
            let message = format!("`{name}` does not take {}", given.join(", "));
            self.flaw(node, name, message, Some(format!("it is {}", forms.join(" or "))));
            return named.first().map_or(Kind::Any, |known| known.gives.kind());
        };
        if name == "matches" {
            self.pattern(args.last());
        }
        known.gives.kind()
    }

    /// A pattern that is written out is tried at once.
    fn pattern(&mut self, written: Option<&IdedExpr>) {
        let Some(node) = written else { return };
        let Expr::Literal(LiteralValue::String(pattern)) = &node.expr else { return };
        let quoted = serde_json::to_string(pattern.inner()).unwrap_or_default();
        let sample = super::Expression::new(format!("''.matches({quoted})"));
        if let Err(error) = sample.json(&super::Subject::named("none", &serde_json::Value::Null)) {
            self.flaw(
                node,
                pattern.inner(),
                format!("this is not a regular expression: {error}"),
                None,
            );
        }
    }

    fn want(&mut self, node: &IdedExpr, kind: &Kind, wanted: &Kind, sign: &str) {
        if !kind.fits(wanted) {
            let message = format!("`{sign}` takes {}, this is {}", wanted.words(), kind.words());
            self.flaw(node, "", message, None);
        }
    }

    /// `word` is what to underline, looked for from where the node is written.
    fn flaw(&mut self, node: &IdedExpr, word: &str, message: String, help: Option<String>) {
        let (start, stop) = self.program.source_info().offset_for(node.id).unwrap_or_default();
        let start = self.byte(start);
        let stop = self.byte(stop.saturating_add(1)).max(start);
        let (before, rest) = self.text.split_at(start);
        // A call is placed at its bracket, everything else at or before its word.
        let found = if rest.starts_with('(') { before.rfind(word) } else { None };
        let found = found.or_else(|| rest.find(word).map(|ahead| start + ahead));
        let at = match found {
            Some(begin) if !word.is_empty() => begin..begin + word.len(),
            _ => start..stop,
        };
        let flaw = Flaw { at, message, help };
        if !self.flaws.contains(&flaw) {
            self.flaws.push(flaw);
        }
    }

    /// The parser counts characters.
    fn byte(&self, characters: u32) -> usize {
        let characters = usize::try_from(characters).unwrap_or(usize::MAX);
        self.text.char_indices().nth(characters).map_or(self.text.len(), |(at, _)| at)
    }
}

fn literal_kind(literal: &LiteralValue) -> Kind {
    match literal {
        LiteralValue::Boolean(_) => Kind::Bool,
        LiteralValue::Double(_) | LiteralValue::Int(_) | LiteralValue::UInt(_) => Kind::Number,
        LiteralValue::String(_) | LiteralValue::Bytes(_) => Kind::Text,
        LiteralValue::Null => Kind::Null,
    }
}

/// The kind that all have, or anything.
fn together(kinds: Vec<Kind>) -> Kind {
    let mut kinds = kinds.into_iter();
    let Some(first) = kinds.next() else { return Kind::Any };
    if kinds.all(|kind| kind == first) { first } else { Kind::Any }
}

fn missing_field(variable: &str, fields: &'static [Field], name: &str) -> String {
    if let Some(near) = nearest(name, fields.iter().map(|field| field.name)) {
        return format!("did you mean `{variable}.{near}`?");
    }
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    if names.contains(&"fields") {
        return format!("write `{variable}.fields.{name}`; `{variable}` has {}", names.join(", "));
    }
    if names.contains(&"labels") {
        return format!(
            "for a label write `{variable}.labels.{name}`; `{variable}` has {}",
            names.join(", ")
        );
    }
    format!("`{variable}` has {}", names.join(", "))
}

fn convert(one: &Kind, other: &Kind) -> Option<String> {
    let pair = (one, other);
    matches!(pair, (Kind::Text, Kind::Number) | (Kind::Number, Kind::Text))
        .then(|| "labels are texts: write `double(...)` around the text".to_owned())
}

fn form(known: &Signature) -> String {
    let takes: Vec<String> = known.takes.iter().map(|sort| sort.kind().words()).collect();
    match known.on {
        Some(on) => {
            format!("`{}` on {} with ({})", known.name, on.kind().words(), takes.join(", "))
        }
        None => format!("`{}({})`", known.name, takes.join(", ")),
    }
}

/// The operator as it is written.
fn sign_of(name: &str) -> &str {
    match name {
        operators::LOGICAL_AND => "&&",
        operators::LOGICAL_OR => "||",
        operators::LOGICAL_NOT => "!",
        operators::EQUALS => "==",
        operators::NOT_EQUALS => "!=",
        operators::LESS => "<",
        operators::LESS_EQUALS => "<=",
        operators::GREATER => ">",
        operators::GREATER_EQUALS => ">=",
        operators::ADD => "+",
        operators::SUBSTRACT | operators::NEGATE => "-",
        operators::MULTIPLY => "*",
        operators::DIVIDE => "/",
        operators::MODULO => "%",
        other => other,
    }
}
