//! A rule at work: which events are for it, what it remembers of each key, and when its alerts begin and end.

pub(crate) mod keys;
mod memory;
mod phase;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use firebreak_core::cel::Expression;
use foldhash::fast::RandomState;

use crate::bits::Exact;
use crate::condition::{Condition, Reading};
use crate::event::Event;
use crate::forest::MOST_FEATURES;
use crate::order::Sign;
use crate::paths::Paths;
use crate::rules::Rule;

pub(crate) use memory::{Effect, Memory, milliseconds};
pub(crate) use phase::{Kept, Turn};

/// Between the values of a key; no log holds it.
const BETWEEN: char = '\u{1f}';

/// A rule with its expressions made ready.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) rule: Rule,
    when: Option<Condition>,
    per: Vec<(String, Reading)>,
    look: Look,
    /// Of keys that were seen before: saves making them again.
    known: Known,
    most_known: usize,
}

/// What an event is looked at for.
#[derive(Debug)]
enum Look {
    Seen,
    Bad(Condition),
    Value(Reading),
    Point(Vec<Reading>),
}

/// What an event is for a rule.
pub(crate) enum Looked {
    /// The rule is not about it.
    Other,
    /// The rule is about it, and something of the key or a number is missing.
    Incomplete,
    Sign(Arc<str>, Sign),
}

impl Watch {
    pub(crate) fn new(mut rule: Rule, keys: usize, paths: &mut Paths) -> Self {
        if rule.unusual.is_some() && rule.per.is_empty() {
            rule.per.insert("service".to_owned(), Expression::new("event.service"));
        }
        let when = rule.when.as_ref().map(|when| Condition::of(when, paths));
        let per = rule.per.iter().map(|(name, key)| (name.clone(), Reading::of(key, paths)));
        let per = per.collect();
        let look = if let Some(ratio) = &rule.ratio {
            Look::Bad(Condition::of(&ratio.of, paths))
        } else if let Some(threshold) = &rule.threshold {
            Look::Value(Reading::of(&threshold.value, paths))
        } else if let Some(unusual) = &rule.unusual {
            Look::Point(unusual.features.values().map(|of| Reading::of(of, paths)).collect())
        } else {
            Look::Seen
        };
        Self { rule, when, per, look, known: Known::default(), most_known: keys }
    }

    /// Whether an expression needs the whole event.
    pub(crate) fn is_slow(&self) -> bool {
        let look = match &self.look {
            Look::Seen => false,
            Look::Bad(of) => of.is_slow(),
            Look::Value(of) => of.is_slow(),
            Look::Point(of) => of.iter().any(Reading::is_slow),
        };
        look || self.when.as_ref().is_some_and(Condition::is_slow)
            || self.per.iter().any(|(_, key)| key.is_slow())
    }

    pub(crate) fn look(&mut self, event: &Event<'_>) -> Looked {
        if self.when.as_ref().is_some_and(|when| !when.holds(event)) {
            return Looked::Other;
        }
        let sign = match &self.look {
            Look::Seen => Sign::Seen,
            Look::Bad(of) => {
                if of.holds(event) {
                    Sign::Bad
                } else {
                    Sign::Seen
                }
            }
            Look::Value(of) => match of.number(event) {
                Some(value) => Sign::Value(Exact(value)),
                None => return Looked::Incomplete,
            },
            Look::Point(of) => match point(of, event) {
                Some(point) => Sign::Point(point),
                None => return Looked::Incomplete,
            },
        };
        match self.key(event) {
            Some(key) => Looked::Sign(key, sign),
            None => Looked::Incomplete,
        }
    }

    fn key(&mut self, event: &Event<'_>) -> Option<Arc<str>> {
        let Self { per, known, most_known, .. } = self;
        if let [(_, only)] = per.as_slice() {
            return Some(interned(known, *most_known, &only.text(event)?));
        }
        let mut key = String::new();
        for (index, (_, part)) in per.iter().enumerate() {
            if index > 0 {
                key.push(BETWEEN);
            }
            key.push_str(&part.text(event)?);
        }
        Some(interned(known, *most_known, &key))
    }

    /// The values of a key, by name.
    pub(crate) fn named(&self, key: &str) -> BTreeMap<String, String> {
        let names = self.per.iter().map(|(name, _)| name.clone());
        names.zip(key.split(BETWEEN).map(str::to_owned)).collect()
    }

    /// A key that nothing is known of yet.
    pub(crate) fn memory(&self, at: i64) -> Memory {
        Memory::of(&self.rule, at)
    }
}

type Known = HashMap<Box<str>, Arc<str>, RandomState>;

fn interned(known: &mut Known, most: usize, key: &str) -> Arc<str> {
    if let Some(known) = known.get(key) {
        return Arc::clone(known);
    }
    if known.len() >= most {
        known.clear();
    }
    let made: Arc<str> = key.into();
    known.insert(key.into(), Arc::clone(&made));
    made
}

#[expect(clippy::cast_possible_truncation, reason = "features are short numbers")]
fn point(of: &[Reading], event: &Event<'_>) -> Option<[f32; MOST_FEATURES]> {
    let mut point = [0.0; MOST_FEATURES];
    for (place, reading) in point.iter_mut().zip(of) {
        *place = reading.number(event)? as f32;
    }
    point.iter().all(|value| value.is_finite()).then_some(point)
}
