//! Following the outbox: timers are set for what is new, by the batch, and the cursor is kept when that matters.

use std::time::Duration;

use firebreak_core::ids::IncidentId;
use firebreak_engine::ports::StoreError;
use jiff::Timestamp;

use crate::SqliteStore;
use crate::store::{Followed, Sleepers};

/// After an append the next ones are waited for so long: what comes together is looked at together.
pub(crate) const GATHER: Duration = Duration::from_millis(20);

/// Events that are read at once.
const MOST_AT_ONCE: usize = 4096;

/// So many events that wake nobody may be read again after a restart.
const MOST_AGAIN: i64 = 8192;

/// One reader of the outbox.
pub(crate) struct Following {
    cursor: &'static str,
    but: Sleepers,
    /// How far it read since the start.
    read: Option<i64>,
    /// How far the record knows.
    kept: i64,
}

impl Following {
    pub(crate) fn of(cursor: &'static str, but: Sleepers) -> Self {
        Self { cursor, but, read: None, kept: 0 }
    }

    /// Has each of `owners` look, as of `now`, at the incidents of the new events that `wakes` names.
    pub(crate) async fn follow(
        &mut self,
        store: &SqliteStore,
        owners: &[String],
        wakes: impl Fn(&str) -> bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        loop {
            let batch = store.outgoing(self.cursor, self.read, MOST_AT_ONCE).await?;
            let (count, last) = (batch.len(), batch.last().map(|outgoing| outgoing.position));
            let Some(position) = last else { return Ok(()) };
            let mut wake: Vec<IncidentId> = batch
                .into_iter()
                .filter(|outgoing| !owners.is_empty() && wakes(&outgoing.name))
                .map(|outgoing| outgoing.incident)
                .collect();
            wake.sort_unstable();
            wake.dedup();
            if !wake.is_empty() || position - self.kept > MOST_AGAIN {
                let (cursor, but, owners) = (self.cursor, self.but, owners.to_vec());
                store.follow(Followed { cursor, position, wake, owners, but }, now).await?;
                self.kept = position;
            }
            self.read = Some(position);
            if count < MOST_AT_ONCE {
                return Ok(());
            }
        }
    }
}
