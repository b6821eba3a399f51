//! The checks that run with every test: all scopes, and every mutant. `make simulate` has more faults at once.

use super::*;

fn holds(name: &str, allowed: Allowed) {
    let scope = Scope::named(name).unwrap();
    let checked = check(scope, allowed, None);
    println!("{name}: {} states, {} steps, {allowed:?}", checked.states, checked.steps);
    let way = checked.found.map(|found| {
        let steps: Vec<String> = found.way;
        format!("{}:\n{}", found.promise.words(), steps.join("\n"))
    });
    assert!(way.is_none(), "{name}: {}", way.unwrap_or_default());
}

#[test]
fn two_workers_at_one_incident_keep_every_promise() {
    holds("one_incident", Allowed::NOTHING);
}

#[test]
fn two_incidents_about_one_target_keep_every_promise() {
    holds("one_target", Allowed::CRASH);
}

#[test]
fn two_incidents_with_one_budget_keep_every_promise() {
    holds("one_budget", Allowed::NOTHING);
}

#[test]
fn every_bug_in_the_protocol_is_found() {
    let found_in = |mutant| match mutant {
        Mutant::BudgetForgotten => ("one_budget", Allowed::NOTHING, Promise::WithinBudget),
        Mutant::FenceIgnored => ("one_target", Allowed::REDELIVERY, Promise::FenceRespected),
        Mutant::BooksUnconditional | Mutant::LocksUnread => {
            ("one_target", Allowed::NOTHING, Promise::OneAtATime)
        }
        Mutant::NobodyReaps => ("one_target", Allowed::CRASH, Promise::EverythingEnds),
        Mutant::RetriesUnknown => ("one_target", Allowed::LOST_WORDS, Promise::OncePerRow),
        Mutant::SentUnwritten => ("one_target", Allowed::NOTHING, Promise::IntentFirst),
        Mutant::VersionsUnconditional => ("one_incident", Allowed::NOTHING, Promise::IntentFirst),
    };
    for mutant in Mutant::ALL {
        let (name, allowed, promise) = found_in(*mutant);
        let checked = check(Scope::named(name).unwrap(), allowed, Some(*mutant));
        println!("{:24} {name}, {} states", mutant.name(), checked.states);
        let found = checked.found.unwrap_or_else(|| panic!("{} was not found", mutant.name()));
        assert_eq!(found.promise, promise, "{}:\n{}", mutant.name(), found.way.join("\n"));
    }
}
