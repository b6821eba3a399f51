//! `maintenance`: planned work, once or again and again, that stops pages and actions alike.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Problem, TimeIntervals};
use crate::alert::Alert;
use crate::matcher::Matchers;

/// A window in which alerts that fit are expected. It is either once (`from`, `to`) or recurs (`during` names
/// time intervals). Resolves are told all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maintenance {
    pub name: String,
    /// Who answers for it.
    pub owner: String,
    pub reason: String,
    /// The services that are worked on; with `matchers` as well, both must fit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    #[serde(default, skip_serializing_if = "Matchers::is_empty")]
    pub matchers: Matchers,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub during: Vec<String>,
}

impl Maintenance {
    /// Whether the alert is one of those that the work explains, at whatever time.
    pub fn is_for(&self, alert: &Alert) -> bool {
        let service = self.services.is_empty() || self.services.contains(&alert.service);
        service && self.matchers.fit_alert(alert)
    }

    pub(super) fn problems(&self, intervals: &TimeIntervals) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut say = |field: &str, text: String| problems.push((field.to_owned(), text));
        for (field, text) in
            [("name", &self.name), ("owner", &self.owner), ("reason", &self.reason)]
        {
            if text.trim().is_empty() {
                say(field, "is empty; people will ask".to_owned());
            }
        }
        if self.services.is_empty() && self.matchers.fit_everything() {
            say("matchers", "would mute every alert; name `services` or a label".to_owned());
        }
        match (self.from, self.to, self.during.is_empty()) {
            (Some(from), Some(to), true) if from >= to => {
                say("to", "must be after `from`".to_owned());
            }
            (Some(_), Some(_), true) | (None, None, false) => {}
            _ => say(
                "from",
                "give `from` and `to` for work that is done once, or `during` for work that recurs"
                    .to_owned(),
            ),
        }
        for name in self.during.iter().filter(|name| intervals.get(name).is_none()) {
            say("during", format!("there is no time interval `{name}` under `time_intervals`"));
        }
        problems
    }
}
