//! `expected_effects`: the alert is not the doing of one of our own actions.

use super::{Case, Example, Guard, Scene, rule_on_mute};
use crate::muting::MutedBy;
use crate::trace::Ruling;

pub(super) struct NotOurDoing;

impl Guard for NotOurDoing {
    fn name(&self) -> &'static str {
        "expected_effects"
    }

    fn summary(&self) -> &'static str {
        "No action of ours, on the target or on a service it depends on, is expected to have caused the alert."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        rule_on_mute(case, MutedBy::SelfInflicted, "act by hand")
    }

    fn example(&self, calm: &Scene) -> Example {
        let until = |seconds| calm.clone().expecting(Scene::ONE, seconds);
        Example { holds: until(1), passes: until(0) }
    }
}
