//! What people are told about an incident, and when.

use jiff::Timestamp;
use serde::Serialize;

use crate::alert::Severity;
use crate::ids::IncidentId;
use crate::incident::{Event, Incident, Recorded};

/// Why somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    Opened,
    Reopened,
    ApprovalRequested,
    Escalated,
    Resolved,
}

/// One message, before any channel gave it a form.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Notification {
    /// Stable across redeliveries: `<incident id>:<sequence number>`.
    pub event_id: String,
    pub incident: IncidentId,
    pub occasion: Occasion,
    pub severity: Severity,
    pub service: String,
    /// One line that stands alone.
    pub title: String,
    /// What happened and what is asked of the reader.
    pub text: String,
    /// Names and values worth a table row.
    pub facts: Vec<(String, String)>,
    pub at: Timestamp,
}

/// Event names that people are told of; the rule on the bus lists the same.
pub const TOLD: &[&str] = &[
    "approval.requested",
    "incident.escalated",
    "incident.opened",
    "incident.reopened",
    "incident.resolved",
];

/// The message for an event, or `None` when nobody needs to know.
pub fn notification(incident: &Incident, recorded: &Recorded) -> Option<Notification> {
    let (occasion, text) = match &recorded.event {
        Event::Opened { title, .. } => (Occasion::Opened, title.clone()),
        Event::Reopened { reason } => (Occasion::Reopened, reason.clone()),
        Event::Escalated { reason } => (Occasion::Escalated, reason.clone()),
        Event::Resolved { reason } => (Occasion::Resolved, reason.clone()),
        Event::ApprovalRequested { plan_hash, expires_at, .. } => {
            let lines = incident
                .active_run()
                .and_then(|run| run.plan.as_ref())
                .map(|plan| plan.lines().join("; "))
                .unwrap_or_default();
            let text = format!("{lines} waits for approval until {expires_at} (plan {plan_hash})");
            (Occasion::ApprovalRequested, text)
        }
        Event::AlertFired { .. }
        | Event::AlertUpdated { .. }
        | Event::AlertResolved { .. }
        | Event::Considered { .. }
        | Event::RunStarted { .. }
        | Event::Observed { .. }
        | Event::Held { .. }
        | Event::Planned { .. }
        | Event::ApprovalGranted { .. }
        | Event::ApprovalRejected { .. }
        | Event::StepClaimed { .. }
        | Event::StepSent { .. }
        | Event::StepConfirmed { .. }
        | Event::StepUnknown { .. }
        | Event::StepRefused { .. }
        | Event::StepChecked { .. }
        | Event::StepVerified { .. }
        | Event::StepIneffective { .. }
        | Event::StepHarmful { .. }
        | Event::StepUndone { .. }
        | Event::StepStuck { .. }
        | Event::RunEnded { .. }
        | Event::Acknowledged { .. }
        | Event::Noted { .. }
        | Event::Closed { .. }
        | Event::Notified { .. } => return None,
    };
    Some(Notification {
        event_id: recorded.event_id(),
        incident: incident.id.clone(),
        occasion,
        severity: incident.severity,
        service: incident.service.clone(),
        title: format!("{}: {}", word(occasion), incident.title),
        text,
        facts: facts(incident),
        at: recorded.at,
    })
}

fn word(occasion: Occasion) -> &'static str {
    match occasion {
        Occasion::Opened => "Opened",
        Occasion::Reopened => "Reopened",
        Occasion::ApprovalRequested => "Approval wanted",
        Occasion::Escalated => "Needs a person",
        Occasion::Resolved => "Resolved",
    }
}

fn facts(incident: &Incident) -> Vec<(String, String)> {
    let mut facts = vec![
        ("incident".to_owned(), incident.id.to_string()),
        ("service".to_owned(), incident.service.clone()),
        ("severity".to_owned(), incident.severity.as_str().to_owned()),
        ("status".to_owned(), incident.status.as_str().to_owned()),
        ("alerts".to_owned(), incident.alerts.len().to_string()),
    ];
    if let Some(run) = incident.runs.last() {
        facts.push(("runbook".to_owned(), run.runbook.runbook.to_string()));
    }
    facts
}
