//! How many alerts a source may send: so many a second on average, and so many at once.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// `limit` of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Alerts a second.
    pub rate: u32,
    /// Alerts at once.
    pub burst: u32,
}

/// Millionths of an alert: what one alert costs.
const WHOLE: i64 = 1_000_000;

/// What a source has left of its limit.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    left: i64,
    at: Timestamp,
}

impl Bucket {
    pub fn full(limit: Limit, now: Timestamp) -> Self {
        Self { left: i64::from(limit.burst) * WHOLE, at: now }
    }

    /// Lets a delivery in as long as anything is left, however many alerts it holds: one that is larger than the
    /// burst would otherwise never get in. What it takes too much is waited for by the next one.
    ///
    /// An error says how long to wait.
    pub fn take(
        &mut self,
        limit: Limit,
        alerts: usize,
        now: Timestamp,
    ) -> Result<(), SignedDuration> {
        let passed = now.duration_since(self.at).as_micros().max(0);
        let more = passed.saturating_mul(i128::from(limit.rate));
        let more = i64::try_from(more).unwrap_or(i64::MAX);
        self.left = self.left.saturating_add(more).min(i64::from(limit.burst) * WHOLE);
        self.at = self.at.max(now);
        if self.left <= 0 {
            let micros = (1 - self.left) / i64::from(limit.rate.max(1)) + 1;
            return Err(SignedDuration::from_micros(micros));
        }
        self.left = self.left.saturating_sub(cost(alerts));
        Ok(())
    }

    /// Takes nothing for a delivery that was let in and could not be taken all the same.
    pub fn give_back(&mut self, alerts: usize) {
        self.left = self.left.saturating_add(cost(alerts));
    }
}

fn cost(alerts: usize) -> i64 {
    i64::try_from(alerts).unwrap_or(i64::MAX).saturating_mul(WHOLE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::examples::at;

    const LIMIT: Limit = Limit { rate: 10, burst: 50 };

    #[test]
    fn a_burst_is_let_in_and_what_is_more_waits() {
        let mut bucket = Bucket::full(LIMIT, at(0));
        for _ in 0..50 {
            assert_eq!(bucket.take(LIMIT, 1, at(0)), Ok(()));
        }
        let wait = bucket.take(LIMIT, 1, at(0)).unwrap_err();
        assert!(wait <= SignedDuration::from_millis(100), "{wait:?}");
        assert_eq!(bucket.take(LIMIT, 10, at(1)), Ok(()));
        bucket.give_back(10);
        assert_eq!(bucket.take(LIMIT, 10, at(1)), Ok(()));
        assert!(bucket.take(LIMIT, 1, at(1)).is_err());
        assert_eq!(bucket.take(LIMIT, 1, at(3600)), Ok(()));
    }

    #[test]
    fn a_delivery_larger_than_the_burst_gets_in_and_is_paid_for() {
        let mut bucket = Bucket::full(LIMIT, at(0));
        assert_eq!(bucket.take(LIMIT, 550, at(0)), Ok(()));
        assert!(bucket.take(LIMIT, 1, at(49)).is_err());
        assert_eq!(bucket.take(LIMIT, 1, at(51)), Ok(()));
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing_twice() {
        let mut bucket = Bucket::full(LIMIT, at(100));
        assert_eq!(bucket.take(LIMIT, 50, at(100)), Ok(()));
        assert!(bucket.take(LIMIT, 1, at(0)).is_err());
        assert!(bucket.take(LIMIT, 1, at(100)).is_err());
    }

    proptest! {
        #[test]
        fn no_more_gets_in_than_burst_and_rate_allow(steps in proptest::collection::vec((1_usize..40, 0_i64..3), 1..60)) {
            let mut bucket = Bucket::full(LIMIT, at(0));
            let (mut let_in, mut now, mut last) = (0, 0, 0);
            for (alerts, pass) in steps {
                now += pass;
                if bucket.take(LIMIT, alerts, at(now)).is_ok() {
                    let_in += alerts;
                    last = alerts;
                }
            }
            let allowed = 50 + 10 * usize::try_from(now).unwrap() + last;
            prop_assert!(let_in <= allowed, "{let_in} of {allowed}");
        }
    }
}
