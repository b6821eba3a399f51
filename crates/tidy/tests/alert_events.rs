//! The rules that hand events of AWS to intake match what the sources read, and nothing else.
#![expect(clippy::unwrap_used, reason = "a failing helper should panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use firebreak_core::sources::{self, Delivery};
use serde_json::{Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The patterns by the name of their source: one file and one rule each.
fn patterns() -> BTreeMap<String, Value> {
    let entries = std::fs::read_dir(root().join("terraform/wiring/alert_events")).unwrap();
    let read = |path: PathBuf| {
        let source = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (source, serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap())
    };
    entries.map(|entry| read(entry.unwrap().path())).collect()
}

/// Whether EventBridge would take the event for this pattern; knows the operators that ours use.
fn matches(pattern: &Value, event: Option<&Value>) -> bool {
    match pattern {
        Value::Object(fields) => fields
            .iter()
            .all(|(name, wanted)| matches(wanted, event.and_then(|event| event.get(name)))),
        Value::Array(choices) => choices.iter().any(|choice| match choice {
            Value::Object(operator) => {
                assert_eq!(operator.keys().collect::<Vec<_>>(), ["exists"], "not known here");
                operator["exists"] == json!(event.is_some())
            }
            word => event == Some(word),
        }),
        _ => unreachable!("a pattern has a list of what matches at the end of each path"),
    }
}

fn words(pattern: &Value, field: &str) -> Vec<String> {
    let list = pattern[field].as_array().unwrap();
    list.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_rule_matches_exactly_what_its_source_claims() {
    let patterns = patterns();
    let sources: BTreeSet<String> =
        sources::event_claims().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(patterns.keys().cloned().collect::<BTreeSet<_>>(), sources);
    for (source, claims) in sources::event_claims() {
        let pattern = &patterns[source];
        for (bus_source, detail_type) in claims {
            let event = json!({"source": bus_source, "detail-type": detail_type, "detail": {}});
            assert!(matches(pattern, Some(&event)), "{source}: {detail_type} is not matched");
        }
        for bus_source in words(pattern, "source") {
            for detail_type in words(pattern, "detail-type") {
                let claim = (bus_source.as_str(), detail_type.as_str());
                assert!(claims.contains(&claim), "{source}: nobody reads {claim:?}");
            }
        }
    }
}

#[test]
fn no_alert_is_filtered_away() {
    let received_at = "2026-03-01T12:00:00Z".parse().unwrap();
    let patterns = patterns();
    let mut seen = 0;
    for (source, _) in sources::event_claims() {
        for entry in std::fs::read_dir(root().join("events").join(source)).unwrap() {
            let body = std::fs::read(entry.unwrap().path()).unwrap();
            let Ok(event) = serde_json::from_slice::<Value>(&body) else { continue };
            if event.get("detail-type").is_none() {
                continue;
            }
            let delivery = Delivery { body: &body, content_type: None, headers: &[], received_at };
            let intake = sources::find(source).unwrap().parse(&delivery);
            let matching = patterns.values().filter(|pattern| matches(pattern, Some(&event)));
            let count = matching.count();
            assert!(count <= 1, "{source}: two rules deliver {event}");
            assert!(count == 1 || intake.alerts.is_empty(), "{source}: no rule delivers {event}");
            seen += 1;
        }
    }
    assert!(seen > 40, "only {seen} events were found");
}
