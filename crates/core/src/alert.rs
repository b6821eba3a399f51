//! A normalised alert: what every sender's message becomes before anything is decided.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fingerprint::{Field, Fingerprint, IdentityInputs, digest};

/// The identity input of an alert whose meaning is in doubt.
const DOUBT: &str = "doubt";

/// Whether the sender says that the problem exists or that it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertStatus {
    Firing,
    Resolved,
}

/// How bad the sender says it is; ordered from the least to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    Warning,
    Error,
    Critical,
}

impl AlertStatus {
    /// Reads the words that senders use for the two states; an unknown word is `None`.
    pub fn from_word(word: &str) -> Option<Self> {
        match word.trim().to_ascii_lowercase().as_str() {
            "firing" | "fire" | "fired" | "alerting" | "alert" | "alarm" | "trigger"
            | "triggered" | "open" | "opened" | "active" | "activated" | "problem" => {
                Some(AlertStatus::Firing)
            }
            "resolved" | "resolve" | "ok" | "closed" | "close" | "recovered" | "recovery"
            | "cleared" => Some(AlertStatus::Resolved),
            _ => None,
        }
    }
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
            Severity::Critical => "critical",
        }
    }

    /// Reads the words that senders use by convention; an unknown word is `None`.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase().replace([' ', '-', '_'], "");
        match word.as_str() {
            "critical" | "crit" | "alert" | "page" | "fatal" | "emergency" | "emerg" | "panic"
            | "disaster" | "blocker" | "p0" | "p1" | "sev0" | "sev1" => Some(Severity::Critical),
            "error" | "err" | "high" | "major" | "severe" | "urgent" | "p2" | "sev2" => {
                Some(Severity::Error)
            }
            "warning" | "warn" | "minor" | "medium" | "moderate" | "average" | "p3" | "sev3" => {
                Some(Severity::Warning)
            }
            "info" | "information" | "informational" | "notice" | "low" | "none" | "ok"
            | "success" | "debug" | "p4" | "p5" | "sev4" | "sev5" => Some(Severity::Info),
            _ => None,
        }
    }
}

/// How far an alert's identity can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// The sender named the thing: the alert may notify and act.
    Strong,
    /// Nothing identified it but its content: the alert may notify and never acts.
    Weak,
}

/// The sender's own word that nobody is to be told of a firing alert and nothing done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mute {
    /// What mutes it, in the sender's terms: a mute rule, a maintenance window, another alarm.
    pub by: String,
    /// When it ends by itself, where the sender says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// A page that a person may want to open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub title: String,
    pub url: String,
}

/// One alert of one delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The registry name of the source, such as `alertmanager`.
    pub source: String,
    pub fingerprint: Fingerprint,
    /// By which fingerprints this occurrence may be known already, after the choice of its fields was changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formerly: Vec<Fingerprint>,
    pub identity: Identity,
    /// What the fingerprint was made of, kept so that `why` can show it.
    pub identity_inputs: IdentityInputs,
    /// Changes when anything that a person would read changes; equal means an exact duplicate.
    pub content_hash: String,
    pub status: AlertStatus,
    pub severity: Severity,
    /// `unknown` where the sender does not say.
    pub service: String,
    /// The rule or monitor that fired: the kind of problem, without the target.
    pub name: String,
    pub title: String,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    /// The sender's own name of this episode; without one, `starts_at` tells episodes apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub episode: Option<String>,
    /// When this episode began, by the sender's clock.
    pub starts_at: Timestamp,
    /// The sender does not say when the episode began: `starts_at` is when this message was sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub start_is_unknown: bool,
    pub ends_at: Option<Timestamp>,
    pub links: Vec<Link>,
    /// When it reached us, where it waited for long before it was taken in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<Timestamp>,
    /// Taken in, but neither told of nor acted upon while it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mute: Option<Mute>,
}

/// What a source knows of an alert; [`Draft::seal`] adds the parts that must be computed alike for all.
#[derive(Debug, Clone)]
pub struct Draft {
    pub source: &'static str,
    /// Fields in the sender's own terms; all of them enter the fingerprint.
    pub identity: IdentityInputs,
    pub status: AlertStatus,
    pub severity: Severity,
    pub service: Option<String>,
    pub name: String,
    pub title: String,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    /// What the sender calls one firing from its start to its end, where it has a name of its own for that.
    pub episode: Option<String>,
    pub starts_at: Timestamp,
    pub ends_at: Option<Timestamp>,
    pub links: Vec<Link>,
}

impl Draft {
    /// Computes fingerprint, identity strength and content hash.
    pub fn seal(mut self) -> Alert {
        let identity = if self.identity.values().any(Field::is_meaningful) {
            Identity::Strong
        } else {
            self.identity.insert("content".to_owned(), self.content());
            Identity::Weak
        };
        self.seal_as(identity)
    }

    /// For a message whose meaning is in doubt, say a status that nobody knows: the alert may notify, never acts, and is
    /// never taken for another one that is not in doubt. `why` names the field.
    pub fn seal_in_doubt(mut self, why: &str) -> Alert {
        if !self.identity.values().any(Field::is_meaningful) {
            self.identity.insert("content".to_owned(), self.content());
        }
        self.identity.insert(DOUBT.to_owned(), why.into());
        self.seal_as(Identity::Weak)
    }

    fn content(&self) -> Field {
        format!("{}\n{}", self.name, self.title).as_str().into()
    }

    fn seal_as(self, identity: Identity) -> Alert {
        let inputs = self.identity;
        let content_hash =
            content_hash(self.status, self.severity, &self.title, &self.labels, &self.annotations);
        Alert {
            fingerprint: Fingerprint::of(self.source, &inputs),
            source: self.source.to_owned(),
            formerly: Vec::new(),
            identity,
            identity_inputs: inputs,
            content_hash,
            status: self.status,
            severity: self.severity,
            service: self
                .service
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| "unknown".to_owned()),
            name: self.name,
            title: self.title,
            labels: self.labels,
            annotations: self.annotations,
            episode: self.episode,
            starts_at: self.starts_at,
            start_is_unknown: false,
            ends_at: self.ends_at,
            links: self.links,
            received_at: None,
            mute: None,
        }
    }
}

fn content_hash(
    status: AlertStatus,
    severity: Severity,
    title: &str,
    labels: &BTreeMap<String, String>,
    annotations: &BTreeMap<String, String>,
) -> String {
    let head = [
        if status == AlertStatus::Firing { "firing" } else { "resolved" },
        severity.as_str(),
        title,
    ];
    let pairs = |map: &'static str, entries: &BTreeMap<String, String>| -> Vec<String> {
        std::iter::once(format!("{map}:{}", entries.len()))
            .chain(entries.iter().flat_map(|(key, value)| [key.clone(), value.clone()]))
            .collect()
    };
    let labels = pairs("labels", labels);
    let annotations = pairs("annotations", annotations);
    digest(
        "content:v1",
        head.into_iter().chain(labels.iter().chain(&annotations).map(String::as_str)),
    )
}

impl Alert {
    /// Alerts with the same key belong to one incident while it is open: same source, service and rule.
    ///
    /// A weak alert stands alone: nothing says that it belongs with another.
    pub fn group_key(&self) -> String {
        let of = match self.identity {
            Identity::Strong => {
                digest("group:v1", [self.source.as_str(), &self.service, &self.name])
            }
            Identity::Weak => {
                digest("group:v1:weak", [self.source.as_str(), self.fingerprint.as_str()])
            }
        };
        format!("grp1_{of}")
    }

    /// The alert with its texts cut to what a record should carry; identity and content hash stay those of
    /// the whole. What was cut ends in `…`.
    #[must_use]
    pub fn clipped(mut self) -> Self {
        clip(&mut self.title, 512);
        clip(&mut self.name, 256);
        clip(&mut self.service, 128);
        self.labels = clip_map(self.labels, 256, 3 * 1024);
        self.annotations = clip_map(self.annotations, 2 * 1024, 4 * 1024);
        self.links.truncate(8);
        self.links.retain(|link| link.url.len() <= 2 * 1024);
        self
    }

    /// The alert as its sender muted it. The end of a mute is news, so it changes the content hash.
    #[must_use]
    pub fn muted(mut self, mute: Mute) -> Self {
        let until = mute.until.map(|at| at.to_string()).unwrap_or_default();
        self.content_hash = digest("content:v1:muted", [&*self.content_hash, &mute.by, &until]);
        self.mute = Some(mute);
        self
    }

    /// The alert of a sender that says only when a message was sent, not when the episode began.
    #[must_use]
    pub fn without_start(mut self) -> Self {
        self.start_is_unknown = true;
        self
    }

    /// Whether its sender mutes it at that time. A mute without an end holds until the sender says something else.
    pub fn is_muted(&self, now: Timestamp) -> bool {
        self.mute.as_ref().is_some_and(|mute| mute.until.is_none_or(|until| now < until))
    }

    /// Whether the message was not understood well enough to act on it, whoever it is about.
    pub fn is_in_doubt(&self) -> bool {
        self.identity == Identity::Weak && self.identity_inputs.contains_key(DOUBT)
    }

    pub fn is_firing(&self) -> bool {
        self.status == AlertStatus::Firing
    }

    /// Whether both speak of one firing: by the sender's name for it, else by when it began.
    pub fn is_of_same_episode(&self, other: &Alert) -> bool {
        self.is_of_episode(other.episode.as_deref(), other.starts_at)
    }

    /// The same for an episode of which no more is known.
    pub(crate) fn is_of_episode(&self, name: Option<&str>, starts_at: Timestamp) -> bool {
        match (self.episode.as_deref(), name) {
            (Some(own), Some(other)) => own == other,
            _ => self.starts_at == starts_at,
        }
    }

    /// Whether it goes on with the episode of an alert that fires. A message that does not say when its episode began
    /// begins none while one is open.
    pub(crate) fn goes_on_with(&self, name: Option<&str>, starts_at: Timestamp) -> bool {
        let is_named = self.episode.is_some() && name.is_some();
        self.is_of_episode(name, starts_at) || (self.start_is_unknown && !is_named)
    }
}

fn clip(text: &mut String, most: usize) {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
        text.push('…');
    }
}

/// Keeps entries in key order as long as they fit into `total` bytes.
fn clip_map(map: BTreeMap<String, String>, each: usize, total: usize) -> BTreeMap<String, String> {
    let mut room = total;
    map.into_iter()
        .map(|(key, mut value)| {
            clip(&mut value, each);
            (key, value)
        })
        .take_while(|(key, value)| {
            let size = key.len() + value.len();
            let fits = size <= room;
            room = room.saturating_sub(size);
            fits
        })
        .collect()
}
