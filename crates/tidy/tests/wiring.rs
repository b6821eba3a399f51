//! What code and Terraform must agree on stands once, under `terraform/wiring/`; these tests read those files.
#![expect(clippy::unwrap_used, reason = "a failing helper should panic")]

use std::path::Path;

use firebreak_core::actions;
use firebreak_core::incident::event::WAKES_TELLING;
use serde_json::Value;

fn path(file: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../terraform/wiring").join(file)
}

fn wiring(file: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path(file)).unwrap()).unwrap()
}

fn words(value: &Value) -> Vec<&str> {
    let mut words: Vec<&str> =
        value.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    words.sort_unstable();
    words
}

/// The policies that Terraform attaches are those that the actions declare.
#[test]
fn permissions_are_generated_from_the_actions() {
    let generated = serde_json::to_string_pretty(&actions::permissions_by_family()).unwrap() + "\n";
    let file = path("permissions.json");
    #[expect(clippy::disallowed_methods, reason = "`make bless` asks for the file to be written")]
    if std::env::var("FIREBREAK_BLESS").is_ok() {
        std::fs::write(&file, &generated).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), generated, "run `make bless`");
}

#[test]
fn the_notifier_is_woken_by_what_the_core_says() {
    assert_eq!(words(&wiring("patterns/notify.json")["detail-type"]), WAKES_TELLING);
}

#[test]
fn remediation_starts_on_what_the_core_says() {
    let pattern = wiring("patterns/remediate.json");
    assert_eq!(words(&pattern["detail-type"]), firebreak_core::incident::event::WAKES_DRIVER);
    assert_eq!(words(&pattern["source"]), ["firebreak"]);
}

#[test]
fn the_stream_filter_lets_events_through_and_nothing_else() {
    let filter = wiring("stream_filter.json");
    let text = filter.to_string();
    assert!(text.contains("INSERT") && text.contains("EVT#"), "{text}");
}

/// The metric of the quarantine is counted by the words of one log line.
#[test]
fn what_goes_to_quarantine_is_logged_in_the_words_that_are_counted() {
    let wiring = wiring("quarantine.json");
    let (message, count) = (wiring["message"].as_str().unwrap(), wiring["count"].as_str().unwrap());
    let code = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/src/quarantine.rs");
    let code = std::fs::read_to_string(code).unwrap();
    let line = format!("tracing::warn!(source, {count}, \"{message}\");");
    assert_eq!(code.matches(&line).count(), 1, "{line}");
}
