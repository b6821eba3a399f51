//! What must hold for AWS as a whole: one thing has one identity whichever way its news came, and twice is once.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::super::tests::Body;
use super::super::{Intake, SOURCES, find};
use super::event_claims;
use crate::alert::{Alert, AlertStatus};
use crate::incident::Seen;

fn body(source: &str, case: &str) -> Vec<u8> {
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events");
    std::fs::read(events.join(source).join(format!("{case}.json"))).unwrap()
}

fn parse(entrance: &str, body: &[u8]) -> Intake {
    Body::from(body).check(find(entrance).unwrap())
}

fn only(source: &str, case: &str) -> Alert {
    let mut intake = parse(source, &body(source, case));
    assert_eq!(intake.alerts.len(), 1, "{source}/{case}");
    intake.alerts.remove(0).1
}

/// Whether intake takes both for exactly the same.
fn is_repeat(one: &Alert, other: &Alert) -> bool {
    let of = |alert: &Alert| {
        (alert.fingerprint.clone(), alert.content_hash.clone(), alert.starts_at, alert.status)
    };
    of(one) == of(other)
}

#[test]
fn an_alarm_is_the_same_whichever_way_it_comes() {
    let ways = [
        ("cloudwatch", "firing"),
        ("cloudwatch", "alarm_action"),
        ("cloudwatch", "stray_spaces"),
        ("cloudwatch", "sns_message"),
        ("cloudwatch", "sns_http"),
        ("eventbridge", "firing"),
        ("eventbridge", "alarm_action"),
        ("eventbridge", "replayed"),
        ("sns", "firing"),
    ];
    let first = only("cloudwatch", "firing");
    for (source, case) in ways {
        let other = only(source, case);
        let of = |alert: &Alert| {
            (
                alert.source.clone(),
                alert.fingerprint.clone(),
                alert.starts_at,
                alert.labels.clone(),
                alert.group_key(),
            )
        };
        assert_eq!(of(&other), of(&first), "{source}/{case}");
    }
    for (source, case) in
        [("cloudwatch", "resolved"), ("cloudwatch", "sns_message_resolved"), ("sns", "resolved")]
    {
        let over = only(source, case);
        assert_eq!((over.status, &over.fingerprint), (AlertStatus::Resolved, &first.fingerprint));
    }
}

#[test]
fn every_repeat_of_an_event_is_an_exact_duplicate() {
    for (source, _) in event_claims() {
        let firing = body(source, "firing");
        let mut again: Value = serde_json::from_slice(&firing).unwrap();
        again["id"] = json!("another-delivery");
        again["replay-name"] = json!("yesterday");
        let (one, other) =
            (parse(source, &firing), parse("eventbridge", again.to_string().as_bytes()));
        assert!(is_repeat(&one.alerts[0].1, &other.alerts[0].1), "{source}");
    }
    let (one, other) = (only("health", "global"), only("health", "global_backup"));
    assert!(is_repeat(&one, &other), "an event of `global` comes through two Regions");
}

#[test]
fn the_end_of_a_suppression_is_news_of_the_same_episode() {
    let suppressed = only("cloudwatch", "composite_suppressed");
    let told = only("cloudwatch", "composite_unsuppressed");
    assert!(suppressed.mute.is_some() && told.mute.is_none());
    assert_eq!(suppressed.fingerprint, told.fingerprint);
    assert_eq!(suppressed.starts_at, told.starts_at);
    assert_ne!(suppressed.content_hash, told.content_hash);
    let muted = only("cloudwatch", "muted");
    let end = muted.mute.clone().unwrap().until.unwrap();
    assert!(muted.is_muted("2026-03-01T13:59:59Z".parse().unwrap()) && !muted.is_muted(end));
}

#[test]
fn an_alarm_and_its_contributors_share_an_incident() {
    let (alarm, contributor) =
        (only("cloudwatch", "multi_time_series"), only("cloudwatch", "contributor"));
    assert_ne!(alarm.fingerprint, contributor.fingerprint);
    assert_eq!(alarm.group_key(), contributor.group_key());
}

#[test]
fn later_news_of_a_finding_is_later_and_its_end_is_the_latest() {
    let (first, again) = (only("guardduty", "firing"), only("guardduty", "again"));
    let archived = only("guardduty", "archived");
    assert!(first.starts_at < again.starts_at && again.starts_at < archived.ends_at.unwrap());
    assert!(first.severity < again.severity);
    let (failed, passed) = (only("securityhub", "firing"), only("securityhub", "resolved"));
    assert_eq!(failed.fingerprint, passed.fingerprint);
    assert!(failed.starts_at < passed.ends_at.unwrap());
    // The issue ended before it was last spoken of; its alert must end all the same.
    let (open, closed) = (only("health", "firing"), only("health", "resolved"));
    assert!(open.starts_at < closed.ends_at.unwrap());
}

#[test]
fn an_update_is_news_only_where_it_says_something_new_and_is_not_late() {
    let finding: Value = serde_json::from_slice(&body("securityhub", "firing")).unwrap();
    let at = |time: &str, compliance: &str| {
        let mut event = finding.clone();
        event["detail"]["findings"][0]["UpdatedAt"] = json!(time);
        event["detail"]["findings"][0]["Compliance"]["Status"] = json!(compliance);
        parse("securityhub", event.to_string().as_bytes()).alerts.remove(0).1
    };
    let seen = |alert: &Alert| Seen::said_by(alert);
    let failed = at("2026-03-01T10:00:00Z", "FAILED");
    assert!(seen(&failed).is_repeated_by(&at("2026-03-02T10:00:00Z", "FAILED")), "sent every day");
    let passed = at("2026-03-03T10:00:00Z", "PASSED");
    assert!(!seen(&failed).is_repeated_by(&passed));
    assert!(seen(&passed).is_repeated_by(&at("2026-03-03T09:00:00Z", "FAILED")), "it came late");
    assert!(!seen(&passed).is_repeated_by(&at("2026-03-04T10:00:00Z", "FAILED")), "it fails again");
}

#[test]
fn no_address_out_of_a_message_of_sns_is_kept() {
    for case in ["subscription_confirmation", "unsubscribe_confirmation", "text", "firing"] {
        let intake = serde_json::to_string(&parse("sns", &body("sns", case))).unwrap();
        assert!(!intake.contains("SubscribeURL") && !intake.contains("sns.eu-west-1"), "{case}");
    }
    let intake = parse("sns", &body("sns", "subscription_confirmation"));
    let (_, control) = &intake.controls[0];
    assert!(control.told().contains("oncall") && !control.told().contains("2336412f"));
}

#[test]
fn the_doors_of_one_service_take_that_service_only() {
    for (entrance, _) in event_claims() {
        for (source, _) in event_claims() {
            let intake = parse(entrance, &body(source, "firing"));
            let codes: Vec<&str> =
                intake.rejects.iter().map(|reject| reject.problem.code).collect();
            let expected: &[&str] = if entrance == source { &[] } else { &["misdirected"] };
            assert_eq!(codes, expected, "{source} at {entrance}");
        }
    }
}

#[test]
fn more_events_than_one_delivery_may_hold_are_kept_as_lists_that_can_be_replayed() {
    let event: Value = serde_json::from_slice(&body("ec2", "firing")).unwrap();
    let events: Vec<Value> = vec![event; crate::sources::MOST_ALERTS + 3];
    let intake = parse("eventbridge", Value::Array(events).to_string().as_bytes());
    assert_eq!((intake.alerts.len(), intake.rejects.len()), (crate::sources::MOST_ALERTS, 1));
    let rest = parse("eventbridge", intake.rejects[0].raw.as_bytes());
    assert_eq!((rest.alerts.len(), rest.rejects.len()), (3, 0));
}

#[test]
fn every_event_is_claimed_once_and_every_claim_has_a_source() {
    let mut seen = BTreeSet::new();
    for (source, claims) in event_claims() {
        assert!(SOURCES.iter().any(|known| known.name() == source));
        for claim in claims {
            assert!(seen.insert(*claim), "{claim:?} is claimed twice");
        }
    }
}
