//! Secrets: read when needed, cached by the adapter, never logged.

use async_trait::async_trait;
use firebreak_core::proof::Secrets;

#[derive(Debug, thiserror::Error)]
#[error("the secret cannot be read: {0}")]
pub struct SecretError(pub String);

#[async_trait]
pub trait SecretSource: Send + Sync {
    /// The live secrets of an alert source; `None` when none was set up for it.
    async fn of_source(&self, source: &str) -> Result<Option<Secrets>, SecretError>;

    /// The signing secret of a channel.
    async fn of_channel(&self, channel: &str) -> Result<Option<String>, SecretError>;
}
