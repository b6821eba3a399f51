//! `sender_mute`: the sender itself asks that nothing is done, because of a mute rule or a suppressor of its own.

use super::{Case, Example, Guard, Scene, hold, pass};
use crate::trace::Ruling;

pub(super) struct SenderMute;

impl Guard for SenderMute {
    fn name(&self) -> &'static str {
        "sender_mute"
    }

    fn summary(&self) -> &'static str {
        "The sender of the alert does not mute it, as CloudWatch does during a mute window."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        let muted = case
            .incident
            .firing()
            .filter(|alert| alert.is_muted(case.now))
            .find(|alert| case.runbook.when.holds(alert).unwrap_or(false));
        let Some(mute) = muted.and_then(|alert| alert.mute.as_ref()) else {
            return pass("no sender mutes its alert");
        };
        match mute.until {
            Some(until) => hold(
                format!("muted by {} until {until}", mute.by),
                "wait until then, or end the mute at the sender",
            ),
            None => hold(format!("muted by {}", mute.by), "end the mute at the sender"),
        }
    }

    fn example(&self, calm: &Scene) -> Example {
        let until = |seconds| calm.clone().muted(Some(seconds));
        Example { holds: until(1), passes: until(0) }
    }
}
