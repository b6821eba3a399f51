//! `identity`: the alert is about something known, and the target is the very thing that was planned for.

use super::{Case, Example, Guard, Scene, hold, pass};
use crate::alert::Identity as Strength;
use crate::trace::Ruling;

pub(super) struct Identity;

impl Guard for Identity {
    fn name(&self) -> &'static str {
        "identity"
    }

    fn summary(&self) -> &'static str {
        "The alert has an identity, and each target exists and is the same as when it was planned for."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        if case.incident.firing().any(|alert| alert.identity == Strength::Weak) {
            return hold("nothing identifies the alert but its text", "send an id with the alert");
        }
        for seen in case.observations {
            let Some(identity) = &seen.identity else {
                return hold(
                    format!("{} does not exist", seen.target),
                    "check the target that the alert names",
                );
            };
            let planned = case
                .plan
                .and_then(|plan| plan.steps.iter().find(|step| step.target == seen.target))
                .map(|step| &step.identity);
            if planned.is_some_and(|planned| planned != identity) {
                return hold(
                    format!("{} was replaced since the plan was made", seen.target),
                    "let the alert fire again for the new one",
                );
            }
        }
        if case.observations.is_empty() {
            return hold("no target was read", "check the target that the alert names");
        }
        pass("every target exists and is the one that is meant")
    }

    fn example(&self, calm: &Scene) -> Example {
        let gone = calm.clone().observed(|seen| seen.identity = None);
        Example { holds: gone, passes: calm.clone() }
    }
}
