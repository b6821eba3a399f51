//! Notification channels: each gives a message the form of its medium and reads the reply, without any I/O.

mod sns;
mod webhook;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::notification::Notification;

/// A channel as it is set up: which kind, and the settings of that kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelSettings {
    pub kind: String,
    /// Whether it is told when something is over.
    #[serde(default = "yes")]
    pub send_resolved: bool,
    #[serde(flatten)]
    pub settings: serde_json::Map<String, Value>,
}

fn yes() -> bool {
    true
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
    &sns::Sns,
    &webhook::Webhook,
];

pub fn find(kind: &str) -> Option<&'static dyn Channel> {
    CHANNELS.iter().copied().find(|channel| channel.kind() == kind)
}

/// What is wrong with the channels of a configuration: one line each, naming channel, setting and remedy.
pub fn check(channels: &Channels) -> Vec<String> {
    channels
        .iter()
        .filter_map(|(name, settings)| match find(&settings.kind) {
            Some(channel) => {
                channel.check(settings).err().map(|problem| format!("channel `{name}`: {problem}"))
            }
            None => Some(format!(
                "channel `{name}`: `kind` is `{}`; the kinds are {}",
                settings.kind,
                CHANNELS.iter().map(|channel| channel.kind()).collect::<Vec<_>>().join(", ")
            )),
        })
        .collect()
}

fn text_setting<'a>(settings: &'a ChannelSettings, name: &str) -> Result<&'a str, String> {
    match settings.settings.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(_) => Err(format!("`{name}` must be a text")),
        None => Err(format!("`{name}` is missing")),
    }
}

/// A setting that nobody reads is a mistake that nobody would notice.
fn only_settings(settings: &ChannelSettings, known: &[&str]) -> Result<(), String> {
    match settings.settings.keys().find(|key| !known.contains(&key.as_str())) {
        Some(unknown) => Err(format!(
            "`{unknown}` is not a setting of {}, which takes {}",
            settings.kind,
            known.join(", ")
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
