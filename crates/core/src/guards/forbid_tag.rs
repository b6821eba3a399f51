//! `forbid_tag`: no target carries a tag that says stay away.

use super::{Case, Example, Guard, Scene, hold, pass};
use crate::trace::Ruling;

pub(super) struct ForbidTag;

/// Stands for every value.
const ANY: &str = "*";

impl Guard for ForbidTag {
    fn name(&self) -> &'static str {
        "forbid_tag"
    }

    fn summary(&self) -> &'static str {
        "No target carries a tag that the runbook forbids."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        let forbidden = &case.runbook.guards.forbid_tag;
        for seen in case.observations {
            for (tag, value) in forbidden {
                let Some(found) = seen.tags.get(tag) else { continue };
                if value == ANY || found == value {
                    return hold(
                        format!("{} carries {tag}={found}", seen.target),
                        "act by hand, or take the tag away",
                    );
                }
            }
        }
        pass(if forbidden.is_empty() { "none is forbidden" } else { "no target carries one" })
    }

    fn example(&self, calm: &Scene) -> Example {
        Example {
            holds: calm.clone().tagged("env", "frozen"),
            passes: calm.clone().tagged("env", "test"),
        }
    }
}
