//! A sliding window over event time: how many events, and how many of them were bad, in the time up to a moment.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// So many different times are kept exactly; a busier window tells times apart less finely.
const MOST_ENTRIES: usize = 1024;

/// Exact to the millisecond while it holds at most 1024 different times; beyond, neighbours are joined, and the edge of the
/// window is exact to about 1/512 of its length. Counts are always exact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Window {
    entries: VecDeque<Entry>,
    events: u64,
    bad: u64,
    /// Times within one grain are not told apart.
    grain: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Entry {
    /// The latest time of those that were joined.
    at: i64,
    events: u32,
    bad: u32,
}

impl Default for Window {
    fn default() -> Self {
        Self { entries: VecDeque::new(), events: 0, bad: 0, grain: 1 }
    }
}

impl Window {
    /// Times never go back.
    pub(crate) fn push(&mut self, at: i64, is_bad: bool) {
        self.events += 1;
        self.bad += u64::from(is_bad);
        let grain = self.grain;
        match self.entries.back_mut() {
            Some(last) if last.at.div_euclid(grain) == at.div_euclid(grain) => {
                last.at = at;
                last.events += 1;
                last.bad += u32::from(is_bad);
            }
            _ => {
                self.entries.push_back(Entry { at, events: 1, bad: u32::from(is_bad) });
                if self.entries.len() > MOST_ENTRIES {
                    self.coarsen();
                }
            }
        }
    }

    /// Forgets what is older than the window that ends at `now`: what lies in (now - length, now] stays.
    pub(crate) fn slide(&mut self, now: i64, length: i64) {
        while let Some(first) = self.entries.front().filter(|first| first.at <= now - length) {
            self.events -= u64::from(first.events);
            self.bad -= u64::from(first.bad);
            self.entries.pop_front();
        }
        if self.entries.is_empty() {
            self.grain = 1;
        }
    }

    pub(crate) fn events(&self) -> u64 {
        self.events
    }

    pub(crate) fn bad(&self) -> u64 {
        self.bad
    }

    /// When the oldest leaves a window of this length.
    pub(crate) fn next_change(&self, length: i64) -> Option<i64> {
        self.entries.front().map(|first| first.at + length)
    }

    fn coarsen(&mut self) {
        while self.entries.len() > MOST_ENTRIES / 2 {
            self.grain *= 2;
            let mut joined: VecDeque<Entry> = VecDeque::with_capacity(self.entries.len());
            for entry in self.entries.drain(..) {
                match joined.back_mut() {
                    Some(last)
                        if last.at.div_euclid(self.grain) == entry.at.div_euclid(self.grain) =>
                    {
                        last.at = entry.at;
                        last.events += entry.events;
                        last.bad += entry.bad;
                    }
                    _ => joined.push_back(entry),
                }
            }
            self.entries = joined;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_edge_is_exact() {
        let mut window = Window::default();
        window.push(1000, true);
        window.push(1500, false);
        window.slide(10_999, 10_000);
        assert_eq!(
            (window.events(), window.bad(), window.next_change(10_000)),
            (2, 1, Some(11_000))
        );
        window.slide(11_000, 10_000);
        assert_eq!((window.events(), window.bad()), (1, 0));
    }

    #[test]
    fn a_busy_window_stays_small_and_close() {
        let mut window = Window::default();
        for at in 0..100_000 {
            window.push(at, at % 10 == 0);
            window.slide(at, 50_000);
        }
        assert!(window.entries.len() <= MOST_ENTRIES);
        let (events, bad) = (window.events(), window.bad());
        assert!(events.abs_diff(50_000) < 50_000 / 256, "{events}");
        assert!(bad.abs_diff(5_000) < 5_000 / 256, "{bad}");
    }

    proptest! {
        #[test]
        fn it_counts_as_a_list_would(steps in prop::collection::vec((0i64..50, any::<bool>()), 1..200)) {
            let (mut window, mut list, mut now) = (Window::default(), Vec::new(), 0);
            for (step, is_bad) in steps {
                now += step;
                window.push(now, is_bad);
                list.push((now, is_bad));
                window.slide(now, 100);
                let within = list.iter().filter(|(at, _)| *at > now - 100);
                prop_assert_eq!(window.events(), within.clone().count() as u64);
                prop_assert_eq!(window.bad(), within.filter(|(_, bad)| *bad).count() as u64);
            }
        }
    }
}
