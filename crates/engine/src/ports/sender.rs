//! The sender: carries out a channel's request, once. Whether to try again is decided by who asks.

use async_trait::async_trait;
use firebreak_core::channels::{Reply, Request};

#[async_trait]
pub trait Sender: Send + Sync {
    /// Never fails: no answer is a [`Reply::None`].
    async fn send(&self, request: &Request) -> Reply;
}
