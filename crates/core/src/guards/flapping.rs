//! `flapping`: the alert has settled.

use super::{Case, Example, Guard, Scene, rule_on_mute};
use crate::muting::MutedBy;
use crate::trace::Ruling;

pub(super) struct Settled;

impl Guard for Settled {
    fn name(&self) -> &'static str {
        "flapping"
    }

    fn summary(&self) -> &'static str {
        "The alert does not change its state too often."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        rule_on_mute(case, MutedBy::Flapping, "find out why it flaps, and act by hand")
    }

    fn example(&self, calm: &Scene) -> Example {
        let once = calm.clone().over(Scene::ONE).fires_again(Scene::ONE);
        Example { holds: once.clone().over(Scene::ONE).fires_again(Scene::ONE), passes: once }
    }
}
