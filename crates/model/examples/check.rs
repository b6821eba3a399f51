//! Checks every scope with every set of faults, then every mutant, and says how many states it took.
#![expect(clippy::print_stdout, reason = "it is run for what it prints")]

use std::process::ExitCode;
use std::time::Instant;

use firebreak_model::{Mutant, SCOPES, check, killer};

fn main() -> ExitCode {
    let mut good = true;
    for scope in SCOPES {
        println!("{}: {}", scope.name, scope.about);
        for allowed in scope.faults {
            let began = Instant::now();
            let checked = check(*scope, *allowed, None);
            println!(
                "  {} states, {} steps, depth {}, {:.1} s: {allowed:?}",
                checked.states,
                checked.steps,
                checked.depth,
                began.elapsed().as_secs_f64()
            );
            if let Some(found) = checked.found {
                good = false;
                println!("  BROKEN: {}", found.promise.words());
                for step in found.way {
                    println!("    {step}");
                }
            }
        }
    }
    for mutant in Mutant::ALL {
        if let Some((scope, found)) = killer(*mutant) {
            println!(
                "found {:24} in {} after {} steps: {}",
                mutant.name(),
                scope.name,
                found.way.len(),
                found.promise.words()
            );
        } else {
            good = false;
            println!("NOT found: {}", mutant.name());
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
