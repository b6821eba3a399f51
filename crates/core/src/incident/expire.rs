//! Expiry: an alert that is not heard of any more counts as over, without anybody having said so.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Event, Incident, Member};
use crate::fingerprint::Fingerprint;
use crate::policy::Policy;

/// When the alerts of an incident were last delivered again, where that was later than what the incident knows.
pub type LastHeard = BTreeMap<Fingerprint, Timestamp>;

/// When an alert counts as over, should nothing more be heard of it; `None`: never.
///
/// An end that the sender itself gave wins, as in Alertmanager; it is moved on by each delivery that gives a
/// later one. Else the time runs from the last delivery, by our clock.
pub fn expires_at(
    member: &Member,
    last_heard: Option<Timestamp>,
    policy: &Policy,
) -> Option<Timestamp> {
    let alert = &member.alert;
    if !alert.is_firing() {
        return None;
    }
    if alert.ends_at.is_some() {
        return alert.ends_at;
    }
    let heard = last_heard.map_or(member.heard_at(), |last| last.max(member.heard_at()));
    Some(heard + policy.lifetime(&alert.source).limit()?)
}

/// The events for all alerts that expired by `now`; the incident is over with the last that fired.
pub fn expire(
    incident: &Incident,
    last_heard: &LastHeard,
    policy: &Policy,
    now: Timestamp,
) -> Vec<Event> {
    if !incident.status.is_live() {
        return Vec::new();
    }
    let expired = |(fingerprint, member): &(&Fingerprint, &Member)| {
        let last = last_heard.get(*fingerprint).copied();
        expires_at(member, last, policy).is_some_and(|at| at <= now)
    };
    let expired: Vec<(&Fingerprint, &Member)> = incident.alerts.iter().filter(expired).collect();
    let mut events: Vec<Event> = expired
        .iter()
        .map(|(fingerprint, member)| {
            let last = last_heard.get(*fingerprint).copied().unwrap_or(member.heard_at());
            let reason = match member.alert.ends_at {
                Some(end) => format!("its sender gave {end} as its end and did not move it on"),
                None => format!("not heard of since {}", last.max(member.heard_at())),
            };
            Event::AlertExpired { fingerprint: (*fingerprint).clone(), ends_at: now, reason }
        })
        .collect();
    let last = incident.firing().count() == expired.len();
    if last && !events.is_empty() && incident.active_run().is_none() {
        let reason =
            "every alert is over or was not heard of any more; nobody said that it is mended";
        events.push(Event::Resolved { reason: reason.to_owned() });
    }
    events
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::SignedDuration;

    use super::*;
    use crate::alert::Alert;
    use crate::examples::{at, draft};
    use crate::incident::{Received, Recorded, Status, receive};
    use crate::policy;

    const REOPEN: SignedDuration = SignedDuration::from_mins(10);

    fn fires(starts: i64, ends: Option<i64>) -> Alert {
        let mut draft = draft("slow", "i-1");
        draft.starts_at = at(starts);
        draft.ends_at = ends.map(at);
        draft.seal()
    }

    fn grow(incident: Option<Incident>, seconds: i64, events: Vec<Event>) -> Incident {
        let grown = events.into_iter().fold(incident, |incident, event| {
            let seq = incident.as_ref().map_or(1, |incident| incident.version + 1);
            let id = "inc_1".to_owned().try_into().unwrap();
            let recorded = Recorded { incident: id, seq, at: at(seconds), event, prev: None };
            Some(match incident {
                None => Incident::open(&recorded).unwrap(),
                Some(incident) => incident.apply(&recorded).unwrap(),
            })
        });
        grown.expect("something was opened")
    }

    fn deliver(incident: Option<Incident>, seconds: i64, alert: &Alert) -> Incident {
        match receive(incident.as_ref(), &Arc::new(alert.clone()), "g", REOPEN, at(seconds)) {
            Received::Append { events, .. } => grow(incident, seconds, events),
            Received::Open { events } => grow(None, seconds, events),
            Received::Nothing { .. } => incident.expect("nothing opens nothing"),
        }
    }

    fn names(events: &[Event]) -> Vec<&str> {
        events.iter().map(Event::name).collect()
    }

    #[test]
    fn what_is_not_heard_of_expires_to_the_second_and_a_repeat_puts_it_off() {
        let policy = policy::read("expiry: {after: 1h}").unwrap();
        let incident = deliver(None, 10, &fires(0, None));
        let (never, fingerprint) = (LastHeard::new(), fires(0, None).fingerprint);
        assert!(expire(&incident, &never, &policy, at(3609)).is_empty());
        let expired = expire(&incident, &never, &policy, at(3610));
        assert_eq!(names(&expired), ["alert.expired", "incident.resolved"]);
        let again = LastHeard::from([(fingerprint, at(100))]);
        assert!(expire(&incident, &again, &policy, at(3699)).is_empty());
        assert_eq!(expire(&incident, &again, &policy, at(3700)).len(), 2);

        let after = grow(Some(incident), 3610, expired);
        assert_eq!(after.status, Status::Resolved);
        assert!(expire(&after, &never, &policy, at(9999)).is_empty(), "once");
    }

    #[test]
    fn a_source_may_never_expire_and_a_new_word_begins_the_time_anew() {
        let policy = policy::read("sources: {sumologic: {expire_after: never}}").unwrap();
        let incident = deliver(None, 0, &fires(0, None));
        assert!(expire(&incident, &LastHeard::new(), &policy, at(99_999_999)).is_empty());

        let policy = policy::read("expiry: {after: 1h}").unwrap();
        let mut other = fires(0, None);
        other.content_hash = "other".to_owned();
        let incident = deliver(Some(incident), 1800, &other);
        assert!(expire(&incident, &LastHeard::new(), &policy, at(5399)).is_empty());
        assert_eq!(expire(&incident, &LastHeard::new(), &policy, at(5400)).len(), 2);
    }

    #[test]
    fn the_end_that_a_sender_gives_holds_and_is_moved_on() {
        let policy = policy::read("expiry: {after: 1h}").unwrap();
        let incident = deliver(None, 0, &fires(0, Some(300)));
        assert!(expire(&incident, &LastHeard::new(), &policy, at(299)).is_empty());
        assert_eq!(expire(&incident, &LastHeard::new(), &policy, at(300)).len(), 2);
        let incident = deliver(Some(incident), 60, &fires(0, Some(360)));
        assert!(expire(&incident, &LastHeard::new(), &policy, at(359)).is_empty());
        // An earlier end that arrives late takes nothing back.
        let incident = deliver(Some(incident), 61, &fires(0, Some(330)));
        assert!(expire(&incident, &LastHeard::new(), &policy, at(359)).is_empty());
    }

    #[test]
    fn an_expired_alert_that_fires_on_is_a_new_episode() {
        let policy = policy::read("expiry: {after: 1h}").unwrap();
        let incident = deliver(None, 0, &fires(0, None));
        let expired = expire(&incident, &LastHeard::new(), &policy, at(3600));
        let incident = grow(Some(incident), 3600, expired);
        let again = receive(Some(&incident), &Arc::new(fires(0, None)), "g", REOPEN, at(3700));
        let Received::Append { events, .. } = again else { panic!("{again:?}") };
        assert_eq!(names(&events), ["incident.reopened", "alert.fired"]);
        let much_later = receive(Some(&incident), &Arc::new(fires(0, None)), "g", REOPEN, at(9999));
        assert!(matches!(much_later, Received::Open { .. }));
    }

    #[test]
    fn others_that_fire_keep_the_incident_open() {
        let policy = policy::read("expiry: {after: 1h}").unwrap();
        let mut other = draft("slow", "i-2");
        other.starts_at = at(1000);
        let incident = deliver(Some(deliver(None, 0, &fires(0, None))), 1000, &other.seal());
        let expired = expire(&incident, &LastHeard::new(), &policy, at(3600));
        assert_eq!(names(&expired), ["alert.expired"]);
        assert!(grow(Some(incident), 3600, expired).is_firing());
    }
}
