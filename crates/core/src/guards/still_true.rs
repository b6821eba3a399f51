//! `still_true`: the problem is still there, and no person has taken it over.

use super::{Case, Example, Guard, Scene, hold, pass};
use crate::trace::Ruling;

pub(super) struct StillTrue;

impl Guard for StillTrue {
    fn name(&self) -> &'static str {
        "still_true"
    }

    fn summary(&self) -> &'static str {
        "An alert for each target is still firing, and nobody has acknowledged the incident."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        // Who acknowledges and then approves wants the action; who only acknowledges wants to be left alone.
        let approved = case.incident.active_run().is_some_and(|run| run.approved_by.is_some());
        if let Some(taken) = case.incident.acknowledged.as_ref().filter(|_| !approved) {
            return hold(format!("{} has taken it over", taken.by), "let that person finish");
        }
        let matching = case
            .incident
            .firing()
            .filter(|alert| case.runbook.when.holds(alert).unwrap_or(false))
            .count();
        if matching == 0 {
            return hold(
                "no alert that the runbook is for is firing any more",
                "nothing: it is over",
            );
        }
        for seen in case.observations {
            if !case.incident.firing().any(|alert| case.runbook.means(alert, &seen.target)) {
                return hold(
                    format!("the alert of {} is over", seen.target),
                    "nothing: others may still fire, this one does not",
                );
            }
        }
        pass(format!("{matching} matching alerts are firing"))
    }

    fn example(&self, calm: &Scene) -> Example {
        Example { holds: calm.clone().over(Scene::ONE), passes: calm.clone() }
    }
}
