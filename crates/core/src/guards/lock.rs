//! `lock`: no other run holds a target.

use super::{Case, Example, Guard, Scene, hold, pass};
use crate::trace::Ruling;

pub(super) struct Unlocked;

impl Guard for Unlocked {
    fn name(&self) -> &'static str {
        "lock"
    }

    fn summary(&self) -> &'static str {
        "One run at a time per target, and only until its deadline."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        let own = case.incident.active_run().filter(|run| run.number == case.run.run);
        if let Some(run) = own.filter(|run| case.now >= run.deadline) {
            return hold(
                format!("the time of the run was over at {}", run.deadline),
                "nothing: it is acted on when it fires anew",
            );
        }
        for seen in case.observations {
            let book = case.target_book(&seen.target);
            if let Some(lock) = book.held_against(case.run, case.now) {
                return hold(
                    format!(
                        "{} is held by run {} of {}",
                        seen.target, lock.holder.run, lock.holder.incident
                    ),
                    format!("wait for that run to end; the lock lapses at {}", lock.until),
                )
                .until(lock.until);
            }
        }
        pass("no other run holds a target")
    }

    fn example(&self, calm: &Scene) -> Example {
        let until = |seconds| calm.clone().locked(&Scene::other(), seconds);
        Example { holds: until(1), passes: until(0) }
    }
}
