//! The round: all that nobody speaks of, looked at in one go, for those whose clock wakes them once a minute.

use firebreak_core::heartbeat::LifeState;
use serde::Serialize;

use crate::breaker;
use crate::heartbeats::listen;
use crate::ingest::Ingest;
use crate::ports::StoreError;
use crate::shared_cause::settle;
use crate::sweep::{Sweep, Swept, sweep};

/// What came of a round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Round {
    #[serde(flatten)]
    pub swept: Swept,
    /// Signs of life that do not come.
    pub silent: usize,
}

/// Expires and unmutes, listens for signs of life, and looks after shared causes and the breaker. To be called again and again; two at
/// once, or one that is cut off, do no harm.
///
/// One part that fails keeps none of the others from its work; the first failure is the answer then.
pub async fn round(with: Ingest<'_>) -> Result<Round, StoreError> {
    let swept = sweep(Sweep { store: with.store, clock: with.clock, policy: with.policy }).await;
    let heard = listen(with).await;
    let settled = settle(with).await;
    let watched = breaker::watch(with).await;
    let is_silent = |state| state == LifeState::Silent;
    let silent = heard?.iter().filter(|one| is_silent(one.state)).count();
    settled?;
    watched?;
    Ok(Round { swept: swept?, silent })
}
