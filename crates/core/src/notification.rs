//! What people are told about an incident, and when.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::alert::{Link, Severity};
use crate::approval::{ApprovalToken, approval_token};
use crate::evidence::Reading;
use crate::ids::IncidentId;
use crate::incident::{Event, Incident, Outcome, Recorded};
use crate::ledger::RowState;
use crate::run::{Phase, Run};

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

impl Occasion {
    pub fn as_str(self) -> &'static str {
        match self {
            Occasion::Opened => "opened",
            Occasion::Reopened => "reopened",
            Occasion::ApprovalRequested => "approval_requested",
            Occasion::Escalated => "escalated",
            Occasion::Resolved => "resolved",
        }
    }

    /// The name of the event that it stands for.
    pub fn event(self) -> &'static str {
        match self {
            Occasion::Opened => "incident.opened",
            Occasion::Reopened => "incident.reopened",
            Occasion::ApprovalRequested => "approval.requested",
            Occasion::Escalated => "incident.escalated",
            Occasion::Resolved => "incident.resolved",
        }
    }
}

/// A name and a value worth a table row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    pub name: &'static str,
    pub value: String,
}

/// What a person is asked to decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    pub token: ApprovalToken,
    /// Where the answer is posted, from the root of the API.
    pub path: String,
    pub expires_at: Timestamp,
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
    /// What happened and what is asked of the reader; may have several lines.
    pub text: String,
    pub facts: Vec<Fact>,
    pub links: Vec<Link>,
    /// There when the reader is asked to approve a plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
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

/// A title longer than this does not fit a phone.
const TITLE: usize = 160;
/// Lists in a message stop here: the incident's page has the rest.
const MOST: usize = 10;

/// The message for an event, or `None` when nobody needs to know.
///
/// `incident` is its state now, which may be later than the event: an approval that nothing waits for any
/// more is not asked for.
pub fn notification(incident: &Incident, recorded: &Recorded) -> Option<Notification> {
    let told = match &recorded.event {
        Event::Opened { .. } => Told::new(Occasion::Opened, "Opened", firing(incident)),
        Event::Reopened { reason } => {
            let text = format!("{reason}\n{}", firing(incident));
            Told::new(Occasion::Reopened, "Reopened", text)
        }
        Event::Escalated { reason } => {
            let text = format!("{reason}\nNothing more is done automatically: a person must look.");
            Told::new(Occasion::Escalated, "Needs a person", text)
        }
        Event::Resolved { reason } => resolved(incident, recorded, reason),
        Event::ApprovalRequested { run, plan_hash, expires_at } => {
            asked(incident, *run, plan_hash, *expires_at)?
        }
        Event::AlertFired { .. }
        | Event::AlertUpdated { .. }
        | Event::AlertResolved { .. }
        | Event::AlertExpired { .. }
        | Event::AlertRecurred { .. }
        | Event::AlertFlapping { .. }
        | Event::AlertCollapsed { .. }
        | Event::Suppressed { .. }
        | Event::Unmuted { .. }
        | Event::Correlated { .. }
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
    let title = format!("{} [{}]: {}", told.word, incident.service, incident.title);
    Some(Notification {
        event_id: recorded.event_id(),
        incident: incident.id.clone(),
        occasion: told.occasion,
        severity: incident.severity,
        service: incident.service.clone(),
        title: one_line(&title, TITLE),
        text: told.text,
        facts: facts(incident),
        links: links(incident),
        asked: told.asked,
        at: recorded.at,
    })
}

struct Told {
    occasion: Occasion,
    word: String,
    text: String,
    asked: Option<Asked>,
}

impl Told {
    fn new(occasion: Occasion, word: impl Into<String>, text: String) -> Self {
        Self { occasion, word: word.into(), text, asked: None }
    }
}

fn firing(incident: &Incident) -> String {
    let since = incident.firing().map(|alert| alert.starts_at).min();
    let since = match since {
        Some(at) => format!("Firing since {at}."),
        None => "Nothing is firing any more.".to_owned(),
    };
    format!(
        "{since}\nA runbook may take it; until one does, it is yours. You hear again when a runbook needs a person and when it is over."
    )
}

fn resolved(incident: &Incident, recorded: &Recorded, reason: &str) -> Told {
    let lasted = words(recorded.at.duration_since(incident.opened_at));
    let text = format!("{reason}\nIt lasted {lasted}.");
    Told::new(Occasion::Resolved, format!("Resolved after {lasted}"), text)
}

fn asked(incident: &Incident, run: u32, plan_hash: &str, expires_at: Timestamp) -> Option<Told> {
    let run = incident.active_run().filter(|active| active.number == run)?;
    let plan = run.plan.as_ref().filter(|plan| plan.hash == plan_hash)?;
    if !matches!(run.phase, Phase::AwaitingApproval { .. }) {
        return None;
    }
    let token = approval_token(&incident.id, run.number, plan_hash);
    let path = token.path();
    let mut lines = vec![format!("`{}` asks before it acts:", plan.runbook)];
    lines.extend(
        plan.steps
            .iter()
            .take(MOST)
            .map(|step| format!("- {} {}: {}", step.action, step.target.id, step.effect)),
    );
    if plan.steps.len() > MOST {
        lines.push(format!("- and {} more", plan.steps.len() - MOST));
    }
    lines.push(format!("Approve or reject until {expires_at}: POST {path}"));
    let mut told = Told::new(Occasion::ApprovalRequested, "Approval wanted", lines.join("\n"));
    told.asked = Some(Asked { token, path, expires_at });
    Some(told)
}

fn facts(incident: &Incident) -> Vec<Fact> {
    let mut facts = Facts(Vec::new());
    facts.add("incident", &incident.id);
    facts.add("service", &incident.service);
    facts.add("severity", incident.severity.as_str());
    facts.add("status", incident.status.as_str());
    facts.add(
        "alerts",
        format!("{} firing of {}", incident.firing().count(), incident.alerts.len()),
    );
    facts.add("opened_at", incident.opened_at);
    if let Some(lasted) = incident.time_to_resolve() {
        facts.add("time_to_resolve", words(lasted));
    }
    if let Some(taken) = &incident.acknowledged {
        facts.add("acknowledged", format!("by {} at {}", taken.by, taken.at));
    }
    match incident.runs.last() {
        Some(run) => run_facts(&mut facts, run),
        None => {
            if let Some(trace) = &incident.considered {
                facts.add("runbook", &trace.decision);
            }
        }
    }
    facts.0
}

fn run_facts(facts: &mut Facts, run: &Run) {
    facts.add("runbook", format!("{} (run {})", run.runbook.runbook, run.number));
    for row in run.rows.iter().filter(|row| row.state != RowState::Planned).take(MOST) {
        let said = row.receipt.as_ref().map(|said| format!(" ({said})")).unwrap_or_default();
        let planned = &row.planned;
        let state = state(row.state);
        facts.add("action", format!("{} {}: {state}{said}", planned.action, planned.target.id));
    }
    if let Phase::Ended { outcome, reason } | Phase::Ending { outcome, reason } = &run.phase {
        facts.add("outcome", format!("{}: {reason}", outcome_word(*outcome)));
    }
    for evidence in run.evidence.iter().take(MOST) {
        let of = evidence.target.as_ref().map(|at| format!(" of {}", at.id)).unwrap_or_default();
        let (signal, reading) = (&evidence.signal, reading(evidence.reading));
        let (detail, at) = (&evidence.detail, evidence.at);
        facts.add("evidence", format!("{signal}{of} was {reading} at {at}: {detail}"));
    }
}

struct Facts(Vec<Fact>);

impl Facts {
    fn add(&mut self, name: &'static str, value: impl std::fmt::Display) {
        self.0.push(Fact { name, value: one_line(&value.to_string(), 500) });
    }
}

fn state(state: RowState) -> &'static str {
    match state {
        RowState::Planned => "planned",
        RowState::Claimed => "claimed",
        RowState::Sent => "sent",
        RowState::Confirmed => "confirmed",
        RowState::Unknown => "unknown whether done",
        RowState::Refused => "refused",
        RowState::Verified => "done, it helped",
        RowState::Ineffective => "done, it did not help",
        RowState::Harmful => "done, it did harm",
        RowState::Undone => "undone",
        RowState::Stuck => "its undo failed",
    }
}

fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Helped => "helped",
        Outcome::Useless => "useless",
        Outcome::Harmful => "harmful",
        Outcome::Held => "held",
        Outcome::Moot => "moot",
        Outcome::Abandoned => "abandoned",
    }
}

fn reading(reading: Reading) -> &'static str {
    match reading {
        Reading::Good => "good",
        Reading::Bad => "bad",
        Reading::Worse => "worse",
        Reading::Unreadable => "unreadable",
    }
}

/// Every page that an alert points at, once; those of firing alerts first.
fn links(incident: &Incident) -> Vec<Link> {
    let (firing, over): (Vec<_>, Vec<_>) =
        incident.alerts.values().map(|member| &member.alert).partition(|alert| alert.is_firing());
    let mut links: Vec<Link> = Vec::new();
    for link in firing.into_iter().chain(over).flat_map(|alert| &alert.links) {
        if links.len() < MOST && !links.iter().any(|known| known.url == link.url) {
            links.push(link.clone());
        }
    }
    links
}

/// `4m 10s`: whole seconds, as a person says it.
fn words(duration: SignedDuration) -> String {
    format!("{:#}", SignedDuration::from_secs(duration.as_secs().max(0)))
}

/// Without line breaks and control characters, and with at most `most` characters.
fn one_line(text: &str, most: usize) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|w| !w.is_empty())
        .collect();
    let line = words.join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let kept: String = line.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}…")
}
