//! The life of an incident as one table.

use serde::{Deserialize, Serialize};

/// Where an incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Open,
    Remediating,
    Verifying,
    Escalated,
    Resolved,
    Closed,
}

impl Status {
    pub const ALL: [Status; 6] = [
        Status::Open,
        Status::Remediating,
        Status::Verifying,
        Status::Escalated,
        Status::Resolved,
        Status::Closed,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Status::Open => "open",
            Status::Remediating => "remediating",
            Status::Verifying => "verifying",
            Status::Escalated => "escalated",
            Status::Resolved => "resolved",
            Status::Closed => "closed",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether alerts of its group still join it without reopening anything.
    pub fn is_live(self) -> bool {
        match self {
            Status::Open | Status::Remediating | Status::Verifying | Status::Escalated => true,
            Status::Resolved | Status::Closed => false,
        }
    }
}

/// Every move that an incident can make: from (`None` before it exists), event, to.
///
/// Events that are not listed for a status leave it as it is.
pub const TRANSITIONS: &[(Option<Status>, &str, Status)] = &[
    (None, "incident.opened", Status::Open),
    (Some(Status::Open), "run.started", Status::Remediating),
    (Some(Status::Open), "incident.escalated", Status::Escalated),
    (Some(Status::Open), "incident.resolved", Status::Resolved),
    (Some(Status::Remediating), "step.confirmed", Status::Verifying),
    (Some(Status::Remediating), "step.unknown", Status::Verifying),
    (Some(Status::Remediating), "run.ended", Status::Open),
    (Some(Status::Remediating), "incident.resolved", Status::Resolved),
    (Some(Status::Verifying), "step.ineffective", Status::Remediating),
    (Some(Status::Verifying), "step.claimed", Status::Remediating),
    (Some(Status::Verifying), "run.ended", Status::Open),
    (Some(Status::Verifying), "incident.resolved", Status::Resolved),
    (Some(Status::Escalated), "incident.resolved", Status::Resolved),
    (Some(Status::Resolved), "incident.reopened", Status::Open),
    (Some(Status::Resolved), "incident.escalated", Status::Escalated),
    (Some(Status::Resolved), "incident.closed", Status::Closed),
];

/// The status after an event, by the table.
pub(super) fn next(from: Status, event: &str) -> Status {
    TRANSITIONS
        .iter()
        .find(|(status, name, _)| *status == Some(from) && *name == event)
        .map_or(from, |(_, _, to)| *to)
}
