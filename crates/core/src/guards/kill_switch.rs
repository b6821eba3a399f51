//! `kill_switch`: nobody has stopped automation.

use super::{Case, Example, Guard, Scene, hold, pass};
use crate::switch::{KillSwitch, SwitchReading};
use crate::trace::Ruling;

pub(super) struct KillSwitchOff;

impl Guard for KillSwitchOff {
    fn name(&self) -> &'static str {
        "kill_switch"
    }

    fn summary(&self) -> &'static str {
        "Holds everything while the kill switch is engaged or cannot be read, and afterwards what was planned before its release."
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
                None => match &switch.released {
                    Some(released) if case.was_confirmed_before(released.at) => hold(
                        format!("planned before {} released it at {}", released.by, released.at),
                        "nothing: old work is dropped; it is acted on when it fires anew",
                    ),
                    Some(_) | None => pass("off"),
                },
            },
        }
    }

    fn example(&self, calm: &Scene) -> Example {
        let by = || "ana".to_owned();
        let of = |switch| calm.clone().with(|scene| scene.switch = SwitchReading::Known(switch));
        Example {
            holds: of(KillSwitch::engaged(by(), "a drill".to_owned(), calm.now)),
            passes: of(KillSwitch::released(by(), calm.now)),
        }
    }
}
