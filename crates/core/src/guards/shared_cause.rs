//! `shared_cause`: the alert is not one of many symptoms of something else.

use super::{Case, Example, Guard, Scene, rule_on_mute};
use crate::muting::MutedBy;
use crate::trace::Ruling;

pub(super) struct NoSharedCause;

impl Guard for NoSharedCause {
    fn name(&self) -> &'static str {
        "shared_cause"
    }

    fn summary(&self) -> &'static str {
        "Not so much of its failure domain fires that one cause is suspected for all of it."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        rule_on_mute(case, MutedBy::SharedCause, "find the shared cause, or resolve the parent")
    }

    fn example(&self, calm: &Scene) -> Example {
        let member = calm.clone().suspected();
        let unasked = member.clone().with(|scene| scene.policy.shared_cause.domains.clear());
        Example { holds: member, passes: unasked }
    }
}
