//! `time_window`: the calendar allows it.

use super::{Case, Example, Guard, Scene, hold, pass};
use crate::policy::TimeInterval;
use crate::runbook::Window;
use crate::trace::Ruling;

pub(super) struct InTime;

impl Guard for InTime {
    fn name(&self) -> &'static str {
        "time_window"
    }

    fn summary(&self) -> &'static str {
        "One of `only_within` holds, where there are any, and none of `never_within`."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        let guards = &case.runbook.guards;
        let holding = |windows: &[Window]| -> Result<Option<String>, String> {
            for window in windows {
                if window.contains(case.now, &case.mutes.policy.time_intervals)? {
                    return Ok(Some(window.words()));
                }
            }
            Ok(None)
        };
        let (never, only) = match (holding(&guards.never_within), holding(&guards.only_within)) {
            (Ok(never), Ok(only)) => (never, only),
            (Err(why), _) | (_, Err(why)) => {
                return hold(why, "add it to `time_intervals`, or correct the runbook");
            }
        };
        if let Some(window) = never {
            return hold(
                format!("now is within {window}, when nothing may be done"),
                "wait for its end, or act by hand",
            );
        }
        match only {
            Some(window) => pass(format!("now is within {window}")),
            None if guards.only_within.is_empty() => pass("it may act at any time"),
            None => {
                let windows: Vec<String> = guards.only_within.iter().map(Window::words).collect();
                hold(
                    format!("now is not within {}", windows.join(" or ")),
                    "wait for it to begin, or act by hand",
                )
            }
        }
    }

    fn example(&self, calm: &Scene) -> Example {
        let never = |interval: TimeInterval| {
            let window = Window::Inline(Box::new(interval));
            calm.clone().with(|scene| scene.runbook.guards.never_within.push(window))
        };
        let at_no_time = TimeInterval { times: Some(Vec::new()), ..TimeInterval::default() };
        Example { holds: never(TimeInterval::default()), passes: never(at_no_time) }
    }
}
