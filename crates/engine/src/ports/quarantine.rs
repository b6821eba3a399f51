//! The quarantine: deliveries of which a part could not be understood, kept whole until they can be.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::delivery::{KeptDelivery, PackedBody};

/// What is said of one delivery: enough for a list, without its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// Unique; sorts by time.
    pub id: String,
    /// From 1; a change is on condition of the version before.
    pub version: u64,
    pub source: String,
    /// When the delivery reached us.
    pub received_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// At most [`Quarantined::MOST_PROBLEMS`]; what is not listed is found again by reading the body.
    pub problems: Vec<KeptProblem>,
}

/// One part that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptProblem {
    /// Position in the sender's list; `None` for the whole body.
    pub index: Option<usize>,
    pub code: String,
    /// What is wrong, where, and what to do about it.
    pub message: String,
    /// The beginning of the part.
    pub excerpt: String,
    /// When it was understood after all and taken in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replayed: Option<Replayed>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    pub at: Timestamp,
    pub by: String,
}

impl Quarantined {
    pub const MOST_PROBLEMS: usize = 100;
    /// In bytes of JSON, as the next: all problems together must fit an item of a store.
    pub const MOST_MESSAGE: usize = 1024;
    pub const MOST_EXCERPT: usize = 512;
    /// Long enough for a person to look, short enough that other people's texts do not stay for ever.
    pub const KEPT_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

    pub fn delivery(&self, body: PackedBody) -> KeptDelivery {
        KeptDelivery {
            source: self.source.clone(),
            received_at: self.received_at,
            content_type: self.content_type.clone(),
            headers: self.headers.clone(),
            body,
        }
    }

    /// Whether anything of it still waits to be understood.
    pub fn waits(&self) -> bool {
        self.problems.iter().any(|problem| problem.replayed.is_none())
    }
}

/// Which deliveries to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct QuarantineQuery {
    pub source: Option<String>,
    /// 1 to 200.
    pub limit: usize,
    /// Those that are older than the one with this id.
    pub before: Option<String>,
}

#[async_trait]
pub trait Quarantine: Send + Sync {
    /// Durable, with its body, when it returns; keeping it again is harmless. It is forgotten after
    /// [`Quarantined::KEPT_FOR`].
    async fn keep(&self, kept: &Quarantined, body: &PackedBody) -> Result<(), StoreError>;

    /// Newest first; sees every one that was kept before.
    async fn kept(&self, query: &QuarantineQuery) -> Result<Vec<Quarantined>, StoreError>;

    /// One with its body.
    async fn quarantined(&self, id: &str) -> Result<Option<(Quarantined, PackedBody)>, StoreError>;

    /// Replaces what is said of one that is kept, on condition that its version is still the one before; `false`
    /// when somebody else changed it, or it was forgotten.
    async fn amend(&self, kept: &Quarantined) -> Result<bool, StoreError>;
}
