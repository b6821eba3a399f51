//! `blast_radius`: how many members of one failure domain may be touched in a window.

use std::collections::{BTreeMap, BTreeSet};

use super::{Case, Example, Guard, Scene, hold, pass};
use crate::book::BookKey;
use crate::evidence::Group;
use crate::target::Target;
use crate::trace::Ruling;

pub(super) struct BlastRadius;

impl Guard for BlastRadius {
    fn name(&self) -> &'static str {
        "blast_radius"
    }

    fn summary(&self) -> &'static str {
        "At most `max` targets and `max_percent` of a group in the window, whichever is smaller."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        let settings = &case.runbook.guards.blast_radius;
        let mut groups: BTreeMap<&str, (&Group, BTreeSet<&Target>)> = BTreeMap::new();
        for seen in case.observations {
            let Some(group) = &seen.group else {
                return hold(
                    format!("{} belongs to no group that could be read", seen.target),
                    format!(
                        "give it the tag that `{}` asks for",
                        settings.group.as_deref().unwrap_or("group")
                    ),
                );
            };
            groups.entry(&group.key).or_insert((group, BTreeSet::new())).1.insert(&seen.target);
        }
        let mut room = Vec::new();
        for (key, (group, mut targets)) in groups {
            let book = case.book(&BookKey::group(key));
            // Its own entries count too: a claim is judged for one target, after others of the same run.
            targets
                .extend(book.entries_within(settings.window, case.now).map(|entry| &entry.target));
            let limit = limit(settings.max, settings.max_percent, group.members);
            if targets.len() > limit {
                return hold(
                    format!(
                        "{key}: {} of {} members would be touched within {:#}, at most {limit} may",
                        targets.len(),
                        group.members,
                        settings.window
                    ),
                    "wait for the window to pass, or act by hand",
                );
            }
            room.push(format!("{key}: {} of {limit} allowed", targets.len()));
        }
        pass(room.join(", "))
    }

    fn example(&self, calm: &Scene) -> Example {
        let acted = |seconds| calm.clone().acted(Scene::TWO, &Scene::other(), seconds);
        Example { holds: acted(-3599), passes: acted(-3600) }
    }
}

/// The smaller of both limits; a part of a member is none.
fn limit(max: u32, max_percent: Option<u8>, members: u32) -> usize {
    let share = max_percent
        .map_or(u64::from(u32::MAX), |percent| u64::from(members) * u64::from(percent) / 100);
    usize::try_from(share.min(u64::from(max))).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::limit;

    #[test]
    fn percentages_are_rounded_down() {
        assert_eq!(limit(5, Some(25), 3), 0);
        assert_eq!(limit(5, Some(25), 4), 1);
        assert_eq!(limit(1, Some(100), 40), 1);
        assert_eq!(limit(0, None, 40), 0);
    }

    proptest! {
        #[test]
        fn neither_limit_is_ever_exceeded(max in 0u32..1000, percent in 0u8..=100, members in 0u32..100_000) {
            let limit = limit(max, Some(percent), members) as u64;
            prop_assert!(limit <= u64::from(max));
            prop_assert!(limit * 100 <= u64::from(members) * u64::from(percent));
        }
    }
}
