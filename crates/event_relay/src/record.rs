//! One record of the stream, and the bus entry that it becomes.

use firebreak_aws::bus::Entry;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

/// An invocation. Records stay JSON until each is looked at: one that is broken spoils no other.
#[derive(Debug, Deserialize)]
pub(crate) struct Records {
    #[serde(rename = "Records")]
    pub(crate) records: Vec<Value>,
}

/// A record that no repetition will make readable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("record {sequence_number} cannot be relayed: {problem}")]
pub(crate) struct Poison {
    pub(crate) sequence_number: String,
    problem: String,
}

/// What the mapping goes on from.
pub(crate) fn sequence_number(record: &Value) -> &str {
    record.pointer("/dynamodb/SequenceNumber").and_then(Value::as_str).unwrap_or_default()
}

/// The entry for a new event; `None` for an item that is no event and came past the filter.
pub(crate) fn entry_of(record: &Value) -> Result<Option<Entry>, Poison> {
    let text = |place: &str| record.pointer(place).and_then(Value::as_str);
    let insert = text("/eventName") == Some("INSERT");
    let is_event = text("/dynamodb/Keys/sk/S").is_some_and(|sk| sk.starts_with("EVT#"));
    if !insert || !is_event {
        return Ok(None);
    }
    read(record)
        .map(Some)
        .map_err(|problem| Poison { sequence_number: sequence_number(record).to_owned(), problem })
}

fn read(record: &Value) -> Result<Entry, String> {
    let text = |name: &str| {
        record
            .pointer(&format!("/dynamodb/NewImage/{name}/S"))
            .and_then(Value::as_str)
            .ok_or_else(|| format!("`{name}` is missing"))
    };
    let (pk, sk) = (text("pk")?, text("sk")?);
    let incident = pk.strip_prefix("INC#").ok_or_else(|| format!("`{pk}` is no incident"))?;
    let seq: u64 = sk
        .strip_prefix("EVT#")
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| format!("`{sk}` has no number"))?;
    let kind = text("type")?;
    // Not read as an event of ours: a relay that is older than the event passes it on all the same.
    let event: Value =
        serde_json::from_str(text("body")?).map_err(|error| format!("`body`: {error}"))?;
    if event.get("type").and_then(Value::as_str) != Some(kind) {
        return Err(format!("`body` is not a {kind}"));
    }
    let at: Timestamp = text("at")?.parse().map_err(|error| format!("`at`: {error}"))?;
    let mut detail = json!({
        "event_id": format!("{incident}:{seq}"),
        "incident_id": incident,
        "seq": seq,
        "type": kind,
        "at": at,
        "service": text("service")?,
        "severity": text("severity")?,
        "title": text("title")?,
        "event": event,
    });
    // The copy in the log is then evidence as well.
    if let (Ok(prev), Some(detail)) = (text("prev"), detail.as_object_mut()) {
        detail.insert("prev".to_owned(), prev.into());
    }
    Ok(Entry { detail_type: kind.to_owned(), detail: detail.to_string(), at })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(name: &str) -> Vec<Value> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/event_relay");
        let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
        serde_json::from_str::<Records>(&text).unwrap().records
    }

    #[test]
    fn an_event_becomes_an_entry_that_rules_can_match() {
        let entry = entry_of(&records("one")[0]).unwrap().unwrap();
        assert_eq!(entry.detail_type, "incident.opened");
        assert_eq!(entry.at.to_string(), "2026-11-21T04:24:20.123456789Z");
        let detail: Value = serde_json::from_str(&entry.detail).unwrap();
        let incident = "inc_01K9ZJ5V8E3R0Q4T6Y8W2B5N7M";
        assert_eq!(detail["event_id"], format!("{incident}:1"));
        assert_eq!(detail["incident_id"], incident);
        assert_eq!(detail["seq"], 1);
        assert_eq!(detail["type"], "incident.opened");
        assert_eq!(detail["at"], "2026-11-21T04:24:20.123456789Z");
        assert_eq!(detail["service"], "checkout");
        assert_eq!(detail["severity"], "critical");
        assert_eq!(detail["event"]["group_key"], "grp1_0f");
        let noted = entry_of(&records("batch")[1]).unwrap().unwrap();
        let detail: Value = serde_json::from_str(&noted.detail).unwrap();
        assert_eq!(detail["event"]["text"], "größer \"quoted\" 🔥");
        assert!(detail["prev"].as_str().unwrap().starts_with("ev1_74da"), "{detail}");
    }

    #[test]
    fn what_is_no_new_event_is_passed_over() {
        assert_eq!(entry_of(&records("not_an_event")[0]), Ok(None));
    }

    #[test]
    fn a_broken_record_is_named_by_its_number() {
        let poison = entry_of(&records("poison")[1]).unwrap_err();
        assert_eq!(poison.sequence_number, "111100000000000000002");
        assert!(poison.to_string().contains("`body`"), "{poison}");
    }

    #[test]
    fn every_missing_part_is_poison_and_no_panic() {
        let whole = &records("one")[0];
        for part in ["pk", "type", "at", "service", "severity", "title", "body"] {
            let mut record = whole.clone();
            record["dynamodb"]["NewImage"].as_object_mut().unwrap().remove(part);
            let poison = entry_of(&record).unwrap_err().to_string();
            assert!(poison.contains(&format!("`{part}`")), "{poison}");
        }
        let mut other = whole.clone();
        other["dynamodb"]["NewImage"]["type"]["S"] = "alert.fired".into();
        assert!(entry_of(&other).is_err());
        assert_eq!(entry_of(&Value::Null), Ok(None));
    }
}
