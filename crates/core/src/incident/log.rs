//! What people heard of an incident: the notification log, folded from `channel.notified`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Event, Incident};
use crate::alert::Severity;
use crate::fingerprint::Fingerprint;
use crate::runbook::Moment;

/// Why a channel is told of a group; in the order in which the reasons are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It knows of nothing that fires.
    First,
    /// Something fires, or is worse, that it does not know of.
    NewAlerts,
    /// Nothing that it knows of fires any more.
    AllResolved,
    SomeResolved,
    /// Nothing is new; it was told long ago.
    Repeat,
}

impl Reason {
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::First => "first",
            Reason::NewAlerts => "new_alerts",
            Reason::AllResolved => "all_resolved",
            Reason::SomeResolved => "some_resolved",
            Reason::Repeat => "repeat",
        }
    }
}

/// What one message says of a group, as of the moment at which it was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flush {
    pub because: Reason,
    pub at: Timestamp,
    /// What the channel then knows to be firing, and how bad.
    pub firing: BTreeMap<Fingerprint, Severity>,
    /// What it was told of and then knows to be over.
    pub resolved: BTreeSet<Fingerprint>,
}

/// What one channel heard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// The latest flush that reached it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Said>,
    /// It was told something at once since its last resolve: it is owed one.
    #[serde(default)]
    pub alarmed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Failed>,
}

/// A flush that reached its channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The number of the newest event that it told of.
    pub about: u64,
    /// How often it was repeated since.
    pub repeats: u32,
    #[serde(flatten)]
    pub flush: Flush,
}

/// Attempts without success since the last one with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    pub attempts: u32,
    pub last: Timestamp,
    /// The channel refused: only a change of the settings can help.
    pub refused: bool,
}

const SHORTEST_REST: SignedDuration = SignedDuration::from_secs(5);
const REST_AFTER_REFUSAL: SignedDuration = SignedDuration::from_mins(5);
const LONGEST_REST: SignedDuration = SignedDuration::from_mins(30);

impl Failed {
    fn again(before: Option<Self>, at: Timestamp, refused: bool) -> Self {
        let attempts = before.map_or(0, |before| before.attempts).saturating_add(1);
        Self { attempts, last: at, refused }
    }

    /// When to try again; later each time.
    pub fn retry_at(&self) -> Timestamp {
        let first = if self.refused { REST_AFTER_REFUSAL } else { SHORTEST_REST };
        let doubled = first.saturating_mul(1 << self.attempts.saturating_sub(1).min(16));
        self.last + doubled.min(LONGEST_REST)
    }
}

/// Something that people are told at once, whatever the routes and mutes say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Urgent {
    /// The number of its event.
    pub seq: u64,
    pub at: Timestamp,
    pub what: Alarm,
    /// Channels that it could not be brought to yet.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: BTreeMap<String, Failed>,
}

/// What cannot wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Alarm {
    Escalated {
        reason: String,
    },
    ApprovalRequested {
        run: u32,
        plan_hash: String,
        expires_at: Timestamp,
    },
    Harmful {
        run: u32,
        reason: String,
    },
    /// Something is done now; said where the runbook names who hears of it.
    Started {
        run: u32,
        row: usize,
    },
    /// As for a start.
    Helped {
        run: u32,
        reason: String,
    },
    /// Not said while a mute or every route to the channel asks for quiet.
    Flapping {
        alert: Fingerprint,
        changes: usize,
        until: Timestamp,
    },
}

impl Alarm {
    fn of(event: &Event, incident: &Incident) -> Option<Self> {
        let wanted = |moment: Moment| {
            let run = incident.runs.last();
            run.is_some_and(|run| run.runbook.notify.of(moment).is_some_and(|to| !to.is_empty()))
        };
        if let Event::StepSent { run, row } = event {
            let (run, row) = (*run, *row);
            return wanted(Moment::Started).then_some(Alarm::Started { run, row });
        }
        if let Event::StepVerified { run, verdict, .. } = event {
            let helped = Alarm::Helped { run: *run, reason: verdict.reason.clone() };
            return wanted(Moment::Helped).then_some(helped);
        }
        if let Event::Escalated { reason } = event {
            return Some(Alarm::Escalated { reason: reason.clone() });
        }
        if let Event::StepHarmful { run, verdict, .. } = event {
            return Some(Alarm::Harmful { run: *run, reason: verdict.reason.clone() });
        }
        if let Event::ApprovalRequested { run, plan_hash, expires_at } = event {
            let (run, expires_at) = (*run, *expires_at);
            return Some(Alarm::ApprovalRequested {
                run,
                plan_hash: plan_hash.clone(),
                expires_at,
            });
        }
        if let Event::AlertFlapping { fingerprint, changes, until } = event {
            let (alert, changes, until) = (fingerprint.clone(), *changes, *until);
            return Some(Alarm::Flapping { alert, changes, until });
        }
        None
    }
}

/// Older ones are on the record and no longer worth a message.
const MOST_URGENT: usize = 8;

impl Incident {
    /// Remembers what telling goes by.
    pub(super) fn remember_for_telling(&mut self, seq: u64, at: Timestamp, event: &Event) {
        let is_news = event.wakes_telling()
            && !matches!(event, Event::StepSent { .. } | Event::StepVerified { .. });
        if is_news {
            self.news = seq;
        }
        if let Some(what) = Alarm::of(event, self) {
            self.urgent.push(Urgent { seq, at, what, failed: BTreeMap::new() });
            let spare = self.urgent.len().saturating_sub(MOST_URGENT);
            self.urgent.drain(..spare);
        }
        if let Event::Notified { channel, about, delivered, refused, flush, .. } = event {
            match flush {
                Some(flush) if *delivered => self.heard(channel).hear(*about, flush),
                Some(_) => {
                    let heard = self.heard(channel);
                    heard.failed = Some(Failed::again(heard.failed, at, *refused));
                }
                None if *delivered => self.alarmed(channel, *about),
                None => self.not_alarmed(channel, *about, at, *refused),
            }
        }
    }

    fn heard(&mut self, channel: &str) -> &mut Heard {
        self.heard.entry(channel.to_owned()).or_default()
    }

    fn alarmed(&mut self, channel: &str, about: u64) {
        let told = self.told.entry(about).or_default();
        if !told.iter().any(|name| name == channel) {
            told.push(channel.to_owned());
        }
        self.heard(channel).alarmed = true;
    }

    fn not_alarmed(&mut self, channel: &str, about: u64, at: Timestamp, refused: bool) {
        if let Some(urgent) = self.urgent.iter_mut().find(|urgent| urgent.seq == about) {
            let before = urgent.failed.get(channel).copied();
            urgent.failed.insert(channel.to_owned(), Failed::again(before, at, refused));
        }
    }
}

impl Heard {
    fn hear(&mut self, about: u64, flush: &Flush) {
        let before = self.last.as_ref().map_or(0, |last| last.repeats);
        let repeats = if flush.because == Reason::Repeat { before.saturating_add(1) } else { 0 };
        self.last = Some(Said { about, repeats, flush: flush.clone() });
        self.failed = None;
        if flush.because == Reason::AllResolved {
            self.alarmed = false;
        }
    }

    /// Whether it heard of something that it was not told the end of.
    pub fn is_owed_a_resolve(&self) -> bool {
        self.alarmed || self.last.as_ref().is_some_and(|last| !last.flush.firing.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::at;

    #[test]
    fn rests_grow_and_are_longer_after_a_refusal() {
        let rests = |refused| {
            let mut failed = None;
            (0..9)
                .map(|_| {
                    let now = Failed::again(failed, at(0), refused);
                    failed = Some(now);
                    now.retry_at().duration_since(at(0)).as_secs()
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(rests(false), [5, 10, 20, 40, 80, 160, 320, 640, 1280]);
        assert_eq!(rests(true), [300, 600, 1200, 1800, 1800, 1800, 1800, 1800, 1800]);
        let long = Failed { attempts: u32::MAX, last: at(0), refused: false };
        assert_eq!(long.retry_at(), at(1800));
    }
}
