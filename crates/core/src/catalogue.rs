//! The catalogue: what may be asked for, typed, for people and programs that propose.

use serde_json::{Map, Value, json};

use crate::actions::{ACTIONS, Action};
use crate::runbook::{Runbook, RunbookSet};

/// Every action with the form of its parameters, and every runbook.
pub fn catalogue(runbooks: &RunbookSet) -> Value {
    let actions: Vec<Value> = ACTIONS.iter().map(|action| of_action(*action)).collect();
    let runbooks: Vec<Value> = runbooks.iter().map(of_runbook).collect();
    json!({"actions": actions, "runbooks": runbooks})
}

fn of_action(action: &dyn Action) -> Value {
    json!({
        "action": action.name(),
        "summary": action.summary(),
        "targets": action.target_kind(),
        "parameters": schema(action),
        "repeat": action.repeat(),
        "undo": action.reversal(),
        "signals": action.signals(),
    })
}

/// The JSON Schema of `with`.
fn schema(action: &dyn Action) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for parameter in action.parameters() {
        let mut form = parameter.form.schema();
        if let Some(form) = form.as_object_mut() {
            form.insert("description".to_owned(), parameter.summary.into());
        }
        properties.insert(parameter.name.to_owned(), form);
        required.extend(parameter.required.then_some(parameter.name));
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn of_runbook(runbook: &Runbook) -> Value {
    let steps: Vec<Value> = runbook
        .steps
        .iter()
        .map(|step| json!({"action": step.action, "with": step.with, "verify": step.verify.all}))
        .collect();
    json!({
        "runbook": runbook.runbook,
        "owner": runbook.owner,
        "when": runbook.when,
        "mode": runbook.mode,
        "targets": runbook.targets.keys().collect::<Vec<_>>(),
        "steps": steps,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::RUNBOOK;
    use crate::runbook::read;

    #[test]
    fn actions_say_their_parameters_targets_and_way_back() {
        let all = catalogue(&[read(RUNBOOK).unwrap()].into_iter().collect());
        let flag =
            all["actions"].as_array().unwrap().iter().find(|one| one["action"] == "http.set_flag");
        let flag = flag.unwrap();
        assert_eq!(flag["targets"], "http.flag");
        assert_eq!(flag["undo"], "undo");
        assert_eq!(flag["parameters"]["required"], json!(["value"]));
        assert_eq!(flag["parameters"]["additionalProperties"], false);
        assert_eq!(all["runbooks"][0]["runbook"], "restart-slow-api");
        assert_eq!(all["actions"].as_array().unwrap().len(), ACTIONS.len());
    }
}
