//! An incident on its way through events that are not recorded yet.

use jiff::Timestamp;

use super::{Event, Incident, Recorded};
use crate::ids::IncidentId;

/// The state after `events`, which follow what is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Growth {
    pub incident: Incident,
    pub events: Vec<Recorded>,
}

impl Growth {
    pub fn of(incident: Incident) -> Self {
        Self { incident, events: Vec::new() }
    }

    /// A new incident; the first of `events` is `incident.opened`.
    pub fn opened(id: IncidentId, events: Vec<Event>, now: Timestamp) -> Self {
        let mut events = events.into_iter();
        let event = events.next().expect("an opening has its first event");
        let (incident, opened) =
            Incident::begin(id, event, now).expect("an opening begins with `incident.opened`");
        let mut growth = Self { incident, events: vec![opened] };
        for event in events {
            growth.add(event, now);
        }
        growth
    }

    /// One more event, which the core decided of this very state.
    pub fn add(&mut self, event: Event, now: Timestamp) {
        let recorded =
            self.incident.grow(event, now).expect("the core only decides what fits the state");
        self.events.push(recorded);
    }

    #[must_use]
    pub fn with(mut self, events: Vec<Event>, now: Timestamp) -> Self {
        for event in events {
            self.add(event, now);
        }
        self
    }
}
