//! CEL expressions: compiled once, checked for types before use, evaluated against one subject.
//!
//! The language is described at <https://cel.dev>. It has no loops and no effects, so an expression always
//! ends and can change nothing. What a subject offers stands in its [`Scope`]; what we add to the standard
//! functions stands in [`functions`].

mod bounds;
mod check;
pub mod functions;
mod never;
pub mod quick;
mod scope;
mod subject;

use std::sync::{Arc, OnceLock};

use cel::{Program, Value};
use serde::{Deserialize, Serialize};

pub use check::{Flaw, Wanted};
pub use never::{Alternative, Reach, reach};
pub use scope::{ALERT, Field, FieldKind, Kind, Scope};
pub use subject::Subject;

use crate::alert::Alert;

/// An expression. It compiles at its first use and keeps the result; reading one back from the record
/// compiles nothing, so whoever only passes it on pays nothing.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Expression {
    text: String,
    program: Arc<OnceLock<Result<Program, Flaw>>>,
}

/// Why an expression gave no usable value for a subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoValue {
    #[error("{0}")]
    Missing(String),
    #[error("it gave {0}, not {1}")]
    Type(String, &'static str),
}

impl Expression {
    /// Takes any text; [`Expression::check`] says whether it is one.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), program: Arc::default() }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Everything that is wrong with it in this scope: syntax, unknown names, types. Empty when it may be used.
    pub fn check(&self, scope: &Scope, wanted: Wanted) -> Vec<Flaw> {
        match self.program() {
            Ok(program) => check::check(program, scope, wanted),
            Err(flaw) => vec![flaw.clone()],
        }
    }

    /// Whether it is true for the alert. A label that the alert lacks is an answer, not a fault.
    pub fn holds(&self, alert: &Alert) -> Result<bool, NoValue> {
        self.holds_for(&Subject::of(alert))
    }

    /// As [`Expression::holds`], for a subject that is asked many expressions.
    pub fn holds_for(&self, subject: &Subject) -> Result<bool, NoValue> {
        let value = self.value(subject)?;
        if let Value::Bool(answer) = value {
            Ok(answer)
        } else {
            Err(NoValue::Type(describe(&value), "true or false"))
        }
    }

    /// The ids that it gives: one text or a list of texts, never an empty text.
    pub fn ids(&self, alert: &Alert) -> Result<Vec<String>, NoValue> {
        let text = |value: &Value| {
            if let Value::String(text) = value
                && !text.trim().is_empty()
            {
                return Ok(text.trim().to_owned());
            }
            Err(NoValue::Type(describe(value), "a text that is not empty"))
        };
        let value = self.value(&Subject::of(alert))?;
        if let Value::List(list) = &value {
            list.iter().map(text).collect()
        } else {
            Ok(vec![text(&value)?])
        }
    }

    /// Whatever it gives, as JSON.
    pub fn json(&self, subject: &Subject) -> Result<serde_json::Value, NoValue> {
        let value = self.value(subject)?;
        value.json().map_err(|_| NoValue::Type(describe(&value), "a plain value"))
    }

    fn value(&self, subject: &Subject) -> Result<Value, NoValue> {
        let program = self.program().map_err(|flaw| NoValue::Missing(flaw.message.clone()))?;
        program.execute(subject.context()).map_err(|error| NoValue::Missing(error.to_string()))
    }

    fn program(&self) -> Result<&Program, &Flaw> {
        self.program.get_or_init(|| compile(&self.text)).as_ref()
    }
}

/// The parser is fed with a person's text: a panic there must not become ours.
fn compile(text: &str) -> Result<Program, Flaw> {
    if let Some(flaw) = bounds::too_deep(text) {
        return Err(flaw);
    }
    std::panic::catch_unwind(|| functions::environment().compile(text))
        .map_err(|_| Flaw::whole(text, "the expression cannot be parsed"))
        .and_then(|parsed| parsed.map_err(|errors| Flaw::syntax(text, &errors)))
}

fn describe(value: &Value) -> String {
    if let Value::String(text) = value {
        return format!("the text \"{text}\"");
    }
    if matches!(value, Value::Null) { "null".to_owned() } else { format!("{value:?}") }
}

impl From<String> for Expression {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<Expression> for String {
    fn from(expression: Expression) -> Self {
        expression.text
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Expression {}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Expression({:?})", self.text)
    }
}

impl std::fmt::Display for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
