//! The record of incidents: one write path, conditional on what was read.

use std::collections::BTreeMap;

use async_trait::async_trait;
use firebreak_core::book::{BookKey, BookWrite, Books};
use firebreak_core::fingerprint::Fingerprint;
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Incident, Recorded, Seen, Status};
use firebreak_core::muting::Live;
use firebreak_core::storm::Repeats;
use firebreak_core::switch::KillSwitch;
use jiff::Timestamp;

use super::{Heartbeats, Nonces, Quarantine};

use super::Silences;

/// The store did not answer or answered nonsense. Whether a write took effect is then unknown.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Worth trying again: throttled, unreachable, busy.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// Trying again changes nothing: a record that cannot be read.
    #[error("the store holds something unreadable: {0}")]
    Corrupt(String),
}

/// Where an incident is found by something other than its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlotKey {
    /// The incident that an alert with this fingerprint last belonged to.
    Fingerprint(Fingerprint),
    /// The incident that the group last had.
    Group(String),
}

/// What a slot holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    pub incident: IncidentId,
    /// What that incident last heard of the alert; slots of groups have none.
    pub seen: Option<Seen>,
}

/// Points a slot at an incident, on condition that nobody pointed it elsewhere since it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotWrite {
    pub key: SlotKey,
    /// `None`: the slot must not exist. The incident itself: only `seen` is new.
    pub expected: Option<IncidentId>,
    pub incident: IncidentId,
    pub seen: Option<Seen>,
}

/// One transaction: all of it becomes durable, or nothing.
///
/// It has at most [`Append::MOST_WRITES`] writes: one for the state, and one for each event, slot and book.
#[derive(Debug, Clone)]
pub struct Append {
    /// The state after the last event. Its version is the last event's number.
    pub incident: Incident,
    /// At least one, numbered without gaps from the stored version + 1.
    pub events: Vec<Recorded>,
    pub slots: Vec<SlotWrite>,
    pub books: Vec<BookWrite>,
}

impl Append {
    /// What the smallest transaction of a store takes.
    pub const MOST_WRITES: usize = 100;
}

/// What somebody else wrote in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// The incident has moved on.
    Version,
    /// The slot points at this incident.
    Slot { key: SlotKey, held_by: Option<IncidentId> },
    /// The book was written.
    Book { key: BookKey },
}

#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Nothing was written: read again and decide again.
    #[error("somebody else wrote first ({0:?})")]
    Conflict(Conflict),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which incidents to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    pub status: Option<Status>,
    pub service: Option<String>,
    /// 1 to 200.
    pub limit: usize,
    /// From the page before.
    pub cursor: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub struct ListPage {
    pub incidents: Vec<Incident>,
    /// There where more may follow.
    pub cursor: Option<String>,
}

/// Incidents and their events.
#[async_trait]
pub trait IncidentStore: Send + Sync {
    /// The latest state; sees every append that was answered before.
    async fn load(&self, id: &IncidentId) -> Result<Option<Incident>, StoreError>;

    /// All events in order.
    async fn events(&self, id: &IncidentId) -> Result<Vec<Recorded>, StoreError>;

    /// The latest states of those that exist among `ids`, as [`load`](Self::load) gives them.
    async fn load_all(
        &self,
        ids: &[IncidentId],
    ) -> Result<BTreeMap<IncidentId, Incident>, StoreError>;

    /// What the slots hold that exist among `keys`; sees every append that was answered before.
    async fn find_all(&self, keys: &[SlotKey]) -> Result<BTreeMap<SlotKey, Slot>, StoreError>;

    /// Where one slot points.
    async fn find(&self, slot: &SlotKey) -> Result<Option<IncidentId>, StoreError> {
        let mut found = self.find_all(std::slice::from_ref(slot)).await?;
        Ok(found.remove(slot).map(|slot| slot.incident))
    }

    /// Appends in one transaction. Repeating an append whose answer was lost either succeeds again without a
    /// second effect or reports a version conflict; it never writes an event twice.
    async fn append(&self, append: &Append) -> Result<(), AppendError>;

    /// Appends each in a transaction of its own, with one answer for each in order: a conflict of one leaves
    /// the others alone. Cheaper than one after the other; no two of them are about the same incident or slot.
    async fn append_all(&self, appends: &[Append]) -> Vec<Result<(), AppendError>>;

    /// Counts exact repeats. Approximate under storms; never part of a decision.
    async fn count_repeats(&self, repeats: &[Repeats]) -> Result<(), StoreError>;

    /// How often the alert was delivered again, and when last.
    async fn repeats(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<(u64, Option<Timestamp>), StoreError>;

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError>;

    /// The incidents that are not over, the newest first, `most` at most. It may lag behind an append by a moment.
    async fn live(&self, most: usize) -> Result<Live, StoreError>;

    /// Writes books in one transaction, each on condition of its version, without an incident.
    async fn write_books(&self, books: &[BookWrite]) -> Result<(), AppendError>;

    /// The books that exist among `keys`; sees every append that was answered before.
    async fn books(&self, keys: &[BookKey]) -> Result<Books, StoreError>;
}

/// The few settings that change at run time.
#[async_trait]
pub trait Settings: Send + Sync {
    async fn kill_switch(&self) -> Result<KillSwitch, StoreError>;
    async fn set_kill_switch(&self, switch: &KillSwitch) -> Result<(), StoreError>;
}

/// Counters that outlive a process.
#[async_trait]
pub trait Counters: Send + Sync {
    async fn count(&self, name: &str) -> Result<(), StoreError>;
    async fn counts(&self) -> Result<BTreeMap<String, u64>, StoreError>;
}

/// What telling asks of a store.
pub trait TellingStore: IncidentStore + Silences {}

impl<T: IncidentStore + Silences> TellingStore for T {}

/// All that a store keeps, for the places that wire things together.
pub trait Store:
    IncidentStore + Settings + Silences + Quarantine + Counters + Heartbeats + Nonces
{
}

impl<T> Store for T where
    T: IncidentStore + Settings + Silences + Quarantine + Counters + Heartbeats + Nonces
{
}
