//! The incident: an aggregate that is nothing but the fold of its events.

mod command;
pub mod event;
mod evolve;
mod expire;
mod growth;
mod intake;
mod log;
mod memory;
mod receive;
mod record;
mod seen;
mod status;
mod upkeep;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use command::{Command, Refusal};
pub use event::{Event, Outcome, Recorded};
pub use evolve::{Illegal, replay};
pub use expire::{LastHeard, expire, expires_at};
pub use growth::Growth;
pub use intake::{Intake, MOST_SETTLED, settle, settle_mutes};
pub use log::{Alarm, Failed, Flush, Heard, Reason, Said, Urgent};
pub use memory::{Episode, MOST_TARGETS, target_of};
pub use receive::{Received, Verdict as IntakeVerdict, receive};
pub use seen::Seen;
pub use status::{Status, TRANSITIONS, transitions_table};
pub use upkeep::upkeep;

use crate::alert::{Alert, Severity};
use crate::audit::EventHash;
use crate::fingerprint::Fingerprint;
use crate::ids::IncidentId;
use crate::muting::{Muted, Parent};
use crate::proposal::Proposal;
use crate::run::Run;
use crate::trace::Trace;

/// An alert as the incident knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The latest delivery that changed something.
    #[serde(with = "crate::shared")]
    pub alert: Arc<Alert>,
    /// When its present episode was first heard of, by our clock.
    pub fired_at: Timestamp,
    /// When it last began, ended or got worse, by our clock.
    #[serde(default)]
    pub news: Mark,
    /// When its latest delivery that changed something came, by our clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// When it last fired or ended, by our clock, oldest first: what flapping is told from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Timestamp>,
    /// When people were told that it flaps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flapping_said: Option<Timestamp>,
    /// The different things that its deliveries named, a bounded number of them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub targets: BTreeSet<String>,
    /// It ended because it was not heard of any more, not because its sender said so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expired: bool,
}

/// A point of an incident's record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub seq: u64,
    pub at: Timestamp,
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
    /// The hash of the latest event that was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<EventHash>,
    pub group_key: String,
    pub service: String,
    /// The worst that any of its alerts was.
    pub severity: Severity,
    pub title: String,
    pub status: Status,
    pub opened_at: Timestamp,
    pub updated_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
    #[serde(default)]
    pub resolved_because: Option<String>,
    pub alerts: BTreeMap<Fingerprint, Member>,
    pub acknowledged: Option<Acknowledgement>,
    /// Why nobody is told of it for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted: Option<Muted>,
    /// Why no runbook takes it for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resting: Option<Muted>,
    /// The firing incident of a service that this one's depends on, the latest that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    pub escalated_because: Option<String>,
    /// All but the last have ended.
    pub runs: Vec<Run>,
    /// What somebody asked for, until a run begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<Box<Proposal>>,
    pub considered: Option<Trace>,
    /// The number of the latest event that people may have to be told of.
    #[serde(default)]
    pub news: u64,
    /// What is told at once, the latest few.
    #[serde(default)]
    pub urgent: Vec<Urgent>,
    /// Number of an event that was told at once → channels that it reached.
    pub told: BTreeMap<u64, Vec<String>>,
    /// What each channel heard: the notification log.
    #[serde(default)]
    pub heard: BTreeMap<String, Heard>,
}

impl Incident {
    pub fn firing(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.values().map(|member| &*member.alert).filter(|alert| alert.is_firing())
    }

    pub fn is_firing(&self) -> bool {
        self.firing().next().is_some()
    }

    /// The run that has not ended, if there is one.
    pub fn active_run(&self) -> Option<&Run> {
        self.runs.last().filter(|run| run.is_active())
    }

    /// From opening to the resolve, once it is resolved.
    pub fn time_to_resolve(&self) -> Option<jiff::SignedDuration> {
        self.resolved_at.map(|at| at.duration_since(self.opened_at))
    }
}
