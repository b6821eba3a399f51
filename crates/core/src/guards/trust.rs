//! `trust`: the action may go as far as the run wants to go with it.

use super::{Case, Example, Guard, Scene, hold, pass};
use crate::book::BookKey;
use crate::run::Phase;
use crate::runbook::Mode;
use crate::trace::Ruling;
use crate::trust::{Place, allowed, environments};

pub(super) struct Trusted;

impl Guard for Trusted {
    fn name(&self) -> &'static str {
        "trust"
    }

    fn summary(&self) -> &'static str {
        "The action stands as high on the ladder of trust as the run wants to go with it."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        let run = case.incident.active_run().filter(|run| run.number == case.run.run);
        let step =
            run.map_or(0, |run| if let Phase::Acting { step } = run.phase { step } else { 0 });
        let Some(step) = case.runbook.steps.get(step) else {
            return hold("the runbook has no such step", "look at the runbook");
        };
        let approved = run.is_some_and(|run| run.approved_by.is_some());
        let wanted = match run.map_or(case.runbook.mode, |run| run.mode) {
            Mode::Auto if !approved => Mode::Auto,
            Mode::Shadow | Mode::Suggest | Mode::Approve | Mode::Auto => Mode::Approve,
        };
        let rules = &case.mutes.policy.trust;
        let place = |environment| Place { action: step.action.clone(), environment };
        let places: Vec<Place> =
            environments(case.incident, rules).into_iter().map(place).collect();
        let record = case.book(&BookKey::trust(&case.runbook.runbook)).trust;
        // A run may have been begun for less than its runbook's mode, never for more.
        let allowed = allowed(record.as_ref(), case.runbook.mode.max(wanted), &places, rules);
        if allowed.mode >= wanted {
            return pass(format!("it may go to `{}`: {}", allowed.mode.as_str(), allowed.because));
        }
        let runbook = &case.runbook.runbook;
        hold(
            allowed.because,
            format!("`firebreak trust promote {runbook}` once it has earned that"),
        )
    }

    fn example(&self, calm: &Scene) -> Example {
        Example { holds: calm.clone().harmed(), passes: calm.clone() }
    }
}
