//! Upkeep: what time alone, or what happens elsewhere, changes of an incident: expiry, mutes, a parent.

use jiff::Timestamp;

use super::{Event, Growth, Incident, LastHeard, expire, settle_mutes};
use crate::muting::{MuteFacts, Subject, parent_of};

/// The events that are due for a live incident although nobody said anything of it. Asking again gives nothing.
pub fn upkeep(
    incident: &Incident,
    last_heard: &LastHeard,
    facts: &MuteFacts<'_>,
    now: Timestamp,
) -> Vec<Event> {
    if !incident.status.is_live() {
        return Vec::new();
    }
    let expired = expire(incident, last_heard, facts.policy, now);
    let mut growth = Growth::of(incident.clone()).with(expired, now);
    if growth.incident.status.is_live() {
        if let Some(event) = correlated(&growth.incident, facts) {
            growth.add(event, now);
        }
        settle_mutes(&mut growth, facts, now);
    }
    growth.events.into_iter().map(|recorded| recorded.event).collect()
}

/// The parent that came to fire after its child.
fn correlated(incident: &Incident, facts: &MuteFacts<'_>) -> Option<Event> {
    let mut firing = incident.firing();
    let parent = firing.find_map(|alert| {
        parent_of(Subject { alert, incident: Some(incident) }, facts).ok().flatten()
    })?;
    (incident.parent.as_ref() != Some(&parent)).then_some(Event::Correlated { parent })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::alert::Alert;
    use crate::examples::{at, draft};
    use crate::incident::{Received, Recorded, receive};
    use crate::muting::{Live, Reading};
    use crate::policy;

    fn opened(id: &str, alert: &Alert) -> Incident {
        let reopen = jiff::SignedDuration::from_mins(10);
        let Received::Open { events } = receive(None, &Arc::new(alert.clone()), id, reopen, at(0))
        else {
            panic!("it opens")
        };
        let mut incident: Option<Incident> = None;
        for event in events {
            let seq = incident.as_ref().map_or(1, |incident| incident.version + 1);
            let id = format!("inc_{id}").try_into().unwrap();
            let recorded = Recorded { incident: id, seq, at: at(0), event, prev: None };
            incident = Some(match incident {
                None => Incident::open(&recorded).unwrap(),
                Some(incident) => incident.apply(&recorded).unwrap(),
            });
        }
        incident.unwrap()
    }

    fn names(events: &[Event]) -> Vec<&'static str> {
        events.iter().map(Event::name).collect()
    }

    #[test]
    fn a_parent_that_came_later_is_noted_once_and_mutes_where_it_is_asked_to() {
        let yaml = "services: {api: {depends_on: [db], while_parent_fires: mute}}";
        let policy = policy::read(yaml).unwrap();
        let child = opened("1", &draft("slow", "i-1").seal());
        let mut parent = draft("full", "i-2");
        parent.service = Some("db".to_owned());
        let live = Live::first(vec![opened("2", &parent.seal()), child.clone()], 9);
        let facts = MuteFacts { live: Reading::Known(live), ..MuteFacts::quiet(&policy) };
        let events = upkeep(&child, &LastHeard::new(), &facts, at(1));
        assert_eq!(names(&events), ["incident.correlated", "incident.suppressed"]);
        let after =
            events.into_iter().zip(child.version + 1..).fold(child, |state, (event, seq)| {
                let recorded =
                    Recorded { incident: state.id.clone(), seq, at: at(1), event, prev: None };
                state.apply(&recorded).unwrap()
            });
        assert_eq!(upkeep(&after, &LastHeard::new(), &facts, at(2)), []);
        let gone = MuteFacts::quiet(&policy);
        assert_eq!(names(&upkeep(&after, &LastHeard::new(), &gone, at(3))), ["incident.unmuted"]);
    }

    #[test]
    fn what_expires_is_over_and_not_muted_any_more() {
        let policy = policy::read("expiry: {after: 1h}").unwrap();
        let incident = opened("1", &draft("slow", "i-1").seal());
        let facts = MuteFacts::quiet(&policy);
        let events = upkeep(&incident, &LastHeard::new(), &facts, at(3600));
        assert_eq!(names(&events), ["alert.expired", "incident.resolved"]);
    }
}
