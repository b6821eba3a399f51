//! Intake: from an authenticated delivery to durable incidents. Answers only after the commit.

mod batch;
mod formerly;
mod working;

use firebreak_core::alert::Alert;
use firebreak_core::fingerprint::Fingerprint;
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::IntakeVerdict;
use firebreak_core::routing::Routes;
use firebreak_core::sources::{self, Delivery, Intake, Options, Problem, Reject, Source};
use jiff::SignedDuration;
use serde::Serialize;

pub use batch::{Taken, take_all};

use crate::ports::{Clock, Store, StoreError};
use crate::quarantine::keep;

/// What intake works with.
#[derive(Clone, Copy)]
pub struct Ingest<'a> {
    pub store: &'a dyn Store,
    pub clock: &'a dyn Clock,
    /// Says which alerts belong together.
    pub routes: &'a Routes,
    /// For how long after its resolve an incident is reopened rather than followed by a new one.
    pub reopen_within: SignedDuration,
}

/// What became of a delivery; the webhook's answer is this, as JSON.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    pub accepted: Vec<Accepted>,
    pub quarantined: Vec<Kept>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub heartbeats: Vec<String>,
    /// What a person should know though nothing was lost.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Accepted {
    pub index: usize,
    pub fingerprint: Fingerprint,
    /// `None` for a resolve of something that was never open here.
    pub incident_id: Option<IncidentId>,
    pub outcome: IntakeVerdict,
}

#[derive(Debug, Serialize)]
pub struct Kept {
    pub id: String,
    /// `None` for the whole body.
    pub index: Option<usize>,
    pub error: KeptBecause,
}

#[derive(Debug, Serialize)]
pub struct KeptBecause {
    pub code: String,
    pub message: String,
}

/// Takes a delivery in. An error means that a part may not be stored: the sender must send all of it again,
/// which is safe, since what was stored is recognised.
pub async fn ingest(
    ingest: Ingest<'_>,
    source: &dyn Source,
    delivery: &Delivery<'_>,
) -> Result<Report, StoreError> {
    let Intake { alerts, heartbeats, mut rejects, controls, mut findings } = read(source, delivery);
    findings.extend(controls.iter().map(|(_, control)| control.told()));
    let mut report = Report { findings, ..Report::default() };
    let (accepted, refused) = place(ingest, alerts).await?;
    report.accepted = accepted;
    rejects.extend(refused);
    for (_, name) in heartbeats {
        ingest.store.count(&format!("heartbeat.{}.{name}", source.name())).await?;
        report.heartbeats.push(name);
    }
    if !rejects.is_empty() {
        report.quarantined = keep(ingest, source.name(), delivery, rejects).await?;
    }
    Ok(report)
}

/// What a delivery says.
pub(crate) fn read(source: &dyn Source, delivery: &Delivery<'_>) -> Intake {
    sources::read(source, delivery, &Options::default())
}

/// Takes the alerts of a delivery in: what became of each, and those that the record takes at no attempt.
pub(crate) async fn place(
    ingest: Ingest<'_>,
    alerts: Vec<(usize, Alert)>,
) -> Result<(Vec<Accepted>, Vec<Reject>), StoreError> {
    let (indexes, alerts): (Vec<usize>, Vec<Alert>) =
        alerts.into_iter().map(|(index, alert)| (index, alert.clipped())).unzip();
    let alerts = formerly::known_as(ingest.store, alerts).await?;
    let taken = take_all(ingest, &alerts).await;
    let (mut accepted, mut refused) = (Vec::new(), Vec::new());
    for ((index, alert), taken) in indexes.into_iter().zip(alerts).zip(taken) {
        match taken {
            Ok(Taken { incident_id, outcome }) => accepted.push(Accepted {
                index,
                fingerprint: alert.fingerprint,
                incident_id,
                outcome,
            }),
            Err(error @ StoreError::Unavailable(_)) => return Err(error),
            Err(StoreError::Corrupt(why)) => refused.push(unplaced(index, &alert, &why)),
        }
    }
    Ok((accepted, refused))
}

/// An alert that the record takes at no attempt is kept for people, so that it holds up none of the others.
fn unplaced(index: usize, alert: &Alert, why: &str) -> Reject {
    let message = format!("the alert cannot be recorded: {why}; its delivery is kept whole");
    Reject {
        index: Some(index),
        problem: Problem { code: "record", message },
        raw: serde_json::to_string(alert).unwrap_or_default(),
    }
}
