//! A check: all states of a scope, and the shortest way to a broken promise where there is one.

use std::num::NonZeroUsize;

use stateright::{Checker, HasDiscoveries, Model};

use crate::mutant::Mutant;
use crate::promise::Promise;
use crate::protocol::Protocol;
use crate::scope::{Allowed, SCOPES, Scope};

#[derive(Debug, Clone)]
pub struct Checked {
    /// Different states, all of them where nothing was found.
    pub states: usize,
    /// Steps that were tried between them.
    pub steps: usize,
    /// The longest way from the start.
    pub depth: usize,
    pub found: Option<Found>,
}

/// A promise that can be broken, the one that takes the fewest steps.
#[derive(Debug, Clone)]
pub struct Found {
    pub promise: Promise,
    /// What has to happen, in order, and where that leads.
    pub way: Vec<String>,
}

/// Visits every state of the scope, or stops at the first broken promise.
pub fn check(scope: Scope, allowed: Allowed, mutant: Option<Mutant>) -> Checked {
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let checker = Protocol::new(scope, allowed, mutant)
        .checker()
        .threads(threads)
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    let discoveries = checker.discoveries();
    let found = Promise::ALL.iter().filter_map(|promise| {
        let path = discoveries.get(promise.words())?.clone();
        let steps = path.into_vec().into_iter();
        let way = steps.map(|(state, action)| match action {
            Some(action) => format!("{action:?}, from {state:?}"),
            None => format!("{state:?}"),
        });
        Some(Found { promise: *promise, way: way.collect() })
    });
    let found = found.min_by_key(|found| found.way.len());
    Checked {
        states: checker.unique_state_count(),
        steps: checker.state_count(),
        depth: checker.max_depth(),
        found,
    }
}

/// Where the bug is found first, and how.
pub fn killer(mutant: Mutant) -> Option<(Scope, Found)> {
    let faults = [Allowed::NOTHING, Allowed::CRASH, Allowed::REDELIVERY, Allowed::LOST_WORDS];
    faults.into_iter().find_map(|allowed| {
        SCOPES.iter().find_map(|scope| Some((*scope, check(*scope, allowed, Some(mutant)).found?)))
    })
}
