//! An event becomes part of the record: it gets its number and the hash of the event before it.

use jiff::Timestamp;

use super::{Event, Illegal, Incident, Recorded};
use crate::ids::IncidentId;

impl Incident {
    /// The incident that its first event opens, with the event as it is stored.
    pub fn begin(id: IncidentId, event: Event, at: Timestamp) -> Result<(Self, Recorded), Illegal> {
        let recorded = Recorded { incident: id, seq: 1, at, event, prev: None };
        Ok((Self::open(&recorded)?.with_head(&recorded), recorded))
    }

    /// The state after one more event, with the event as it is stored.
    ///
    /// What is only supposed to happen is tried with [`apply`](Self::apply), which does not hash.
    pub fn record(mut self, event: Event, at: Timestamp) -> Result<(Self, Recorded), Illegal> {
        let recorded = self.grow(event, at)?;
        Ok((self, recorded))
    }

    /// As [`record`](Self::record), in place.
    pub(super) fn grow(&mut self, event: Event, at: Timestamp) -> Result<Recorded, Illegal> {
        let (incident, seq, prev) = (self.id.clone(), self.version + 1, self.head);
        let recorded = Recorded { incident, seq, at, event, prev };
        self.take(&recorded)?;
        self.head = Some(recorded.hash());
        Ok(recorded)
    }

    fn with_head(self, recorded: &Recorded) -> Self {
        Self { head: Some(recorded.hash()), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::at;
    use crate::incident::replay;

    #[test]
    fn each_event_carries_the_hash_of_the_one_before() {
        let id = IncidentId::try_from("inc_01J".to_owned()).unwrap();
        let opened = Event::Opened {
            group_key: "g".to_owned(),
            service: "checkout".to_owned(),
            severity: crate::alert::Severity::Critical,
            title: "slow".to_owned(),
        };
        let note = |text: &str| Event::Noted { by: "ada".to_owned(), text: text.to_owned() };
        let (incident, first) = Incident::begin(id, opened, at(0)).unwrap();
        let (incident, second) = incident.record(note("a"), at(1)).unwrap();
        let (incident, third) = incident.record(note("a"), at(1)).unwrap();
        assert_eq!(first.prev, None);
        assert_eq!(second.prev, Some(first.hash()));
        assert_eq!(third.prev, Some(second.hash()));
        assert_eq!(incident.head, Some(third.hash()));
        assert_ne!(second.hash(), third.hash());
        assert_eq!(replay(&[first, second, third]).unwrap().unwrap(), incident);
    }
}
