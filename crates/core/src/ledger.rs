//! The ledger of a run: one row per planned step, and the states that a row can pass through.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::plan::PlannedStep;

/// Where a row stands. A row is written as `Sent` before the call is made, so a row that is not `Sent`
/// was certainly never called for, and a `Sent` row is never called for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowState {
    Planned,
    /// The target is locked and the budget booked for this row.
    Claimed,
    /// The call may have been made.
    Sent,
    /// The provider answered that it took the call.
    Confirmed,
    /// Nobody knows whether the call took effect; the provider is read, never called again.
    Unknown,
    /// Certainly not called, or refused by the provider without effect.
    Refused,
    Verified,
    Ineffective,
    Harmful,
    Undone,
    /// An undo failed: a person must look.
    Stuck,
}

impl RowState {
    /// The legal next states; everything else is a fault of ours.
    pub fn may_become(self, next: RowState) -> bool {
        use RowState::{
            Claimed, Confirmed, Harmful, Ineffective, Planned, Refused, Sent, Stuck, Undone,
            Unknown, Verified,
        };
        matches!(
            (self, next),
            (Planned, Claimed | Refused)
                | (Claimed, Sent | Refused)
                | (Sent, Confirmed | Unknown | Refused)
                | (Unknown, Confirmed | Refused | Verified | Ineffective | Harmful)
                | (Confirmed, Verified | Ineffective | Harmful)
                | (Verified | Ineffective | Harmful | Confirmed | Unknown, Undone | Stuck)
        )
    }

    /// Whether the target may have been touched, so that an undo has something to put back.
    pub fn may_have_acted(self) -> bool {
        use RowState::{
            Claimed, Confirmed, Harmful, Ineffective, Planned, Refused, Sent, Stuck, Undone,
            Unknown, Verified,
        };
        match self {
            Sent | Confirmed | Unknown | Verified | Ineffective | Harmful => true,
            Planned | Claimed | Refused | Undone | Stuck => false,
        }
    }
}

/// One row: a planned step and its fate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub planned: PlannedStep,
    pub state: RowState,
    /// Grows with each claim of the incident; an order that carries an older one is refused.
    pub fence: u64,
    pub sent_at: Option<Timestamp>,
    /// Whether the provider's reply came back: then the call is over.
    #[serde(default)]
    pub answered: bool,
    /// The groups whose budgets it was booked in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The provider's own words or request id.
    pub receipt: Option<String>,
}

impl Row {
    pub fn new(planned: PlannedStep) -> Self {
        Self {
            planned,
            state: RowState::Planned,
            fence: 0,
            sent_at: None,
            answered: false,
            groups: Vec::new(),
            receipt: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RowState::{Claimed, Confirmed, Planned, Refused, Sent, Undone, Unknown, Verified};

    #[test]
    fn a_sent_row_is_never_claimed_or_sent_again() {
        for state in [Sent, Confirmed, Unknown, Refused, Verified, Undone] {
            assert!(!state.may_become(Claimed) && !state.may_become(Sent), "{state:?}");
        }
        assert!(Planned.may_become(Claimed) && !Planned.may_become(Sent));
    }
}
