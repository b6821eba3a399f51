//! Counts by time: one slot for each interval that has requests, for as many as fit.

/// A month of hours; what comes later is in the totals only.
pub(crate) const MOST_SLOTS: usize = 744;

/// Gives each interval a slot, in the order in which it is first seen.
#[derive(Debug)]
pub(crate) struct Slots {
    minutes: i64,
    starts: Vec<i64>,
    last: Option<(i64, usize)>,
}

impl Slots {
    pub(crate) fn of(minutes: u16) -> Self {
        Self { minutes: i64::from(minutes), starts: Vec::new(), last: None }
    }

    /// The slot of this minute; none when there are too many.
    pub(crate) fn slot(&mut self, minute: i64) -> Option<usize> {
        let start = minute.div_euclid(self.minutes) * self.minutes;
        if let Some((known, slot)) = self.last
            && known == start
        {
            return Some(slot);
        }
        let slot = match self.starts.iter().rposition(|known| *known == start) {
            Some(slot) => slot,
            None if self.starts.len() < MOST_SLOTS => {
                self.starts.push(start);
                self.starts.len() - 1
            }
            None => return None,
        };
        self.last = Some((start, slot));
        Some(slot)
    }

    /// Where each slot begins, in minutes since 1970.
    pub(crate) fn starts(&self) -> &[i64] {
        &self.starts
    }
}

/// What one API did in one interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) requests: u32,
    /// 1xx to 5xx, by the balancer's status.
    pub(crate) classes: [u32; 5],
    pub(crate) measured: u32,
    pub(crate) milliseconds: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, elb_status: u16, milliseconds: Option<u32>) {
        self.requests += 1;
        if let Some(count) = usize::from(elb_status / 100)
            .checked_sub(1)
            .and_then(|class| self.classes.get_mut(class))
        {
            *count += 1;
        }
        if let Some(milliseconds) = milliseconds {
            self.measured += 1;
            self.milliseconds += u64::from(milliseconds);
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.measured += other.measured;
        self.milliseconds += other.milliseconds;
        for (count, added) in self.classes.iter_mut().zip(other.classes) {
            *count += added;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_belongs_to_the_interval_it_lies_in() {
        let mut slots = Slots::of(60);
        assert_eq!(
            [59, 60, 119, 0, 121].map(|minute| slots.slot(minute).unwrap()),
            [0, 1, 1, 0, 2]
        );
        assert_eq!(slots.starts(), [0, 60, 120]);
    }

    #[test]
    fn too_many_intervals_have_no_slot_and_the_known_ones_go_on() {
        let mut slots = Slots::of(60);
        for hour in 0..5000 {
            let slot = slots.slot(hour * 60);
            assert_eq!(slot.is_some(), hour < i64::try_from(MOST_SLOTS).unwrap());
        }
        assert_eq!(slots.slot(30), Some(0));
    }

    #[test]
    fn codes_outside_of_the_classes_are_requests_all_the_same() {
        let mut counts = Counts::default();
        for status in [0, 99, 101, 200, 204, 302, 460, 463, 499, 561, 600, 999] {
            counts.add(status, (status == 200).then_some(5));
        }
        assert_eq!((counts.requests, counts.classes), (12, [1, 2, 1, 3, 1]));
        assert_eq!((counts.measured, counts.milliseconds), (1, 5));
    }
}
