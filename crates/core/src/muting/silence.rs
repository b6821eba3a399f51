//! A silence: a person's wish for quiet, with an owner, a reason and an end.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::alert::Alert;
use crate::ids::InvalidId;
use crate::matcher::Matchers;

/// `sil_` and a ULID: sorts by the time at which the silence was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SilenceId(String);

impl SilenceId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SilenceId {
    type Error = InvalidId;

    fn try_from(value: String) -> Result<Self, InvalidId> {
        let rest = value.strip_prefix("sil_").unwrap_or_default();
        if (1..=64).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Ok(Self(value));
        }
        let rule = "it is `sil_` followed by letters and digits";
        Err(InvalidId { kind: "silence id", value, rule })
    }
}

impl From<SilenceId> for String {
    fn from(id: SilenceId) -> String {
        id.0
    }
}

impl std::fmt::Display for SilenceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A stored silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    pub id: SilenceId,
    /// From 1; a write is on condition of the version before.
    pub version: u64,
    /// Who answers for it.
    pub owner: String,
    pub reason: String,
    pub matchers: Matchers,
    pub starts_at: Timestamp,
    /// Without this moment itself.
    pub ends_at: Timestamp,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Who ended it before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired_by: Option<String>,
    /// The silence that this one took the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<SilenceId>,
}

/// Where a silence stands at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SilenceState {
    Pending,
    Active,
    Expired,
}

impl SilenceState {
    pub fn as_str(self) -> &'static str {
        match self {
            SilenceState::Pending => "pending",
            SilenceState::Active => "active",
            SilenceState::Expired => "expired",
        }
    }
}

/// What a person asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SilenceDraft {
    pub owner: String,
    pub reason: String,
    pub matchers: Matchers,
    /// Now, where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    pub ends_at: Timestamp,
    /// The silence to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<SilenceId>,
}

/// Why a silence is not made or changed; the text says what to do instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSilence {
    #[error("`{0}` is empty: a silence without it outlives everybody who knew why")]
    Empty(&'static str),
    #[error("`{0}` may have {1} bytes")]
    TooLong(&'static str, usize),
    #[error(
        "the matchers fit every alert; name a label that singles some out, such as `service=\"checkout\"`"
    )]
    FitsEverything,
    #[error("`ends_at` ({ends_at}) is not after {after}")]
    EndsTooEarly { ends_at: Timestamp, after: Timestamp },
    #[error("it would last {lasts:#}; {most:#} is the most, make it anew when it is still needed")]
    LastsTooLong { lasts: SignedDuration, most: SignedDuration },
    #[error("`starts_at` ({0}) is past; leave it out to start now")]
    StartsInThePast(Timestamp),
    #[error("`starts_at` is more than {0:#} ahead")]
    StartsTooLate(SignedDuration),
    #[error("{0} has expired and cannot be revived; make a new one")]
    Expired(SilenceId),
}

const MOST_OWNER: usize = 256;
const MOST_REASON: usize = 2 * 1024;
const MOST_MATCHERS: usize = 8 * 1024;

/// How far in the past a start may lie: clocks differ.
const SKEW: SignedDuration = SignedDuration::from_mins(1);

/// What becomes of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The silence itself, later or earlier at its end, or with other words.
    Amended(Box<Silence>),
    /// What it mutes or when it begins is different: a new one takes its place.
    Replaced { new: Box<Silence>, old: Box<Silence> },
}

impl Silence {
    /// The longest that a silence may last.
    pub const LONGEST: SignedDuration = SignedDuration::from_hours(30 * 24);
    /// How many may be pending or active at once; each decision looks at all of them.
    pub const MOST: usize = 500;
    /// For how long expired ones are kept to be looked at.
    pub const KEPT_FOR: SignedDuration = SignedDuration::from_hours(5 * 24);

    /// A new silence, if the draft is one.
    pub fn new(draft: SilenceDraft, id: SilenceId, now: Timestamp) -> Result<Self, BadSilence> {
        let starts_at = draft.starts_at.unwrap_or(now);
        check(&draft, starts_at, now)?;
        if starts_at < now - SKEW {
            return Err(BadSilence::StartsInThePast(starts_at));
        }
        Ok(Self {
            id,
            version: 1,
            owner: draft.owner,
            reason: draft.reason,
            matchers: draft.matchers,
            starts_at,
            ends_at: draft.ends_at,
            created_at: now,
            updated_at: now,
            expired_by: None,
            replaces: draft.replaces,
        })
    }

    pub fn state(&self, now: Timestamp) -> SilenceState {
        if now >= self.ends_at {
            SilenceState::Expired
        } else if now < self.starts_at {
            SilenceState::Pending
        } else {
            SilenceState::Active
        }
    }

    /// Whether it mutes the alert now.
    pub fn mutes(&self, alert: &Alert, now: Timestamp) -> bool {
        self.state(now) == SilenceState::Active && self.matchers.fit_alert(alert)
    }

    /// How old it is.
    pub fn age(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.created_at)
    }

    /// What becomes of it when it is changed into `draft`. `id` is for the new one, should there be one.
    ///
    /// Other matchers or another start make a new silence of an active one: what was muted, and by whom, stays
    /// on record. An expired one cannot be changed at all.
    pub fn change(
        &self,
        draft: SilenceDraft,
        id: SilenceId,
        now: Timestamp,
    ) -> Result<Change, BadSilence> {
        let state = self.state(now);
        if state == SilenceState::Expired {
            return Err(BadSilence::Expired(self.id.clone()));
        }
        let starts_at = draft.starts_at.unwrap_or(self.starts_at);
        let same_start = match state {
            SilenceState::Pending => starts_at >= now,
            SilenceState::Active | SilenceState::Expired => starts_at == self.starts_at,
        };
        if draft.matchers == self.matchers && same_start {
            check(&draft, starts_at, now)?;
            return Ok(Change::Amended(Box::new(Self {
                version: self.version + 1,
                owner: draft.owner,
                reason: draft.reason,
                starts_at,
                ends_at: draft.ends_at,
                updated_at: now,
                ..self.clone()
            })));
        }
        let by = draft.owner.clone();
        // An active one is followed from now on; its own start is past.
        let starts_at = draft.starts_at.filter(|at| *at > now);
        let draft = SilenceDraft { starts_at, replaces: Some(self.id.clone()), ..draft };
        let new = Self::new(draft, id, now)?;
        let old = self.expire(&by, now)?;
        Ok(Change::Replaced { new: Box::new(new), old: Box::new(old) })
    }

    /// Ends it now; one that did not begin never will.
    pub fn expire(&self, by: &str, now: Timestamp) -> Result<Self, BadSilence> {
        if by.trim().is_empty() {
            return Err(BadSilence::Empty("by"));
        }
        if self.state(now) == SilenceState::Expired {
            return Err(BadSilence::Expired(self.id.clone()));
        }
        Ok(Self {
            version: self.version + 1,
            starts_at: self.starts_at.min(now),
            ends_at: now,
            updated_at: now,
            expired_by: Some(by.to_owned()),
            ..self.clone()
        })
    }
}

fn check(draft: &SilenceDraft, starts_at: Timestamp, now: Timestamp) -> Result<(), BadSilence> {
    for (field, text, most) in
        [("owner", &draft.owner, MOST_OWNER), ("reason", &draft.reason, MOST_REASON)]
    {
        if text.trim().is_empty() {
            return Err(BadSilence::Empty(field));
        }
        if text.len() > most {
            return Err(BadSilence::TooLong(field, most));
        }
    }
    if draft.matchers.fit_everything() {
        return Err(BadSilence::FitsEverything);
    }
    if draft.matchers.to_string().len() > MOST_MATCHERS {
        return Err(BadSilence::TooLong("matchers", MOST_MATCHERS));
    }
    let after = starts_at.max(now);
    if draft.ends_at <= after {
        return Err(BadSilence::EndsTooEarly { ends_at: draft.ends_at, after });
    }
    if starts_at.duration_since(now) > Silence::LONGEST {
        return Err(BadSilence::StartsTooLate(Silence::LONGEST));
    }
    let lasts = draft.ends_at.duration_since(after);
    if lasts > Silence::LONGEST {
        return Err(BadSilence::LastsTooLong { lasts, most: Silence::LONGEST });
    }
    Ok(())
}

#[cfg(test)]
#[path = "silence_tests.rs"]
mod tests;
