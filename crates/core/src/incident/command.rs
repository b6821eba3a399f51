//! What people may do to an incident, and why it may be refused.

use jiff::Timestamp;

use super::{Event, Incident};
use crate::run::{Phase, Run};
use crate::runbook::{NoVoice, is_same};

/// A person's wish. `by` is a name that the record keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Acknowledge { by: String },
    Note { by: String, text: String },
    Resolve { by: String, reason: String },
    Approve { by: String, plan_hash: String },
    Reject { by: String, plan_hash: String, reason: String },
    Escalate { reason: String },
}

/// Why a command changes nothing; the text says what is the case instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the incident is {0} already")]
    Already(&'static str),
    #[error("nothing waits for this approval: it was decided, it expired, or the plan changed")]
    NoSuchApproval,
    #[error("`{by}` is not among those who are asked: {}", from.join(", "))]
    NotAsked { by: String, from: Vec<String> },
    #[error("`{0}` asked for this run: somebody else must approve it")]
    OwnRequest(String),
    #[error("{0} is empty")]
    Empty(&'static str),
}

impl Command {
    /// The events that carry the command out.
    pub fn decide(self, incident: &Incident, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        match self {
            Command::Acknowledge { by } => {
                not_empty("the name of who acknowledges", &by)?;
                match &incident.acknowledged {
                    Some(taken) if taken.by == by => Err(Refusal::Already("acknowledged by you")),
                    _ if !incident.status.is_live() => {
                        Err(Refusal::Already(incident.status.as_str()))
                    }
                    _ => Ok(vec![Event::Acknowledged { by }]),
                }
            }
            Command::Note { by, text } => {
                not_empty("the name of who notes", &by)?;
                not_empty("the note", &text)?;
                Ok(vec![Event::Noted { by, text }])
            }
            Command::Resolve { by, reason } => {
                not_empty("the name of who resolves", &by)?;
                if !incident.status.is_live() {
                    return Err(Refusal::Already(incident.status.as_str()));
                }
                // Who ends it has it: what people end does not count as having healed by itself.
                let taken = incident.acknowledged.is_none();
                let taken = taken.then(|| Event::Acknowledged { by: by.clone() });
                let firing = incident.firing().map(|alert| Event::AlertResolved {
                    fingerprint: alert.fingerprint.clone(),
                    ends_at: now,
                });
                let resolved = Event::Resolved { reason: format!("{by}: {reason}") };
                Ok(taken.into_iter().chain(firing).chain(std::iter::once(resolved)).collect())
            }
            Command::Approve { by, plan_hash } => {
                not_empty("the name of who approves", &by)?;
                let run = awaiting(incident, &plan_hash, now)?;
                may_approve(run, &by)?;
                Ok(vec![Event::ApprovalGranted { run: run.number, plan_hash, by }])
            }
            Command::Reject { by, plan_hash, reason } => {
                not_empty("the name of who rejects", &by)?;
                let run = awaiting(incident, &plan_hash, now)?;
                Ok(vec![Event::ApprovalRejected { run: run.number, plan_hash, by, reason }])
            }
            Command::Escalate { reason } => {
                if incident.active_run().is_some()
                    || !matches!(incident.status, super::Status::Open)
                {
                    return Err(Refusal::Already(incident.status.as_str()));
                }
                Ok(vec![Event::Escalated { reason }])
            }
        }
    }
}

fn not_empty(what: &'static str, text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() { Err(Refusal::Empty(what)) } else { Ok(()) }
}

/// Whether the person's yes counts, and was not given yet.
fn may_approve(run: &Run, by: &str) -> Result<(), Refusal> {
    let approvals = &run.runbook.approvals;
    approvals.hears(by, run.requested_by.as_deref()).map_err(|why| match why {
        NoVoice::NotNamed => Refusal::NotAsked { by: by.to_owned(), from: approvals.from.clone() },
        NoVoice::Requester => Refusal::OwnRequest(by.to_owned()),
    })?;
    if run.approvals.iter().any(|said| is_same(&said.by, by)) {
        return Err(Refusal::Already("approved by you; it waits for others"));
    }
    Ok(())
}

fn awaiting<'a>(incident: &'a Incident, hash: &str, now: Timestamp) -> Result<&'a Run, Refusal> {
    let run = incident.active_run().ok_or(Refusal::NoSuchApproval)?;
    if let Phase::AwaitingApproval { plan_hash, expires_at } = &run.phase
        && plan_hash == hash
        && now < *expires_at
    {
        return Ok(run);
    }
    Err(Refusal::NoSuchApproval)
}
