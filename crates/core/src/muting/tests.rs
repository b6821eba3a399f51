//! Alertmanager's semantics as tables, and that doubt is read in opposite ways for telling and acting.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::alert::Draft;
use crate::alert::{AlertStatus, Severity};
use crate::examples::at;
use crate::ids::IncidentId;
use crate::incident::{Event, Recorded};
use crate::matcher::Matchers;
use crate::policy;

fn labelled(labels: &[(&str, &str)]) -> Alert {
    let labels: std::collections::BTreeMap<String, String> =
        labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Draft {
        source: "alertmanager",
        identity: labels
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect(),
        status: AlertStatus::Firing,
        severity: Severity::Warning,
        service: labels.get("service").cloned(),
        name: "n".to_owned(),
        title: "t".to_owned(),
        labels,
        annotations: std::collections::BTreeMap::new(),
        episode: None,
        starts_at: at(0),
        ends_at: None,
        links: Vec::new(),
    }
    .seal()
}

fn incident(name: &str, alerts: &[Alert]) -> Incident {
    let id = IncidentId::try_from(format!("inc_{name}")).unwrap();
    let service = alerts.first().map_or("unknown", |alert| &alert.service).to_owned();
    let opened = Event::Opened {
        group_key: name.to_owned(),
        service,
        severity: Severity::Warning,
        title: name.to_owned(),
    };
    let record = |seq, event| Recorded { incident: id.clone(), seq, at: at(0), event, prev: None };
    let opened = Incident::open(&record(1, opened)).unwrap();
    alerts.iter().zip(2..).fold(opened, |incident, (alert, seq)| {
        incident.apply(&record(seq, Event::AlertFired { alert: Arc::new(alert.clone()) })).unwrap()
    })
}

fn facts<'a>(policy: &'a Policy, live: &[Incident]) -> MuteFacts<'a> {
    let live = Live { incidents: live.to_vec(), more_than: None };
    MuteFacts { live: Reading::Known(live), ..MuteFacts::quiet(policy) }
}

fn muted_by(alert: &Alert, facts: &MuteFacts<'_>) -> Option<MutedBy> {
    let subject = Subject { alert, incident: None };
    verdict(subject, facts, at(0)).muted.map(|muted| muted.by)
}

const RULE: &str = r#"
inhibit_rules:
  - name: cluster
    source_matchers: [severity="critical"]
    target_matchers: [severity=~"critical|warning"]
    equal: [cluster, zone]
"#;

#[test]
fn inhibition_is_as_alertmanagers() {
    let policy = policy::read(RULE).unwrap();
    let critical = &[("severity", "critical"), ("cluster", "a"), ("zone", "1")][..];
    for (what, source, target, expected) in [
        (
            "equal labels",
            critical,
            &[("severity", "warning"), ("cluster", "a"), ("zone", "1")][..],
            true,
        ),
        (
            "another value",
            critical,
            &[("severity", "warning"), ("cluster", "a"), ("zone", "2")],
            false,
        ),
        ("missing against a value", critical, &[("severity", "warning"), ("cluster", "a")], false),
        (
            "missing on both sides",
            &[("severity", "critical"), ("cluster", "a")],
            &[("severity", "warning"), ("cluster", "a")],
            true,
        ),
        (
            "missing against empty",
            &[("severity", "critical"), ("cluster", "a"), ("zone", "")],
            &[("severity", "warning"), ("cluster", "a")],
            true,
        ),
        ("not a target", critical, &[("severity", "info"), ("cluster", "a"), ("zone", "1")], false),
        (
            "not a source",
            &[("severity", "warning"), ("cluster", "a"), ("zone", "1")],
            &[("severity", "warning"), ("cluster", "a"), ("zone", "1")],
            false,
        ),
        (
            "both fit both sides",
            critical,
            &[("severity", "critical"), ("cluster", "a"), ("zone", "1"), ("pod", "x")],
            false,
        ),
    ] {
        let (source, target) = (labelled(source), labelled(target));
        let facts = facts(&policy, &[incident("1", &[source])]);
        let muted = muted_by(&target, &facts) == Some(MutedBy::Inhibition);
        assert_eq!(muted, expected, "{what}");
    }
}

#[test]
fn only_what_fires_inhibits_and_never_the_alert_itself() {
    let policy = policy::read(RULE).unwrap();
    let source = labelled(&[("severity", "critical"), ("cluster", "a")]);
    let target = labelled(&[("severity", "warning"), ("cluster", "a")]);
    assert_eq!(
        muted_by(&source, &facts(&policy, &[incident("1", std::slice::from_ref(&source))])),
        None
    );

    let firing = incident("1", std::slice::from_ref(&source));
    let over = Event::AlertResolved { fingerprint: source.fingerprint.clone(), ends_at: at(9) };
    let seq = firing.version + 1;
    let record = Recorded { incident: firing.id.clone(), seq, at: at(9), event: over, prev: None };
    let over = firing.clone().apply(&record).unwrap();
    assert_eq!(
        muted_by(&target, &facts(&policy, std::slice::from_ref(&firing))),
        Some(MutedBy::Inhibition)
    );
    assert_eq!(muted_by(&target, &facts(&policy, std::slice::from_ref(&over))), None);

    // Of its own incident the present state counts, not the one that was read a moment ago.
    let facts = facts(&policy, &[firing]);
    let subject = Subject { alert: &target, incident: Some(&over) };
    assert!(verdict(subject, &facts, at(9)).is_heard());
}

#[test]
fn a_child_is_told_with_its_parent_or_muted_and_never_acts() {
    let map = |wish: &str| {
        let yaml = format!(
            "services: {{checkout: {{depends_on: [payments], while_parent_fires: {wish}}}, payments: {{depends_on: [db]}}}}"
        );
        policy::read(&yaml).unwrap()
    };
    let child = labelled(&[("service", "checkout"), ("x", "1")]);
    let subject = Subject { alert: &child, incident: None };
    for (wish, told) in [("tell", None), ("mute", Some(MutedBy::Dependency))] {
        let policy = map(wish);
        for parent in ["payments", "db"] {
            let facts = facts(&policy, &[incident("1", &[labelled(&[("service", parent)])])]);
            assert_eq!(muted_by(&child, &facts), told, "{wish} {parent}");
            let acting = muted_for_acting(subject, &facts, at(0)).unwrap();
            assert_eq!((acting.by, acting.id.as_str()), (MutedBy::Dependency, "inc_1"));
            let parent_alert = labelled(&[("service", parent)]);
            let subject = Subject { alert: &parent_alert, incident: None };
            let own = facts.live.clone();
            let facts = MuteFacts { live: own, ..facts.clone() };
            let of_db = parent == "db";
            assert!(!of_db || muted_for_acting(subject, &facts, at(0)).is_none());
        }
        let elsewhere = facts(&policy, &[incident("1", &[labelled(&[("service", "search")])])]);
        assert_eq!(muted_for_acting(subject, &elsewhere, at(0)), None);
    }
}

#[test]
fn maintenance_mutes_while_its_window_is_open() {
    let yaml = r#"
time_intervals:
  - name: nights
    time_intervals: [{times: [{start_time: "00:00", end_time: "06:00"}]}]
maintenance:
  - {name: once, owner: dba, reason: disks, services: [db], from: 2026-11-21T02:00:00Z, to: 2026-11-21T04:00:00Z}
  - {name: nightly, owner: ops, reason: backups, services: [db], matchers: ['disk="a"'], during: [nights]}
"#;
    let policy = policy::read(yaml).unwrap();
    let db = labelled(&[("service", "db")]);
    let disk = labelled(&[("service", "db"), ("disk", "a")]);
    let other = labelled(&[("service", "web"), ("disk", "a")]);
    let facts = MuteFacts::quiet(&policy);
    for (alert, time, expected) in [
        (&db, "2026-11-21T01:59:59Z", None),
        (&db, "2026-11-21T02:00:00Z", Some(("once", "2026-11-21T04:00:00Z"))),
        (&db, "2026-11-21T04:00:00Z", None),
        (&disk, "2026-11-21T03:00:00Z", Some(("nightly", "2026-11-21T06:00:00Z"))),
        (&disk, "2026-11-21T06:00:00Z", None),
        (&other, "2026-11-21T03:00:00Z", None),
    ] {
        let now: Timestamp = time.parse().unwrap();
        let muted = verdict(Subject { alert, incident: None }, &facts, now).muted;
        let found = muted.map(|muted| (muted.id, muted.until.unwrap().to_string()));
        let expected = expected.map(|(id, until)| (id.to_owned(), until.to_owned()));
        assert_eq!(found, expected, "{time}");
    }
}

#[test]
fn what_cannot_be_read_mutes_nothing_for_telling_and_is_said() {
    let policy = policy::read(RULE).unwrap();
    let target = labelled(&[("severity", "warning")]);
    let facts = MuteFacts {
        policy: &policy,
        silences: Reading::Unreadable("away".to_owned()),
        live: Reading::Unreadable("away".to_owned()),
        ..MuteFacts::quiet(&policy)
    };
    let subject = Subject { alert: &target, incident: None };
    let verdict = verdict(subject, &facts, at(0));
    assert!(verdict.is_heard());
    let unreadable: Vec<MutedBy> = verdict
        .findings
        .iter()
        .filter(|finding| finding.says == Says::Unreadable)
        .map(|finding| finding.mute)
        .collect();
    assert_eq!(unreadable, [MutedBy::Inhibition, MutedBy::Silence]);
    assert_eq!(verdict.findings.len(), MUTES.len());
    for kind in [MutedBy::Inhibition, MutedBy::Silence] {
        let answer = ask_for_acting(kind, subject, &facts, at(0));
        assert!(matches!(answer, Answer::Unreadable(_)), "{kind:?}");
    }
    // Where no rule could apply nothing has to be read.
    let quiet = Policy::default();
    assert!(!needs_live(&quiet, &target) && needs_live(&policy, &target));
    let facts = MuteFacts { policy: &quiet, ..facts };
    let answer = ask_for_acting(MutedBy::Inhibition, subject, &facts, at(0));
    assert!(matches!(answer, Answer::Heard { .. }));
}

#[test]
fn beyond_the_bound_nothing_is_certain() {
    let policy = policy::read(RULE).unwrap();
    let target = labelled(&[("severity", "warning")]);
    let live = Live { incidents: Vec::new(), more_than: Some(Live::MOST) };
    let facts = MuteFacts { live: Reading::Known(live), ..MuteFacts::quiet(&policy) };
    let subject = Subject { alert: &target, incident: None };
    assert!(verdict(subject, &facts, at(0)).is_heard());
    let answer = ask_for_acting(MutedBy::Inhibition, subject, &facts, at(0));
    assert!(matches!(answer, Answer::Unreadable(why) if why.contains("500")));
}

#[test]
fn a_silence_mutes_and_the_one_that_lasts_longest_is_named() {
    let policy = Policy::default();
    let alert = labelled(&[("service", "api")]);
    let silence = |id: &str, until: i64| {
        let draft = SilenceDraft {
            owner: "ana".to_owned(),
            reason: "known".to_owned(),
            matchers: Matchers::read("service=api").unwrap(),
            starts_at: None,
            ends_at: at(until),
            replaces: None,
        };
        Silence::new(draft, format!("sil_{id}").try_into().unwrap(), at(-60)).unwrap()
    };
    let silences = vec![silence("1", 60), silence("2", 90), silence("3", 30)];
    let facts = MuteFacts { silences: Reading::Known(silences), ..MuteFacts::quiet(&policy) };
    let muted = verdict(Subject { alert: &alert, incident: None }, &facts, at(0)).muted.unwrap();
    assert_eq!((muted.id.as_str(), muted.until), ("sil_2", Some(at(90))));
    let subject = Subject { alert: &alert, incident: None };
    assert!(verdict(subject, &facts, at(90)).is_heard());
}

fn labels() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let label = prop_oneof![Just("a"), Just("b"), Just("c")];
    let value = prop_oneof![Just("x"), Just("y"), Just("")];
    proptest::collection::vec((label, value), 0..4)
}

proptest! {
    /// By one rule nothing is muted that itself mutes, directly or by way of others: a source is always told.
    #[test]
    fn inhibition_never_mutes_its_own_source(
        alerts in proptest::collection::vec(labels(), 1..6),
        source in "(a|b)=(x|y)",
        target in "(a|b|c)(=|!=)(x|y)",
        equal in proptest::sample::subsequence(vec!["a", "b", "c"], 0..3),
    ) {
        let rule = policy::InhibitRule {
            name: None,
            source_matchers: Matchers::read(&source).unwrap(),
            target_matchers: Matchers::read(&target).unwrap(),
            equal: equal.iter().map(|name| (*name).to_owned()).collect(),
        };
        let policy = Policy { inhibit_rules: vec![rule.clone()], ..Policy::default() };
        let alerts: Vec<Alert> = alerts.iter().map(|labels| labelled(labels)).collect();
        let live = incident("1", &alerts);
        let facts = facts(&policy, &[live]);
        for alert in &alerts {
            let alone = [incident("2", std::slice::from_ref(alert))];
            prop_assert_eq!(muted_by(alert, &self::facts(&policy, &alone)), None, "by itself");
            if muted_by(alert, &facts).is_some() {
                let by = alerts.iter().find(|other| inhibition::inhibits(&rule, other, alert)).unwrap();
                prop_assert!(!inhibition::inhibits(&rule, alert, by), "each other");
            }
        }
        let all_muted = alerts.iter().all(|alert| muted_by(alert, &facts).is_some());
        prop_assert!(!all_muted, "somebody is left to be told of");
    }

    /// A mute of telling is always one of acting as well.
    #[test]
    fn what_is_not_told_is_not_acted_on(
        child in labels(),
        others in proptest::collection::vec(labels(), 0..4),
        silenced in any::<bool>(),
        mute_children in any::<bool>(),
    ) {
        let wish = if mute_children { "mute" } else { "tell" };
        let yaml = format!(
            "{RULE}\nservices: {{x: {{depends_on: [y], while_parent_fires: {wish}}}}}\nmaintenance: [{{name: m, owner: o, reason: r, matchers: [c=y], from: 2020-01-01T00:00:00Z, to: 2040-01-01T00:00:00Z}}]"
        );
        let policy = policy::read(&yaml).unwrap();
        let mut alert = labelled(&child);
        alert.service = alert.label("a").to_owned();
        let others: Vec<Incident> = others
            .iter()
            .enumerate()
            .map(|(index, labels)| {
                let mut alert = labelled(labels);
                alert.service = alert.label("a").to_owned();
                incident(&index.to_string(), &[alert])
            })
            .collect();
        let mut facts = facts(&policy, &others);
        if silenced {
            let draft = SilenceDraft {
                owner: "ana".to_owned(),
                reason: "known".to_owned(),
                matchers: Matchers::read("b=x").unwrap(),
                starts_at: None,
                ends_at: at(60),
                replaces: None,
            };
            let silence = Silence::new(draft, "sil_1".to_owned().try_into().unwrap(), at(0)).unwrap();
            facts.silences = Reading::Known(vec![silence]);
        }
        let subject = Subject { alert: &alert, incident: None };
        if !verdict(subject, &facts, at(1)).is_heard() {
            prop_assert!(muted_for_acting(subject, &facts, at(1)).is_some());
        }
    }
}
