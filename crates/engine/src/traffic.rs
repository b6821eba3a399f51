//! What each source sent since this process started: counted, never decided from.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// Counts by source. Names come from the registry, never from a sender.
#[derive(Debug, Default)]
pub struct Traffic(Mutex<BTreeMap<&'static str, Counted>>);

/// The counts of one source.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Tally {
    /// Alerts that were taken in, repeats included.
    pub accepted: u64,
    /// Parts of deliveries that could not be understood and are kept.
    pub quarantined: u64,
    /// Deliveries that were refused because the source sends more than its limit.
    pub limited: u64,
    /// Deliveries without a valid proof of the sender.
    pub denied: u64,
    /// Alerts a second, over the last minute.
    pub rate: f64,
    /// The latest delivery that was taken in.
    pub last_delivery: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Counted {
    tally: Tally,
    /// Alerts of the last minute, by the seconds of the clock.
    recent: VecDeque<(i64, u64)>,
}

const WINDOW: SignedDuration = SignedDuration::from_mins(1);

impl Traffic {
    /// A delivery was taken in, with so many alerts and so many parts that were not understood.
    pub fn delivered(&self, source: &'static str, now: Timestamp, alerts: u64, quarantined: u64) {
        let mut all = self.all();
        let counted = all.entry(source).or_default();
        counted.tally.accepted += alerts;
        counted.tally.quarantined += quarantined;
        counted.tally.last_delivery = counted.tally.last_delivery.max(Some(now));
        counted.forget(now);
        match counted.recent.back_mut() {
            Some((second, count)) if *second == now.as_second() => *count += alerts,
            Some(_) | None => counted.recent.push_back((now.as_second(), alerts)),
        }
    }

    pub fn limited(&self, source: &'static str) {
        self.all().entry(source).or_default().tally.limited += 1;
    }

    pub fn denied(&self, source: &'static str) {
        self.all().entry(source).or_default().tally.denied += 1;
    }

    /// The counts of a source as of now.
    pub fn of(&self, source: &str, now: Timestamp) -> Tally {
        let mut all = self.all();
        let Some(counted) = all.get_mut(source) else { return Tally::default() };
        counted.forget(now);
        let recent: u64 = counted.recent.iter().map(|(_, count)| count).sum();
        let recent = u32::try_from(recent).unwrap_or(u32::MAX);
        Tally { rate: f64::from(recent) / WINDOW.as_secs_f64(), ..counted.tally.clone() }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<&'static str, Counted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn forget(&mut self, now: Timestamp) {
        let oldest = now.as_second().saturating_sub(WINDOW.as_secs());
        while self.recent.front().is_some_and(|(second, _)| *second <= oldest) {
            self.recent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    #[test]
    fn a_rate_is_of_the_last_minute_and_counts_stay() {
        let traffic = Traffic::default();
        assert_eq!(traffic.of("grafana", at(0)), Tally::default());
        for second in 0..120 {
            traffic.delivered("grafana", at(second), 3, u64::from(second == 5));
        }
        traffic.limited("grafana");
        traffic.denied("grafana");
        let busy = traffic.of("grafana", at(119));
        assert!((busy.rate - 3.0).abs() < f64::EPSILON, "{busy:?}");
        assert_eq!((busy.accepted, busy.quarantined), (360, 1));
        let later = traffic.of("grafana", at(400));
        assert!(later.rate.abs() < f64::EPSILON, "{later:?}");
        assert_eq!((later.limited, later.denied, later.last_delivery), (1, 1, Some(at(119))));
        assert_eq!(traffic.of("alertmanager", at(119)), Tally::default());
    }
}
