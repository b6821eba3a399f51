//! Signs of life: when each source was last heard of, and since when anybody listens.

use async_trait::async_trait;
use firebreak_core::heartbeat::{Heard, Watch};

use super::StoreError;

#[async_trait]
pub trait Heartbeats: Send + Sync {
    /// Notes that a source was heard of. An earlier time than the known one changes nothing.
    async fn hear(&self, heard: &Heard) -> Result<(), StoreError>;

    /// Every source and name that was ever heard and not forgotten; sees everything that was noted before.
    async fn heard(&self) -> Result<Vec<Heard>, StoreError>;

    /// Expects this name no more; `false` when it was not known.
    async fn forget(&self, source: &str, name: &str) -> Result<bool, StoreError>;

    async fn watch(&self) -> Result<Option<Watch>, StoreError>;
    async fn set_watch(&self, watch: &Watch) -> Result<(), StoreError>;
}
