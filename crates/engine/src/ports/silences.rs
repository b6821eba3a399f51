//! Silences: few, small, and read for every decision.

use async_trait::async_trait;
use firebreak_core::muting::{Silence, SilenceId};
use jiff::Timestamp;

use super::StoreError;

/// Why a silence was not written.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// Somebody else wrote it since it was read: read again and decide again.
    #[error("somebody else changed it first")]
    Conflict,
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[async_trait]
pub trait Silences: Send + Sync {
    /// Those that end after `since`, newest first; sees every write that was answered before.
    async fn silences(&self, since: Timestamp) -> Result<Vec<Silence>, StoreError>;

    async fn silence(&self, id: &SilenceId) -> Result<Option<Silence>, StoreError>;

    /// Writes on condition that the stored version is the one before. Writing the same again after a lost answer
    /// succeeds or is a conflict. Those that ended more than [`Silence::KEPT_FOR`] ago may be forgotten.
    async fn put_silence(&self, silence: &Silence) -> Result<(), PutError>;
}
