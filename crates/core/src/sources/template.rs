//! The fields of a template that a sender filled in, under whichever of its usual names each field goes.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fields::{is_placeholder, present};
use super::{Delivery, Intake, Problem, json};

/// A body as far as it could be read.
pub(super) enum Body {
    Whole(Map<String, Value>),
    /// It is not JSON, and single fields can be looked for.
    Broken(String),
}

/// What a source that is sent templates makes of a body; one that says nothing is kept aside.
pub(super) fn intake(
    delivery: &Delivery<'_>,
    remedy: &str,
    understand: impl FnOnce(Body, &mut Intake) -> Result<(), Problem>,
) -> Intake {
    let mut intake = Intake::default();
    let understood = match json::read(delivery, remedy) {
        Ok(parsed) => {
            intake.findings = parsed.findings;
            match parsed.value {
                Value::Object(map) => understand(Body::Whole(map), &mut intake),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_) => Err(Problem::shape(remedy)),
            }
        }
        Err(broken) if broken.is_scannable() => {
            intake
                .findings
                .push(format!("only single fields could be read: {}", broken.problem.message));
            understand(Body::Broken(broken.text), &mut intake).map_err(|_| {
                intake.findings.clear();
                broken.problem
            })
        }
        Err(broken) => Err(broken.problem),
    };
    if let Err(problem) = understood {
        intake.reject_all(delivery, problem);
    }
    intake
}

/// Top-level fields by [normalised](json::normalised_key) name.
pub(super) struct Template {
    fields: BTreeMap<String, Value>,
    /// Whether they were cut out of a body that is not JSON.
    pub(super) is_scanned: bool,
}

impl Template {
    pub(super) fn of(body: Body, known: &[&str], findings: &mut Vec<String>) -> Self {
        match body {
            Body::Whole(map) => Self::whole(map, findings),
            Body::Broken(text) => Self::scanned(&text, known),
        }
    }

    /// Where two names become one and both say something different, neither is believed.
    pub(super) fn whole(map: Map<String, Value>, findings: &mut Vec<String>) -> Self {
        let mut fields: BTreeMap<String, Value> = BTreeMap::new();
        for (key, value) in map {
            let normalised = json::normalised_key(&key);
            // Null outlives all others: it may stand for a dispute that was found before.
            let value = match fields.get(&normalised) {
                Some(earlier) if earlier.is_null() => Value::Null,
                Some(earlier) if !value.is_null() && present(&value).is_none() => earlier.clone(),
                Some(earlier) if present(earlier).is_some() && *earlier != value => {
                    findings.push(json::disputed(&key));
                    Value::Null
                }
                Some(_) | None => value,
            };
            fields.insert(normalised, value);
        }
        Self { fields, is_scanned: false }
    }

    /// Looks for the known names in a broken body.
    pub(super) fn scanned(text: &str, known: &[&str]) -> Self {
        Self { fields: json::scan(text, known), is_scanned: true }
    }

    /// The first of the names that says something.
    pub(super) fn text(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.fields.get(*name).and_then(present))
    }

    /// The first of the names that is there, even if it says nothing.
    pub(super) fn value(&self, names: &[&str]) -> Option<&Value> {
        names.iter().find_map(|name| self.fields.get(*name))
    }

    /// Whether any field is a variable as written.
    pub(super) fn has_placeholder(&self) -> bool {
        self.fields.values().any(|value| value.as_str().is_some_and(is_placeholder))
    }

    /// Fields that say something and go by none of the names.
    pub(super) fn others(&self, names: &[&str]) -> impl Iterator<Item = (String, String)> {
        self.fields
            .iter()
            .filter(|(key, _)| !names.contains(&key.as_str()))
            .filter_map(|(key, value)| Some((key.clone(), present(value)?)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(body: &Value, expected: Option<&str>) {
        let Value::Object(map) = body.clone() else { panic!("not an object") };
        let template = Template::whole(map, &mut Vec::new());
        assert_eq!(template.text(&["ab"]).as_deref(), expected, "{body}");
    }

    #[test]
    fn spellings_of_one_name_must_agree() {
        check(&json!({"aB": "x", "a_b": "x"}), Some("x"));
        check(&json!({"aB": "", "a_b": "x"}), Some("x"));
        check(&json!({"aB": "x", "a_b": ""}), Some("x"));
        check(&json!({"aB": "x", "a_b": "y"}), None);
        check(&json!({"AB": "x", "aB": "y", "a_b": "x"}), None);
        check(&json!({"AB": "x", "a_b": null}), None);
        check(&json!({"AB": null, "a_b": "x"}), None);
    }
}
