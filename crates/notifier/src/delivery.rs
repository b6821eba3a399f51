//! What wakes the notifier: an event from the bus, in the envelope that the relay made, or a tick from its own queue.

use firebreak_core::audit::EventHash;
use firebreak_core::ids::{IncidentId, InvalidId};
use firebreak_core::incident::{Event, Recorded};
use firebreak_engine::notify::Tick;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// What Lambda hands over.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Delivery {
    /// A batch of the queue; the mapping sends one message at a time.
    Queue {
        #[serde(rename = "Records")]
        records: Vec<Message>,
    },
    /// An event of the bus; only what the relay put into it counts.
    Bus { detail: Value },
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Message {
    body: String,
}

/// What is to be looked at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Woken {
    ByEvent(Box<Recorded>),
    ByTick(Tick),
}

#[derive(Debug, Deserialize)]
struct Detail {
    incident_id: String,
    seq: u64,
    at: Timestamp,
    event: Event,
    #[serde(default)]
    prev: Option<EventHash>,
}

/// A delivery that came neither from the relay nor from the notifier itself, or from another version of them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("the detail is not an event of an incident: {0}")]
    Detail(#[source] serde_json::Error),
    #[error(transparent)]
    Incident(#[from] InvalidId),
    #[error("the message is not a tick: {0}")]
    Tick(#[source] serde_json::Error),
}

impl Delivery {
    pub(crate) fn woken(self) -> Result<Vec<Woken>, Unreadable> {
        match self {
            Delivery::Bus { detail } => {
                let Detail { incident_id, seq, at, event, prev } =
                    serde_json::from_value(detail).map_err(Unreadable::Detail)?;
                let incident = IncidentId::try_from(incident_id)?;
                Ok(vec![Woken::ByEvent(Box::new(Recorded { incident, seq, at, event, prev }))])
            }
            Delivery::Queue { records } => records
                .iter()
                .map(|message| {
                    serde_json::from_str(&message.body).map(Woken::ByTick).map_err(Unreadable::Tick)
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use firebreak_core::alert::Severity;

    use super::*;

    const SAMPLE: &str = include_str!("../../../events/notifier/incident_opened.json");
    const TICK: &str = include_str!("../../../events/notifier/tick.json");

    #[test]
    fn the_sample_is_an_event_of_an_incident() {
        let delivery: Delivery = serde_json::from_str(SAMPLE).unwrap();
        let woken = delivery.woken().unwrap();
        let [Woken::ByEvent(recorded)] = &woken[..] else { panic!("{woken:?}") };
        assert_eq!(recorded.event_id(), "inc_01KAK5R7T0W5Q3ZJ8N2E4XV6BC:1");
        assert_eq!(recorded.at, "2026-11-18T11:06:40Z".parse().unwrap());
        let Event::Opened { service, severity, .. } = &recorded.event else {
            panic!("the sample is an opening")
        };
        assert_eq!((service.as_str(), *severity), ("checkout", Severity::Critical));
    }

    #[test]
    fn the_sample_of_the_queue_is_a_tick() {
        let delivery: Delivery = serde_json::from_str(TICK).unwrap();
        let woken = delivery.woken().unwrap();
        let [Woken::ByTick(tick)] = &woken[..] else { panic!("{woken:?}") };
        assert_eq!((tick.incident_id.as_str(), tick.news), ("inc_01KAK5R7T0W5Q3ZJ8N2E4XV6BC", 2));
    }

    #[test]
    fn what_neither_wrote_is_named() {
        let mut sample: Value = serde_json::from_str(SAMPLE).unwrap();
        sample["detail"]["event"]["type"] = "incident.exploded".into();
        let delivery: Delivery = serde_json::from_value(sample).unwrap();
        let said = delivery.woken().unwrap_err().to_string();
        assert!(said.contains("incident.exploded"), "{said}");
        let tick = TICK.replace("news", "olds");
        let delivery: Delivery = serde_json::from_str(&tick).unwrap();
        assert!(delivery.woken().unwrap_err().to_string().starts_with("the message is not a tick"));
        assert!(serde_json::from_str::<Delivery>("{}").is_err());
    }
}
