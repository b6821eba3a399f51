//! The state of a detector as JSON, so that another process goes on where this one stopped.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::detector::Detector;
use crate::order::{Mark, Sign};
use crate::tally::Tally;
use crate::watch::Kept;

/// Another version is not read.
pub const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    version: u32,
    rules: BTreeMap<String, SavedRule>,
    newest: Option<i64>,
    settled: i64,
    tally: Tally,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedRule {
    /// The rule as it was: what a changed rule remembered means nothing.
    form: serde_json::Value,
    /// From the key that was seen least lately on.
    keys: Vec<(String, Kept)>,
    /// Time, key and sign.
    waiting: Vec<(i64, String, Sign)>,
}

/// Why a state cannot be taken up. The remedy is to begin anew.
#[derive(Debug, thiserror::Error)]
pub enum NotRestored {
    #[error("the state is not readable: {0}")]
    Shape(#[from] serde_json::Error),
    #[error("the state has version {0}, this program reads version 1")]
    Version(u32),
}

/// What came of taking up a state.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Restored {
    pub rules: usize,
    pub keys: usize,
    /// Rules that were changed or are new; they begin anew.
    pub anew: Vec<String>,
}

impl Detector {
    pub fn save(&self) -> String {
        let mut waiting: BTreeMap<u16, Vec<(i64, String, Sign)>> = BTreeMap::new();
        for mark in self.order.marks() {
            let Mark { at, rule, key, sign } = mark;
            waiting.entry(rule).or_default().push((at, key.as_ref().to_owned(), sign));
        }
        let rules = (0_u16..).zip(&self.watches).map(|(number, (watch, keys))| {
            let keys =
                keys.iter().map(|(key, kept)| (key.as_ref().to_owned(), kept.clone())).collect();
            let waiting = waiting.remove(&number).unwrap_or_default();
            (watch.rule.rule.clone(), SavedRule { form: form(watch), keys, waiting })
        });
        let saved = Saved {
            version: VERSION,
            rules: rules.collect(),
            newest: self.newest.map(|(at, _)| at),
            settled: self.settled,
            tally: self.tally.clone(),
        };
        serde_json::to_string(&saved).unwrap_or_default()
    }

    /// Takes up a state in a detector that has read nothing yet. Rules that were changed since begin anew.
    pub fn restore(&mut self, state: &str) -> Result<Restored, NotRestored> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let Versioned { version } = serde_json::from_str(state)?;
        if version != VERSION {
            return Err(NotRestored::Version(version));
        }
        let mut saved: Saved = serde_json::from_str(state)?;
        let mut restored = Restored::default();
        let mut back = Vec::new();
        for (number, (watch, _)) in (0_u16..).zip(&self.watches) {
            let name = &watch.rule.rule;
            let same = saved.rules.remove(name).filter(|rule| rule.form == form(watch));
            match same {
                Some(rule) => back.push((number, rule)),
                None => restored.anew.push(name.clone()),
            }
        }
        for (number, rule) in back {
            restored.rules += 1;
            for (key, mut kept) in rule.keys {
                let key: Arc<str> = key.into();
                self.arm(number, Arc::clone(&key), &mut kept);
                restored.keys += 1;
                if let Some((_, keys)) = self.watches.get_mut(usize::from(number)) {
                    keys.insert(key, kept);
                }
            }
            for (at, key, sign) in rule.waiting {
                self.order.push(Mark { at, rule: number, key: key.into(), sign });
            }
        }
        self.newest = saved.newest.map(|at| (at, None));
        self.settled = saved.settled;
        self.tally = saved.tally;
        Ok(restored)
    }
}

fn form(watch: &crate::watch::Watch) -> serde_json::Value {
    serde_json::to_value(&watch.rule).unwrap_or_default()
}
