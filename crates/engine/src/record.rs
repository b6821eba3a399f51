//! Load, decide, append: the loop that every change to one incident goes through.

use std::collections::BTreeSet;

use firebreak_core::book::BookWrite;
use firebreak_core::fingerprint::Fingerprint;
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Event, Growth, Incident, Seen};
use jiff::Timestamp;

use crate::ports::{
    Append, AppendError, Clock, Conflict, IncidentStore, SlotKey, SlotWrite, StoreError,
};

/// How often a decision is made anew because somebody else wrote in between.
const MOST_TRIES: u32 = 32;

#[derive(Debug, thiserror::Error)]
pub enum RecordError<E> {
    #[error("there is no incident {0}")]
    NotFound(IncidentId),
    /// Too many others write to the same incident; worth trying again later.
    #[error("incident {0} is being written to by too many at once")]
    Contended(IncidentId),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The decision itself said no.
    #[error("{0}")]
    Refused(E),
}

/// Appends what `decide` makes of the latest state; no events means that nothing is to be done.
///
/// `decide` may be asked several times and must depend on its argument alone.
pub async fn record<E>(
    store: &dyn IncidentStore,
    clock: &dyn Clock,
    id: &IncidentId,
    mut decide: impl FnMut(&Incident) -> Result<Vec<Event>, E>,
) -> Result<Incident, RecordError<E>> {
    let mut elsewhere = BTreeSet::new();
    for attempt in 0..MOST_TRIES {
        let incident = store.load(id).await?.ok_or_else(|| RecordError::NotFound(id.clone()))?;
        let events = decide(&incident).map_err(RecordError::Refused)?;
        if events.is_empty() {
            return Ok(incident);
        }
        let mut append = append_of(&incident, events, clock.now());
        append.slots.retain(|slot| !elsewhere.contains(&slot.key));
        match store.append(&append).await {
            Ok(()) => return Ok(append.incident),
            // The alert has moved to another incident: what this one heard of it is no longer asked for.
            Err(AppendError::Conflict(Conflict::Slot { key, .. })) => {
                elsewhere.insert(key);
            }
            Err(AppendError::Conflict(_)) => pause(clock, attempt).await,
            Err(AppendError::Store(error)) => return Err(error.into()),
        }
    }
    Err(RecordError::Contended(id.clone()))
}

/// The append of what is not recorded yet, with what is now known of each changed alert. `held` says where the slot
/// of an alert points so far.
pub(crate) fn append_of_growth(
    growth: Growth,
    held: impl Fn(&Fingerprint) -> Option<IncidentId>,
) -> Append {
    let Growth { incident, events } = growth;
    let changed = events.iter().filter_map(|recorded| recorded.event.changes_alert());
    let slots = changed.collect::<BTreeSet<_>>().into_iter().filter_map(|fingerprint| {
        let member = incident.alerts.get(fingerprint)?;
        Some(SlotWrite {
            key: SlotKey::Fingerprint(fingerprint.clone()),
            expected: held(fingerprint),
            incident: incident.id.clone(),
            seen: Some(Seen::of(member)),
        })
    });
    let slots = slots.collect();
    Append { incident, events, slots, books: Vec::new() }
}

/// The append that takes `incident` through `events`, which are about alerts that it has.
pub(crate) fn append_of(incident: &Incident, events: Vec<Event>, now: Timestamp) -> Append {
    let growth = Growth::of(incident.clone()).with(events, now);
    append_of_growth(growth, |_| Some(incident.id.clone()))
}

impl Append {
    pub(crate) fn with_books(mut self, books: Vec<BookWrite>) -> Self {
        self.books = books;
        self
    }
}

/// A short rest before deciding again, longer each time, so that many writers get out of step.
pub(crate) async fn pause(clock: &dyn Clock, attempt: u32) {
    let spread = clock.chance() % (u128::from(attempt + 1) * 8);
    let millis = 1 + u64::try_from(spread).unwrap_or_default();
    clock.rest(std::time::Duration::from_millis(millis)).await;
}
