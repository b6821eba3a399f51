//! The proof that every guard can block: each is asked about its own examples, through the real judge.

use super::{GUARDS, Guard, Scene, judge_by};

/// A guard that does not do what its examples say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the guard `{guard}` {why}")]
pub struct Unproved {
    pub guard: &'static str,
    pub why: String,
}

/// Asks every guard about a case in which it alone must hold and one in which all must pass.
///
/// The names of the guards that are proved, or all that are not. A build in which this fails must not act.
pub fn self_test() -> Result<Vec<&'static str>, Vec<Unproved>> {
    prove(GUARDS)
}

pub(super) fn prove(guards: &[&dyn Guard]) -> Result<Vec<&'static str>, Vec<Unproved>> {
    let calm = Scene::calm();
    let unproved: Vec<Unproved> =
        guards.iter().filter_map(|guard| doubt(*guard, guards, &calm)).collect();
    if unproved.is_empty() {
        Ok(guards.iter().map(|guard| guard.name()).collect())
    } else {
        Err(unproved)
    }
}

fn doubt(guard: &dyn Guard, guards: &[&dyn Guard], calm: &Scene) -> Option<Unproved> {
    let example = guard.example(calm);
    let held = example.holds.asked(|case| judge_by(guards, case));
    let passed = example.passes.asked(|case| judge_by(guards, case));
    let holding: Vec<&str> = held
        .findings
        .iter()
        .filter(|finding| finding.holds())
        .map(|finding| finding.guard.as_str())
        .collect();
    let unproved = |why: String| Some(Unproved { guard: guard.name(), why });
    if held.permit.is_some() {
        return unproved("lets pass what it must hold".to_owned());
    }
    if holding != [guard.name()] {
        return unproved(format!("is not what holds its example: {}", held.reason()));
    }
    if passed.permit.is_none() {
        return unproved(format!("holds what must pass: {}", passed.reason()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::{Case, Example, Guard, cooldown, hold, pass};
    use super::*;
    use crate::trace::Ruling;

    #[test]
    fn every_guard_of_the_registry_is_proved() {
        let proved = self_test().unwrap_or_else(|unproved| panic!("{unproved:?}"));
        assert_eq!(proved.len(), GUARDS.len());
    }

    /// Says the same whatever it is asked.
    struct Stuck(fn() -> Ruling);

    impl Guard for Stuck {
        fn name(&self) -> &'static str {
            "stuck"
        }

        fn summary(&self) -> &'static str {
            "Says the same to all."
        }

        fn judge(&self, _case: &Case<'_>) -> Ruling {
            (self.0)()
        }

        fn example(&self, calm: &Scene) -> Example {
            Example { holds: calm.clone(), passes: calm.clone() }
        }
    }

    #[test]
    fn a_guard_that_cannot_block_or_always_blocks_is_found() {
        for (guard, why) in [
            (Stuck(|| pass("whatever")), "lets pass"),
            (Stuck(|| hold("whatever", "nothing")), "holds what must pass"),
        ] {
            let unproved = prove(&[&guard, &cooldown::Cooldown]).unwrap_err();
            assert!(unproved.iter().any(|of| of.to_string().contains(why)), "{unproved:?}");
        }
    }
}
