//! One event of a log: its time and the fields that the rules ask for.

use std::borrow::Cow;
use std::cell::OnceCell;

use firebreak_core::cel::Subject;
use firebreak_core::cel::quick::{Held, Slots};
use serde_json::Value;

/// A field as the line gives it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Field<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'a, str>),
    Map,
    List,
}

/// What a line says, as far as somebody asks.
pub(crate) struct Event<'a> {
    /// Milliseconds since 1970.
    pub(crate) at: i64,
    slots: Vec<Option<Field<'a>>>,
    /// All of it, where an expression has no quick form.
    whole: Option<Value>,
    subject: OnceCell<Subject>,
}

impl<'a> Event<'a> {
    pub(crate) fn new(at: i64, slots: Vec<Option<Field<'a>>>, whole: Option<Value>) -> Self {
        Self { at, slots, whole, subject: OnceCell::new() }
    }

    /// For the interpreter.
    pub(crate) fn subject(&self) -> &Subject {
        self.subject
            .get_or_init(|| Subject::named("event", self.whole.as_ref().unwrap_or(&Value::Null)))
    }

    pub(crate) fn has(&self, slot: usize) -> bool {
        self.slots.get(slot).is_some_and(Option::is_some)
    }
}

impl Slots for Event<'_> {
    fn held(&self, slot: usize) -> Option<Held<'_>> {
        Some(match self.slots.get(slot)?.as_ref()? {
            Field::Null => Held::Null,
            Field::Bool(truth) => Held::Bool(*truth),
            Field::Number(number) => Held::Number(*number),
            Field::Text(text) => Held::Text(text),
            Field::Map => Held::Map,
            Field::List => Held::List,
        })
    }
}
