//! Actions: what each one is, needs and promises. The hands that carry them out live with the adapters.

mod ec2_reboot;
mod http_set_flag;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::Serialize;
use serde_json::{Value, json};

use crate::ids::ActionName;
use crate::target::Target;

/// What happens when a call is made twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// The second call does a second thing: sent at most once, an unknown outcome is read, never retried.
    AtMostOnce,
    /// The second call changes nothing.
    Idempotent,
}

/// Whether what was there before can be put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reversal {
    /// From the state captured before.
    Undo,
    /// Nothing to go back to: stricter gates apply.
    Irreversible,
}

/// A parameter of an action, given under `with:` in a runbook step.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Parameter {
    pub name: &'static str,
    pub required: bool,
    pub form: Form,
    pub summary: &'static str,
}

/// The values that a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// One line of printable text.
    Text,
    /// A whole number within these bounds.
    Whole {
        least: i64,
        most: i64,
    },
    Truth,
    /// A truth, a number or a line of text.
    Scalar,
}

impl Form {
    /// For messages.
    pub fn words(self) -> String {
        match self {
            Form::Text => "one line of text".to_owned(),
            Form::Whole { least, most } => format!("a whole number from {least} to {most}"),
            Form::Truth => "true or false".to_owned(),
            Form::Scalar => "true, false, a number or one line of text".to_owned(),
        }
    }

    /// As a JSON Schema, for whoever proposes.
    pub fn schema(self) -> Value {
        match self {
            Form::Text => json!({"type": "string", "maxLength": 1024}),
            Form::Whole { least, most } => {
                json!({"type": "integer", "minimum": least, "maximum": most})
            }
            Form::Truth => json!({"type": "boolean"}),
            Form::Scalar => json!({"type": ["boolean", "number", "string"], "maxLength": 1024}),
        }
    }

    /// Some value that it takes, for checks before there is a real one.
    pub(crate) fn example(self) -> Value {
        match self {
            Form::Text | Form::Scalar => Value::String("x".to_owned()),
            Form::Whole { least, .. } => Value::from(least),
            Form::Truth => Value::Bool(true),
        }
    }

    pub fn takes(self, value: &Value) -> bool {
        let line = |text: &str| text.len() <= 1024 && !text.chars().any(char::is_control);
        match self {
            Form::Text => value.as_str().is_some_and(line),
            Form::Whole { least, most } => {
                value.as_i64().is_some_and(|number| (least..=most).contains(&number))
            }
            Form::Truth => value.is_boolean(),
            Form::Scalar => {
                value.is_boolean() || value.is_number() || value.as_str().is_some_and(line)
            }
        }
    }
}

/// A signal that the hands of the action can read after it.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Signal {
    pub name: &'static str,
    /// How long after the action a reading may still speak of the time before it.
    #[serde(skip)]
    pub lag: SignedDuration,
    pub summary: &'static str,
}

/// One IAM statement, in the shape that Terraform attaches.
#[derive(Debug, Clone, Serialize)]
pub struct Permission {
    pub sid: &'static str,
    pub effect: &'static str,
    pub actions: &'static [&'static str],
    pub resources: &'static [&'static str],
    pub conditions: &'static [Condition],
}

#[derive(Debug, Clone, Serialize)]
pub struct Condition {
    pub test: &'static str,
    pub variable: &'static str,
    pub values: &'static [&'static str],
}

/// The specification of one action.
pub trait Action: Sync {
    /// Verb phrase behind its family, such as `ec2.reboot`.
    fn name(&self) -> &'static str;

    /// Actions of one family share a role and therefore its powers.
    fn family(&self) -> &'static str;

    fn summary(&self) -> &'static str;

    fn target_kind(&self) -> &'static str;

    /// The form that an id of the target kind must have.
    fn check_target(&self, id: &str) -> Result<(), &'static str>;

    fn parameters(&self) -> &'static [Parameter];

    /// Refuses parameters that the hands could not use; the text names the parameter and the remedy.
    fn check_parameters(&self, with: &serde_json::Map<String, Value>) -> Result<(), String> {
        for parameter in self.parameters() {
            match with.get(parameter.name) {
                None if parameter.required => {
                    return Err(format!("`{}` is missing: {}", parameter.name, parameter.summary));
                }
                Some(value) if !parameter.form.takes(value) => {
                    let (name, words) = (parameter.name, parameter.form.words());
                    return Err(format!("`{name}` is {value}; it takes {words}"));
                }
                None | Some(_) => {}
            }
        }
        match with
            .keys()
            .find(|key| !self.parameters().iter().any(|parameter| parameter.name == *key))
        {
            Some(unknown) => Err(format!("`{unknown}` is not a parameter of {}", self.name())),
            None => Ok(()),
        }
    }

    fn repeat(&self) -> Repeat;

    fn reversal(&self) -> Reversal;

    fn signals(&self) -> &'static [Signal];

    /// For how long the action may itself make its target, and what depends on it, raise alerts.
    fn expected_for(&self) -> SignedDuration;

    fn permissions(&self) -> &'static [Permission];

    /// What a person should expect to see when it is done to the target.
    fn effect(&self, target: &Target, with: &serde_json::Map<String, Value>) -> String;
}

/// Every action there is.
pub const ACTIONS: &[&dyn Action] = &[
    // Alphabetical.
    &ec2_reboot::Ec2Reboot,
    &http_set_flag::HttpSetFlag,
];

pub fn find(name: &str) -> Option<&'static dyn Action> {
    ACTIONS.iter().copied().find(|action| action.name() == name)
}

/// The registry entry of a name that was checked when its runbook was read.
pub fn named(name: &ActionName) -> &'static dyn Action {
    find(name.as_str()).expect("a runbook with an unknown action cannot be read")
}

/// The IAM statements of each family, as `terraform/wiring/permissions.json` holds them.
pub fn permissions_by_family() -> BTreeMap<&'static str, Vec<&'static Permission>> {
    let mut families: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for action in ACTIONS {
        families.entry(action.family()).or_default().extend(action.permissions());
    }
    families
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_sorted_named_by_family_and_complete() {
        let names: Vec<_> = ACTIONS.iter().map(|action| action.name()).collect();
        assert!(names.is_sorted());
        for action in ACTIONS {
            assert!(
                action.name().starts_with(&format!("{}.", action.family())),
                "{}",
                action.name()
            );
            assert!(ActionName::try_from(action.name().to_owned()).is_ok());
            assert!(!action.summary().is_empty());
            assert!(!action.signals().is_empty(), "{} cannot be verified", action.name());
        }
    }

    #[test]
    fn every_mutating_permission_asks_for_the_opt_in_tag() {
        for action in ACTIONS {
            for statement in action.permissions() {
                let reads = statement.actions.iter().all(|name| name.contains(":Describe"));
                let tagged =
                    statement.conditions.iter().any(|c| c.variable == "aws:ResourceTag/firebreak");
                assert!(reads || tagged, "{} {}", action.name(), statement.sid);
            }
        }
    }
}
