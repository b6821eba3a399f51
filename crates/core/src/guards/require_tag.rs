//! `require_tag`: every target carries the opt-in tags.

use super::{Case, Example, Guard, Scene, hold, pass};
use crate::trace::Ruling;

pub(super) struct RequireTag;

impl Guard for RequireTag {
    fn name(&self) -> &'static str {
        "require_tag"
    }

    fn summary(&self) -> &'static str {
        "Every target carries the tags that the runbook asks for."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        let required = &case.runbook.guards.require_tag;
        for seen in case.observations {
            for (tag, value) in required {
                if seen.tags.get(tag) != Some(value) {
                    let found = seen
                        .tags
                        .get(tag)
                        .map_or("no such tag".to_owned(), |found| format!("`{found}`"));
                    return hold(
                        format!("{} must carry {tag}={value}, it has {found}", seen.target),
                        format!("tag it {tag}={value} to let it be acted on"),
                    );
                }
            }
        }
        pass(if required.is_empty() { "none asked for" } else { "every target carries them" })
    }

    fn example(&self, calm: &Scene) -> Example {
        let bare = calm.clone().observed(|seen| seen.tags.clear());
        Example { holds: bare, passes: calm.clone().tagged("firebreak", "allow") }
    }
}
