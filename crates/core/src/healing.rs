//! Self-healing: how long a cause went on when it was left alone, and how often it was over by itself.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::alert::Alert;
use crate::fingerprint::digest;
use crate::incident::{Alarm, Incident, Member};

/// What one episode showed: it was left alone for so long, and then it was over or somebody touched it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    pub at: Timestamp,
    /// From its first firing to its end, or to the first touch.
    pub seconds: i64,
    /// It ended by itself; else nobody knows what would have become of it.
    pub healed: bool,
}

/// The latest episodes of one cause, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Healing {
    samples: Vec<Sample>,
}

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Odds {
    pub healed: u32,
    pub of: u32,
}

impl Odds {
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self {
            healed: self.healed.saturating_add(more.healed),
            of: self.of.saturating_add(more.of),
        }
    }

    pub(crate) fn count(mut self, healed: bool) -> Self {
        self.of = self.of.saturating_add(1);
        self.healed = self.healed.saturating_add(u32::from(healed));
        self
    }
}

/// Older episodes say little of the system as it is now.
const MOST_SAMPLES: usize = 64;
/// An incident of more causes teaches of the first of them.
const MOST_CAUSES: usize = 8;
const LONGEST_NAME: usize = 200;

impl Healing {
    #[must_use]
    pub fn with(&self, sample: Sample) -> Self {
        let mut samples = self.samples.clone();
        samples.push(sample);
        let surplus = samples.len().saturating_sub(MOST_SAMPLES);
        samples.drain(..surplus);
        Self { samples }
    }

    /// Of the episodes that were still going on `after` their start and that nobody touched in the `within` that
    /// followed: how many were over by then.
    pub fn odds(&self, after: SignedDuration, within: SignedDuration) -> Odds {
        let (after, until) = (after.as_secs(), after.saturating_add(within).as_secs());
        self.samples
            .iter()
            .filter(|sample| sample.seconds > after)
            // What was touched before the time was up shows nothing.
            .filter(|sample| sample.healed || sample.seconds > until)
            .fold(Odds::default(), |odds, sample| {
                odds.count(sample.healed && sample.seconds <= until)
            })
    }
}

/// What alerts of one kind have in common, wherever they fire: sender, service and name.
pub fn cause_of(alert: &Alert) -> String {
    let name = if alert.name.is_empty() { &alert.title } else { &alert.name };
    let cause = format!("{}/{}/{name}", alert.source, alert.service);
    if cause.len() <= LONGEST_NAME {
        return cause;
    }
    format!("{}/{}", alert.source, digest("cause:v1", [alert.service.as_str(), name.as_str()]))
}

/// The causes of an incident's alerts, a bounded number of them.
pub fn causes(incident: &Incident) -> BTreeSet<String> {
    let all: BTreeSet<String> =
        incident.alerts.values().map(|member| cause_of(&member.alert)).collect();
    all.into_iter().take(MOST_CAUSES).collect()
}

/// What an incident that is over teaches of its causes: one sample each, however many alerts it had, because
/// they were not independent.
pub fn lessons(incident: &Incident, now: Timestamp) -> BTreeMap<String, Sample> {
    let mut lessons: BTreeMap<String, Sample> = BTreeMap::new();
    let causes = causes(incident);
    for member in incident.alerts.values() {
        let cause = cause_of(&member.alert);
        let Some(sample) = sample(incident, member, now).filter(|_| causes.contains(&cause)) else {
            continue;
        };
        let known = lessons.entry(cause).or_insert(sample);
        // One that was touched makes the whole no self-healing; else the longest counts.
        if (known.healed, sample.seconds) > (sample.healed, known.seconds) {
            *known = sample;
        }
    }
    lessons
}

/// The latest episode of one alert; `None` where it teaches nothing.
fn sample(incident: &Incident, member: &Member, now: Timestamp) -> Option<Sample> {
    if member.expired || member.alert.is_firing() {
        return None;
    }
    let (began, ended) = (member.fired_at, member.news.at);
    let touched = touched_at(incident).filter(|at| *at >= began && *at <= ended);
    let left_alone = touched.unwrap_or(ended).duration_since(began);
    Some(Sample { at: now, seconds: left_alone.as_secs().max(0), healed: touched.is_none() })
}

/// When somebody first did something about the incident: a runbook that acted, a person who took it or was called.
fn touched_at(incident: &Incident) -> Option<Timestamp> {
    let acted = incident.runs.iter().flat_map(|run| &run.rows).filter_map(|row| row.sent_at);
    let taken = incident.acknowledged.as_ref().map(|taken| taken.at);
    let called = incident.urgent.iter().filter_map(|urgent| match urgent.what {
        Alarm::Escalated { .. } => Some(urgent.at),
        Alarm::ApprovalRequested { .. }
        | Alarm::Harmful { .. }
        | Alarm::Started { .. }
        | Alarm::Helped { .. }
        | Alarm::Flapping { .. } => None,
    });
    acted.chain(taken).chain(called).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::at;

    fn history(samples: &[(i64, bool)]) -> Healing {
        samples.iter().fold(Healing::default(), |history, (seconds, healed)| {
            history.with(Sample { at: at(0), seconds: *seconds, healed: *healed })
        })
    }

    fn odds(samples: &[(i64, bool)], after: i64, within: i64) -> (u32, u32) {
        let of = SignedDuration::from_secs;
        let odds = history(samples).odds(of(after), of(within));
        (odds.healed, odds.of)
    }

    #[test]
    fn only_what_was_still_going_on_is_asked_about() {
        let samples = [(30, true), (90, true), (200, true), (400, true)];
        assert_eq!(odds(&samples, 60, 60), (1, 3));
        assert_eq!(odds(&samples, 60, 200), (2, 3));
        assert_eq!(odds(&samples, 500, 60), (0, 0));
    }

    #[test]
    fn what_was_touched_too_soon_shows_nothing() {
        let samples = [(100, false), (500, false), (100, true)];
        assert_eq!(odds(&samples, 60, 60), (1, 2), "the one of 500 s did not heal by 120 s");
        assert_eq!(odds(&samples, 60, 600), (1, 1));
    }

    #[test]
    fn only_the_latest_are_remembered() {
        let many: Vec<(i64, bool)> = (0..200).map(|n| (n + 1, n >= 136)).collect();
        assert_eq!(odds(&many, 0, 1000), (64, 64));
    }
}
