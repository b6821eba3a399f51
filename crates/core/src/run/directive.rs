//! Directives: what the driver of a run is to do next. Drivers know these four words and nothing else.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::Outcome;

/// The answer to "what is next?".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Directive {
    /// Hand the order to the hands of the family, then ask again.
    Act { family: String, order: Order },
    /// Ask again at `until`.
    Wait { until: Timestamp, reason: String },
    /// A person must decide; ask again at `until`, the answer is an event on the record.
    Approve { until: Timestamp, expires_at: Timestamp, plan_hash: String, reason: String },
    /// Nothing more to drive.
    Done { outcome: Option<Outcome>, reason: String },
}

/// What to do with which part of the record. It names the work and carries none of it: targets and
/// parameters are read from the incident, so a forged order can do nothing that was not planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub run: u32,
    pub work: Work,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "snake_case")]
pub enum Work {
    /// Read the targets before the plan.
    Observe,
    /// Carry out the row, once.
    Apply { row: usize, fence: u64 },
    /// Read the signals of the step.
    Check { step: usize },
    /// Put back what the row changed.
    Undo { row: usize },
}
