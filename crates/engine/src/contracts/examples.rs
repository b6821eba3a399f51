//! Valid alerts, incidents and appends for contracts and tests, made by the core and not by hand.

use std::sync::Arc;

use firebreak_core::alert::{Alert, AlertStatus, Draft, Severity};
use firebreak_core::fingerprint::Fingerprint;
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Event, Incident, Received, Recorded, Seen, receive};
use jiff::{SignedDuration, Timestamp};

use crate::ids;
use crate::ports::{Append, SlotKey, SlotWrite};

/// A moment, in seconds after an arbitrary start; never the time of the clock.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000).expect("a time of this century")
        + SignedDuration::from_secs(seconds)
}

/// An alert of the rule `monitor` about `thing`; alerts of one rule and service share a group.
pub fn draft(monitor: &str, thing: &str) -> Draft {
    let texts = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    Draft {
        source: "sumologic",
        identity: [("monitor".to_owned(), monitor.into()), ("thing".to_owned(), thing.into())]
            .into(),
        status: AlertStatus::Firing,
        severity: Severity::Critical,
        service: Some("checkout".to_owned()),
        name: monitor.to_owned(),
        title: format!("{monitor} on {thing}"),
        labels: texts(&[("monitor", monitor), ("thing", thing)]),
        annotations: texts(&[]),
        episode: None,
        starts_at: at(0),
        ends_at: None,
        links: Vec::new(),
    }
}

pub fn firing(monitor: &str, thing: &str) -> Alert {
    draft(monitor, thing).seal()
}

/// The end of the episode that [`firing`] began.
pub fn resolved(monitor: &str, thing: &str, ends_at: Timestamp) -> Alert {
    let mut draft = draft(monitor, thing);
    draft.status = AlertStatus::Resolved;
    draft.ends_at = Some(ends_at);
    draft.seal()
}

pub fn by_fingerprint(fingerprint: &Fingerprint) -> SlotKey {
    SlotKey::Fingerprint(fingerprint.clone())
}

/// Opens an incident for an alert that nobody knows yet, as intake does: with both of its slots.
pub fn opening(alert: &Alert, now: Timestamp) -> Append {
    let group = alert.group_key();
    let received =
        receive(None, &Arc::new(alert.clone()), &group, SignedDuration::from_mins(10), now);
    let Received::Open { events } = received else {
        unreachable!("a firing alert without an incident opens one");
    };
    let (incident, events) = fold(None, &ids::incident_id(now), events, now);
    let own = seen_by(&incident, alert, None);
    let group = SlotKey::Group(group);
    let group = SlotWrite { key: group, seen: None, ..own.clone() };
    Append { incident, events, slots: vec![own, group], books: Vec::new() }
}

/// What an alert adds to an incident that exists, with the slot that says so.
pub fn joining(incident: &Incident, alert: &Alert, now: Timestamp) -> Append {
    let received = receive(
        Some(incident),
        &Arc::new(alert.clone()),
        &incident.group_key,
        SignedDuration::from_mins(10),
        now,
    );
    let Received::Append { events, .. } = received else {
        unreachable!("the example alert changes the incident: {received:?}");
    };
    let mut append = next(incident, events, now);
    let known = incident.alerts.contains_key(&alert.fingerprint).then(|| incident.id.clone());
    append.slots.push(seen_by(&append.incident, alert, known));
    append
}

fn seen_by(incident: &Incident, alert: &Alert, expected: Option<IncidentId>) -> SlotWrite {
    SlotWrite {
        key: by_fingerprint(&alert.fingerprint),
        expected,
        incident: incident.id.clone(),
        seen: incident.alerts.get(&alert.fingerprint).map(Seen::of),
    }
}

/// The append of further events.
pub fn next(incident: &Incident, events: Vec<Event>, now: Timestamp) -> Append {
    let (incident, events) = fold(Some(incident), &incident.id, events, now);
    Append { incident, events, slots: Vec::new(), books: Vec::new() }
}

/// The append of one remark, the smallest event that fits every state.
pub fn note(incident: &Incident, text: &str, now: Timestamp) -> Append {
    next(incident, vec![Event::Noted { by: "ada".to_owned(), text: text.to_owned() }], now)
}

fn fold(
    incident: Option<&Incident>,
    id: &IncidentId,
    events: Vec<Event>,
    now: Timestamp,
) -> (Incident, Vec<Recorded>) {
    let mut state = incident.cloned();
    let mut recorded = Vec::with_capacity(events.len());
    for event in events {
        let after = match state {
            None => Incident::begin(id.clone(), event, now),
            Some(incident) => incident.record(event, now),
        };
        let (after, record) = after.expect("the example events fit the incident");
        state = Some(after);
        recorded.push(record);
    }
    (state.expect("at least one event"), recorded)
}
