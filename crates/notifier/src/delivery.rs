//! What the bus delivers: the envelope that the relay made around a domain event.

use firebreak_core::ids::{IncidentId, InvalidId};
use firebreak_core::incident::{Event, Recorded};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// The event of the bus; only what the relay put into it counts.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Delivery {
    detail: Value,
}

#[derive(Debug, Deserialize)]
struct Detail {
    incident_id: String,
    seq: u64,
    at: Timestamp,
    event: Event,
}

/// An event that did not come from the relay, or from another version of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("the detail is not an event of an incident: {0}")]
    Detail(#[from] serde_json::Error),
    #[error(transparent)]
    Incident(#[from] InvalidId),
}

impl Delivery {
    pub(crate) fn recorded(self) -> Result<Recorded, Unreadable> {
        let Detail { incident_id, seq, at, event } = serde_json::from_value(self.detail)?;
        Ok(Recorded { incident: IncidentId::try_from(incident_id)?, seq, at, event })
    }
}

#[cfg(test)]
mod tests {
    use firebreak_core::alert::Severity;

    use super::*;

    const SAMPLE: &str = include_str!("../../../events/notifier/incident_opened.json");

    #[test]
    fn the_sample_is_an_event_of_an_incident() {
        let delivery: Delivery = serde_json::from_str(SAMPLE).unwrap();
        let recorded = delivery.recorded().unwrap();
        assert_eq!(recorded.event_id(), "inc_01KAK5R7T0W5Q3ZJ8N2E4XV6BC:1");
        assert_eq!(recorded.at, "2026-11-18T11:06:40Z".parse().unwrap());
        let Event::Opened { service, severity, .. } = recorded.event else {
            panic!("the sample is an opening")
        };
        assert_eq!((service.as_str(), severity), ("checkout", Severity::Critical));
    }

    #[test]
    fn what_the_relay_did_not_write_is_named() {
        let mut sample: Value = serde_json::from_str(SAMPLE).unwrap();
        sample["detail"]["event"]["type"] = "incident.exploded".into();
        let delivery: Delivery = serde_json::from_value(sample).unwrap();
        let said = delivery.recorded().unwrap_err().to_string();
        assert!(said.contains("incident.exploded"), "{said}");
    }
}
