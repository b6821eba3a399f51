//! Load, decide, append: the loop that every change to one incident goes through.

use firebreak_core::book::BookWrite;
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Event, Incident, Recorded};
use jiff::Timestamp;

use crate::ports::{Append, AppendError, Clock, IncidentStore, SlotWrite, StoreError};

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
    for attempt in 0..MOST_TRIES {
        let incident = store.load(id).await?.ok_or_else(|| RecordError::NotFound(id.clone()))?;
        let events = decide(&incident).map_err(RecordError::Refused)?;
        if events.is_empty() {
            return Ok(incident);
        }
        let append = append_of(&incident, events, clock.now());
        match store.append(&append).await {
            Ok(()) => return Ok(append.incident),
            Err(AppendError::Conflict(_)) => pause(attempt).await,
            Err(AppendError::Store(error)) => return Err(error.into()),
        }
    }
    Err(RecordError::Contended(id.clone()))
}

/// The append that takes `incident` through `events`.
pub(crate) fn append_of(incident: &Incident, events: Vec<Event>, now: Timestamp) -> Append {
    let mut state = incident.clone();
    let events = events
        .into_iter()
        .map(|event| {
            let recorded =
                Recorded { incident: state.id.clone(), seq: state.version + 1, at: now, event };
            state =
                state.clone().apply(&recorded).expect("the core only decides what fits the state");
            recorded
        })
        .collect();
    Append { incident: state, events, slots: Vec::new(), books: Vec::new() }
}

/// The append that opens an incident: the first of `events` is `incident.opened`.
pub(crate) fn opening_of(id: &IncidentId, events: Vec<Event>, now: Timestamp) -> Append {
    let mut events = events.into_iter();
    let first = events.next().expect("an opening has its first event");
    let opened = Recorded { incident: id.clone(), seq: 1, at: now, event: first };
    let incident = Incident::open(&opened).expect("an opening begins with `incident.opened`");
    let mut append = append_of(&incident, events.collect(), now);
    append.events.insert(0, opened);
    append
}

impl Append {
    pub(crate) fn with_slots(mut self, slots: Vec<SlotWrite>) -> Self {
        self.slots = slots;
        self
    }

    pub(crate) fn with_books(mut self, books: Vec<BookWrite>) -> Self {
        self.books = books;
        self
    }
}

/// A short rest before deciding again, longer each time, so that many writers get out of step.
pub(crate) async fn pause(attempt: u32) {
    let spread = crate::ids::below(u64::from(attempt + 1) * 8);
    tokio::time::sleep(std::time::Duration::from_millis(1 + spread)).await;
}
