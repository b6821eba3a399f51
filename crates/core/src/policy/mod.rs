//! The policy: how this installation routes, mutes and expires, beside the runbooks that say what it does.
//!
//! Every section is one file here and one line in [`Policy`] and [`KEYS`]; a section that is left out is its
//! default. Locally the sections stand in the file behind `--config`, on AWS in `policy.yaml` beside the
//! runbooks. Unknown keys are errors: a rule that is written but not enforced would be worse than none.

pub mod breaker;
pub mod expiry;
pub mod flapping;
pub mod inhibit;
pub mod maintenance;
mod read;
pub mod route;
pub mod services;
pub mod shared_cause;
pub mod source;
pub mod time_interval;
mod trust;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use breaker::Breaker;
pub use expiry::{Expiry, Lifetime};
pub use flapping::Flapping;
pub use inhibit::InhibitRule;
pub use maintenance::Maintenance;
pub use read::{BadPolicy, read, read_beside};
pub use route::RouteSection;
pub use services::{ServiceMap, WhileParentFires};
pub use shared_cause::{DomainField, MoreThan, SharedCause};
pub use source::{Heartbeat, SignOfLife, SourcePolicy};
pub use time_interval::{NamedInterval, TimeInterval, TimeIntervals};
pub use trust::Trust;

/// A policy that was read: every name in it exists, every range has a beginning before its end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    pub breaker: Breaker,
    pub expiry: Expiry,
    pub flapping: Flapping,
    pub inhibit_rules: Vec<InhibitRule>,
    pub maintenance: Vec<Maintenance>,
    /// Left out: every channel hears of every alert at once.
    pub route: Option<RouteSection>,
    pub services: ServiceMap,
    pub shared_cause: SharedCause,
    /// By the registry name of the source.
    pub sources: BTreeMap<String, SourcePolicy>,
    pub time_intervals: TimeIntervals,
    pub trust: Trust,
}

/// The sections, by their top-level keys.
pub const KEYS: &[&str] = &[
    "breaker",
    "expiry",
    "flapping",
    "inhibit_rules",
    "maintenance",
    "route",
    "services",
    "shared_cause",
    "sources",
    "time_intervals",
    "trust",
];

/// What is wrong with a section: the place within the file, then the problem with its remedy.
pub type Problem = (String, String);

impl Policy {
    /// What no single value can show: names that do not exist, circles, ranges that are empty.
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        problems.extend(self.breaker.problems());
        problems.extend(self.flapping.problems());
        problems.extend(self.time_intervals.problems());
        for (index, window) in self.maintenance.iter().enumerate() {
            let place = format!("maintenance[{index}] (`{}`)", window.name);
            problems.extend(
                window
                    .problems(&self.time_intervals)
                    .into_iter()
                    .map(|(field, problem)| (format!("{place}.{field}"), problem)),
            );
        }
        if let Some(route) = &self.route {
            problems.extend(route.problems(&self.time_intervals));
        }
        problems.extend(self.services.problems());
        problems.extend(self.shared_cause.problems());
        problems.extend(source::problems(&self.sources));
        problems.extend(self.trust.problems());
        problems
    }
}

#[cfg(test)]
mod tests;
