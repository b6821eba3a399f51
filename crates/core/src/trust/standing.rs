//! Where one action stands in one environment: what it showed, and who moved it when and why.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::counterfactual::Likely;
use crate::ids::{ActionName, IncidentId};
use crate::runbook::Mode;

/// An action of a runbook in an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub action: ActionName,
    pub environment: String,
}

/// What one run, or one that was only watched, showed of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "lesson", rename_all = "snake_case")]
pub enum Lesson {
    Helped {
        likely: Likely,
    },
    Useless,
    Harmful,
    /// Nobody can say what came of it: whoever drove the run died, or the time was up.
    Unclear,
    /// It was not allowed to act: whether the alert was over by itself in the time that it would have had.
    WouldAct {
        healed: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learnt {
    pub at: Timestamp,
    pub incident: IncidentId,
    #[serde(flatten)]
    pub lesson: Lesson,
}

/// A move on the ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub at: Timestamp,
    pub from: Mode,
    pub to: Mode,
    /// A name; `firebreak` where it lost a rung by itself.
    pub by: String,
    pub reason: String,
}

/// What was counted since the last move.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    pub helped: u32,
    /// Of those that helped, where the alert would likely have been over anyway.
    pub by_itself: u32,
    pub useless: u32,
    pub harmful: u32,
    pub unclear: u32,
    pub would_act: u32,
    /// Of those that would have been acted on, where the alert was over by itself.
    pub healed: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    pub action: ActionName,
    pub environment: String,
    /// `None` until it was moved: then the policy says where it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rung: Option<Mode>,
    #[serde(default)]
    pub tally: Tally,
    #[serde(default)]
    pub useless_in_a_row: u32,
    /// The latest, oldest first.
    #[serde(default)]
    pub lessons: Vec<Learnt>,
    /// The latest, oldest first.
    #[serde(default)]
    pub changes: Vec<Change>,
}

const MOST_REMEMBERED: usize = 32;

impl Standing {
    /// As it stands before anything is known.
    pub fn new(action: ActionName, environment: &str) -> Self {
        Self {
            action,
            environment: environment.to_owned(),
            rung: None,
            tally: Tally::default(),
            useless_in_a_row: 0,
            lessons: Vec::new(),
            changes: Vec::new(),
        }
    }

    pub(super) fn is_at(&self, action: &ActionName, environment: &str) -> bool {
        self.action == *action && self.environment == environment
    }

    pub(super) fn count(&mut self, learnt: Learnt) {
        let tally = &mut self.tally;
        match learnt.lesson {
            Lesson::Helped { likely } => {
                tally.helped += 1;
                tally.by_itself += u32::from(likely == Likely::ByItself);
            }
            Lesson::Useless => tally.useless += 1,
            Lesson::Harmful => tally.harmful += 1,
            Lesson::Unclear => tally.unclear += 1,
            Lesson::WouldAct { healed } => {
                tally.would_act += 1;
                tally.healed += u32::from(healed);
            }
        }
        self.useless_in_a_row = match learnt.lesson {
            Lesson::Helped { .. } => 0,
            Lesson::Useless | Lesson::Harmful => self.useless_in_a_row + 1,
            Lesson::Unclear | Lesson::WouldAct { .. } => self.useless_in_a_row,
        };
        self.lessons.push(learnt);
        let surplus = self.lessons.len().saturating_sub(MOST_REMEMBERED);
        self.lessons.drain(..surplus);
    }

    /// Begins anew on another rung: what was shown before has been paid for.
    pub(super) fn move_to(&mut self, change: Change) {
        self.rung = Some(change.to);
        self.tally = Tally::default();
        self.useless_in_a_row = 0;
        self.changes.push(change);
        let surplus = self.changes.len().saturating_sub(MOST_REMEMBERED);
        self.changes.drain(..surplus);
    }
}
