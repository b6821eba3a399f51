//! The incident: an aggregate that is nothing but the fold of its events.

mod command;
pub mod event;
mod evolve;
mod receive;
mod status;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use command::{Command, Refusal};
pub use event::{Event, Outcome, Recorded};
pub use evolve::{Illegal, replay};
pub use receive::{Received, Verdict as IntakeVerdict, receive};
pub use status::{Status, TRANSITIONS, transitions_table};

use crate::alert::{Alert, Severity};
use crate::fingerprint::Fingerprint;
use crate::ids::IncidentId;
use crate::run::Run;
use crate::trace::Trace;

/// An alert as the incident knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The latest delivery that changed something.
    pub alert: Alert,
    /// When its present episode was first heard of, by our clock.
    pub fired_at: Timestamp,
}

/// Who took the incident over. Automation starts nothing new while a person has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    pub by: String,
    pub at: Timestamp,
}

/// The state of one incident after its latest event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    pub id: IncidentId,
    /// The sequence number of the latest event.
    pub version: u64,
    pub group_key: String,
    pub service: String,
    /// The worst that any of its alerts was.
    pub severity: Severity,
    pub title: String,
    pub status: Status,
    pub opened_at: Timestamp,
    pub updated_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
    pub alerts: BTreeMap<Fingerprint, Member>,
    pub acknowledged: Option<Acknowledgement>,
    pub escalated_because: Option<String>,
    /// All but the last have ended.
    pub runs: Vec<Run>,
    pub considered: Option<Trace>,
    /// Sequence number of the event told of → channels that were told: the ledger of pages sent.
    pub told: BTreeMap<u64, Vec<String>>,
}

impl Incident {
    pub fn firing(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.values().map(|member| &member.alert).filter(|alert| alert.is_firing())
    }

    pub fn is_firing(&self) -> bool {
        self.firing().next().is_some()
    }

    /// The run that has not ended, if there is one.
    pub fn active_run(&self) -> Option<&Run> {
        self.runs.last().filter(|run| run.is_active())
    }

    /// Channels that were told anything about this incident: those who get its resolve.
    pub fn channels_told(&self) -> Vec<&str> {
        let mut channels: Vec<&str> = self.told.values().flatten().map(String::as_str).collect();
        channels.sort_unstable();
        channels.dedup();
        channels
    }

    /// From opening to the resolve, once it is resolved.
    pub fn time_to_resolve(&self) -> Option<jiff::SignedDuration> {
        self.resolved_at.map(|at| at.duration_since(self.opened_at))
    }
}
