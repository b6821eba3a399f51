//! Events in the order of their time: what may still be overtaken waits, what comes too late is counted and left out.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::bits::Exact;
use crate::forest::Point;

/// So many may wait; beyond, the oldest are let go before their time.
const MOST_WAITING: usize = 100_000;

/// What an event means for one rule and one key.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) at: i64,
    pub(crate) rule: u16,
    pub(crate) key: Arc<str>,
    pub(crate) sign: Sign,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) enum Sign {
    /// It is one of those that the rule is about.
    Seen,
    Bad,
    Value(Exact),
    Point(Point),
}

/// Holds marks back until the watermark has passed them.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// Those that came in the order of their time: nearly all.
    in_line: VecDeque<Numbered>,
    /// Those that came after a later one.
    overtaken: BinaryHeap<Reverse<Numbered>>,
    arrived: u64,
}

#[derive(Debug, Clone)]
struct Numbered {
    mark: Mark,
    number: u64,
}

impl Numbered {
    fn place(&self) -> (i64, u64) {
        (self.mark.at, self.number)
    }
}

impl PartialEq for Numbered {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for Numbered {}

impl PartialOrd for Numbered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Numbered {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl Order {
    pub(crate) fn push(&mut self, mark: Mark) {
        self.arrived += 1;
        let numbered = Numbered { mark, number: self.arrived };
        if self.in_line.back().is_none_or(|last| last < &numbered) {
            self.in_line.push_back(numbered);
        } else {
            self.overtaken.push(Reverse(numbered));
        }
    }

    /// The time of the oldest that waits.
    pub(crate) fn first(&self) -> Option<i64> {
        let in_line = self.in_line.front().map(|one| one.mark.at);
        let overtaken = self.overtaken.peek().map(|Reverse(one)| one.mark.at);
        in_line.into_iter().chain(overtaken).min()
    }

    pub(crate) fn pop(&mut self) -> Option<Mark> {
        let overtaken = self.overtaken.peek().map(|Reverse(one)| one);
        let numbered = match (self.in_line.front(), overtaken) {
            (Some(in_line), Some(overtaken)) if overtaken < in_line => {
                self.overtaken.pop().map(|Reverse(one)| one)
            }
            (Some(_), _) => self.in_line.pop_front(),
            (None, _) => self.overtaken.pop().map(|Reverse(one)| one),
        };
        numbered.map(|one| one.mark)
    }

    /// How many are to be let go although others may still come before them.
    pub(crate) fn is_full(&self) -> bool {
        self.in_line.len() + self.overtaken.len() > MOST_WAITING
    }

    /// Those that wait, in order.
    pub(crate) fn marks(&self) -> Vec<Mark> {
        let overtaken = self.overtaken.iter().map(|Reverse(one)| one);
        let mut waiting: Vec<&Numbered> = self.in_line.iter().chain(overtaken).collect();
        waiting.sort_unstable();
        waiting.into_iter().map(|one| one.mark.clone()).collect()
    }
}
