//! What every source must hold: recorded bodies become what their golden files say, and no bytes break a parser.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::{Delivery, Intake, MOST_ALERTS, SOURCES, Source, find};

/// Bodies of our own with their golden files, from the folder of this crate.
const EVENTS: &str = "../../events";

/// A body in a file. What its request says beside it stands in `<case>.headers`, one `name: value` a line.
pub(super) struct Body {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
    headers: Vec<(String, String)>,
}

impl Body {
    pub(super) fn read(path: PathBuf) -> Self {
        let bytes = fs::read(&path).unwrap();
        let headers = fs::read_to_string(path.with_extension("headers")).unwrap_or_default();
        let headers = headers.lines().map(|line| {
            let (name, value) = line.split_once(": ").expect("`name: value`");
            (name.to_owned(), value.to_owned())
        });
        Self { headers: headers.collect(), path, bytes }
    }

    pub(super) fn parse(&self, source: &dyn Source) -> Intake {
        let content_type = self.headers.iter().find(|(name, _)| name == "content-type");
        let content_type = content_type.map_or("application/json", |(_, value)| value);
        let headers = self.headers.iter().filter(|(name, _)| source.reads_header(name));
        let headers: Vec<(String, String)> = headers.cloned().collect();
        let delivery = Delivery {
            body: &self.bytes,
            content_type: Some(content_type),
            headers: &headers,
            received_at: "2026-03-01T12:00:00Z".parse().unwrap(),
        };
        source.parse(&delivery)
    }

    /// Parses, and checks what must hold for any body at all.
    pub(super) fn check(&self, source: &dyn Source) -> Intake {
        let intake = self.parse(source);
        let spoken = intake.alerts.len() + intake.heartbeats.len() + intake.controls.len();
        let said = spoken + intake.rejects.len();
        assert!(said > 0, "{} lost {:?}", source.name(), String::from_utf8_lossy(&self.bytes));
        assert_eq!(intake, self.parse(source), "{} is not repeatable", source.name());
        intake
    }
}

impl From<&[u8]> for Body {
    fn from(bytes: &[u8]) -> Self {
        Self { path: PathBuf::new(), bytes: bytes.to_vec(), headers: Vec::new() }
    }
}

fn events(source: &dyn Source) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(EVENTS).join(source.name())
}

/// The bodies in a folder, by path.
pub(super) fn bodies(folder: &Path) -> Vec<Body> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| is_body(path)).collect();
    paths.sort();
    paths.into_iter().map(Body::read).collect()
}

fn is_body(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    !name.ends_with(".alert.json")
        && path.extension().is_some_and(|end| end == "json" || end == "txt")
}

fn case(source: &str, name: &str) -> Intake {
    let source = find(source).unwrap();
    Body::read(events(source).join(name)).parse(source)
}

fn check(source: &dyn Source, bytes: &[u8]) -> Intake {
    Body::from(bytes).check(source)
}

#[test]
fn a_group_that_was_cut_says_so_and_ends_nothing() {
    let intake = case("alertmanager", "truncated.json");
    assert!(
        intake.findings.iter().any(|finding| finding.contains("left")),
        "{:?}",
        intake.findings
    );
    assert!(!intake.alerts.is_empty() && intake.alerts.iter().all(|(_, alert)| alert.is_firing()));
}

#[expect(clippy::disallowed_methods, reason = "rewriting golden files is asked for from outside")]
fn is_blessing() -> bool {
    std::env::var("FIREBREAK_BLESS").is_ok_and(|value| value == "1")
}

#[test]
fn bodies_become_what_their_golden_files_say() {
    for source in SOURCES {
        let bodies = bodies(&events(*source));
        assert!(!bodies.is_empty(), "events/{} has no body", source.name());
        for body in bodies {
            let golden = body.path.with_extension("alert.json");
            let actual = serde_json::to_string_pretty(&body.check(*source)).unwrap() + "\n";
            if is_blessing() {
                fs::write(&golden, &actual).unwrap();
            }
            let expected = fs::read_to_string(&golden).unwrap_or_default();
            assert!(
                actual == expected,
                "{} differs, see FIREBREAK_BLESS=1; now:\n{actual}",
                golden.display()
            );
        }
    }
}

#[test]
fn names_are_unique_and_sorted() {
    let names: Vec<&str> = SOURCES.iter().map(|source| source.name()).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(names, sorted);
    for source in SOURCES {
        for name in source.also_known_as() {
            assert!(!names.contains(name), "`{name}` is the name of another source");
            assert_eq!(find(name).map(Source::name), Some(source.name()));
        }
    }
    assert!(
        SOURCES.iter().all(|source| !source.summary().is_empty() && !source.schemes().is_empty())
    );
}

#[test]
fn a_recovery_has_the_fingerprint_of_its_alert() {
    let pairs = [
        ("alertmanager", "firing.json", "resolved.json"),
        ("alertmanager", "no_fingerprint.json", "no_fingerprint_resolved.json"),
        ("autoscaling", "firing.json", "resolved.json"),
        ("autoscaling", "refresh_failed.json", "refresh_succeeded.json"),
        ("autoscaling", "terminate_failed.json", "terminated.json"),
        ("cloudwatch", "composite.json", "composite_resolved.json"),
        ("cloudwatch", "contributor.json", "contributor_resolved.json"),
        ("cloudwatch", "firing.json", "no_data_over.json"),
        ("cloudwatch", "firing.json", "resolved.json"),
        ("ec2", "firing.json", "resolved.json"),
        ("ecs", "deployment_failed.json", "deployment_completed.json"),
        ("ecs", "placement_failure.json", "steady_state.json"),
        ("ecs", "service_impaired.json", "steady_state.json"),
        ("eventbridge", "firing.json", "resolved.json"),
        ("guardduty", "firing.json", "archived.json"),
        ("health", "firing.json", "resolved.json"),
        ("securityhub", "firing.json", "archived.json"),
        ("securityhub", "firing.json", "resolved.json"),
        ("securityhub", "ocsf.json", "ocsf_resolved.json"),
        ("sns", "firing.json", "resolved.json"),
        ("cloudevents", "firing.json", "resolved.json"),
        ("cloudevents", "binary.json", "resolved.json"),
        ("cloudevents", "attributes_with_key.json", "attributes_with_key_resolved.json"),
        ("datadog", "firing.json", "resolved.json"),
        ("datadog", "firing.json", "form_resolved.txt"),
        ("datadog", "default_payload.json", "default_payload_resolved.json"),
        ("datadog", "other_template.json", "other_template_resolved.json"),
        ("grafana", "firing.json", "resolved.json"),
        ("grafana", "dashboard_alert.json", "dashboard_alert_resolved.json"),
        ("newrelic", "firing.json", "resolved.json"),
        ("newrelic", "no_times.json", "no_times_resolved.json"),
        ("newrelic", "classic.json", "classic_resolved.json"),
        ("opsgenie", "firing.json", "resolved.json"),
        ("opsgenie", "acknowledged.json", "deleted.json"),
        ("pagerduty", "firing.json", "resolved.json"),
        ("pagerduty", "events_api.json", "events_api_resolved.json"),
        ("standardwebhooks", "firing.json", "resolved.json"),
        ("standardwebhooks", "enveloped.json", "enveloped_resolved.json"),
        ("sumologic", "firing.json", "resolved.json"),
        ("sumologic", "no_alert_url.json", "no_alert_url_resolved.json"),
        ("sumologic", "other_template.json", "other_template_resolved.json"),
        ("sumologic", "firing.json", "broken_resolved.txt"),
    ];
    for (source, firing, resolved) in pairs {
        let of = |name: &str| {
            case(source, name).alerts.first().unwrap_or_else(|| panic!("{source}/{name}")).1.clone()
        };
        let (firing, resolved) = (of(firing), of(resolved));
        assert!(firing.is_firing() && !resolved.is_firing());
        assert_eq!(firing.fingerprint, resolved.fingerprint, "{source}");
        assert_ne!(firing.content_hash, resolved.content_hash, "{source}");
    }
}

#[test]
fn what_was_kept_aside_is_read_when_it_is_replayed() {
    let elements: Vec<String> = (0..=MOST_ALERTS)
        .map(|nth| {
            format!(r#"{{"status":"firing","labels":{{"alertname":"a","nth":"{nth}"}},"fingerprint":"{nth}"}}"#)
        })
        .collect();
    let body = format!(r#"{{"version":"4","status":"firing","alerts":[{}]}}"#, elements.join(","));
    for source in ["alertmanager", "grafana"] {
        let source = find(source).unwrap();
        let intake = check(source, body.as_bytes());
        assert_eq!((intake.alerts.len(), intake.rejects.len()), (MOST_ALERTS, 1));
        let replayed = check(source, intake.rejects[0].raw.as_bytes());
        let label = &replayed.alerts[0].1.labels["nth"];
        assert_eq!((replayed.alerts.len(), label), (1, &MOST_ALERTS.to_string()));
    }
}

#[test]
fn a_recovery_without_a_level_ends_every_level() {
    let normal = case("sumologic", "normal.json");
    let fired = case("sumologic", "firing.json");
    assert_eq!(normal.alerts.len(), 3);
    assert!(
        normal.alerts.iter().any(|(_, alert)| alert.fingerprint == fired.alerts[0].1.fingerprint)
    );
}

#[test]
fn pasted_text_cannot_speak_for_the_sender() {
    for name in ["broken_forged.txt", "forged.json", "forged_other_case.json"] {
        let intake = case("sumologic", name);
        let alert = &intake.alerts[0].1;
        assert!(alert.is_firing(), "the log line claims a recovery");
        assert_eq!(alert.identity, crate::alert::Identity::Weak);
        assert_eq!(alert.labels.get("instance_id"), None, "a target comes from the log line");
    }
}

/// One of our own bodies, changed the way the wire and templates change them.
fn mutated() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let all: Vec<(&'static str, Vec<u8>)> = SOURCES
        .iter()
        .flat_map(|source| {
            bodies(&events(*source)).into_iter().map(|body| (source.name(), body.bytes))
        })
        .collect();
    let damage = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        any::<u8>(),
        0..5_u8,
        1..200_usize,
    );
    (0..all.len(), damage).prop_map(move |(which, (at, other, byte, kind, depth))| {
        let (source, mut body) = all[which].clone();
        let (at, other) = (at.index(body.len()), other.index(body.len()));
        match kind {
            0 => body.truncate(at + 1),
            1 => body[at] = byte,
            2 => body.insert(at, byte),
            3 => drop(body.drain(at.min(other)..at.max(other))),
            _ => drop(body.splice(at..at, "[{\"alerts\":".repeat(depth).into_bytes())),
        }
        (source, body)
    })
}

fn labels() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::btree_map("[a-z]{1,6}", ".{1,8}", 1..8)
        .prop_map(|map| map.into_iter().collect())
}

fn with_labels(labels: &[(String, String)]) -> (String, String) {
    let fields: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("\"{name}\":{}", serde_json::json!(value)))
        .collect();
    let fields = fields.join(",");
    (
        format!(r#"{{"version":"4","alerts":[{{"status":"firing","labels":{{{fields}}}}}]}}"#),
        format!(
            r#"{{"schema":"firebreak.sumologic.v1","monitor_id":"00A","name":"n","trigger_type":"Critical","group":{{{fields}}}}}"#
        ),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_kept(body in prop::collection::vec(any::<u8>(), 1..300)) {
        for source in SOURCES {
            check(*source, &body);
        }
    }

    #[test]
    fn any_headers_of_a_message_are_kept(
        headers in prop::collection::vec(("ce-(id|source|type|time|specversion|x)", "[ -~]{0,12}"), 0..8),
        body in r#"[\[{]?("data":|"[a-z]{0,4}"|[0-9:,]){0,6}[\]}]?"#,
    ) {
        for source in SOURCES.iter().filter(|source| source.reads_header("ce-id")) {
            let body = Body { path: PathBuf::new(), bytes: body.clone().into_bytes(), headers: headers.clone() };
            body.check(*source);
        }
    }

    #[test]
    fn any_text_that_looks_like_json_is_kept(body in r#"[\[{]{0,3}("[a-zA-Z_]{0,12}"[:, ]{1,2}|[\[{\]}0-9,."\\u]|null|\n){0,40}"#) {
        for source in SOURCES {
            check(*source, body.as_bytes());
        }
    }

    #[test]
    fn damaged_bodies_are_kept((source, body) in mutated()) {
        if !body.is_empty() {
            check(find(source).unwrap(), &body);
        }
    }

    #[test]
    fn the_order_of_labels_changes_nothing(labels in labels(), turn in 0..8_usize) {
        let mut shuffled = labels.clone();
        shuffled.reverse();
        shuffled.rotate_left(turn % labels.len());
        let (one, other) = (with_labels(&labels), with_labels(&shuffled));
        let bodies = [("alertmanager", one.0, other.0), ("sumologic", one.1, other.1)];
        for (source, one, other) in bodies {
            let source = find(source).unwrap();
            prop_assert_eq!(check(source, one.as_bytes()), check(source, other.as_bytes()));
        }
    }
}
