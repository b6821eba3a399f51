//! `cooldown`: a target that was just acted on is left alone for a while.

use super::{Case, Example, Guard, Scene, hold, pass};
use crate::trace::Ruling;

pub(super) struct Cooldown;

impl Guard for Cooldown {
    fn name(&self) -> &'static str {
        "cooldown"
    }

    fn summary(&self) -> &'static str {
        "No second run on a target within the cooldown."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        let cooldown = case.runbook.guards.cooldown;
        for seen in case.observations {
            let book = case.target_book(&seen.target);
            if let Some(last) = book.entries_of_others(case.run, cooldown, case.now).last() {
                return hold(
                    format!(
                        "{} was acted on at {} ({}, {})",
                        seen.target, last.at, last.action, last.by.incident
                    ),
                    format!("wait until {}", last.at + cooldown),
                )
                .until(last.at + cooldown);
            }
        }
        pass(format!("no run on the targets within {cooldown:#}"))
    }

    fn example(&self, calm: &Scene) -> Example {
        let acted = |seconds| calm.clone().acted(Scene::ONE, &Scene::other(), seconds);
        Example { holds: acted(-899), passes: acted(-900) }
    }
}
