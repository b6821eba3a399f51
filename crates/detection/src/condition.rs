//! Conditions and values of a rule, ready for a stream: quick where they can be, interpreted where they must be.

use std::borrow::Cow;

use firebreak_core::cel::Expression;
use firebreak_core::cel::quick::{Held, Quick, QuickValue};
use serde_json::Value;

use crate::event::Event;
use crate::paths::Paths;

const VARIABLE: &str = "event";

#[derive(Debug)]
pub(crate) enum Condition {
    Quick(Quick),
    Slow(Expression),
}

impl Condition {
    pub(crate) fn of(expression: &Expression, paths: &mut Paths) -> Self {
        match expression.quick(VARIABLE, &mut |path| paths.slot(path)) {
            Some(quick) => Self::Quick(quick),
            None => Self::Slow(expression.clone()),
        }
    }

    pub(crate) fn is_slow(&self) -> bool {
        matches!(self, Self::Slow(_))
    }

    /// A field that the event lacks makes it false.
    pub(crate) fn holds(&self, event: &Event<'_>) -> bool {
        match self {
            Self::Quick(quick) => quick.holds(event).unwrap_or(false),
            Self::Slow(expression) => expression.holds_for(event.subject()).unwrap_or(false),
        }
    }
}

#[derive(Debug)]
pub(crate) enum Reading {
    Quick(QuickValue),
    Slow(Expression),
}

impl Reading {
    pub(crate) fn of(expression: &Expression, paths: &mut Paths) -> Self {
        match expression.quick_value(VARIABLE, &mut |path| paths.slot(path)) {
            Some(quick) => Self::Quick(quick),
            None => Self::Slow(expression.clone()),
        }
    }

    pub(crate) fn is_slow(&self) -> bool {
        matches!(self, Self::Slow(_))
    }

    /// A number, also where it is written as a text.
    pub(crate) fn number(&self, event: &Event<'_>) -> Option<f64> {
        let number = match self {
            Self::Quick(quick) => match quick.value(event).ok()? {
                Held::Number(number) => number,
                Held::Text(text) => text.parse().ok()?,
                _ => return None,
            },
            Self::Slow(expression) => match expression.json(event.subject()).ok()? {
                Value::Number(number) => number.as_f64()?,
                Value::String(text) => text.parse().ok()?,
                _ => return None,
            },
        };
        number.is_finite().then_some(number)
    }

    /// For a key: a text, a number or a truth.
    pub(crate) fn text<'a>(&'a self, event: &'a Event<'_>) -> Option<Cow<'a, str>> {
        match self {
            Self::Quick(quick) => Some(match quick.value(event).ok()? {
                Held::Text(text) => Cow::Borrowed(text),
                Held::Number(number) => Cow::Owned(number.to_string()),
                Held::Bool(truth) => Cow::Owned(truth.to_string()),
                _ => return None,
            }),
            Self::Slow(expression) => {
                Some(Cow::Owned(match expression.json(event.subject()).ok()? {
                    Value::String(text) => text,
                    Value::Number(number) => number.as_f64()?.to_string(),
                    Value::Bool(truth) => truth.to_string(),
                    _ => return None,
                }))
            }
        }
    }
}
