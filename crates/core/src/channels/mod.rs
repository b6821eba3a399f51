//! Notification channels: each gives a message the form of its medium and reads the reply, without any I/O.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::notification::Notification;

/// A channel as it is set up: which kind, and the settings of that kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelSettings {
    pub kind: String,
    #[serde(flatten)]
    pub settings: serde_json::Map<String, Value>,
}

/// All channels, by the name that runbooks and people use.
pub type Channels = BTreeMap<String, ChannelSettings>;

/// What the shared sender is to carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    Http(HttpRequest),
    /// Publish to an SNS topic.
    Topic {
        arn: String,
        subject: String,
        message: String,
        attributes: BTreeMap<String, String>,
    },
}

#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    pub url: String,
    /// May hold a signature; never logged.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl std::fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpRequest").field("url", &self.url).finish_non_exhaustive()
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    Http {
        status: u16,
        body: String,
    },
    Published {
        message_id: String,
    },
    /// No answer: refused, timed out, reset.
    None {
        error: String,
    },
}

/// What the reply means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    Delivered {
        detail: String,
    },
    /// Worth another try.
    Again {
        reason: String,
    },
    /// Trying again would change nothing.
    Refused {
        reason: String,
    },
}

/// One kind of channel.
pub trait Channel: Sync {
    /// The word under `kind`.
    fn kind(&self) -> &'static str;

    /// One sentence for help texts.
    fn summary(&self) -> &'static str;

    /// Whether a secret of the channel's name must exist.
    fn needs_secret(&self) -> bool;

    /// Refuses settings that cannot work; the text names the setting and the remedy.
    fn check(&self, settings: &ChannelSettings) -> Result<(), String>;

    fn request(
        &self,
        settings: &ChannelSettings,
        secret: Option<&str>,
        notification: &Notification,
        now: Timestamp,
    ) -> Result<Request, String>;

    fn classify(&self, reply: &Reply) -> Delivery;
}

/// Every channel there is.
pub const CHANNELS: &[&dyn Channel] = &[
    // Alphabetical.
];

pub fn find(kind: &str) -> Option<&'static dyn Channel> {
    CHANNELS.iter().copied().find(|channel| channel.kind() == kind)
}
