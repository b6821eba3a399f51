//! Routes: which alerts belong together, and which channels hear of them when. The semantics are Alertmanager's.

mod group;
mod tree;

pub use tree::{GroupBy, Hush, Route, Times};

use crate::alert::Alert;
use crate::channels::Channels;
use crate::policy::{Policy, Problem};

/// The route tree of a policy, with everything inherited filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Routes {
    root: Route,
    written: bool,
}

impl Default for Routes {
    /// Without a `route` every channel hears of every alert, at once.
    fn default() -> Self {
        Self { root: Route::unwritten(), written: false }
    }
}

impl Routes {
    /// The tree of a policy that was read, and so checked.
    pub fn of(policy: &Policy) -> Self {
        match &policy.route {
            None => Self::default(),
            Some(written) => {
                Self { root: Route::root(written, &policy.time_intervals), written: true }
            }
        }
    }

    pub fn root(&self) -> &Route {
        &self.root
    }

    /// The routes that an alert takes, at least one: depth first, the first that fits, and those after it that a
    /// `continue` leads on to.
    pub fn taken_by(&self, alert: &Alert) -> Vec<&Route> {
        let mut taken = Vec::new();
        self.root.walk(alert, &mut taken);
        taken
    }

    /// Alerts with the same key belong to one incident while it is open: those that take the same route first and
    /// have the same values for its `group_by`.
    ///
    /// Without a `route` those of one source, service and rule. Computed once, at intake, and kept on the incident: another configuration changes it for later alerts only.
    pub fn group_key(&self, alert: &Alert) -> String {
        if !self.written {
            return alert.group_key();
        }
        let taken = self.taken_by(alert);
        group::key(taken.first().copied().unwrap_or(&self.root), alert)
    }

    /// Channels that a route names and nobody set up.
    pub fn unknown_channels(&self, channels: &Channels) -> Vec<Problem> {
        let mut problems = Vec::new();
        self.root.each("route", &mut |place, route| {
            for name in route.channels.iter().flatten() {
                if !channels.contains_key(name) {
                    let known: Vec<&str> = channels.keys().map(String::as_str).collect();
                    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                    let problem = format!("there is no channel `{name}`; there are {known}");
                    problems.push((format!("{place}.channels"), problem));
                }
            }
        });
        problems
    }
}

#[cfg(test)]
mod tests;
