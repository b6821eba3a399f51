//! What people are told about an incident: the words of a message, before any channel gave it a form.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::alert::{Link, Severity};
use crate::approval::{ApprovalToken, approval_token};
use crate::evidence::Reading;
use crate::fingerprint::Fingerprint;
use crate::ids::IncidentId;
use crate::incident::{Alarm, Flush, Incident, Outcome, Reason, Said};
use crate::ledger::RowState;
use crate::run::{Phase, Run};
use crate::runbook::Approvals;
use crate::telling::{Message, Says};

/// Why somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    Opened,
    Reopened,
    NewAlerts,
    StillFiring,
    SomeResolved,
    Resolved,
    ApprovalRequested,
    Escalated,
    Harmful,
    Started,
    Helped,
    Flapping,
}

impl Occasion {
    pub fn as_str(self) -> &'static str {
        match self {
            Occasion::Opened => "opened",
            Occasion::Reopened => "reopened",
            Occasion::NewAlerts => "new_alerts",
            Occasion::StillFiring => "still_firing",
            Occasion::SomeResolved => "some_resolved",
            Occasion::Resolved => "resolved",
            Occasion::ApprovalRequested => "approval_requested",
            Occasion::Escalated => "escalated",
            Occasion::Harmful => "harmful",
            Occasion::Started => "started",
            Occasion::Helped => "helped",
            Occasion::Flapping => "flapping",
        }
    }

    /// The name of the event that it stands for; nothing happens when it is said again that something fires.
    pub fn event(self) -> &'static str {
        match self {
            Occasion::Opened => "incident.opened",
            Occasion::Reopened => "incident.reopened",
            Occasion::NewAlerts => "alert.fired",
            Occasion::StillFiring => "incident.still_firing",
            Occasion::SomeResolved => "alert.resolved",
            Occasion::Resolved => "incident.resolved",
            Occasion::ApprovalRequested => "approval.requested",
            Occasion::Escalated => "incident.escalated",
            Occasion::Harmful => "step.harmful",
            Occasion::Started => "step.sent",
            Occasion::Helped => "step.verified",
            Occasion::Flapping => "alert.flapping",
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
    /// Stable across redeliveries, see [`Message::id`].
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

/// A title longer than this does not fit a phone.
const TITLE: usize = 160;
/// Lists in a message stop here: the incident's page has the rest.
const MOST: usize = 10;

/// The words of a message to a channel. `incident` is its state now, from which the message was decided.
pub fn notification(incident: &Incident, channel: &str, message: &Message) -> Notification {
    let known = incident.heard.get(channel).and_then(|heard| heard.last.as_ref());
    let told = match &message.says {
        Says::Alarm(urgent) => alarm(incident, &urgent.what),
        Says::Flush(flush) | Says::Silently(flush) => stand(incident, flush, known),
    };
    let title = format!("{} [{}]: {}", told.word, incident.service, incident.title);
    let mut facts = facts(incident);
    facts
        .extend(message.notes.iter().map(|note| Fact { name: "note", value: one_line(note, 500) }));
    Notification {
        event_id: message.id.clone(),
        incident: incident.id.clone(),
        occasion: told.occasion,
        severity: incident.severity,
        service: incident.service.clone(),
        title: one_line(&title, TITLE),
        text: told.text,
        facts,
        links: links(incident),
        asked: told.asked,
        at: message.at,
    }
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

fn alarm(incident: &Incident, alarm: &Alarm) -> Told {
    match alarm {
        Alarm::Escalated { reason } => {
            let text = format!("{reason}\nNothing more is done automatically: a person must look.");
            Told::new(Occasion::Escalated, "Needs a person", text)
        }
        Alarm::Harmful { reason, .. } => {
            let text =
                format!("{reason}\nWhat can be undone is undone now; you hear how that ends.");
            Told::new(Occasion::Harmful, "An action did harm", text)
        }
        Alarm::Started { run, row } => {
            let text = doing(incident, *run, *row);
            Told::new(Occasion::Started, "Acting", text)
        }
        Alarm::Helped { reason, .. } => {
            let text = format!("{reason}\nYou hear when all of it is over.");
            Told::new(Occasion::Helped, "It helped", text)
        }
        Alarm::Flapping { alert, changes, until } => {
            let title = titles(incident, std::iter::once(alert));
            let text = format!(
                "{title}\nIt changed its state {changes} times. You hear no more of it until it settles, {until} at the soonest, and no runbook takes it: find out why it flaps."
            );
            Told::new(Occasion::Flapping, "Flapping", text)
        }
        Alarm::ApprovalRequested { run, plan_hash, expires_at } => {
            asked(incident, *run, plan_hash, *expires_at)
        }
    }
}

/// The row of the ledger that is carried out.
fn doing(incident: &Incident, run: u32, row: usize) -> String {
    let known = incident.runs.iter().find(|known| known.number == run);
    match known.and_then(|run| Some((run, run.rows.get(row)?))) {
        Some((run, row)) => {
            let step = &row.planned;
            let (runbook, action, target) = (&run.runbook.runbook, &step.action, &step.target.id);
            format!("`{runbook}` does {action} to {target}: {}", step.effect)
        }
        None => "A runbook acts.".to_owned(),
    }
}

/// Where the group stands.
fn stand(incident: &Incident, flush: &Flush, known: Option<&Said>) -> Told {
    match flush.because {
        Reason::First if known.is_some() => {
            let text = format!("It fires again.\n{}", firing(incident, flush));
            Told::new(Occasion::Reopened, "Reopened", text)
        }
        Reason::First => Told::new(Occasion::Opened, "Opened", firing(incident, flush)),
        Reason::NewAlerts => {
            let new = flush.firing.iter().filter(|(alert, severity)| {
                let before = known.and_then(|known| known.flush.firing.get(*alert));
                before.is_none_or(|before| before < severity)
            });
            let text = format!(
                "New or worse:\n{}\n{} firing in all.",
                titles(incident, new.map(|(alert, _)| alert)),
                flush.firing.len()
            );
            Told::new(Occasion::NewAlerts, "More alerts", text)
        }
        Reason::SomeResolved => {
            let over = known.into_iter().flat_map(|known| known.flush.firing.keys());
            let over = over.filter(|alert| !flush.firing.contains_key(*alert));
            let text =
                format!("Over:\n{}\n{} still firing.", titles(incident, over), flush.firing.len());
            Told::new(Occasion::SomeResolved, "Partly resolved", text)
        }
        Reason::AllResolved => resolved(incident),
        Reason::Repeat => {
            let text = format!("Nothing has changed and nobody has taken it.\n{}", since(incident));
            Told::new(Occasion::StillFiring, "Still firing", text)
        }
    }
}

fn firing(incident: &Incident, flush: &Flush) -> String {
    let list = match flush.firing.len() {
        0 | 1 => String::new(),
        _ => format!("\n{}", titles(incident, flush.firing.keys())),
    };
    format!(
        "{}{list}\nA runbook may take it; until one does, it is yours. You hear again when a runbook needs a person and when it is over.",
        since(incident)
    )
}

fn since(incident: &Incident) -> String {
    match incident.firing().map(|alert| alert.starts_at).min() {
        Some(at) => format!("Firing since {at}."),
        None => "Nothing is firing any more.".to_owned(),
    }
}

/// One line each, as far as they fit.
fn titles<'a>(incident: &Incident, alerts: impl Iterator<Item = &'a Fingerprint>) -> String {
    let titles: Vec<String> = alerts
        .filter_map(|alert| incident.alerts.get(alert))
        .map(|member| format!("- {}", one_line(&member.alert.title, TITLE)))
        .collect();
    let mut lines: Vec<String> = titles.iter().take(MOST).cloned().collect();
    if titles.len() > MOST {
        lines.push(format!("- and {} more", titles.len() - MOST));
    }
    lines.join("\n")
}

fn resolved(incident: &Incident) -> Told {
    let (Some(at), Some(reason)) = (incident.resolved_at, &incident.resolved_because) else {
        let others = incident.firing().count();
        let text = format!(
            "Everything that you were told of is over; {others} other alerts of the incident fire."
        );
        return Told::new(Occasion::Resolved, "Resolved", text);
    };
    let lasted = words(at.duration_since(incident.opened_at));
    let text = format!("{reason}\nIt lasted {lasted}.");
    Told::new(Occasion::Resolved, format!("Resolved after {lasted}"), text)
}

/// The plan that waits for an answer; by its hash it is the one that was asked about.
fn asked(incident: &Incident, run: u32, plan_hash: &str, expires_at: Timestamp) -> Told {
    let token = approval_token(&incident.id, run, plan_hash);
    let path = token.path();
    let known = incident.runs.iter().find(|known| known.number == run);
    let plan = known.and_then(|run| run.plan.as_ref()).filter(|plan| plan.hash == plan_hash);
    let mut lines = Vec::new();
    if let Some(plan) = plan {
        lines.push(format!("`{}` asks before it acts:", plan.runbook));
        let steps = plan.steps.iter().take(MOST);
        lines.extend(
            steps.map(|step| format!("- {} {}: {}", step.action, step.target.id, step.effect)),
        );
        if plan.steps.len() > MOST {
            lines.push(format!("- and {} more", plan.steps.len() - MOST));
        }
    }
    lines.extend(known.and_then(|run| voices(&run.runbook.approvals)));
    lines.push(format!("Approve or reject until {expires_at}: POST {path}"));
    let mut told = Told::new(Occasion::ApprovalRequested, "Approval wanted", lines.join("\n"));
    told.asked = Some(Asked { token, path, expires_at });
    told
}

/// Whose yes is needed, where it is not one of anybody.
fn voices(approvals: &Approvals) -> Option<String> {
    let Approvals { of, from, not_by_requester: _ } = approvals;
    match (of, from.as_slice()) {
        (0 | 1, []) => None,
        (_, []) => Some(format!("{of} different people must approve.")),
        (_, from) => Some(format!("{of} of {} must approve.", from.join(", "))),
    }
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
    if let Some(parent) = &incident.parent {
        let (service, incident) = (&parent.service, &parent.incident);
        facts.add("parent", format!("{service}, which it depends on, has {incident} firing"));
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
