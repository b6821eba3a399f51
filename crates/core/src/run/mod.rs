//! A run: one execution of a runbook for an incident, as a state machine that answers directives.
//!
//! Whoever drives it (a Step Functions execution, the local driver, a simulation) asks [`advance`] what is
//! next, does just that, and asks again. The driver holds clocks and retries; all decisions are here.

mod advance;
mod approving;
mod begin;
mod booking;
mod directive;
mod end;
mod evolve;
mod learning;
mod verify;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use advance::{
    Advanced, Facts, Takeover, advance, books_needed, mutes_needed, siblings_needed,
};
pub use begin::targets_of;
pub(crate) use begin::{asked_first, choose};
pub use booking::sent;
pub use directive::{Directive, Order, Work};
pub(crate) use evolve::evolve;
pub use verify::checked;

use crate::book::RunRef;
use crate::counterfactual::Likely;
use crate::evidence::{Effect, Evidence, Observation};
use crate::ids::IncidentId;
use crate::incident::Outcome;
use crate::ledger::Row;
use crate::plan::Plan;
use crate::runbook::{Mode, Runbook, Step};

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// Waiting for the group to settle, then for the targets to be read.
    Preparing,
    /// The targets were read; guards and plan come next.
    Deciding,
    AwaitingApproval {
        plan_hash: String,
        expires_at: Timestamp,
    },
    /// Everybody who was asked said yes; the targets are read once more.
    Approved {
        plan_hash: String,
    },
    /// They were read: the plan is made anew and must be the one that was approved.
    Rechecking {
        plan_hash: String,
    },
    Acting {
        step: usize,
    },
    Verifying {
        step: usize,
        since: Timestamp,
        good_since: Option<Timestamp>,
        looked_at: Option<Timestamp>,
    },
    /// It helped; the change is kept until `undo_at`, or for good.
    Kept {
        step: usize,
        undo_at: Option<Timestamp>,
    },
    Undoing {
        step: usize,
        then: AfterUndo,
    },
    /// Decided; only the record of the end is missing.
    Ending {
        outcome: Outcome,
        reason: String,
    },
    Ended {
        outcome: Outcome,
        reason: String,
    },
}

/// What follows when everything is put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "then", rename_all = "snake_case")]
pub enum AfterUndo {
    NextStep,
    End { outcome: Outcome, reason: String },
}

/// What a step came to, without its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    pub step: usize,
    pub effect: Effect,
    /// Where it helped: to whom that is owed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub likely: Option<Likely>,
}

/// One person's yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    pub by: String,
    pub at: Timestamp,
}

/// The state of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// From 1 within its incident.
    pub number: u32,
    /// As it was when the run started: a later edit of the file changes nothing under way.
    pub runbook: Runbook,
    /// How far it may go: as its runbook says, or less where trust is missing.
    #[serde(default)]
    pub mode: Mode,
    /// Who asked for it, where it was not the alert alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
    /// Who drives it, such as the name of an execution.
    pub driver: String,
    pub started_at: Timestamp,
    pub settle_until: Timestamp,
    /// The run has ended by then, or is ended.
    pub deadline: Timestamp,
    pub observations: Vec<Observation>,
    /// Who said yes so far to the plan that waits, or was carried out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
    /// Who approved the plan, once everybody did who was asked.
    #[serde(default)]
    pub approved_by: Option<String>,
    /// When the plan was made, or approved where somebody was asked.
    #[serde(default)]
    pub confirmed_at: Option<Timestamp>,
    pub plan: Option<Plan>,
    pub rows: Vec<Row>,
    pub phase: Phase,
    /// The evidence of the latest look.
    pub evidence: Vec<Evidence>,
    /// The verdicts of its steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub judged: Vec<Judged>,
}

impl Run {
    /// At its start, with the times of start, settling and deadline.
    pub(crate) fn started(
        number: u32,
        runbook: &Runbook,
        driver: &str,
        (started_at, settle_until, deadline): (Timestamp, Timestamp, Timestamp),
    ) -> Self {
        Self {
            number,
            runbook: runbook.clone(),
            mode: runbook.mode,
            requested_by: None,
            driver: driver.to_owned(),
            started_at,
            settle_until,
            deadline,
            observations: Vec::new(),
            approvals: Vec::new(),
            approved_by: None,
            confirmed_at: None,
            plan: None,
            rows: Vec::new(),
            phase: Phase::Preparing,
            evidence: Vec::new(),
            judged: Vec::new(),
        }
    }

    pub fn is_active(&self) -> bool {
        !matches!(self.phase, Phase::Ended { .. })
    }

    pub fn outcome(&self) -> Option<Outcome> {
        if let Phase::Ended { outcome, .. } = self.phase { Some(outcome) } else { None }
    }

    pub fn reference(&self, incident: &IncidentId) -> RunRef {
        RunRef { incident: incident.clone(), run: self.number }
    }

    pub fn step(&self, index: usize) -> Option<&Step> {
        self.runbook.steps.get(index)
    }

    /// The rows of one step, with their position in the ledger.
    pub fn rows_of(&self, step: usize) -> impl DoubleEndedIterator<Item = (usize, &Row)> {
        self.rows.iter().enumerate().filter(move |(_, row)| row.planned.step == step)
    }

    /// Whether any call may have been made.
    pub fn may_have_acted(&self) -> bool {
        self.rows.iter().any(|row| row.sent_at.is_some())
    }
}

#[cfg(test)]
mod chaos;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod scenarios_approval;
#[cfg(test)]
mod scenarios_bounds;
#[cfg(test)]
mod scenarios_evidence;
#[cfg(test)]
mod scenarios_muted;
#[cfg(test)]
mod scenarios_shared;
#[cfg(test)]
mod scenarios_trust;
#[cfg(test)]
mod scenarios_undo;
#[cfg(test)]
mod transitions;
#[cfg(test)]
mod world;
