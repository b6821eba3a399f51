//! Thousands of seeds of every scenario that ships, then every mutant; fails when a promise is broken or a bug
//! goes unnoticed. `firebreak simulate` is the same for people.
#![expect(clippy::print_stdout, reason = "it is run for what it prints")]

use std::process::ExitCode;

use firebreak_simulator::{Mutant, SCENARIOS, Scenario, noticed, simulate};

fn main() -> ExitCode {
    let seeds = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(100);
    let mut scenarios = Vec::new();
    for (name, text) in SCENARIOS {
        match Scenario::read(text) {
            Ok(read) => scenarios.push(read),
            Err(wrong) => {
                println!("{name}: {wrong:?}");
                return ExitCode::FAILURE;
            }
        }
    }
    let (mut kept, mut broken) = (0, 0);
    for (scenario, runbooks) in &scenarios {
        let summary = simulate(scenario, runbooks, 0..seeds, None, &|_| {});
        println!(
            "{:10} {} seeds, {} steps, {} incidents, {} runs, {} calls",
            scenario.scenario,
            summary.seeds,
            summary.steps,
            summary.incidents,
            summary.runs,
            summary.calls
        );
        kept += summary.seeds;
        for played in &summary.failed {
            broken += 1;
            println!("  seed {} of {}: {:?}", played.seed, scenario.scenario, played.broken);
        }
    }
    println!("{kept} seeds, {broken} of them broke a promise");
    let mut unnoticed = 0;
    for mutant in Mutant::ALL {
        if let Some((scenario, seed, promise)) = noticed(&scenarios, *mutant, 0..seeds) {
            println!(
                "noticed {:20} by seed {seed} of {scenario}: {}",
                mutant.name(),
                promise.words()
            );
        } else {
            unnoticed += 1;
            println!("NOBODY noticed {}", mutant.name());
        }
    }
    if broken + unnoticed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
