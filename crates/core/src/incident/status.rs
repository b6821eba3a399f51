//! The life of an incident as one table.

use serde::{Deserialize, Serialize};

/// Where an incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Open,
    /// As open, while a mute keeps it from people and runbooks.
    Suppressed,
    Remediating,
    Verifying,
    Escalated,
    Resolved,
    Closed,
}

impl Status {
    pub const ALL: [Status; 7] = [
        Status::Open,
        Status::Suppressed,
        Status::Remediating,
        Status::Verifying,
        Status::Escalated,
        Status::Resolved,
        Status::Closed,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Status::Open => "open",
            Status::Suppressed => "suppressed",
            Status::Remediating => "remediating",
            Status::Verifying => "verifying",
            Status::Escalated => "escalated",
            Status::Resolved => "resolved",
            Status::Closed => "closed",
        }
    }

    /// Those of incidents that are not over.
    pub fn live() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|status| status.is_live())
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether alerts of its group still join it without reopening anything.
    pub fn is_live(self) -> bool {
        match self {
            Status::Open
            | Status::Suppressed
            | Status::Remediating
            | Status::Verifying
            | Status::Escalated => true,
            Status::Resolved | Status::Closed => false,
        }
    }
}

/// Every move that an incident can make: from (`None` before it exists), event, to.
///
/// Events that are not listed for a status leave it as it is.
pub const TRANSITIONS: &[(Option<Status>, &str, Status)] = &[
    (None, "incident.opened", Status::Open),
    (Some(Status::Open), "incident.suppressed", Status::Suppressed),
    (Some(Status::Open), "run.started", Status::Remediating),
    (Some(Status::Open), "incident.escalated", Status::Escalated),
    (Some(Status::Open), "incident.resolved", Status::Resolved),
    (Some(Status::Suppressed), "incident.unmuted", Status::Open),
    (Some(Status::Suppressed), "incident.resolved", Status::Resolved),
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

/// The table as Markdown, for the page on the architecture.
pub fn transitions_table() -> String {
    let rows = TRANSITIONS.iter().map(|(from, event, to)| {
        let from = from.map_or("(none)", Status::as_str);
        format!("| {from} | `{event}` | {} |\n", to.as_str())
    });
    std::iter::once("| from | event | to |\n|---|---|---|\n".to_owned()).chain(rows).collect()
}

/// The status after an event, by the table.
pub(super) fn next(from: Status, event: &str) -> Status {
    TRANSITIONS
        .iter()
        .find(|(status, name, _)| *status == Some(from) && *name == event)
        .map_or(from, |(_, _, to)| *to)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::transitions_table;

    const BEGIN: &str = "<!-- transitions -->\n";
    const END: &str = "<!-- /transitions -->";

    /// `FIREBREAK_BLESS=1` writes the table anew.
    #[test]
    fn the_page_on_the_architecture_shows_the_table() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ARCHITECTURE.md");
        let Ok(page) = fs::read_to_string(&path) else { return };
        let (before, rest) = page.split_once(BEGIN).expect("the page has the first marker");
        let (shown, after) = rest.split_once(END).expect("the page has the second marker");
        let table = transitions_table();
        if std::env::var_os("FIREBREAK_BLESS").is_some() {
            fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        } else {
            assert_eq!(shown, table, "set FIREBREAK_BLESS=1 to write it anew");
        }
    }
}
