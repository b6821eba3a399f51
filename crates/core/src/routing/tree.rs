//! A node of the route tree, with everything that comes from above filled in.

use jiff::{SignedDuration, Timestamp};

use super::group;
use crate::alert::Alert;
use crate::matcher::Matchers;
use crate::policy::route::{ALL_LABELS, RouteSection};
use crate::policy::{NamedInterval, TimeIntervals};

/// What makes alerts of one route belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupBy {
    /// Source, service and rule: where nothing is written.
    Rule,
    Labels(Vec<String>),
    /// Every label: only the same alert belongs with itself.
    All,
}

/// When a channel hears of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    pub group_wait: SignedDuration,
    pub group_interval: SignedDuration,
    pub repeat_interval: SignedDuration,
}

impl Times {
    /// Where a route was written: the defaults of Alertmanager.
    pub const WRITTEN: Times = Times {
        group_wait: SignedDuration::from_secs(30),
        group_interval: SignedDuration::from_mins(5),
        repeat_interval: SignedDuration::from_hours(4),
    };

    /// Without a route: the first page at once, what follows within seconds.
    pub const UNWRITTEN: Times = Times {
        group_wait: SignedDuration::ZERO,
        group_interval: SignedDuration::from_secs(10),
        repeat_interval: SignedDuration::from_hours(4),
    };

    /// The shorter of each.
    #[must_use]
    pub fn sooner(self, other: Self) -> Self {
        Self {
            group_wait: self.group_wait.min(other.group_wait),
            group_interval: self.group_interval.min(other.group_interval),
            repeat_interval: self.repeat_interval.min(other.repeat_interval),
        }
    }
}

/// One node.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// The matchers on the way to it, as Alertmanager writes them. Unlike its, it does not change when other
    /// routes come or go: only siblings with the same matchers are counted.
    pub id: String,
    pub matchers: Matchers,
    /// `None`: every channel.
    pub channels: Option<Vec<String>>,
    pub group_by: GroupBy,
    pub times: Times,
    pub mute: Vec<NamedInterval>,
    pub active: Vec<NamedInterval>,
    pub goes_on: bool,
    pub routes: Vec<Route>,
}

/// Why a route tells nothing now, and until when, where that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hush {
    pub because: String,
    pub until: Option<Timestamp>,
}

impl Route {
    pub(super) fn unwritten() -> Self {
        Self {
            id: "{}".to_owned(),
            matchers: Matchers::default(),
            channels: None,
            group_by: GroupBy::Rule,
            times: Times::UNWRITTEN,
            mute: Vec::new(),
            active: Vec::new(),
            goes_on: false,
            routes: Vec::new(),
        }
    }

    pub(super) fn root(written: &RouteSection, intervals: &TimeIntervals) -> Self {
        let above = Self { times: Times::WRITTEN, ..Self::unwritten() };
        Self::below(&above, "{}".to_owned(), written, intervals)
    }

    fn below(above: &Self, id: String, written: &RouteSection, intervals: &TimeIntervals) -> Self {
        let named = |names: &[String]| -> Vec<NamedInterval> {
            names.iter().filter_map(|name| intervals.get(name)).cloned().collect()
        };
        let group_by = match written.group_by.as_deref() {
            None => above.group_by.clone(),
            Some([all]) if all == ALL_LABELS => GroupBy::All,
            Some(labels) => GroupBy::Labels(labels.to_vec()),
        };
        let mut route = Self {
            id,
            matchers: written.matchers.clone(),
            channels: written.channels.clone().or_else(|| above.channels.clone()),
            group_by,
            times: Times {
                group_wait: written.group_wait.unwrap_or(above.times.group_wait),
                group_interval: written.group_interval.unwrap_or(above.times.group_interval),
                repeat_interval: written.repeat_interval.unwrap_or(above.times.repeat_interval),
            },
            mute: named(&written.mute_time_intervals),
            active: named(&written.active_time_intervals),
            goes_on: written.goes_on,
            routes: Vec::new(),
        };
        let mut routes = Vec::with_capacity(written.routes.len());
        for (index, child) in written.routes.iter().enumerate() {
            let alike = written.routes.iter().take(index);
            let alike = alike.filter(|earlier| earlier.matchers == child.matchers).count();
            let nth = if alike == 0 { String::new() } else { format!("/{alike}") };
            let id = format!("{}/{{{}}}{nth}", route.id, child.matchers);
            routes.push(Self::below(&route, id, child, intervals));
        }
        route.routes = routes;
        route
    }

    /// Adds the routes that the alert takes from here on.
    pub(super) fn walk<'a>(&'a self, alert: &Alert, taken: &mut Vec<&'a Route>) {
        let before = taken.len();
        for child in &self.routes {
            if child.matchers.fit_alert(alert) {
                child.walk(alert, taken);
                if !child.goes_on {
                    break;
                }
            }
        }
        if taken.len() == before {
            taken.push(self);
        }
    }

    pub(super) fn each(&self, place: &str, visit: &mut impl FnMut(&str, &Route)) {
        visit(place, self);
        for (index, child) in self.routes.iter().enumerate() {
            child.each(&format!("{place}.routes[{index}]"), visit);
        }
    }

    pub fn leads_to(&self, channel: &str) -> bool {
        match &self.channels {
            None => true,
            Some(names) => names.iter().any(|name| name == channel),
        }
    }

    /// The labels that say which group of this route an alert is in.
    pub fn group_of<'a>(&'a self, alert: &'a Alert) -> Vec<(&'a str, &'a str)> {
        group::labels(self, alert)
    }

    /// Whether its time intervals keep it quiet now.
    pub fn hush(&self, now: Timestamp) -> Option<Hush> {
        if let Some(mute) = self.mute.iter().find(|interval| interval.contains(now)) {
            let because = format!("the route is muted during `{}`", mute.name);
            return Some(Hush { because, until: mute.end(now) });
        }
        let idle =
            !self.active.is_empty() && !self.active.iter().any(|interval| interval.contains(now));
        idle.then(|| {
            let names: Vec<String> =
                self.active.iter().map(|interval| format!("`{}`", interval.name)).collect();
            let because = format!("the route is active only during {}", names.join(", "));
            Hush { because, until: None }
        })
    }
}
