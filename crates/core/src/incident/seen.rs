//! What was last heard of an alert: enough to tell a repeat from news without reading its incident.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Member;
use crate::alert::{Alert, AlertStatus};

/// The latest delivery of an alert that changed something. It stands beside the pointer to the alert's incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub episode: Option<String>,
    pub starts_at: Timestamp,
    pub content_hash: String,
    pub status: AlertStatus,
    /// The end that the sender gave, also for what still fires; a later one puts its expiry off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// That it is over is our guess alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expired: bool,
}

impl Seen {
    pub fn of(member: &Member) -> Self {
        Self { expired: member.expired, ..Self::said_by(&member.alert) }
    }

    pub fn said_by(alert: &Alert) -> Self {
        Self {
            episode: alert.episode.clone(),
            starts_at: alert.starts_at,
            content_hash: alert.content_hash.clone(),
            status: alert.status,
            ends_at: alert.ends_at,
            expired: false,
        }
    }

    /// Whether `alert` is the very same again. One that fires for longer than was known is news.
    pub fn is_said_again_by(&self, alert: &Alert) -> bool {
        let lasts_longer = alert.is_firing() && alert.ends_at > self.ends_at;
        alert.status == self.status
            && !lasts_longer
            && alert.content_hash == self.content_hash
            && alert.goes_on_with(self.episode.as_deref(), self.starts_at)
    }

    /// Whether `alert` says nothing that is not known: the very same again, or an older episode arriving late.
    pub fn is_repeated_by(&self, alert: &Alert) -> bool {
        let is_same = alert.is_of_episode(self.episode.as_deref(), self.starts_at);
        match (alert.is_firing(), self.status) {
            // The same words about a later episode are news: a resolve of the one before may still come.
            (true, AlertStatus::Firing) => {
                self.is_said_again_by(alert) || alert.starts_at < self.starts_at
            }
            (true, AlertStatus::Resolved) => {
                let is_named = alert.episode.is_some() && self.episode.is_some();
                let is_from_before = alert.start_is_unknown
                    && !is_named
                    && self.ends_at.is_some_and(|ends_at| alert.starts_at < ends_at);
                let is_known = is_same || is_from_before || alert.starts_at < self.starts_at;
                is_known && !self.expired
            }
            (false, AlertStatus::Firing) => {
                let of_another = alert.episode.is_some() && self.episode.is_some() && !is_same;
                of_another || alert.ends_at.unwrap_or(alert.starts_at) < self.starts_at
            }
            (false, AlertStatus::Resolved) => true,
        }
    }
}
