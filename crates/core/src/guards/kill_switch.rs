//! `kill_switch`: nobody has stopped automation.

use super::{Case, Guard, hold, pass};
use crate::switch::SwitchReading;
use crate::trace::Ruling;

pub(super) struct KillSwitchOff;

impl Guard for KillSwitchOff {
    fn name(&self) -> &'static str {
        "kill_switch"
    }

    fn summary(&self) -> &'static str {
        "Holds everything while the kill switch is engaged, or when it cannot be read."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        match case.switch {
            SwitchReading::Unreadable(error) => hold(
                format!("the kill switch cannot be read: {error}"),
                "restore access to the store",
            ),
            SwitchReading::Known(switch) => match &switch.engaged {
                Some(engaged) => hold(
                    format!("engaged by {} at {}: {}", engaged.by, engaged.at, engaged.reason),
                    "release it with `firebreak kill-switch off`",
                ),
                None => pass("off"),
            },
        }
    }
}
