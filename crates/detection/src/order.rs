//! Events in the order of their time: what may still be overtaken waits, what comes too late is counted and left out.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
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
    waiting: BinaryHeap<Reverse<(i64, u64, u32)>>,
    marks: Vec<Option<Mark>>,
    free: Vec<u32>,
    arrived: u64,
}

impl Order {
    pub(crate) fn push(&mut self, mark: Mark) {
        self.arrived += 1;
        let at = mark.at;
        let place = self.free.pop().unwrap_or_else(|| {
            self.marks.push(None);
            u32::try_from(self.marks.len() - 1).unwrap_or(u32::MAX)
        });
        if let Some(empty) = self.marks.get_mut(place as usize) {
            *empty = Some(mark);
        }
        self.waiting.push(Reverse((at, self.arrived, place)));
    }

    /// The time of the oldest that waits.
    pub(crate) fn first(&self) -> Option<i64> {
        self.waiting.peek().map(|Reverse((at, _, _))| *at)
    }

    pub(crate) fn pop(&mut self) -> Option<Mark> {
        let Reverse((_, _, place)) = self.waiting.pop()?;
        self.free.push(place);
        self.marks.get_mut(place as usize)?.take()
    }

    /// How many are to be let go although others may still come before them.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() > MOST_WAITING
    }

    /// Those that wait, in order.
    pub(crate) fn marks(&self) -> Vec<Mark> {
        let mut waiting: Vec<_> = self.waiting.iter().map(|Reverse(one)| *one).collect();
        waiting.sort_unstable();
        waiting
            .iter()
            .filter_map(|(_, _, place)| self.marks.get(*place as usize)?.clone())
            .collect()
    }
}
