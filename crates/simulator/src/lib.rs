//! Simulation: the real engine in a world made from a seed, with every fault that such systems are known for.
//!
//! A scenario is a file, a seed is a whole run. What must never happen stands in [`Promise`]; what must be
//! noticed when it is broken on purpose stands in [`Mutant`].

mod kernel;
mod mutant;
mod promises;
mod provider;
mod record;
mod scenario;
mod world;

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

pub use kernel::{Kernel, Stopped, Touch, Wake};
pub use mutant::Mutant;
pub use promises::{Broken, Promise};
pub use record::{MemoryStore, Tables, Weather};
pub use scenario::Scenario;
pub use world::{Played, Trace, play};

use firebreak_core::runbook::RunbookSet;

/// The scenarios that ship, by name.
pub const SCENARIOS: &[(&str, &str)] = &[
    // Alphabetical.
    ("approval", include_str!("../scenarios/approval.yaml")),
    ("calm", include_str!("../scenarios/calm.yaml")),
    ("crowded", include_str!("../scenarios/crowded.yaml")),
    ("everything", include_str!("../scenarios/everything.yaml")),
    ("storm", include_str!("../scenarios/storm.yaml")),
];

/// Many seeds of one scenario, together.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    pub seeds: u64,
    pub steps: u64,
    pub incidents: u64,
    pub runs: u64,
    pub calls: u64,
    /// The failing seeds, lowest first; not all of them where there are many.
    pub failed: Vec<Played>,
}

/// After so many failing seeds no more are played.
const MOST_FAILED: usize = 8;

/// Plays the seeds on all cores; `progress` is told after each how many are done.
pub fn simulate(
    scenario: &Scenario,
    runbooks: &RunbookSet,
    seeds: Range<u64>,
    mutant: Option<Mutant>,
    progress: &(dyn Fn(u64) + Sync),
) -> Summary {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (next, done, failures) =
        (AtomicU64::new(seeds.start), AtomicU64::new(0), AtomicUsize::new(0));
    let summary = Mutex::new(Summary::default());
    let work = || {
        while failures.load(Ordering::Relaxed) < MOST_FAILED {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let played = play(scenario, runbooks, seed, mutant, Trace::None);
            if !played.broken.is_empty() {
                failures.fetch_add(1, Ordering::Relaxed);
            }
            if let Ok(mut summary) = summary.lock() {
                summary.add(played);
            }
            progress(done.fetch_add(1, Ordering::Relaxed) + 1);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut summary = summary.into_inner().unwrap_or_default();
    summary.failed.sort_by_key(|played| played.seed);
    summary
}

/// Which seed of which scenario notices the bug first, and the promise that it sees broken.
pub fn noticed(
    scenarios: &[(Scenario, RunbookSet)],
    mutant: Mutant,
    seeds: Range<u64>,
) -> Option<(String, u64, Promise)> {
    let mut from = seeds.start;
    while from < seeds.end {
        let until = (from + 25).min(seeds.end);
        for (scenario, runbooks) in scenarios {
            let summary = simulate(scenario, runbooks, from..until, Some(mutant), &|_| {});
            if let Some(first) = summary.failed.first() {
                let promise = first.broken.first()?.promise;
                return Some((scenario.scenario.clone(), first.seed, promise));
            }
        }
        from = until;
    }
    None
}

impl Summary {
    fn add(&mut self, played: Played) {
        self.seeds += 1;
        self.steps += played.steps;
        self.incidents += u64::try_from(played.incidents).unwrap_or_default();
        self.runs += u64::try_from(played.runs).unwrap_or_default();
        self.calls += u64::from(played.calls);
        if !played.broken.is_empty() {
            self.failed.push(played);
        }
    }
}

#[cfg(test)]
mod tests;
