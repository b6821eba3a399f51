//! Flapping: an alert that changes its state too often says less each time.

use jiff::Timestamp;

use super::{Answer, Mute, MuteFacts, Muted, MutedBy, Subject, heard};
use crate::incident::Member;
use crate::policy::Flapping;

pub(super) struct IsFlapping;

/// An alert that flaps now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flaps {
    pub since: Timestamp,
    /// When it has settled, should it change no more.
    pub until: Timestamp,
    /// The changes within the window.
    pub changes: usize,
}

/// Whether an alert flaps, from the times of its changes of state, oldest first.
///
/// It begins with the change that makes `start` within the window, and ends when no more than `stop` are left
/// in it. What happened between is followed from the first change on, so that the answer needs no other memory.
pub fn flaps(changes: &[Timestamp], settings: &Flapping, now: Timestamp) -> Option<Flaps> {
    let within = |known: &[Timestamp], at: Timestamp| {
        known.iter().filter(|change| **change > at - settings.window).count()
    };
    let mut since: Option<Timestamp> = None;
    for (index, change) in changes.iter().enumerate() {
        let before = changes.get(..index).unwrap_or_default();
        let left = within(before, *change);
        if left <= settings.stop {
            since = None;
        }
        if left + 1 >= settings.start {
            since = since.or(Some(*change));
        }
    }
    let left = within(changes, now);
    let since = since.filter(|_| left > settings.stop)?;
    let last_to_go = changes.len().checked_sub(settings.stop + 1)?;
    let until = *changes.get(last_to_go)? + settings.window;
    Some(Flaps { since, until, changes: left })
}

impl Mute for IsFlapping {
    fn kind(&self) -> MutedBy {
        MutedBy::Flapping
    }

    /// Only once people were told that it flaps: else nobody would ever hear of it.
    fn ask(&self, subject: Subject<'_>, facts: &MuteFacts<'_>, now: Timestamp) -> Answer {
        match of(subject, facts, now) {
            Some((member, flaps)) if member.flapping_said.is_some_and(|at| at >= flaps.since) => {
                muted(subject, facts, flaps)
            }
            Some(_) => heard("it flaps, and nobody was told so yet"),
            None => heard("it does not flap"),
        }
    }

    fn ask_for_acting(
        &self,
        subject: Subject<'_>,
        facts: &MuteFacts<'_>,
        now: Timestamp,
    ) -> Answer {
        match of(subject, facts, now) {
            Some((_, flaps)) => muted(subject, facts, flaps),
            None => heard("it does not flap"),
        }
    }
}

fn of<'a>(
    subject: Subject<'a>,
    facts: &MuteFacts<'_>,
    now: Timestamp,
) -> Option<(&'a Member, Flaps)> {
    let member = subject.incident?.alerts.get(&subject.alert.fingerprint)?;
    Some((member, flaps(&member.changes, &facts.policy.flapping, now)?))
}

fn muted(subject: Subject<'_>, facts: &MuteFacts<'_>, flaps: Flaps) -> Answer {
    let window = facts.policy.flapping.window;
    Answer::Muted(Muted {
        by: MutedBy::Flapping,
        id: subject.alert.fingerprint.to_string(),
        until: Some(flaps.until),
        reason: format!("it flaps: {} changes within {window:#}", flaps.changes),
    })
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;
    use crate::examples::at;

    fn settings(window: i64, start: usize, stop: usize) -> Flapping {
        Flapping { window: SignedDuration::from_secs(window), start, stop }
    }

    fn flaps_at(changes: &[i64], of: &Flapping, now: i64) -> bool {
        let changes: Vec<Timestamp> = changes.iter().map(|seconds| at(*seconds)).collect();
        flaps(&changes, of, at(now)).is_some()
    }

    #[test]
    fn it_starts_at_one_threshold_and_stops_at_a_lower_one() {
        let of = settings(100, 4, 1);
        let changes = [0, 10, 20, 30];
        assert!(!flaps_at(&changes[..3], &of, 25));
        assert!(flaps_at(&changes, &of, 30));
        // Three and two are left: below the start, above the stop.
        assert!(flaps_at(&changes, &of, 105));
        assert!(flaps_at(&changes, &of, 119));
        assert!(!flaps_at(&changes, &of, 120));
        // One more change, with two in the window: between the thresholds it stays as it was.
        assert!(flaps_at(&[0, 10, 20, 30, 112], &of, 113));
        assert!(!flaps_at(&[0, 10, 20, 30, 125], &of, 126));
    }

    #[test]
    fn it_says_since_when_and_until_when() {
        let of = settings(100, 3, 1);
        let changes = [at(0), at(10), at(20), at(30)];
        let flapping = flaps(&changes, &of, at(40)).unwrap();
        assert_eq!(flapping, Flaps { since: at(20), until: at(120), changes: 4 });
        assert_eq!(flaps(&[], &of, at(0)), None);
    }

    proptest! {
        #[test]
        fn it_ends_just_when_it_said(
            gaps in proptest::collection::vec(0i64..60, 0..20),
            start in 2usize..8,
            stop in 0usize..7,
            later in 0i64..200,
        ) {
            prop_assume!(stop < start);
            let of = settings(100, start, stop);
            let changes: Vec<Timestamp> = gaps
                .iter()
                .scan(0, |time, gap| { *time += gap; Some(at(*time)) })
                .collect();
            let now = changes.last().copied().unwrap_or(at(0)) + SignedDuration::from_secs(later);
            if let Some(flapping) = flaps(&changes, &of, now) {
                    prop_assert!(flapping.until > now && flapping.since <= now);
                    prop_assert!(flapping.changes > stop);
                    prop_assert!(flaps(&changes, &of, flapping.until).is_none());
                    let just_before = flapping.until - SignedDuration::from_nanos(1);
                    prop_assert!(flaps(&changes, &of, just_before).is_some());
            } else {
                    let left = changes.iter().filter(|change| **change > now - of.window).count();
                    prop_assert!(left < start);
            }
        }
    }
}
