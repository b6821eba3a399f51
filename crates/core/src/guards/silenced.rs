//! `silenced`: nobody has silenced the alert.

use super::{Case, Example, Guard, Scene, rule_on_mute};
use crate::muting::MutedBy;
use crate::trace::Ruling;

pub(super) struct NotSilenced;

impl Guard for NotSilenced {
    fn name(&self) -> &'static str {
        "silenced"
    }

    fn summary(&self) -> &'static str {
        "No active silence fits the alert; silences that cannot be read hold."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        rule_on_mute(case, MutedBy::Silence, "end the silence with `firebreak silence expire`")
    }

    fn example(&self, calm: &Scene) -> Example {
        let until = |seconds| calm.clone().silenced(seconds);
        Example { holds: until(1), passes: until(0) }
    }
}
