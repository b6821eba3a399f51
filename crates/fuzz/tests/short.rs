//! The corpus and a few thousand cases, on every run of the tests; `make fuzz` runs as many as one likes.

use firebreak_fuzz::run::{Plan, run};
use firebreak_fuzz::targets;

#[test]
fn the_corpus_and_a_few_thousand_odd_inputs_break_nothing() {
    let targets = targets::all();
    for target in &targets {
        assert!(!target.seeds.is_empty(), "{} has nothing to start from", target.name);
    }
    let plan = Plan { cases: 4_000, seed: 1, jobs: 2, keeps: false, places: None };
    let found = run(&targets, &plan).unwrap();
    let told: Vec<String> = found
        .failures
        .iter()
        .map(|failure| {
            format!(
                "{}: {}\n{:?}",
                failure.target,
                failure.why,
                String::from_utf8_lossy(&failure.input)
            )
        })
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n\n"));
    assert!(found.all_cases() > 4_000);
}

#[test]
fn a_case_is_the_same_each_time_it_is_made() {
    let targets = targets::all();
    for number in 0..200 {
        let make = || firebreak_fuzz::run::case(&targets, 7, number).unwrap();
        let ((one, first, _), (other, second, _)) = (make(), make());
        assert_eq!((&one.name, first), (&other.name, second));
    }
}
