//! `attempts`: a target is not acted on again and again when that does not last.

use std::collections::BTreeMap;

use super::{Case, Example, Guard, Scene, hold, pass};
use crate::trace::Ruling;

pub(super) struct Attempts;

impl Guard for Attempts {
    fn name(&self) -> &'static str {
        "attempts"
    }

    fn summary(&self) -> &'static str {
        "At most `max` runs on a target in the window, whatever came of them."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        let limit = case.runbook.guards.attempts;
        for seen in case.observations {
            let book = case.target_book(&seen.target);
            let mut runs = BTreeMap::new();
            for entry in book.entries_of_others(case.run, limit.per, case.now) {
                let last = runs.entry(&entry.by).or_insert(entry.at);
                *last = entry.at.max(*last);
            }
            if runs.len() >= limit.max as usize {
                let held = hold(
                    format!(
                        "{} was acted on by {} runs within {:#}, at most {} may",
                        seen.target,
                        runs.len(),
                        limit.per,
                        limit.max
                    ),
                    "find the cause: the last actions did not last",
                );
                let mut ends: Vec<_> = runs.into_values().map(|last| last + limit.per).collect();
                ends.sort_unstable();
                return match ends.get(ends.len() - limit.max as usize) {
                    Some(end) => held.until(*end),
                    None => held,
                };
            }
        }
        pass(format!("fewer than {} runs within {:#}", limit.max, limit.per))
    }

    fn example(&self, calm: &Scene) -> Example {
        let once = calm.clone().acted(Scene::ONE, &Scene::other(), -2000);
        Example { holds: once.clone().acted(Scene::ONE, &Scene::third(), -1000), passes: once }
    }
}
