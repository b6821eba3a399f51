//! Whether a channel is to be told, and why: the table that Alertmanager decides by, with what we change.
//!
//! | it was told | now | the reason |
//! | --- | --- | --- |
//! | nothing | something fires | first |
//! | nothing | nothing fires | none: it never heard of it |
//! | of firing alerts | another fires, or one is worse | new alerts |
//! | that all is over | something fires | first |
//! | of firing alerts | none of them fires | all resolved |
//! | that all is over | nothing fires | none |
//! | of firing alerts | some of them are over | some resolved, if it wants resolves |
//! | of firing alerts | the same | repeat, when it is time |
//!
//! Ours: an alert that is muted now and was told before is still firing, so that "all resolved" is never said of
//! it; a resolve is told of alerts that were told, and of no others; and it is told through any mute.

use std::collections::{BTreeMap, BTreeSet};

use crate::alert::Severity;
use crate::fingerprint::Fingerprint;
use crate::incident::Reason;

/// What the table looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// What the channel was told of as firing and not as over: its log.
    pub(super) known: BTreeMap<Fingerprint, Severity>,
    /// What fires and may be told now.
    pub(super) audible: BTreeMap<Fingerprint, Severity>,
    /// What of the known does not fire any more.
    pub(super) over: BTreeSet<Fingerprint>,
    pub(super) wants_resolves: bool,
}

impl Standing {
    /// What fires, or is worse, that the channel does not know.
    pub(super) fn news(&self) -> impl Iterator<Item = &Fingerprint> {
        let is_news = |(alert, severity): &(&Fingerprint, &Severity)| {
            self.known.get(*alert).is_none_or(|known| *severity > known)
        };
        self.audible.iter().filter(is_news).map(|(alert, _)| alert)
    }

    /// What the channel knows of and still fires, muted or not.
    pub(super) fn still(&self) -> impl Iterator<Item = (&Fingerprint, &Severity)> {
        self.known.iter().filter(|(alert, _)| !self.over.contains(*alert))
    }

    /// The reason to tell, were it time.
    pub(super) fn reason(&self) -> Option<Reason> {
        if self.news().next().is_some() {
            return Some(if self.known.is_empty() { Reason::First } else { Reason::NewAlerts });
        }
        if self.known.is_empty() {
            return None;
        }
        if self.still().next().is_none() {
            return Some(Reason::AllResolved);
        }
        if self.wants_resolves && !self.over.is_empty() {
            return Some(Reason::SomeResolved);
        }
        self.can_be_repeated().then_some(Reason::Repeat)
    }

    /// Something that was told still fires and is not muted.
    pub(super) fn can_be_repeated(&self) -> bool {
        self.still().any(|(alert, _)| self.audible.contains_key(alert))
    }
}
