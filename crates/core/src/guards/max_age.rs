//! `max_age`: an action that comes too late does harm; the alert must be young enough now.

use super::{Case, Example, Guard, Scene, hold, pass};
use crate::incident::Member;
use crate::trace::Ruling;

pub(super) struct MaxAge;

impl Guard for MaxAge {
    fn name(&self) -> &'static str {
        "max_age"
    }

    fn summary(&self) -> &'static str {
        "The youngest firing alert is not older than `max_age` when acting."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        let limit = case.runbook.max_age;
        // Our own clock: a sender's clock that runs behind must not make every alert look old.
        let newest = case
            .incident
            .alerts
            .values()
            .filter(|member| member.alert.is_firing())
            .map(Member::arrived_at)
            .max();
        let Some(newest) = newest else { return pass("no alert is firing") };
        let age = case.now.duration_since(newest);
        if age > limit {
            return hold(
                format!(
                    "the alert is {} s old, at most {} s may pass",
                    age.as_secs(),
                    limit.as_secs()
                ),
                "it is acted on when it fires anew",
            );
        }
        pass(format!("{} s old", age.as_secs()))
    }

    fn example(&self, calm: &Scene) -> Example {
        Example { holds: calm.clone().at(601), passes: calm.clone().at(600) }
    }
}
