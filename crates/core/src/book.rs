//! The book of a target or a group: who holds it now and what was done to it lately.
//!
//! Books carry what one incident must know of others. A book is written in the same transaction as the
//! event that claims a step, on condition that nobody wrote it since it was read: so no two incidents can
//! both find room in the same budget.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::breaker::Breaker;
use crate::healing::Healing;
use crate::ids::{ActionName, IncidentId, RunbookName};
use crate::self_inflicted::ExpectedEffect;
use crate::shared_cause::Domain;
use crate::target::Target;
use crate::trust::TrustRecord;

/// Which book: one per target, one per group whose members are acted on, one per domain whose firings are counted,
/// one per cause that is learnt about, one per runbook that earns trust.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BookKey(String);

impl BookKey {
    pub fn target(target: &Target) -> Self {
        Self(format!("target:{}/{}", target.kind, target.id))
    }

    pub fn group(key: &str) -> Self {
        Self(format!("group:{key}"))
    }

    /// The book that names the failure domains in which a shared cause is suspected.
    pub fn domains() -> Self {
        Self("domains".to_owned())
    }

    /// The book of what our own actions are expected to cause.
    pub fn effects() -> Self {
        Self("effects".to_owned())
    }

    /// The book in which bad outcomes are counted.
    pub fn breaker() -> Self {
        Self("breaker".to_owned())
    }

    /// The book in which the firings of a failure domain are counted.
    pub fn domain(key: &str) -> Self {
        Self(format!("domain:{key}"))
    }

    /// The book in which stands how long a cause goes on when it is left alone.
    pub fn cause(cause: &str) -> Self {
        Self(format!("cause:{cause}"))
    }

    /// The book in which stands what the actions of a runbook showed.
    pub fn trust(runbook: &RunbookName) -> Self {
        Self(format!("trust:{runbook}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One run of one incident.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunRef {
    pub incident: IncidentId,
    pub run: u32,
}

/// Who may act on the target now. It lapses by time alone, whatever becomes of its holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    pub holder: RunRef,
    pub until: Timestamp,
}

/// One action that was claimed, whether or not it came to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub target: Target,
    pub action: ActionName,
    pub by: RunRef,
    pub at: Timestamp,
}

/// The state of one book. An unwritten book is the default: version 0, nobody, nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    pub version: u64,
    pub lock: Option<Lock>,
    pub entries: Vec<Entry>,
    /// In the book of a failure domain: what lately began to fire there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<Domain>,
    /// In the book of a cause: its latest episodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healing: Option<Healing>,
    /// In the book of a runbook: what its actions showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<TrustRecord>,
    /// In the book of a group: the runs that are under way in it. Each lapses by time alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub running: Vec<Lock>,
    /// In the book of effects: what is expected now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<ExpectedEffect>,
    /// In the book of the breaker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker: Option<Breaker>,
    /// Why the stored book could not be read; this one then says nothing and is never written.
    #[serde(skip)]
    pub unreadable: Option<String>,
}

/// Entries older than this serve no guard; runbooks may not look back further.
pub const MEMORY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// More entries than any sane budget allows; the oldest go first.
const MOST_ENTRIES: usize = 256;

impl Book {
    /// The lock that stops `run`, if somebody else holds an unexpired one.
    pub fn held_against(&self, run: &RunRef, now: Timestamp) -> Option<&Lock> {
        self.lock.as_ref().filter(|lock| lock.holder != *run && lock.until > now)
    }

    /// What anybody did within `window` before `now`.
    pub fn entries_within(
        &self,
        window: SignedDuration,
        now: Timestamp,
    ) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| now.duration_since(entry.at) < window)
    }

    /// What others did within `window` before `now`.
    pub fn entries_of_others(
        &self,
        run: &RunRef,
        window: SignedDuration,
        now: Timestamp,
    ) -> impl Iterator<Item = &Entry> {
        self.entries_within(window, now).filter(move |entry| entry.by != *run)
    }

    /// Stands for a book that is there and cannot be read.
    pub fn unreadable(why: String) -> Self {
        Self { unreadable: Some(why), ..Self::default() }
    }

    /// The other runs that are under way in the group.
    pub fn others_running(&self, run: &RunRef, now: Timestamp) -> impl Iterator<Item = &Lock> {
        self.running.iter().filter(move |lock| lock.holder != *run && lock.until > now)
    }

    /// The next version of the book of a group, with the claim written in and its run among those under way.
    #[must_use]
    pub fn joined(&self, lock: Lock, entry: Entry, now: Timestamp) -> Self {
        let mut next = self.claimed(None, entry, now);
        next.running.retain(|other| other.holder != lock.holder && other.until > now);
        next.running.push(lock);
        next
    }

    /// The next version of the book, with the claim written in.
    #[must_use]
    pub fn claimed(&self, lock: Option<Lock>, entry: Entry, now: Timestamp) -> Self {
        let mut entries: Vec<Entry> = self
            .entries
            .iter()
            .filter(|old| now.duration_since(old.at) < MEMORY)
            .cloned()
            .collect();
        entries.push(entry);
        let surplus = entries.len().saturating_sub(MOST_ENTRIES);
        entries.drain(..surplus);
        let lock = lock.or_else(|| self.lock.clone());
        Self { version: self.version + 1, lock, entries, ..self.clone() }
    }

    /// The next version of the book, with its domain as it is now.
    #[must_use]
    pub fn counted(&self, domain: Domain) -> Self {
        Self { version: self.version + 1, domain: Some(domain), ..self.clone() }
    }

    /// The next version of the book, with the latest claim of the run on the target dated at `now`.
    #[must_use]
    pub fn sent(&self, run: &RunRef, target: &Target, now: Timestamp) -> Self {
        let mut next = Self { version: self.version + 1, ..self.clone() };
        let claim = next.entries.iter_mut().rev();
        if let Some(claim) =
            claim.into_iter().find(|entry| entry.by == *run && entry.target == *target)
        {
            claim.at = now;
        }
        next
    }

    /// The next version of the book, without what `run` holds of it; `None` when there is nothing to release.
    pub fn released(&self, run: &RunRef) -> Option<Self> {
        let mut next = Self { version: self.version + 1, ..self.clone() };
        next.lock = next.lock.filter(|lock| lock.holder != *run);
        next.running.retain(|lock| lock.holder != *run);
        let held = next.lock != self.lock || next.running.len() != self.running.len();
        held.then_some(next)
    }

    /// The next version of the book of effects.
    #[must_use]
    pub fn expecting(&self, effects: Vec<ExpectedEffect>) -> Self {
        Self { version: self.version + 1, effects, ..self.clone() }
    }

    /// The next version of the book of the breaker.
    #[must_use]
    pub fn broken(&self, breaker: Breaker) -> Self {
        Self { version: self.version + 1, breaker: Some(breaker), ..self.clone() }
    }
}

/// The books that a decision read, by key; a key that is absent was never written.
pub type Books = BTreeMap<BookKey, Book>;

/// A book to write, on condition that its stored version is still `book.version - 1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookWrite {
    pub key: BookKey,
    pub book: Book,
}
