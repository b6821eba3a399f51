//! What the simulation itself must hold: seeds repeat, good code passes, every mutant is noticed.

use super::*;

fn scenario(name: &str) -> (Scenario, RunbookSet) {
    let (_, text) = SCENARIOS.iter().find(|(known, _)| *known == name).unwrap();
    Scenario::read(text).unwrap_or_else(|wrong| panic!("{name}: {wrong:?}"))
}

#[test]
fn a_seed_plays_the_same_twice() {
    let (everything, runbooks) = scenario("everything");
    let play = |seed| play(&everything, &runbooks, seed, None, Trace::Last(5000)).trace;
    assert_eq!(play(3), play(3));
    assert_ne!(play(3), play(4));
}

#[test]
fn some_seeds_of_every_scenario_keep_every_promise() {
    for (name, text) in SCENARIOS {
        let (scenario, runbooks) = Scenario::read(text).unwrap();
        assert_eq!(scenario.scenario, *name);
        let summary = simulate(&scenario, &runbooks, 0..20, None, &|_| {});
        assert!(summary.calls > 0, "{name}: nothing was ever done");
        let failed: Vec<_> =
            summary.failed.iter().map(|played| (played.seed, &played.broken)).collect();
        assert!(failed.is_empty(), "{name}: {failed:#?}");
    }
}

/// One bug of each kind that takes few seeds; `firebreak simulate --mutants` looks for all of them.
#[test]
fn bugs_that_show_at_once_are_noticed() {
    for (mutant, name, promise) in [
        (Mutant::BooksUnconditional, "crowded", Promise::OneAtATime),
        (Mutant::BudgetForgotten, "calm", Promise::WithinBudget),
        (Mutant::LocksUnread, "crowded", Promise::OneAtATime),
        (Mutant::NobodyReaps, "approval", Promise::EverythingEnds),
        (Mutant::OrdersUnchecked, "approval", Promise::IntentFirst),
        (Mutant::RetriesUnknown, "crowded", Promise::IntentFirst),
        (Mutant::SlotsUnconditional, "approval", Promise::OneIncident),
    ] {
        let (scenario, runbooks) = scenario(name);
        let summary = simulate(&scenario, &runbooks, 0..40, Some(mutant), &|_| {});
        let noticed = summary.failed.iter().flat_map(|played| &played.broken);
        assert!(noticed.clone().any(|broken| broken.promise == promise), "{}", mutant.name());
    }
}
