//! `last_healthy`: a group keeps members that do their work.

use std::collections::BTreeSet;

use super::{Case, Example, Guard, Scene, hold, pass};
use crate::book::{BookKey, RunRef};
use crate::evidence::{Fact, Group, Observation};
use crate::trace::Ruling;

pub(super) struct OthersAreHealthy;

impl Guard for OthersAreHealthy {
    fn name(&self) -> &'static str {
        "last_healthy"
    }

    fn summary(&self) -> &'static str {
        "A healthy target is touched only while enough others of its group are healthy and left alone."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        let least = case.runbook.guards.healthy_to_keep() as usize;
        if least == 0 {
            return pass("the runbook does not ask for it");
        }
        let mut fewest = None;
        for seen in case.observations {
            match &seen.circumstances.healthy {
                // What is ill already is no loss.
                Fact::Known(false) => continue,
                Fact::Known(true) => {}
                Fact::Unreadable(why) => {
                    return hold(
                        format!("nobody knows whether {} is healthy: {why}", seen.target),
                        "act by hand, or set `keep_healthy: 0` in the runbook",
                    );
                }
            }
            // Without a group `blast_radius` holds already.
            let Some(group) = &seen.group else { continue };
            let left = match left_alone(case, seen, group) {
                Ok(left) => left,
                Err(why) => {
                    return hold(
                        format!("nobody knows who else of {} is healthy: {why}", group.key),
                        "act by hand, or set `keep_healthy: 0` in the runbook",
                    );
                }
            };
            if left < least {
                return hold(
                    format!(
                        "{} is healthy itself, and but for it {left} healthy members of {} are left, {least} must be",
                        seen.target, group.key
                    ),
                    "heal or add other members first",
                );
            }
            fewest = Some(fewest.map_or(left, |fewest: usize| fewest.min(left)));
        }
        match fewest {
            Some(left) => pass(format!("{left} other healthy members are left alone")),
            None => pass("no target is healthy itself"),
        }
    }

    fn example(&self, calm: &Scene) -> Example {
        let healthy = |ids: &[&str]| {
            let ids: BTreeSet<String> = ids.iter().map(|id| (*id).to_owned()).collect();
            calm.clone().group(|group| group.healthy = Fact::Known(ids.clone()))
        };
        Example { holds: healthy(&[Scene::ONE]), passes: healthy(&[Scene::ONE, Scene::TWO]) }
    }
}

/// How many other members are healthy, and no run is at them.
fn left_alone(case: &Case<'_>, seen: &Observation, group: &Group) -> Result<usize, String> {
    let healthy = match &group.healthy {
        Fact::Known(healthy) => healthy,
        Fact::Unreadable(why) => return Err(why.clone()),
    };
    let book = case.book(&BookKey::group(&group.key));
    let under_way = |run: &RunRef| {
        run == case.run || book.others_running(case.run, case.now).any(|lock| lock.holder == *run)
    };
    let touched: BTreeSet<&str> = book
        .entries
        .iter()
        .filter(|entry| under_way(&entry.by))
        .map(|entry| &entry.target)
        .chain(case.observations.iter().map(|other| &other.target))
        .chain([&seen.target])
        .map(|target| target.id.as_str())
        .collect();
    Ok(healthy.iter().filter(|id| !touched.contains(id.as_str())).count())
}
