//! What else an alert means at intake: what is said, and that it is said once.

use std::sync::Arc;

use jiff::SignedDuration;

use super::*;
use crate::alert::{AlertStatus, Mute};
use crate::examples::{at, draft};
use crate::ids::IncidentId;
use crate::incident::{IntakeVerdict, Received, Status, receive};
use crate::matcher::Matchers;
use crate::muting::{Reading, Silence, SilenceDraft};
use crate::policy::{self, Policy};

const REOPEN: SignedDuration = SignedDuration::from_mins(10);

/// One incident after the other, as intake makes them.
struct Record {
    policy: Policy,
    silences: Vec<Silence>,
    incidents: Vec<Incident>,
}

impl Record {
    fn new(policy: &str) -> Self {
        let policy = policy::read(policy).unwrap();
        Self { policy, silences: Vec::new(), incidents: Vec::new() }
    }

    fn silenced(mut self, matchers: &str, until: i64) -> Self {
        let draft = SilenceDraft {
            owner: "ana".to_owned(),
            reason: "known".to_owned(),
            matchers: Matchers::read(matchers).unwrap(),
            starts_at: None,
            ends_at: at(until),
            replaces: None,
        };
        let id = "sil_1".to_owned().try_into().unwrap();
        self.silences.push(Silence::new(draft, id, at(0)).unwrap());
        self
    }

    /// The verdict and the names of the events.
    fn deliver(
        &mut self,
        seconds: i64,
        alert: &Alert,
    ) -> (Option<IntakeVerdict>, Vec<&'static str>) {
        let facts = MuteFacts {
            silences: Reading::Known(self.silences.clone()),
            ..MuteFacts::quiet(&self.policy)
        };
        let now = at(seconds);
        let own = self.incidents.last().cloned();
        let (verdict, events, mut growth) =
            match receive(own.as_ref(), &Arc::new(alert.clone()), "g", REOPEN, now) {
                Received::Nothing { verdict } => return (Some(verdict), Vec::new()),
                Received::Append { verdict, events } => {
                    (verdict, events, Growth::of(self.incidents.pop().unwrap()))
                }
                Received::Open { events } => {
                    let id = IncidentId::try_from(format!("inc_{}", self.incidents.len())).unwrap();
                    (IntakeVerdict::Opened, Vec::new(), Growth::opened(id, events, now))
                }
            };
        let verdict = if alert.is_firing() {
            let intake = Intake { alert, own: own.as_ref() };
            let muted = settle(&mut growth, events, intake, &facts, now);
            settle_mutes(&mut growth, &facts, now);
            if muted { IntakeVerdict::Suppressed } else { verdict }
        } else {
            growth = growth.with(events, now);
            verdict
        };
        let names = growth.events.iter().map(|recorded| recorded.event.name()).collect();
        self.incidents.push(growth.incident);
        (Some(verdict), names)
    }

    fn latest(&self) -> &Incident {
        self.incidents.last().unwrap()
    }
}

fn fires(starts: i64, instance: &str) -> Alert {
    let mut draft = draft("slow", instance);
    draft.identity = [("monitor".to_owned(), "slow".into())].into();
    draft.starts_at = at(starts);
    draft.seal()
}

fn ends(starts: i64, ends: i64) -> Alert {
    let mut draft = draft("slow", "i-1");
    draft.identity = [("monitor".to_owned(), "slow".into())].into();
    draft.starts_at = at(starts);
    draft.status = AlertStatus::Resolved;
    draft.ends_at = Some(at(ends));
    draft.seal()
}

#[test]
fn a_muted_alert_is_stored_suppressed_and_one_that_is_heard_wakes_its_incident() {
    let mut record = Record::new("").silenced("instance_id=i-1", 600);
    let (verdict, names) = record.deliver(1, &fires(1, "i-1"));
    assert_eq!(verdict, Some(IntakeVerdict::Suppressed));
    assert_eq!(names, ["incident.opened", "alert.fired", "incident.suppressed"]);
    assert_eq!(record.latest().status, Status::Suppressed);
    let mut other = draft("slow", "i-2");
    other.starts_at = at(2);
    let (verdict, names) = record.deliver(2, &other.seal());
    assert_eq!(verdict, Some(IntakeVerdict::Updated));
    assert_eq!(names, ["alert.fired", "incident.unmuted"]);
    assert_eq!(record.latest().status, Status::Open);
    let (verdict, names) = record.deliver(3, &fires(3, "i-1"));
    assert_eq!((verdict, names), (Some(IntakeVerdict::Suppressed), vec!["alert.updated"]));
}

#[test]
fn what_its_sender_mutes_takes_the_same_way() {
    let mut record = Record::new("");
    let mute = Mute { by: "window".to_owned(), until: Some(at(60)) };
    let (verdict, _) = record.deliver(1, &fires(1, "i-1").muted(mute));
    assert_eq!(verdict, Some(IntakeVerdict::Suppressed));
    assert_eq!(record.latest().muted.as_ref().unwrap().id, "window");
    let (verdict, names) = record.deliver(30, &fires(1, "i-1"));
    assert_eq!(verdict, Some(IntakeVerdict::Updated));
    assert_eq!(names, ["alert.updated", "incident.unmuted"]);
}

#[test]
fn a_resolve_passes_every_mute() {
    let mut record = Record::new("").silenced("service=api", 600);
    record.deliver(1, &fires(1, "i-1"));
    let (verdict, names) = record.deliver(9, &ends(1, 9));
    assert_eq!(verdict, Some(IntakeVerdict::Resolved));
    assert_eq!(names, ["alert.resolved", "incident.resolved"]);
    assert_eq!((record.latest().status, record.latest().muted.as_ref()), (Status::Resolved, None));
    let (_, names) = record.deliver(20, &fires(20, "i-1"));
    assert_eq!(names, ["incident.reopened", "alert.fired", "incident.suppressed"]);
}

#[test]
fn changes_of_state_are_counted_across_incidents() {
    let mut record = Record::new("flapping: {window: 2h, start: 4, stop: 1}");
    let mut names = Vec::new();
    for turn in 0..3 {
        let starts = turn * 1200;
        names = record.deliver(starts, &fires(starts, "i-1")).1;
        record.deliver(starts + 60, &ends(starts, starts + 60));
    }
    assert_eq!(record.incidents.len(), 3);
    let expected = [
        "incident.opened",
        "alert.fired",
        "alert.recurred",
        "alert.flapping",
        "incident.suppressed",
    ];
    assert_eq!(names, expected);
    // What was said of it in one incident is not said again in the same.
    let (verdict, names) = record.deliver(2500, &fires(2500, "i-1"));
    assert_eq!(verdict, Some(IntakeVerdict::Suppressed));
    assert_eq!(names, ["incident.reopened", "alert.fired", "incident.suppressed"]);
}

#[test]
fn flapping_is_not_said_while_something_else_mutes_and_is_made_up_for() {
    let policy = "flapping: {window: 2h, start: 3, stop: 1}";
    let mut record = Record::new(policy).silenced("service=api", 100);
    record.deliver(0, &fires(0, "i-1"));
    record.deliver(10, &ends(0, 10));
    let (_, names) = record.deliver(20, &fires(20, "i-1"));
    assert!(!names.contains(&"alert.flapping"), "{names:?}");
    record.deliver(110, &ends(20, 110));
    let (_, names) = record.deliver(120, &fires(120, "i-1"));
    assert!(names.contains(&"alert.flapping"), "{names:?}");
}

#[test]
fn one_fingerprint_for_too_many_things_is_said_once() {
    let mut record = Record::new("");
    let mut said = 0;
    for number in 0..20 {
        let (_, names) = record.deliver(number, &fires(0, &format!("i-{number}")));
        let here = names.iter().filter(|name| **name == "alert.collapsed").count();
        assert!(here == 0 || usize::try_from(number) == Ok(super::super::MOST_TARGETS), "{number}");
        said += here;
    }
    assert_eq!(said, 1);
    let fingerprint = fires(0, "i-1").fingerprint;
    assert!(record.latest().alerts[&fingerprint].targets.len() <= super::super::MOST_TARGETS + 1);
}
