//! Exports of the record: one event a line, as the local store writes it or as DynamoDB exports its table.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::audit::EventHash;
use crate::ids::IncidentId;
use crate::incident::Recorded;

/// The events of an export, by incident and in order.
#[derive(Debug, Clone, Default)]
pub struct Export {
    pub incidents: BTreeMap<IncidentId, Vec<Recorded>>,
    /// Lines that are something else of the record: states, slots, books.
    pub passed_over: usize,
    /// Lines that could not be read, by number from 1, with what is wrong.
    pub unreadable: Vec<(usize, String)>,
}

impl Export {
    /// Takes one line in. Empty lines are none.
    pub fn take(&mut self, number: usize, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        match read(line) {
            Ok(Some(recorded)) => {
                self.incidents.entry(recorded.incident.clone()).or_default().push(recorded);
            }
            Ok(None) => self.passed_over += 1,
            Err(why) => self.unreadable.push((number, why)),
        }
    }

    /// Puts the events of each incident in order and drops what came twice.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        for events in self.incidents.values_mut() {
            events.sort_by_key(|recorded| recorded.seq);
            events.dedup_by_key(|recorded| recorded.seq);
        }
        self
    }

    pub fn events(&self) -> usize {
        self.incidents.values().map(Vec::len).sum()
    }
}

/// `None` for a line that is no event.
fn read(line: &str) -> Result<Option<Recorded>, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| format!("no JSON: {error}"))?;
    if let Some(item) = value.get("Item") {
        return of_table(item);
    }
    if value.get("incident").is_none() || value.get("event").is_none() {
        return Ok(None);
    }
    serde_json::from_value(value).map(Some).map_err(|error| format!("no event: {error}"))
}

/// An item of an export in DynamoDB JSON
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html>).
fn of_table(item: &Value) -> Result<Option<Recorded>, String> {
    let text = |name: &str| item.pointer(&format!("/{name}/S")).and_then(Value::as_str);
    let incident = text("pk").and_then(|pk| pk.strip_prefix("INC#"));
    let seq = text("sk").and_then(|sk| sk.strip_prefix("EVT#"));
    let (Some(incident), Some(seq)) = (incident, seq) else { return Ok(None) };
    let missing = |name: &str| format!("the item of {incident} {seq} has no `{name}`");
    let event = text("body").ok_or_else(|| missing("body"))?;
    let at = text("at").ok_or_else(|| missing("at"))?;
    Ok(Some(Recorded {
        incident: IncidentId::try_from(incident.to_owned()).map_err(|bad| bad.to_string())?,
        seq: seq.parse().map_err(|_| format!("`{seq}` is no number of an event"))?,
        at: at.parse().map_err(|error| format!("`at` of {incident} {seq}: {error}"))?,
        event: serde_json::from_str(event).map_err(|error| format!("no event: {error}"))?,
        prev: text("prev")
            .map(|prev| EventHash::try_from(prev.to_owned()))
            .transpose()
            .map_err(|bad| format!("`prev` of {incident} {seq}: {bad}"))?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::{alert, at};
    use crate::incident::Event;

    fn recorded(seq: u64) -> Recorded {
        let alert = std::sync::Arc::new(alert("slow-api-data", "i-0abc12345"));
        let incident = IncidentId::try_from("inc_01J".to_owned()).unwrap();
        Recorded { incident, seq, at: at(0), event: Event::AlertFired { alert }, prev: None }
    }

    #[test]
    fn both_forms_give_the_same_events() {
        let ours = serde_json::to_string(&recorded(2)).unwrap();
        let theirs = serde_json::json!({"Item": {
            "pk": {"S": "INC#inc_01J"}, "sk": {"S": "EVT#0000000001"}, "at": {"S": at(0).to_string()},
            "body": {"S": serde_json::to_string(&recorded(1).event).unwrap()},
        }})
        .to_string();
        let mut export = Export::default();
        for (number, line) in [
            ours.as_str(),
            &theirs,
            &ours,
            "",
            r#"{"Item":{"pk":{"S":"BOOK#a"},"sk":{"S":"BOOK"}}}"#,
            "{",
        ]
        .iter()
        .enumerate()
        {
            export.take(number + 1, line);
        }
        let export = export.sorted();
        assert_eq!(export.incidents.values().next().unwrap(), &[recorded(1), recorded(2)]);
        assert_eq!((export.passed_over, export.unreadable.len()), (1, 1));
        assert_eq!(export.unreadable[0].0, 6);
    }
}
