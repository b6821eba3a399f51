//! Secrets of sources and channels: one JSON document in Secrets Manager, kept in this process for a while.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use firebreak_core::proof::Secrets;
use firebreak_engine::ports::{SecretError, SecretSource};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::failure;

/// A secret that was replaced is honoured this long after at most.
const FRESH_FOR: SignedDuration = SignedDuration::from_mins(5);

/// When Secrets Manager cannot be read, the last document serves this long; after that nobody is let in.
const SERVES_FOR: SignedDuration = SignedDuration::from_hours(1);

/// How long a stale document serves before reading is tried again.
const REST: SignedDuration = SignedDuration::from_secs(15);

/// `{"sources": {"<name>": ["current", "previous"]}, "channels": {"<name>": "..."}}`.
///
/// Each secret is read only when it is asked for: one that is unfit shuts out its own source and no other.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Document {
    sources: BTreeMap<String, Value>,
    channels: BTreeMap<String, Value>,
}

impl Document {
    /// The error says where, and nothing of what is there.
    fn read(json: &str) -> Result<Self, SecretError> {
        serde_json::from_str(json).map_err(|error| {
            SecretError(format!(
                "it is not the JSON that is expected, at line {}, column {}",
                error.line(),
                error.column()
            ))
        })
    }

    fn source(&self, name: &str) -> Result<Option<Secrets>, SecretError> {
        let read = |value: &Value| {
            Secrets::deserialize(value)
                .map_err(|error| SecretError(format!("sources.{name}: {error}")))
        };
        self.sources.get(name).map(read).transpose()
    }

    fn channel(&self, name: &str) -> Result<Option<String>, SecretError> {
        match self.channels.get(name) {
            None => Ok(None),
            Some(Value::String(secret)) => Ok(Some(secret.clone())),
            Some(_) => Err(SecretError(format!("channels.{name} is not a text"))),
        }
    }
}

struct Kept {
    document: Arc<Document>,
    read_at: Timestamp,
    ask_again_at: Timestamp,
}

/// [`SecretSource`] on Secrets Manager.
pub struct ManagedSecrets {
    client: Client,
    id: String,
    kept: Mutex<Option<Kept>>,
}

impl ManagedSecrets {
    /// `id` is the name or the ARN of the secret.
    pub fn new(config: &SdkConfig, id: impl Into<String>) -> Self {
        Self { client: Client::new(config), id: id.into(), kept: Mutex::new(None) }
    }

    /// Reads ahead of the first request, so that it finds connection and document ready.
    pub async fn warm(&self) -> Result<(), SecretError> {
        self.document(Timestamp::now()).await.map(drop)
    }

    /// One reads, whoever else asks meanwhile waits for it.
    async fn document(&self, now: Timestamp) -> Result<Arc<Document>, SecretError> {
        let mut kept = self.kept.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| now < kept.ask_again_at) {
            return Ok(Arc::clone(&kept.document));
        }
        match (self.fetch().await, kept.as_mut()) {
            (Ok(document), _) => {
                let document = Arc::new(document);
                let fresh = Arc::clone(&document);
                *kept = Some(Kept { document, read_at: now, ask_again_at: now + FRESH_FOR });
                Ok(fresh)
            }
            (Err(error), Some(stale)) if now.duration_since(stale.read_at) < SERVES_FOR => {
                tracing::warn!(%error, read_at = %stale.read_at, "serving secrets that are stale");
                stale.ask_again_at = now + REST;
                Ok(Arc::clone(&stale.document))
            }
            (Err(error), _) => Err(error),
        }
    }

    async fn fetch(&self) -> Result<Document, SecretError> {
        let answer = self
            .client
            .get_secret_value()
            .secret_id(&self.id)
            .send()
            .await
            .map_err(|error| SecretError(failure::words(&error)))?;
        let text =
            answer.secret_string().ok_or_else(|| SecretError("it holds no text".to_owned()))?;
        Document::read(text)
    }
}

#[async_trait]
impl SecretSource for ManagedSecrets {
    async fn of_source(&self, source: &str) -> Result<Option<Secrets>, SecretError> {
        self.document(Timestamp::now()).await?.source(source)
    }

    async fn of_channel(&self, channel: &str) -> Result<Option<String>, SecretError> {
        self.document(Timestamp::now()).await?.channel(channel)
    }
}

#[cfg(test)]
#[path = "secrets_tests.rs"]
mod tests;
