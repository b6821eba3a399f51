//! `dependency`: nothing that the service depends on is in trouble.

use super::{Case, Example, Guard, Scene, rule_on_mute};
use crate::muting::MutedBy;
use crate::trace::Ruling;

pub(super) struct NoParentFires;

impl Guard for NoParentFires {
    fn name(&self) -> &'static str {
        "dependency"
    }

    fn summary(&self) -> &'static str {
        "No service that the alert's service depends on has a firing incident."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        rule_on_mute(case, MutedBy::Dependency, "mend the service that it depends on")
    }

    fn example(&self, calm: &Scene) -> Example {
        let fires = |service| calm.clone().beside("disk-full", service);
        Example { holds: fires("db"), passes: fires("another") }
    }
}
