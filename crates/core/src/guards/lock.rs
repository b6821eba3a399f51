//! `lock`: no other run holds a target.

use super::{Case, Guard, hold, pass};
use crate::trace::Ruling;

pub(super) struct Unlocked;

impl Guard for Unlocked {
    fn name(&self) -> &'static str {
        "lock"
    }

    fn summary(&self) -> &'static str {
        "One run at a time per target."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        for seen in case.observations {
            let book = case.target_book(&seen.target);
            if let Some(lock) = book.held_against(case.run, case.now) {
                return hold(
                    format!(
                        "{} is held by run {} of {}",
                        seen.target, lock.holder.run, lock.holder.incident
                    ),
                    format!("wait for that run to end; the lock lapses at {}", lock.until),
                );
            }
        }
        pass("no other run holds a target")
    }
}
