//! `trust`: when an action has earned the next rung of the ladder, and when it loses the one that it has.

use serde::{Deserialize, Serialize};

use super::Problem;
use crate::runbook::Mode;

/// How far an action may go by what it showed so far. The `mode` of its runbook is the ceiling, always.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trust {
    /// The rung of what nothing is known of: `auto` takes the runbook's mode at its word, because a person
    /// reviewed it; `shadow` makes every action earn it.
    pub start: Mode,
    /// The labels that name the environment of an alert; the first that it has counts.
    pub environment: Vec<String>,
    /// So often it must have been watched in shadow or suggest before the next rung is proposed.
    pub would_act: u32,
    /// So often it must have helped, and not by chance, before `auto` is proposed.
    pub helped: u32,
    /// Where more of what it would act on heals by itself, in percent, nothing is proposed.
    pub most_self_healing: u8,
    /// So many useless runs in a row cost one rung.
    pub useless_in_a_row: u32,
    /// The rung after a run that did harm.
    pub after_harm: Mode,
}

impl Default for Trust {
    fn default() -> Self {
        Self {
            start: Mode::Auto,
            environment: ["environment", "env", "stage"].map(str::to_owned).to_vec(),
            would_act: 10,
            helped: 5,
            most_self_healing: 50,
            useless_in_a_row: 3,
            after_harm: Mode::Suggest,
        }
    }
}

impl Trust {
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut say = |wrong: bool, field: &str, text: &str| {
            if wrong {
                problems.push((format!("trust.{field}"), text.to_owned()));
            }
        };
        let none = "use at least 1: without evidence there is nothing to trust";
        say(self.would_act == 0, "would_act", none);
        say(self.helped == 0, "helped", none);
        say(self.useless_in_a_row == 0, "useless_in_a_row", "use at least 1");
        say(self.most_self_healing > 100, "most_self_healing", "a percentage is at most 100");
        say(
            self.after_harm == Mode::Auto,
            "after_harm",
            "what did harm does not go on: use `approve`, `suggest` or `shadow`",
        );
        say(self.environment.iter().any(String::is_empty), "environment", "name the labels");
        problems
    }
}
