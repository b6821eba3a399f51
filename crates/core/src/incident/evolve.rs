//! The fold: what each event makes of an incident.

use super::status::next;
use super::{Acknowledgement, Event, Incident, Recorded, Status};
use crate::run::{self, Run};

/// An event that cannot follow the state it was given; a stored stream never holds one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {seq} ({event}) does not fit: {why}")]
pub struct Illegal {
    pub seq: u64,
    pub event: &'static str,
    pub why: String,
}

/// Rebuilds an incident from all of its events.
pub fn replay<'a>(
    events: impl IntoIterator<Item = &'a Recorded>,
) -> Result<Option<Incident>, Illegal> {
    let mut incident: Option<Incident> = None;
    let mut last = None;
    for recorded in events {
        incident = Some(match incident {
            None => Incident::open(recorded)?,
            Some(incident) => incident.apply(recorded)?,
        });
        last = Some(recorded);
    }
    Ok(incident.map(|incident| Incident { head: last.map(Recorded::hash), ..incident }))
}

fn illegal(recorded: &Recorded, why: impl Into<String>) -> Illegal {
    Illegal { seq: recorded.seq, event: recorded.event.name(), why: why.into() }
}

impl Incident {
    /// The state after the first event.
    pub fn open(recorded: &Recorded) -> Result<Self, Illegal> {
        let Event::Opened { group_key, service, severity, title } = &recorded.event else {
            return Err(illegal(recorded, "an incident begins with `incident.opened`"));
        };
        if recorded.seq != 1 {
            return Err(illegal(recorded, "the first event has number 1"));
        }
        Ok(Self {
            id: recorded.incident.clone(),
            version: 1,
            head: None,
            group_key: group_key.clone(),
            service: service.clone(),
            severity: *severity,
            title: title.clone(),
            status: Status::Open,
            opened_at: recorded.at,
            updated_at: recorded.at,
            resolved_at: None,
            resolved_because: None,
            alerts: std::collections::BTreeMap::new(),
            acknowledged: None,
            muted: None,
            resting: None,
            parent: None,
            escalated_because: None,
            runs: Vec::new(),
            proposed: None,
            considered: None,
            news: 0,
            urgent: Vec::new(),
            told: std::collections::BTreeMap::new(),
            heard: std::collections::BTreeMap::new(),
        })
    }

    /// The state after one more event.
    pub fn apply(mut self, recorded: &Recorded) -> Result<Self, Illegal> {
        self.take(recorded)?;
        Ok(self)
    }

    /// As [`apply`](Self::apply), in place. What an illegal event leaves behind is no state to go on with.
    pub(crate) fn take(&mut self, recorded: &Recorded) -> Result<(), Illegal> {
        if recorded.seq != self.version + 1 {
            return Err(illegal(
                recorded,
                format!("after {} comes {}", self.version, self.version + 1),
            ));
        }
        if recorded.incident != self.id {
            return Err(illegal(recorded, format!("it belongs to {}", recorded.incident)));
        }
        let at = recorded.at;
        match &recorded.event {
            Event::Opened { .. } => return Err(illegal(recorded, "it is open already")),
            Event::AlertFired { .. }
            | Event::AlertUpdated { .. }
            | Event::AlertResolved { .. }
            | Event::AlertExpired { .. }
            | Event::AlertRecurred { .. }
            | Event::AlertFlapping { .. }
            | Event::AlertCollapsed { .. } => {
                self.follow(recorded).ok_or_else(|| illegal(recorded, "no such alert"))?;
            }
            Event::Suppressed { muted } => self.muted = Some(muted.clone()),
            Event::Unmuted { .. } => {
                self.muted = None;
                self.resting = None;
            }
            Event::Correlated { parent } => self.parent = Some(parent.clone()),
            Event::Considered { trace } => {
                self.considered = Some(trace.clone());
                self.resting.clone_from(&trace.muted);
            }
            Event::RunStarted { .. } => self.begin_run(recorded)?,
            Event::Observed { run, .. }
            | Event::Held { run, .. }
            | Event::Planned { run, .. }
            | Event::ApprovalRequested { run, .. }
            | Event::ApprovalGranted { run, .. }
            | Event::ApprovalRejected { run, .. }
            | Event::ApprovalVoided { run, .. }
            | Event::StepClaimed { run, .. }
            | Event::StepSent { run, .. }
            | Event::StepConfirmed { run, .. }
            | Event::StepUnknown { run, .. }
            | Event::StepRefused { run, .. }
            | Event::StepChecked { run, .. }
            | Event::StepVerified { run, .. }
            | Event::StepIneffective { run, .. }
            | Event::StepHarmful { run, .. }
            | Event::StepUndone { run, .. }
            | Event::StepStuck { run, .. }
            | Event::RunEnded { run, .. } => {
                let active = self
                    .runs
                    .last_mut()
                    .filter(|active| active.number == *run && active.is_active())
                    .ok_or_else(|| illegal(recorded, "that run is not active"))?;
                if let Some(muted) = recorded.event.trace().and_then(|trace| trace.muted.clone()) {
                    self.resting = Some(muted);
                }
                run::evolve(active, &recorded.event, at).map_err(|why| illegal(recorded, why))?;
            }
            Event::Escalated { reason } => self.escalated_because = Some(reason.clone()),
            Event::Acknowledged { by } => {
                self.acknowledged = Some(Acknowledgement { by: by.clone(), at });
            }
            Event::Proposed { proposal } => self.proposed = Some(proposal.clone()),
            Event::Noted { .. } | Event::Notified { .. } | Event::TrustLost { .. } => {}
            Event::Resolved { reason } => {
                if !self.status.is_live() {
                    return Err(illegal(recorded, "it is resolved already"));
                }
                self.resolved_at = Some(at);
                // What was asked for then is not begun when it comes back.
                self.proposed = None;
                self.muted = None;
                self.resting = None;
                self.resolved_because = Some(reason.clone());
            }
            Event::Reopened { .. } => {
                self.resolved_at = None;
                self.resolved_because = None;
                self.acknowledged = None;
                self.parent = None;
            }
            Event::Closed { .. } => {
                if self.status != Status::Resolved {
                    return Err(illegal(recorded, "only a resolved incident is closed"));
                }
            }
        }
        self.remember_for_telling(recorded.seq, at, &recorded.event);
        self.status = next(self.status, recorded.event.name());
        self.version = recorded.seq;
        self.updated_at = at;
        Ok(())
    }

    fn begin_run(&mut self, recorded: &Recorded) -> Result<(), Illegal> {
        let Event::RunStarted {
            run,
            runbook,
            driver,
            settle_until,
            deadline,
            requested_by,
            mode,
            trace: _,
        } = &recorded.event
        else {
            return Ok(());
        };
        if self.active_run().is_some() {
            return Err(illegal(recorded, "another run is active"));
        }
        self.proposed = None;
        let times = (recorded.at, *settle_until, *deadline);
        self.runs.push(Run {
            requested_by: requested_by.clone(),
            mode: mode.unwrap_or(runbook.mode),
            ..Run::started(*run, runbook, driver, times)
        });
        Ok(())
    }
}
