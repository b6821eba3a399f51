//! CEL expressions of a runbook: compiled when read, evaluated against one alert.
//!
//! The language is described at <https://cel.dev>; `alert` is the only variable. CEL has no loops and no
//! effects, so an expression always ends and can change nothing.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enums of the expression library are not ours"
)]

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::{Context, Program, Value};
use serde::{Deserialize, Serialize};

use crate::alert::Alert;

/// The fields of `alert`; `labels` and `annotations` are maps whose keys are the sender's.
const FIELDS: [&str; 8] =
    ["source", "name", "status", "severity", "service", "title", "labels", "annotations"];

/// An expression. Those of a runbook that was read compile and name nothing unknown; reading one back from
/// the record does not compile it again, so whoever only passes it on links no parser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Condition(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCondition {
    #[error("`{0}` is not an expression: {1}")]
    Syntax(String, String),
    #[error("`{0}` names `{1}`, which does not exist; `alert` has {fields}", fields = FIELDS.join(", "))]
    Unknown(String, String),
}

/// Why an expression gave no usable value for an alert.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoValue {
    #[error("{0}")]
    Missing(String),
    #[error("it gave {0}, not {1}")]
    Type(String, &'static str),
}

impl TryFrom<String> for Condition {
    type Error = BadCondition;

    fn try_from(text: String) -> Result<Self, BadCondition> {
        let condition = Self(text);
        condition.check()?;
        Ok(condition)
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Condition {
    /// Whether it compiles and names only what exists.
    pub fn check(&self) -> Result<(), BadCondition> {
        let program = compile(&self.0)?;
        match unknown_name(program.expression()) {
            Some(name) => Err(BadCondition::Unknown(self.0.clone(), name)),
            None => Ok(()),
        }
    }

    /// Whether the expression is true for the alert. A label that the alert lacks is an answer, not a fault.
    pub fn holds(&self, alert: &Alert) -> Result<bool, NoValue> {
        match self.value(alert)? {
            Value::Bool(answer) => Ok(answer),
            other => Err(NoValue::Type(describe(&other), "true or false")),
        }
    }

    /// The ids that the expression gives: one text or a list of texts, never an empty text.
    pub fn ids(&self, alert: &Alert) -> Result<Vec<String>, NoValue> {
        let text = |value: &Value| match value {
            Value::String(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
            other => Err(NoValue::Type(describe(other), "a text that is not empty")),
        };
        match self.value(alert)? {
            Value::List(list) => list.iter().map(text).collect(),
            one => Ok(vec![text(&one)?]),
        }
    }

    fn value(&self, alert: &Alert) -> Result<Value, NoValue> {
        let program = compile(&self.0).map_err(|bad| NoValue::Missing(bad.to_string()))?;
        let mut context = Context::default();
        let view = serde_json::json!({
            "source": alert.source,
            "name": alert.name,
            "status": alert.status,
            "severity": alert.severity,
            "service": alert.service,
            "title": alert.title,
            "labels": alert.labels,
            "annotations": alert.annotations,
        });
        context.add_variable("alert", view).map_err(|error| NoValue::Missing(error.to_string()))?;
        program.execute(&context).map_err(|error| NoValue::Missing(error.to_string()))
    }
}

fn compile(text: &str) -> Result<Program, BadCondition> {
    // The parser is generated code fed with a person's text: a panic there must not become ours.
    std::panic::catch_unwind(|| Program::compile(text))
        .map_err(|_| "the expression cannot be parsed".to_owned())
        .and_then(|result| result.map_err(|errors| errors.to_string()))
        .map_err(|why| BadCondition::Syntax(text.to_owned(), why))
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::String(text) => format!("the text \"{text}\""),
        other => format!("{other:?}"),
    }
}

/// The first variable or field of `alert` that does not exist.
fn unknown_name(expression: &IdedExpr) -> Option<String> {
    unknown_in(expression, &mut Vec::new())
}

fn unknown_in(expression: &IdedExpr, bound: &mut Vec<String>) -> Option<String> {
    match &expression.expr {
        Expr::Ident(name) => (name != "alert" && !name.starts_with('@') && !bound.contains(name))
            .then(|| name.clone()),
        Expr::Select(select) => match &select.operand.expr {
            Expr::Ident(name) if name == "alert" => (!FIELDS.contains(&select.field.as_str()))
                .then(|| format!("alert.{}", select.field)),
            _ => unknown_in(&select.operand, bound),
        },
        Expr::Call(call) => call
            .target
            .iter()
            .map(AsRef::as_ref)
            .chain(&call.args)
            .find_map(|part| unknown_in(part, bound)),
        Expr::List(list) => list.elements.iter().find_map(|part| unknown_in(part, bound)),
        Expr::Map(map) => map.entries.iter().find_map(|entry| match &entry.expr {
            EntryExpr::MapEntry(pair) => {
                unknown_in(&pair.key, bound).or_else(|| unknown_in(&pair.value, bound))
            }
            EntryExpr::StructField(field) => unknown_in(&field.value, bound),
        }),
        Expr::Comprehension(over) => unknown_in(&over.iter_range, bound).or_else(|| {
            bound.push(over.iter_var.clone());
            bound.push(over.accu_var.clone());
            let found = [&over.accu_init, &over.loop_cond, &over.loop_step, &over.result]
                .into_iter()
                .find_map(|part| unknown_in(part, bound));
            bound.truncate(bound.len() - 2);
            found
        }),
        Expr::Struct(made) => Some(made.type_name.clone()),
        Expr::Literal(_) | Expr::Unspecified => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::examples;

    fn condition(text: &str) -> Condition {
        Condition::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_condition_reads_the_alert() {
        let alert = examples::alert("slow-api-data", "i-0abc12345");
        assert_eq!(condition("alert.source == 'sumologic'").holds(&alert), Ok(true));
        assert_eq!(condition("alert.labels.instance_id.startsWith('i-')").holds(&alert), Ok(true));
        assert_eq!(condition("alert.severity in ['warning']").holds(&alert), Ok(false));
        assert_eq!(
            condition("'zone' in alert.labels && alert.labels.zone == 'a'").holds(&alert),
            Ok(false)
        );
        assert!(condition("alert.labels.nowhere == 'a'").holds(&alert).is_err());
        assert_eq!(
            condition("alert.labels.instance_id").ids(&alert),
            Ok(vec!["i-0abc12345".to_owned()])
        );
        assert!(condition("''").ids(&alert).is_err());
    }

    #[test]
    fn misspelt_names_are_found_before_use() {
        for (text, name) in [
            ("alert.label.x == 'a'", "alert.label"),
            ("alrt.name == 'a'", "alrt"),
            ("['a'].exists(x, x == alert.nam)", "alert.nam"),
        ] {
            let error = Condition::try_from(text.to_owned()).unwrap_err();
            assert_eq!(error, BadCondition::Unknown(text.to_owned(), name.to_owned()));
        }
        assert!(Condition::try_from("['a'].exists(x, x == alert.name)".to_owned()).is_ok());
        assert!(matches!(Condition::try_from("alert.".to_owned()), Err(BadCondition::Syntax(..))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_text_makes_the_parser_panic(text in "[a-z.()'\\[\\]&|!=<>0-9\" ]{0,40}") {
            drop(Condition::try_from(text));
        }
    }
}
