//! Conditions made ready for streams: the plain ones run over slots that hold an event's fields, without building values.
//!
//! A [`Quick`] answers exactly as [`Expression::holds_for`](super::Expression::holds_for) does, an absent field included;
//! what is not plain (macros, arithmetic, functions on lists) has no quick form and is left to the interpreter.

mod compile;

use std::cmp::Ordering;

use regex::Regex;

use super::Expression;

/// What a slot holds of one event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Held<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Text(&'a str),
    /// An object; its fields have slots of their own.
    Map,
    List,
}

/// The fields of one event, by slot.
pub trait Slots {
    /// `None` where the event does not have the field.
    fn held(&self, slot: usize) -> Option<Held<'_>>;
}

/// A path from the variable on, such as `["fields", "http", "status"]`, to the number of its slot.
pub type Assign<'a> = dyn FnMut(&[String]) -> usize + 'a;

/// A condition that runs over slots.
#[derive(Debug, Clone)]
pub struct Quick(Node);

/// A value that is read from slots.
#[derive(Debug, Clone)]
pub struct QuickValue(Operand);

/// The expression has no value for this event: a field is absent or of another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Absent;

#[derive(Debug, Clone)]
enum Node {
    Known(bool),
    Truth(usize),
    Not(Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
    Same { left: Operand, right: Operand, negated: bool },
    Order { left: Operand, right: Operand, fits: fn(Ordering) -> bool },
    OneOf { of: Operand, list: Vec<Operand> },
    Text { text: Operand, part: Operand, fits: fn(&str, &str) -> bool },
    Matches { text: Operand, form: Regex },
    Has { slot: usize, within: Option<usize> },
}

#[derive(Debug, Clone)]
enum Operand {
    Slot(usize),
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    AsNumber(Box<Operand>),
}

impl Expression {
    /// The quick form of the condition, where it has one; each field that it names is given a slot.
    pub fn quick(&self, variable: &str, assign: &mut Assign<'_>) -> Option<Quick> {
        let program = self.program().ok()?;
        compile::Compile { variable, assign }.node(program.expression()).map(Quick)
    }

    /// The quick form of an expression that only reads a field.
    pub fn quick_value(&self, variable: &str, assign: &mut Assign<'_>) -> Option<QuickValue> {
        let program = self.program().ok()?;
        compile::Compile { variable, assign }.operand(program.expression()).map(QuickValue)
    }
}

impl Quick {
    pub fn holds(&self, slots: &dyn Slots) -> Result<bool, Absent> {
        self.0.holds(slots)
    }
}

impl QuickValue {
    pub fn value<'a>(&'a self, slots: &'a dyn Slots) -> Result<Held<'a>, Absent> {
        self.0.value(slots)
    }
}

impl Node {
    fn holds(&self, slots: &dyn Slots) -> Result<bool, Absent> {
        match self {
            Node::Known(known) => Ok(*known),
            Node::Truth(slot) => match slots.held(*slot) {
                Some(Held::Bool(truth)) => Ok(truth),
                _ => Err(Absent),
            },
            Node::Not(inner) => inner.holds(slots).map(|truth| !truth),
            Node::All(parts) => settled_by(false, parts, slots),
            Node::Any(parts) => settled_by(true, parts, slots),
            Node::Same { left, right, negated } => {
                Ok(same(left.value(slots)?, right.value(slots)?) != *negated)
            }
            Node::Order { left, right, fits } => {
                order(left.value(slots)?, right.value(slots)?).map(fits)
            }
            Node::OneOf { of, list } => {
                let value = of.value(slots)?;
                for one in list {
                    if same(one.value(slots)?, value) {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Node::Text { text, part, fits } => match (text.value(slots)?, part.value(slots)?) {
                (Held::Text(text), Held::Text(part)) => Ok(fits(text, part)),
                _ => Err(Absent),
            },
            Node::Matches { text, form } => match text.value(slots)? {
                Held::Text(text) => Ok(form.is_match(text)),
                Held::Null | Held::Bool(_) | Held::Number(_) | Held::Map | Held::List => {
                    Err(Absent)
                }
            },
            Node::Has { slot, within } => {
                if slots.held(*slot).is_some() {
                    return Ok(true);
                }
                match within.map(|within| slots.held(within)) {
                    None | Some(Some(Held::Map)) => Ok(false),
                    Some(_) => Err(Absent),
                }
            }
        }
    }
}

/// `&&` is settled by one false part and `||` by one true part, even beside a part that has no value.
fn settled_by(settles: bool, parts: &[Node], slots: &dyn Slots) -> Result<bool, Absent> {
    let mut result = Ok(!settles);
    for part in parts {
        match part.holds(slots) {
            Ok(truth) if truth == settles => return Ok(settles),
            Ok(_) => {}
            Err(Absent) => result = Err(Absent),
        }
    }
    result
}

impl Operand {
    fn value<'a>(&'a self, slots: &'a dyn Slots) -> Result<Held<'a>, Absent> {
        match self {
            Operand::Slot(slot) => slots.held(*slot).ok_or(Absent),
            Operand::Null => Ok(Held::Null),
            Operand::Bool(truth) => Ok(Held::Bool(*truth)),
            Operand::Number(number) => Ok(Held::Number(*number)),
            Operand::Text(text) => Ok(Held::Text(text)),
            Operand::AsNumber(inner) => match inner.value(slots)? {
                Held::Number(number) => Ok(Held::Number(number)),
                Held::Text(text) => text.parse().map(Held::Number).map_err(|_| Absent),
                Held::Null | Held::Bool(_) | Held::Map | Held::List => Err(Absent),
            },
        }
    }
}

fn same(left: Held<'_>, right: Held<'_>) -> bool {
    match (left, right) {
        (Held::Null, Held::Null) => true,
        (Held::Bool(left), Held::Bool(right)) => left == right,
        (Held::Number(left), Held::Number(right)) => {
            left.partial_cmp(&right) == Some(Ordering::Equal)
        }
        (Held::Text(left), Held::Text(right)) => left == right,
        _ => false,
    }
}

fn order(left: Held<'_>, right: Held<'_>) -> Result<Ordering, Absent> {
    match (left, right) {
        (Held::Number(left), Held::Number(right)) => left.partial_cmp(&right).ok_or(Absent),
        (Held::Text(left), Held::Text(right)) => Ok(left.cmp(right)),
        (Held::Bool(left), Held::Bool(right)) => Ok(left.cmp(&right)),
        _ => Err(Absent),
    }
}

#[cfg(test)]
mod tests;
