//! The spill: where an authenticated delivery waits while the store is down.

use async_trait::async_trait;
use firebreak_core::sources::Delivery;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::delivery::KeptDelivery;

/// One delivery that waits. Its JSON is what lies in the queue and in the file: a stored contract, fields are
/// added and never renamed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spilled {
    pub version: u32,
    /// Unique; sorts by time. The sender is told it.
    pub id: String,
    #[serde(flatten)]
    pub delivery: KeptDelivery,
}

/// Why a waiting message is no delivery that this program knows.
#[derive(Debug, thiserror::Error)]
pub enum NotSpilled {
    #[error("it is not what intake spills: {0}")]
    Shape(#[from] serde_json::Error),
    #[error("it was spilled by a newer version ({found}, this one knows {known}): use that version", known = Spilled::VERSION)]
    Newer { found: u32 },
}

impl Spilled {
    pub const VERSION: u32 = 1;

    /// `id` is a new one.
    pub fn of(id: String, source: &str, delivery: &Delivery<'_>) -> Self {
        Self { version: Self::VERSION, id, delivery: KeptDelivery::of(source, delivery) }
    }

    /// One line of JSON.
    pub fn to_message(&self) -> String {
        serde_json::to_string(self).expect("it has text keys and no floats")
    }

    pub fn from_message(text: &str) -> Result<Self, NotSpilled> {
        let spilled: Self = serde_json::from_str(text)?;
        if spilled.version > Self::VERSION {
            return Err(NotSpilled::Newer { found: spilled.version });
        }
        Ok(spilled)
    }
}

/// Why a delivery does not wait here: the sender must send it again.
#[derive(Debug, thiserror::Error)]
pub enum SpillError {
    #[error("a spilled delivery takes {size} bytes, at most {most} fit")]
    TooLarge { size: usize, most: usize },
    #[error("the spill is full: {waiting} bytes wait, at most {most} may")]
    Full { waiting: u64, most: u64 },
    #[error("the spill cannot be written: {0}")]
    Unavailable(String),
}

/// What waits, as far as is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Backlog {
    pub deliveries: u64,
    pub bytes: u64,
    pub oldest: Option<Timestamp>,
}

#[async_trait]
pub trait Spill: Send + Sync {
    /// Durable when it returns. What waits is taken in later, those of one source in the order in which they were
    /// put, each at least once.
    async fn put(&self, spilled: &Spilled) -> Result<(), SpillError>;

    /// What waits, where that can be said without asking anybody.
    fn backlog(&self) -> Option<Backlog> {
        None
    }
}
