//! Domain events: the only way in which an incident changes, and at once its audit trail and outbox.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Flush;
use crate::alert::{Alert, Severity};
use crate::audit::EventHash;
use crate::evidence::{Evidence, Observation, Verdict};
use crate::fingerprint::Fingerprint;
use crate::ids::IncidentId;
use crate::muting::{Muted, Parent};
use crate::plan::Plan;
use crate::proposal::Proposal;
use crate::runbook::{Mode, Runbook};
use crate::trace::Trace;

/// What happened. The serialised form is a stored contract: fields are added, never renamed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    #[serde(rename = "incident.opened")]
    Opened { group_key: String, service: String, severity: Severity, title: String },
    #[serde(rename = "alert.fired")]
    AlertFired {
        #[serde(with = "crate::shared")]
        alert: Arc<Alert>,
    },
    #[serde(rename = "alert.updated")]
    AlertUpdated {
        #[serde(with = "crate::shared")]
        alert: Arc<Alert>,
    },
    #[serde(rename = "alert.resolved")]
    AlertResolved { fingerprint: Fingerprint, ends_at: Timestamp },
    /// Nothing was heard of it for too long: it counts as over. No evidence of anything.
    #[serde(rename = "alert.expired")]
    AlertExpired { fingerprint: Fingerprint, ends_at: Timestamp, reason: String },
    /// It was in another incident a short while ago, with these changes of state.
    #[serde(rename = "alert.recurred")]
    AlertRecurred { fingerprint: Fingerprint, before: IncidentId, changes: Vec<Timestamp> },
    /// It changes its state too often; said once, until it has settled.
    #[serde(rename = "alert.flapping")]
    AlertFlapping { fingerprint: Fingerprint, changes: usize, until: Timestamp },
    /// One fingerprint stands for too many things; said once.
    #[serde(rename = "alert.collapsed")]
    AlertCollapsed { fingerprint: Fingerprint, targets: BTreeSet<String> },
    /// Nobody is told and nothing is done while the mute holds.
    #[serde(rename = "incident.suppressed")]
    Suppressed { muted: Muted },
    /// What muted it is over, and it still fires: people are told, and runbooks are asked again.
    #[serde(rename = "incident.unmuted")]
    Unmuted { reason: String },
    /// A service that this one's depends on has a firing incident.
    #[serde(rename = "incident.correlated")]
    Correlated { parent: Parent },
    /// The runbooks were asked and none runs; the trace says why.
    #[serde(rename = "incident.considered")]
    Considered { trace: Trace },
    #[serde(rename = "run.started")]
    RunStarted {
        run: u32,
        runbook: Box<Runbook>,
        driver: String,
        settle_until: Timestamp,
        deadline: Timestamp,
        trace: Trace,
        /// Who asked for it, where it was not the alert alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        requested_by: Option<String>,
        /// How far it may go; left out, as far as its runbook says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mode: Option<Mode>,
    },
    /// Somebody who may not act asks for a run.
    #[serde(rename = "run.proposed")]
    Proposed { proposal: Box<Proposal> },
    #[serde(rename = "run.observed")]
    Observed { run: u32, observations: Vec<Observation> },
    #[serde(rename = "run.held")]
    Held { run: u32, trace: Trace },
    #[serde(rename = "run.planned")]
    Planned { run: u32, plan: Plan, trace: Trace },
    #[serde(rename = "approval.requested")]
    ApprovalRequested { run: u32, plan_hash: String, expires_at: Timestamp },
    #[serde(rename = "approval.granted")]
    ApprovalGranted { run: u32, plan_hash: String, by: String },
    #[serde(rename = "approval.rejected")]
    ApprovalRejected { run: u32, plan_hash: String, by: String, reason: String },
    /// What was approved is not what would be done now; nothing was done.
    #[serde(rename = "approval.voided")]
    ApprovalVoided { run: u32, plan_hash: String, reason: String },
    #[serde(rename = "step.claimed")]
    StepClaimed {
        run: u32,
        row: usize,
        fence: u64,
        /// The groups whose budgets it is booked in.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        groups: Vec<String>,
    },
    /// Written before the call.
    #[serde(rename = "step.sent")]
    StepSent { run: u32, row: usize },
    #[serde(rename = "step.confirmed")]
    StepConfirmed { run: u32, row: usize, receipt: String },
    #[serde(rename = "step.unknown")]
    StepUnknown { run: u32, row: usize, reason: String },
    #[serde(rename = "step.refused")]
    StepRefused { run: u32, row: usize, reason: String, trace: Option<Trace> },
    #[serde(rename = "step.checked")]
    StepChecked { run: u32, step: usize, evidence: Vec<Evidence> },
    #[serde(rename = "step.verified")]
    StepVerified { run: u32, step: usize, verdict: Verdict },
    #[serde(rename = "step.ineffective")]
    StepIneffective { run: u32, step: usize, verdict: Verdict },
    #[serde(rename = "step.harmful")]
    StepHarmful { run: u32, step: usize, verdict: Verdict },
    #[serde(rename = "step.undone")]
    StepUndone { run: u32, row: usize, receipt: String },
    #[serde(rename = "step.stuck")]
    StepStuck { run: u32, row: usize, reason: String },
    #[serde(rename = "run.ended")]
    RunEnded { run: u32, outcome: Outcome, reason: String },
    /// An action of the run goes less far from now on, because of what it showed.
    #[serde(rename = "trust.lost")]
    TrustLost {
        run: u32,
        action: String,
        environment: String,
        from: Mode,
        to: Mode,
        reason: String,
    },
    #[serde(rename = "incident.escalated")]
    Escalated { reason: String },
    #[serde(rename = "incident.acknowledged")]
    Acknowledged { by: String },
    #[serde(rename = "incident.noted")]
    Noted { by: String, text: String },
    #[serde(rename = "incident.resolved")]
    Resolved { reason: String },
    #[serde(rename = "incident.reopened")]
    Reopened { reason: String },
    #[serde(rename = "incident.closed")]
    Closed { reason: String },
    /// A message went out (or could not): kept so that the next one, and the resolve, can follow it.
    #[serde(rename = "channel.notified")]
    Notified {
        channel: String,
        about: u64,
        delivered: bool,
        detail: String,
        /// The channel will not take it as it is set up now.
        #[serde(default, skip_serializing_if = "is_false")]
        refused: bool,
        /// What it said of the group; `None` for what is told at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        flush: Option<Box<Flush>>,
    },
}

/// The names of the events that wake a driver, in order; the rule on the bus lists the same.
pub const WAKES_DRIVER: &[&str] =
    &["alert.fired", "incident.resolved", "incident.unmuted", "run.proposed"];

/// The names of the events after which somebody may have to be told; the rule on the bus lists the same.
///
/// An opening and a reopening come with their alert.
pub const WAKES_TELLING: &[&str] = &[
    "alert.expired",
    "alert.fired",
    "alert.flapping",
    "alert.resolved",
    "alert.updated",
    "approval.requested",
    "incident.escalated",
    "incident.resolved",
    "incident.unmuted",
    "step.harmful",
    "step.sent",
    "step.verified",
];

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// How a run ended. Every run ends in exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Helped,
    Useless,
    Harmful,
    /// A guard, a person or the provider said no, and nothing more was done.
    Held,
    /// The problem went away before anything was done.
    Moot,
    /// It took longer than it may, or its driver died.
    Abandoned,
}

impl Event {
    /// The stable dotted name, also the detail type on the bus.
    pub fn name(&self) -> &'static str {
        match self {
            Event::Opened { .. } => "incident.opened",
            Event::AlertFired { .. } => "alert.fired",
            Event::AlertUpdated { .. } => "alert.updated",
            Event::AlertResolved { .. } => "alert.resolved",
            Event::AlertExpired { .. } => "alert.expired",
            Event::AlertRecurred { .. } => "alert.recurred",
            Event::AlertFlapping { .. } => "alert.flapping",
            Event::AlertCollapsed { .. } => "alert.collapsed",
            Event::Suppressed { .. } => "incident.suppressed",
            Event::Unmuted { .. } => "incident.unmuted",
            Event::Correlated { .. } => "incident.correlated",
            Event::Considered { .. } => "incident.considered",
            Event::RunStarted { .. } => "run.started",
            Event::Proposed { .. } => "run.proposed",
            Event::Observed { .. } => "run.observed",
            Event::Held { .. } => "run.held",
            Event::Planned { .. } => "run.planned",
            Event::ApprovalRequested { .. } => "approval.requested",
            Event::ApprovalGranted { .. } => "approval.granted",
            Event::ApprovalRejected { .. } => "approval.rejected",
            Event::ApprovalVoided { .. } => "approval.voided",
            Event::StepClaimed { .. } => "step.claimed",
            Event::StepSent { .. } => "step.sent",
            Event::StepConfirmed { .. } => "step.confirmed",
            Event::StepUnknown { .. } => "step.unknown",
            Event::StepRefused { .. } => "step.refused",
            Event::StepChecked { .. } => "step.checked",
            Event::StepVerified { .. } => "step.verified",
            Event::StepIneffective { .. } => "step.ineffective",
            Event::StepHarmful { .. } => "step.harmful",
            Event::StepUndone { .. } => "step.undone",
            Event::StepStuck { .. } => "step.stuck",
            Event::RunEnded { .. } => "run.ended",
            Event::TrustLost { .. } => "trust.lost",
            Event::Escalated { .. } => "incident.escalated",
            Event::Acknowledged { .. } => "incident.acknowledged",
            Event::Noted { .. } => "incident.noted",
            Event::Resolved { .. } => "incident.resolved",
            Event::Reopened { .. } => "incident.reopened",
            Event::Closed { .. } => "incident.closed",
            Event::Notified { .. } => "channel.notified",
        }
    }

    /// Why it was decided so, where the event is a decision.
    pub fn trace(&self) -> Option<&Trace> {
        if let Event::StepRefused { trace, .. } = self {
            return trace.as_ref();
        }
        if let Event::Considered { trace }
        | Event::RunStarted { trace, .. }
        | Event::Held { trace, .. }
        | Event::Planned { trace, .. } = self
        {
            return Some(trace);
        }
        None
    }

    /// The alert whose state it changes.
    pub fn changes_alert(&self) -> Option<&Fingerprint> {
        if let Event::AlertFired { alert } | Event::AlertUpdated { alert } = self {
            return Some(&alert.fingerprint);
        }
        if let Event::AlertResolved { fingerprint, .. } | Event::AlertExpired { fingerprint, .. } =
            self
        {
            return Some(fingerprint);
        }
        None
    }

    /// Whether a driver must look at the incident because of it: to remediate, or to close it in the end.
    pub fn wakes_driver(&self) -> bool {
        WAKES_DRIVER.contains(&self.name())
    }

    /// Whether people may have to be told because of it.
    pub fn wakes_telling(&self) -> bool {
        WAKES_TELLING.contains(&self.name())
    }
}

/// An event in its place: the n-th of its incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    pub incident: IncidentId,
    /// From 1, without gaps; also the version of the incident after it.
    pub seq: u64,
    pub at: Timestamp,
    pub event: Event,
    /// The hash of the event before it; the first one has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<EventHash>,
}

impl Recorded {
    /// Stable across redeliveries: what consumers deduplicate on.
    pub fn event_id(&self) -> String {
        format!("{}:{}", self.incident, self.seq)
    }
}
