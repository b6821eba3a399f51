//! `maintenance`: no planned work explains the alert.

use super::{Case, Example, Guard, Scene, rule_on_mute};
use crate::muting::MutedBy;
use crate::trace::Ruling;

pub(super) struct NoMaintenance;

impl Guard for NoMaintenance {
    fn name(&self) -> &'static str {
        "maintenance"
    }

    fn summary(&self) -> &'static str {
        "No maintenance window is open for the alert."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        rule_on_mute(case, MutedBy::Maintenance, "end the window in the policy")
    }

    fn example(&self, calm: &Scene) -> Example {
        let work = |service| calm.clone().maintained(service);
        Example { holds: work("api"), passes: work("another") }
    }
}
