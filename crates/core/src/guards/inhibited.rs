//! `inhibited`: no other alert explains this one.

use super::{Case, Example, Guard, Scene, rule_on_mute};
use crate::muting::MutedBy;
use crate::trace::Ruling;

pub(super) struct NotInhibited;

impl Guard for NotInhibited {
    fn name(&self) -> &'static str {
        "inhibited"
    }

    fn summary(&self) -> &'static str {
        "No inhibit rule mutes the alert; firing alerts that cannot be read hold."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        rule_on_mute(case, MutedBy::Inhibition, "mend what the other alert is about")
    }

    fn example(&self, calm: &Scene) -> Example {
        let fires = |name| calm.clone().beside(name, "power");
        Example { holds: fires("power-cut"), passes: fires("door-open") }
    }
}
