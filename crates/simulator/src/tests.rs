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

/// The first seed that notices, over all scenarios, and which promise it sees broken.
fn killer(mutant: Mutant) -> Option<(&'static str, u64, Promise)> {
    (0..60).find_map(|round| {
        SCENARIOS.iter().find_map(|(name, text)| {
            let (scenario, runbooks) = Scenario::read(text).unwrap();
            let seeds = round * 5..(round + 1) * 5;
            let summary = simulate(&scenario, &runbooks, seeds, Some(mutant), &|_| {});
            let first = summary.failed.first()?;
            Some((*name, first.seed, first.broken.first()?.promise))
        })
    })
}

#[test]
fn every_mutant_is_noticed() {
    let mut unnoticed = Vec::new();
    for mutant in Mutant::ALL {
        match killer(*mutant) {
            Some((scenario, seed, promise)) => {
                println!("{:22} {scenario} seed {seed}: {}", mutant.name(), promise.words());
            }
            None => unnoticed.push(mutant.name()),
        }
    }
    assert!(unnoticed.is_empty(), "nobody noticed {unnoticed:?}");
}

#[test]
fn scratch() {
    let (everything, runbooks) = scenario("everything");
    let played = play(&everything, &runbooks, 135, None, Trace::Last(100_000));
    println!("{:#?}", played.broken);
    for line in played.trace.iter().filter(|l| l.contains("BROKEN") || l.contains("step.claimed") || l.contains("step.sent") || l.contains("run.ended") || l.contains("run.started")|| l.contains("ill")|| l.contains("reboots")) { println!("{line}"); }
}
