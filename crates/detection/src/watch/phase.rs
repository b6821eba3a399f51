//! The life of an alert of one key: quiet, pending for as long as `for` says, firing, and quiet again.

use serde::{Deserialize, Serialize};

use super::memory::{Effect, Judgement, Memory, milliseconds};
use crate::order::Sign;
use crate::rules::Rule;

/// What is kept of one key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) memory: Memory,
    phase: Phase,
    /// When it is looked at next without an event.
    pub(crate) due: Option<i64>,
    /// When a timer wakes it; there is at most one that is not later than `due`.
    #[serde(skip)]
    pub(crate) armed: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    Quiet,
    Pending {
        since: i64,
    },
    /// `over` is since when it no longer holds.
    Firing {
        since: i64,
        over: Option<i64>,
    },
}

/// What a look led to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Turn {
    Fired { since: i64, measure: f64 },
    Resolved { since: i64, measure: f64 },
}

impl Kept {
    pub(crate) fn new(memory: Memory) -> Self {
        Self { memory, phase: Phase::Quiet, due: None, armed: None }
    }

    pub(crate) fn is_firing(&self) -> bool {
        matches!(self.phase, Phase::Firing { .. })
    }

    pub(crate) fn take(&mut self, at: i64, sign: Sign) -> Effect {
        self.memory.take(at, sign)
    }

    /// Looks at the key once everything of this moment is known. The second answer says that nothing is worth keeping.
    pub(crate) fn look(&mut self, rule: &Rule, at: i64) -> (Option<Turn>, bool) {
        let judged = self.memory.judge(rule, at);
        let (turn, wake) = self.turn(rule, at, judged);
        self.due = [judged.next, wake].into_iter().flatten().filter(|next| *next > at).min();
        (turn, judged.is_idle && self.phase == Phase::Quiet)
    }

    fn turn(&mut self, rule: &Rule, at: i64, judged: Judgement) -> (Option<Turn>, Option<i64>) {
        let hold = milliseconds(rule.hold);
        let keep = milliseconds(rule.keep_firing);
        let measure = judged.measure;
        if let (Phase::Quiet, true) = (self.phase, judged.holds) {
            self.phase = Phase::Pending { since: at };
        }
        match self.phase {
            Phase::Pending { .. } if !judged.holds => self.phase = Phase::Quiet,
            Phase::Pending { since } if at - since >= hold => {
                self.phase = Phase::Firing { since, over: None };
                return (Some(Turn::Fired { since, measure }), None);
            }
            Phase::Pending { since } => return (None, Some(since + hold)),
            Phase::Firing { since, .. } if !judged.is_clear => {
                self.phase = Phase::Firing { since, over: None };
            }
            Phase::Firing { since, over } => {
                let over = over.unwrap_or(at);
                if at - over >= keep {
                    self.phase = Phase::Quiet;
                    return (Some(Turn::Resolved { since, measure }), None);
                }
                self.phase = Phase::Firing { since, over: Some(over) };
                return (None, Some(over + keep));
            }
            Phase::Quiet => {}
        }
        (None, None)
    }
}
