//! The detector: lines in, alerts out, in the order of event time.
//!
//! A line is looked at as it comes: which rules it is for, under which key. What that makes of it waits until no earlier
//! event can come any more (the watermark), so the alerts are the same in whatever order lines arrive within the lateness.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::line::{Malformed, Need, Reader};
use crate::notice::Notice;
use crate::order::{Mark, Order};
use crate::paths::Paths;
use crate::rules::Rules;
use crate::tally::Tally;
use crate::watch::keys::{Keys, Room};
use crate::watch::milliseconds;
use crate::watch::{Effect, Kept, Looked, Watch};
use crate::words;

/// Rules at work on one stream of lines.
#[derive(Debug)]
pub struct Detector {
    pub(crate) reader: Reader,
    paths: Paths,
    pub(crate) watches: Vec<(Watch, Keys)>,
    pub(crate) order: Order,
    /// When which key is looked at without an event.
    timers: BinaryHeap<Reverse<(i64, u16, Arc<str>)>>,
    /// Keys that something happened to at the moment that is worked off.
    touched: Vec<(u16, Arc<str>)>,
    lateness: i64,
    /// The latest event time, and the time at which it was read.
    pub(crate) newest: Option<(i64, Option<i64>)>,
    /// Everything up to here is settled.
    pub(crate) settled: i64,
    pub(crate) tally: Tally,
    notices: Vec<Notice>,
    /// By slot: how many events had the field.
    met: Vec<u64>,
}

impl Detector {
    pub fn new(rules: Rules) -> Self {
        let mut paths = Paths::default();
        let lateness = milliseconds(rules.lateness);
        let watches: Vec<(Watch, Keys)> = rules
            .rules
            .into_iter()
            .map(|rule| (Watch::new(rule, rules.keys, &mut paths), Keys::new(rules.keys)))
            .collect();
        let is_slow = watches.iter().any(|(watch, _)| watch.is_slow());
        let need = if is_slow { Need::Whole } else { Need::Slots };
        let reader = Reader::new(rules.log, need, &paths);
        let met = vec![0; paths.len()];
        Self {
            reader,
            paths,
            watches,
            order: Order::default(),
            timers: BinaryHeap::new(),
            touched: Vec::new(),
            lateness,
            newest: None,
            settled: i64::MIN,
            tally: Tally::default(),
            notices: Vec::new(),
            met,
        }
    }

    /// Takes in a line. One that is no event is counted, sampled and named.
    pub fn read(&mut self, line: &str, now: Timestamp) -> Result<(), Malformed> {
        self.tally.lines += 1;
        let event = match self.reader.read(line, now, &self.paths) {
            Ok(event) => event,
            Err(why) => {
                self.tally.malformed(line, why);
                return Err(why);
            }
        };
        self.tally.events += 1;
        let at = event.at;
        if at <= self.settled {
            self.tally.late += 1;
            return Ok(());
        }
        for (slot, met) in self.met.iter_mut().enumerate() {
            *met += u64::from(event.has(slot));
        }
        let is_first = self.newest.is_none();
        let mut incomplete = false;
        for (number, (watch, _)) in (0_u16..).zip(&mut self.watches) {
            match watch.look(&event) {
                Looked::Other => {}
                Looked::Incomplete => incomplete = true,
                Looked::Sign(key, sign) => self.order.push(Mark { at, rule: number, key, sign }),
            }
        }
        self.tally.incomplete += u64::from(incomplete);
        if is_first {
            self.expect_from(at);
        }
        if self.newest.is_none_or(|(newest, _)| at > newest) {
            self.newest = Some((at, Some(now.as_millisecond())));
            self.settle(at - self.lateness - 1);
        }
        while self.order.is_full() {
            let first = self.order.first().unwrap_or(self.settled);
            self.tally.hurried += 1;
            self.settle(first.max(self.settled));
        }
        Ok(())
    }

    /// Event time goes on while no line comes: by as much as the clock has since the latest one.
    pub fn tick(&mut self, now: Timestamp) {
        let Some((newest, seen)) = self.newest else { return };
        let now = now.as_millisecond();
        let seen = seen.unwrap_or(now);
        self.newest = Some((newest, Some(seen)));
        self.settle(newest + (now - seen).max(0) - self.lateness - 1);
    }

    /// The input has ended: nothing earlier can come any more.
    pub fn finish(&mut self) {
        if let Some((newest, _)) = self.newest {
            self.settle(newest);
        }
    }

    /// What was found since the last call, in the order of event time.
    pub fn take(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Alerts that fire now.
    pub fn firing(&self) -> usize {
        self.watches
            .iter()
            .flat_map(|(_, keys)| keys.iter())
            .filter(|(_, kept)| kept.is_firing())
            .count()
    }

    /// Keys that are remembered, of all rules.
    pub fn keys(&self) -> usize {
        self.watches.iter().map(|(_, keys)| keys.len()).sum()
    }

    /// Fields that rules name and no event had, such as `fields.latncy_ms`.
    pub fn unmet(&self) -> Vec<&str> {
        let written = self.paths.written().iter().zip(&self.met);
        written.filter(|(_, met)| **met == 0).map(|(path, _)| path.as_str()).collect()
    }

    /// For merging several files: when a line says it was.
    pub fn times(&self) -> Times {
        Times { reader: self.reader.clone(), paths: Paths::default() }
    }

    /// The latest event time.
    pub fn newest(&self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.newest?.0).ok()
    }

    /// What is expected without a key is expected from the first event on.
    fn expect_from(&mut self, at: i64) {
        for (number, (watch, keys)) in (0_u16..).zip(&mut self.watches) {
            if watch.rule.absence.is_some() && watch.rule.per.is_empty() {
                let key: Arc<str> = "".into();
                if keys.at(&key).is_none() {
                    keys.insert(Arc::clone(&key), Kept::new(watch.memory(at)));
                    self.timers.push(Reverse((at, number, key)));
                }
            }
        }
    }

    /// Works off everything up to this moment: at each one first the events, then what they and the time lead to.
    fn settle(&mut self, until: i64) {
        if until <= self.settled {
            return;
        }
        loop {
            let mark = self.order.first().unwrap_or(i64::MAX);
            let timer = self.timers.peek().map_or(i64::MAX, |Reverse((at, _, _))| *at);
            let at = mark.min(timer);
            if at > until {
                break;
            }
            while self.order.first() == Some(at) {
                self.apply();
            }
            while self.timers.peek().is_some_and(|Reverse((timer, _, _))| *timer == at) {
                let timer = self.timers.pop();
                self.touched.extend(timer.map(|Reverse((_, rule, key))| (rule, key)));
            }
            let mut touched = std::mem::take(&mut self.touched);
            touched.sort_unstable();
            touched.dedup();
            for (rule, key) in touched.drain(..) {
                self.look(at, rule, key);
            }
            self.touched = touched;
        }
        self.settled = until;
    }

    fn apply(&mut self) {
        let Some(Mark { at, rule, key, sign }) = self.order.pop() else { return };
        let Some((watch, keys)) = self.watches.get_mut(usize::from(rule)) else { return };
        if keys.seen(&key).is_none() {
            match keys.insert(Arc::clone(&key), Kept::new(watch.memory(at))) {
                Room::Free => {}
                Room::Made => self.tally.evicted += 1,
                Room::None => {
                    self.tally.refused += 1;
                    return;
                }
            }
        }
        let Some(kept) = keys.at(&key) else { return };
        if kept.take(at, sign) == Effect::MayChange {
            self.touched.push((rule, key));
        }
    }

    /// What is thought of the key now that everything of this moment is known.
    fn look(&mut self, at: i64, rule: u16, key: Arc<str>) {
        let Some((watch, keys)) = self.watches.get_mut(usize::from(rule)) else { return };
        let Some(kept) = keys.at(&key) else { return };
        let (turn, is_idle) = kept.look(&watch.rule, at);
        if let Some(turn) = turn {
            let notice = words::notice(watch, &key, &kept.memory, turn, at);
            match notice.state {
                crate::State::Firing => self.tally.fired += 1,
                crate::State::Resolved => self.tally.resolved += 1,
            }
            self.notices.push(notice);
        }
        match kept.due {
            // A timer that is not later wakes it, and another one is set then.
            Some(due) if kept.armed.is_none_or(|armed| armed <= at || armed > due) => {
                kept.armed = Some(due);
                self.timers.push(Reverse((due, rule, key)));
            }
            None if is_idle => keys.remove(&key),
            Some(_) | None => {}
        }
    }

    /// Has a key that was brought back looked at when it is due.
    pub(crate) fn arm(&mut self, rule: u16, key: Arc<str>, kept: &mut Kept) {
        kept.armed = kept.due;
        self.timers.extend(kept.due.map(|due| Reverse((due, rule, key))));
    }
}

/// Reads the times of lines and nothing else.
#[derive(Debug)]
pub struct Times {
    reader: Reader,
    paths: Paths,
}

impl Times {
    /// Milliseconds since 1970; `None` where the line is no event.
    pub fn of(&self, line: &str) -> Option<i64> {
        self.reader.read(line, Timestamp::MAX, &self.paths).ok().map(|event| event.at)
    }
}

#[cfg(test)]
mod tests;
