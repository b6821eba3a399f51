//! `route`: the tree of who hears of what, with Alertmanager's keys; `channels` stand for its receiver.

use jiff::SignedDuration;
use jiff::fmt::serde::duration::friendly::compact::optional as compact;
use serde::{Deserialize, Serialize};

use super::{Problem, TimeIntervals};
use crate::matcher::Matchers;

/// A node of the tree as it is written: what is left out comes from the node above, and at the root from the
/// defaults. Time intervals do not come from above.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RouteSection {
    #[serde(skip_serializing_if = "Matchers::is_empty")]
    pub matchers: Matchers,
    /// Names from the channel settings. Left out at the root: every channel. An empty list: nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<String>>,
    /// Alerts with the same values for these labels belong together; `...` stands for all labels. What is
    /// written replaces what comes from above. Left out everywhere: source, service and rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_by: Option<Vec<String>>,
    /// How long a new group is given to fill before the first message.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "compact")]
    pub group_wait: Option<SignedDuration>,
    /// How often a group is looked at again after the first message.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "compact")]
    pub group_interval: Option<SignedDuration>,
    /// How long after the last message nothing new is a reason to tell again.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "compact")]
    pub repeat_interval: Option<SignedDuration>,
    /// Goes on to the siblings after it, so that they add their channels.
    #[serde(rename = "continue", skip_serializing_if = "is_false")]
    pub goes_on: bool,
    /// Nothing is told by this node while one of them holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mute_time_intervals: Vec<String>,
    /// Where there are any: nothing is told by this node but while one of them holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub active_time_intervals: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteSection>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// The name in `group_by` that stands for every label.
pub const ALL_LABELS: &str = "...";

/// A deeper tree is a mistake.
const DEEPEST: usize = 32;

impl RouteSection {
    pub(super) fn problems(&self, intervals: &TimeIntervals) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (wrong, field, remedy) in [
            (!self.matchers.is_empty(), "matchers", "the root takes every alert; match below it"),
            (self.goes_on, "continue", "the root has no siblings to go on to"),
            (
                !self.mute_time_intervals.is_empty(),
                "mute_time_intervals",
                "the root hears of what nobody else takes; mute the routes below it",
            ),
            (
                !self.active_time_intervals.is_empty(),
                "active_time_intervals",
                "the root hears of what nobody else takes; limit the routes below it",
            ),
        ] {
            if wrong {
                problems.push((format!("route.{field}"), remedy.to_owned()));
            }
        }
        self.check("route", 0, intervals, &mut problems);
        problems
    }

    fn check(&self, at: &str, depth: usize, intervals: &TimeIntervals, found: &mut Vec<Problem>) {
        let mut say = |field: &str, text: String| found.push((format!("{at}.{field}"), text));
        if let Some(labels) = &self.group_by {
            if labels.len() > 1 && labels.iter().any(|label| label == ALL_LABELS) {
                say(
                    "group_by",
                    format!("`{ALL_LABELS}` stands for all labels; take the others out"),
                );
            }
            for (index, label) in labels.iter().enumerate() {
                if label.is_empty() {
                    say("group_by", "holds an empty name".to_owned());
                } else if labels.iter().take(index).any(|earlier| earlier == label) {
                    say("group_by", format!("`{label}` stands there twice"));
                }
            }
        }
        if self.group_wait.is_some_and(|wait| wait.is_negative()) {
            say("group_wait", "a duration cannot be negative".to_owned());
        }
        for (field, duration) in
            [("group_interval", self.group_interval), ("repeat_interval", self.repeat_interval)]
        {
            if duration.is_some_and(|duration| duration < SignedDuration::from_secs(1)) {
                say(field, "must be at least a second".to_owned());
            }
        }
        for (field, names) in [
            ("mute_time_intervals", &self.mute_time_intervals),
            ("active_time_intervals", &self.active_time_intervals),
        ] {
            for name in names.iter().filter(|name| intervals.get(name).is_none()) {
                say(field, format!("there is no time interval `{name}` under `time_intervals`"));
            }
        }
        if depth >= DEEPEST {
            say("routes", format!("routes stand at most {DEEPEST} deep"));
            return;
        }
        for (index, route) in self.routes.iter().enumerate() {
            route.check(&format!("{at}.routes[{index}]"), depth + 1, intervals, found);
        }
    }
}
