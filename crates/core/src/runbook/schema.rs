//! The JSON Schema of a runbook, for editors: keys, words, actions with their parameters, signals.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{ALERT_RESOLVED, Runbook};
use crate::actions::{ACTIONS, Action, Form};

/// A duration as a person writes it.
pub(super) struct Duration;

impl JsonSchema for Duration {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Such as 90s, 10m, 24h or 1h 30m.",
            "examples": ["90s", "10m", "24h"],
        })
    }
}

/// JSON Schema 2020-12 of a runbook file.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Runbook).to_value();
    let kinds: Vec<&str> = ACTIONS.iter().map(|action| action.target_kind()).collect();
    let mut kinds: Vec<Value> = kinds.into_iter().map(Value::from).collect();
    kinds.sort_by_key(ToString::to_string);
    kinds.dedup();
    if let Some(targets) = schema.pointer_mut("/properties/targets").and_then(Value::as_object_mut)
    {
        targets.insert("propertyNames".to_owned(), json!({ "enum": kinds }));
        targets.insert("minProperties".to_owned(), json!(1));
        targets.insert("maxProperties".to_owned(), json!(1));
    }
    if let Some(step) = schema.pointer_mut("/$defs/Step").and_then(Value::as_object_mut) {
        let names: Vec<&str> = ACTIONS.iter().map(|action| action.name()).collect();
        if let Some(action) = step.get_mut("properties").and_then(|of| of.get_mut("action")) {
            *action = json!({ "enum": names, "description": "What is done." });
        }
        let each: Vec<Value> = ACTIONS.iter().map(|action| of_action(*action)).collect();
        step.insert("allOf".to_owned(), Value::Array(each));
    }
    schema
}

/// If the step is of this action, then its parameters and signals are these.
fn of_action(action: &dyn Action) -> Value {
    let signals: Vec<&str> = std::iter::once(ALERT_RESOLVED)
        .chain(action.signals().iter().map(|signal| signal.name))
        .collect();
    let mut properties = serde_json::Map::new();
    for parameter in action.parameters() {
        properties.insert(
            parameter.name.to_owned(),
            json!({ "description": parameter.summary, "anyOf": [of_form(parameter.form), { "type": "string", "pattern": "\\$\\{" }] }),
        );
    }
    let required: Vec<&str> = action
        .parameters()
        .iter()
        .filter(|parameter| parameter.required)
        .map(|parameter| parameter.name)
        .collect();
    let mut then = json!({
        "properties": {
            "with": { "properties": properties, "required": required, "additionalProperties": false },
            "verify": { "properties": { "all": { "items": { "enum": signals } } } },
        },
    });
    if let Some(then) = then.as_object_mut().filter(|_| !required.is_empty()) {
        then.insert("required".to_owned(), json!(["with"]));
    }
    json!({
        "if": { "properties": { "action": { "const": action.name() } } },
        "then": then,
        "description": action.summary(),
    })
}

fn of_form(form: Form) -> Value {
    match form {
        Form::Text => json!({ "type": "string" }),
        Form::Whole { least, most } => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Form::Truth => json!({ "type": "boolean" }),
        Form::Scalar => json!({ "type": ["boolean", "number", "string"] }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_and_key_stands_in_it() {
        let schema = schema();
        let steps = schema.pointer("/$defs/Step/properties/action/enum").unwrap();
        assert_eq!(steps.as_array().unwrap().len(), ACTIONS.len());
        for key in
            ["runbook", "owner", "when", "order", "mode", "targets", "guards", "steps", "tests"]
        {
            assert!(schema.pointer(&format!("/properties/{key}")).is_some(), "{key}");
        }
        assert_eq!(schema.pointer("/additionalProperties"), Some(&json!(false)));
        let described = schema.pointer("/properties/when/description").and_then(Value::as_str);
        assert!(described.is_some_and(|words| words.contains("CEL")));
    }
}
