//! Nonces: which signed deliveries were taken in, for as long as a replay of them would still pass.

use async_trait::async_trait;
use firebreak_core::proof::Nonce;
use jiff::Timestamp;

use super::StoreError;

/// What remembering a nonce found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remembered {
    Fresh,
    /// It was remembered before.
    Seen,
}

#[async_trait]
pub trait Nonces: Send + Sync {
    /// Whether it was remembered and its time is not over; sees every [`Nonces::remember`] that was answered before.
    async fn is_known(&self, nonce: &Nonce, now: Timestamp) -> Result<bool, StoreError>;

    /// Remembers it until its time is over. Of several at once exactly one hears [`Remembered::Fresh`]. Durable when
    /// it returns; repeating one whose answer was lost is safe and may hear [`Remembered::Seen`].
    async fn remember(&self, nonce: &Nonce, now: Timestamp) -> Result<Remembered, StoreError>;
}
