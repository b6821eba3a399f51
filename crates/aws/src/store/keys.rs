//! Where each kind of item lives, and how its attributes are read and written.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use firebreak_core::audit::EventHash;
use firebreak_core::book::BookKey;
use firebreak_core::fingerprint::Fingerprint;
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Seen, Status};
use firebreak_core::muting::SilenceId;
use firebreak_engine::ports::{SlotKey, StoreError};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) type Item = HashMap<String, AttributeValue>;

/// The prefix of the sort keys of events; the filter of the stream asks for the same.
pub(super) const EVENT: &str = "EVT#";

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) pk: String,
    pub(super) sk: String,
}

impl Key {
    fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    pub(super) fn incident(id: &IncidentId) -> Self {
        Self::new(incident(id), "META")
    }

    #[cfg(feature = "ticks")]
    pub(super) fn tick(id: &IncidentId) -> Self {
        Self::new(incident(id), "TICK")
    }

    /// Ten digits keep the events in order.
    pub(super) fn event(id: &IncidentId, seq: u64) -> Self {
        Self::new(incident(id), format!("{EVENT}{seq:010}"))
    }

    pub(super) fn slot(slot: &SlotKey) -> Self {
        match slot {
            SlotKey::Fingerprint(fingerprint) => {
                Self::new(format!("DEDUP#{}", fingerprint.as_str()), "WINDOW")
            }
            SlotKey::Group(group) => Self::new(format!("GROUP#{group}"), "WINDOW"),
        }
    }

    /// Beside the slot of the alert, so that both come and go with it.
    pub(super) fn repeats(fingerprint: &Fingerprint) -> Self {
        Self::new(format!("DEDUP#{}", fingerprint.as_str()), "REPEATS")
    }

    pub(super) fn book(book: &BookKey) -> Self {
        Self::new(format!("BOOK#{}", book.as_str()), "BOOK")
    }

    pub(super) fn quarantined(source: &str, id: &str) -> Self {
        Self::new(quarantine(source), id)
    }

    /// The n-th part of the body of a delivery in quarantine.
    pub(super) fn quarantined_body(id: &str, part: usize) -> Self {
        Self::new(quarantined_body(id), format!("{part:04}"))
    }

    /// When a source was last heard of under a name.
    pub(super) fn heartbeat(source: &str, name: &str) -> Self {
        Self::new(HEARTBEATS, format!("{source}#{name}"))
    }

    pub(super) fn watch() -> Self {
        Self::new("SETTINGS", "WATCH")
    }

    /// By the digest of the delivery, so that no two partitions grow hot.
    pub(super) fn nonce(key: &str) -> Self {
        Self::new(format!("NONCE#{key}"), "NONCE")
    }

    pub(super) fn kill_switch() -> Self {
        Self::new("SETTINGS", "KILL_SWITCH")
    }

    pub(super) fn silence(id: &SilenceId) -> Self {
        Self::new(SILENCES, id.as_str())
    }

    pub(super) fn counter(name: &str, shard: u32) -> Self {
        Self::new(counter(name), shard.to_string())
    }

    /// An entry of the list of all counters.
    pub(super) fn counter_name(name: &str) -> Self {
        Self::new(COUNTER_NAMES, name)
    }

    pub(super) fn to_item(&self) -> Item {
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(self.pk.clone())),
            ("sk".to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }
}

/// The partition of one incident.
pub(super) fn incident(id: &IncidentId) -> String {
    format!("INC#{id}")
}

/// The partition of one source's quarantine.
pub(super) fn quarantine(source: &str) -> String {
    format!("QUAR#{source}")
}

/// The partition of the body of one delivery in quarantine.
pub(super) fn quarantined_body(id: &str) -> String {
    format!("QUARBODY#{id}")
}

/// The partition of all silences.
pub(super) const SILENCES: &str = "SILENCES";

/// The partition of one counter's shards.
pub(super) fn counter(name: &str) -> String {
    format!("COUNT#{name}")
}

/// The partition of all signs of life.
pub(super) const HEARTBEATS: &str = "HEARTBEATS";

/// The partition that names every counter.
pub(super) const COUNTER_NAMES: &str = "COUNTERS";

/// The partition of one status in the index of the board.
pub(super) fn board(status: Status) -> String {
    format!("BOARD#{}", status.as_str())
}

/// Sorts as (time, id): a fixed number of fraction digits keeps the order of times as text.
pub(super) fn board_place(opened_at: Timestamp, id: &IncidentId) -> String {
    format!("{opened_at:.9}#{id}")
}

/// An item in the making.
pub(super) struct Attributes(Item);

impl Attributes {
    pub(super) fn of(key: &Key) -> Self {
        Self(key.to_item())
    }

    pub(super) fn text(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), AttributeValue::S(value.into()));
        self
    }

    pub(super) fn number(mut self, name: &str, value: &impl ToString) -> Self {
        self.0.insert(name.to_owned(), number(value));
        self
    }

    pub(super) fn json(mut self, name: &str, value: &impl Serialize) -> Self {
        self.0.insert(name.to_owned(), json_text(value));
        self
    }

    pub(super) fn done(self) -> Item {
        self.0
    }
}

pub(super) fn json_text(value: &impl Serialize) -> AttributeValue {
    let body = serde_json::to_string(value).expect("records have text keys and finite numbers");
    AttributeValue::S(body)
}

pub(super) fn number(value: &impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn text(item: &Item, name: &str) -> Result<String, StoreError> {
    item.get(name)
        .and_then(|value| value.as_s().ok())
        .cloned()
        .ok_or_else(|| corrupt(item, &format!("`{name}` is missing")))
}

/// A number; 0 where it is missing, as a counter that was never counted.
pub(super) fn count(item: &Item, name: &str) -> Result<u64, StoreError> {
    let Some(value) = item.get(name) else { return Ok(0) };
    value
        .as_n()
        .ok()
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| corrupt(item, &format!("`{name}` is not a count")))
}

pub(super) fn timestamp(item: &Item, name: &str) -> Result<Timestamp, StoreError> {
    let text = text(item, name)?;
    text.parse().map_err(|error| corrupt(item, &format!("`{name}`: {error}")))
}

pub(super) fn json<T: DeserializeOwned>(item: &Item, name: &str) -> Result<T, StoreError> {
    let text = text(item, name)?;
    serde_json::from_str(&text).map_err(|error| corrupt(item, &format!("`{name}`: {error}")))
}

/// The hash of an event; `None` where it is missing.
pub(super) fn hash(item: &Item, name: &str) -> Result<Option<EventHash>, StoreError> {
    if !item.contains_key(name) {
        return Ok(None);
    }
    let hash = EventHash::try_from(text(item, name)?);
    hash.map(Some).map_err(|error| corrupt(item, &error.to_string()))
}

/// Which incident a pointer names; `None` where it names none.
pub(super) fn pointed_at(item: &Item) -> Result<Option<IncidentId>, StoreError> {
    if !item.contains_key("incident_id") {
        return Ok(None);
    }
    let id = text(item, "incident_id")?;
    IncidentId::try_from(id).map(Some).map_err(|error| corrupt(item, &error.to_string()))
}

/// What a slot's incident last heard of the alert.
pub(super) fn seen(item: &Item) -> Result<Option<Seen>, StoreError> {
    item.contains_key("seen").then(|| json(item, "seen")).transpose()
}

pub(super) fn corrupt(item: &Item, what: &str) -> StoreError {
    let part =
        |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map_or("?", String::as_str);
    StoreError::Corrupt(format!("item {} {}: {what}", part("pk"), part("sk")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_and_places_sort_as_text() {
        let id = |text: &str| IncidentId::try_from(text.to_owned()).unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let event = |seq| Key::event(&id("inc_a"), seq).sk;
        assert!(event(9) < event(10) && event(999_999_999) < event(1_000_000_000));
        let places = [
            board_place(at("2026-11-21T04:00:20Z"), &id("inc_a")),
            board_place(at("2026-11-21T04:00:20Z"), &id("inc_b")),
            board_place(at("2026-11-21T04:00:20.5Z"), &id("inc_a")),
            board_place(at("2026-11-21T04:00:21Z"), &id("inc_a")),
        ];
        assert!(places.is_sorted(), "{places:?}");
    }

    #[test]
    fn a_broken_item_is_named() {
        let item = Attributes::of(&Key::kill_switch()).number("body", &1).done();
        let error = json::<Status>(&item, "body").unwrap_err().to_string();
        assert!(error.contains("SETTINGS KILL_SWITCH: `body` is missing"), "{error}");
    }
}
