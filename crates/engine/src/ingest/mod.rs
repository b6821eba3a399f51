//! Intake: from an authenticated delivery to durable incidents. Answers only after the commit.

mod batch;
mod formerly;
mod working;

use std::sync::Arc;

use firebreak_core::alert::Alert;
use firebreak_core::fingerprint::Fingerprint;
use firebreak_core::heartbeat::Heard;
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::IntakeVerdict;
use firebreak_core::policy::Policy;
use firebreak_core::routing::Routes;
use firebreak_core::sources::{self, Delivery, Intake, Problem, Reject, Source};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

pub(crate) use batch::write_all;
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
    /// Says what is muted.
    pub policy: &'a Policy,
    /// For how long after its resolve an incident is reopened rather than followed by a new one.
    pub reopen_within: SignedDuration,
}

/// What became of a delivery; the webhook's answer is this, as JSON.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    pub accepted: Vec<Accepted>,
    pub quarantined: Vec<Kept>,
    /// The store is down: the delivery waits where it is durable, and is taken in later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spilled: Option<Waits>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub heartbeats: Vec<String>,
    /// What a person should know though nothing was lost.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
}

/// A delivery that waits in the spill.
#[derive(Debug, Clone, Serialize)]
pub struct Waits {
    pub id: String,
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
    let (reading, alerts) = Reading::of(ingest, source, delivery).await?;
    let taken = take_all(ingest, &alerts).await;
    reading.answered(ingest, delivery, &alerts, taken).await
}

/// What a delivery says, its alerts identified as the policy asks for.
pub(crate) fn read(policy: &Policy, source: &dyn Source, delivery: &Delivery<'_>) -> Intake {
    sources::read(source, delivery, &policy.options(source.name()))
}

/// A delivery as it was understood, beside its alerts.
pub(crate) struct Reading {
    source: &'static str,
    /// Where in the delivery each alert stands.
    indexes: Vec<usize>,
    heartbeats: Vec<String>,
    rejects: Vec<Reject>,
    findings: Vec<String>,
}

impl Reading {
    pub(crate) async fn of(
        ingest: Ingest<'_>,
        source: &dyn Source,
        delivery: &Delivery<'_>,
    ) -> Result<(Self, Vec<Arc<Alert>>), StoreError> {
        let Intake { alerts, heartbeats, rejects, controls, mut findings } =
            read(ingest.policy, source, delivery);
        findings.extend(controls.iter().map(|(_, control)| control.told()));
        let alerts = late(alerts, delivery.received_at, ingest.clock.now());
        let (indexes, alerts) = known(ingest, alerts).await?;
        let heartbeats = heartbeats.into_iter().map(|(_, name)| name).collect();
        Ok((Self { source: source.name(), indexes, heartbeats, rejects, findings }, alerts))
    }

    /// What the sender is told, once its alerts were taken and the rest of the delivery is kept as well.
    pub(crate) async fn answered(
        self,
        ingest: Ingest<'_>,
        delivery: &Delivery<'_>,
        alerts: &[Arc<Alert>],
        taken: Vec<Result<Taken, StoreError>>,
    ) -> Result<Report, StoreError> {
        let Self { source, indexes, heartbeats, mut rejects, findings } = self;
        let (accepted, refused) = sorted(indexes, alerts, taken)?;
        rejects.extend(refused);
        let mut report = Report { accepted, findings, ..Report::default() };
        for name in heartbeats {
            let (source, last) = (source.to_owned(), delivery.received_at);
            ingest.store.hear(&Heard { source, name: name.clone(), last }).await?;
            report.heartbeats.push(name);
        }
        if !rejects.is_empty() {
            report.quarantined = keep(ingest, source, delivery, rejects).await?;
        }
        Ok(report)
    }
}

/// Takes the alerts of a delivery in: what became of each, and those that the record takes at no attempt.
pub(crate) async fn place(
    ingest: Ingest<'_>,
    alerts: Vec<(usize, Alert)>,
) -> Result<(Vec<Accepted>, Vec<Reject>), StoreError> {
    let (indexes, alerts) = known(ingest, alerts).await?;
    let taken = take_all(ingest, &alerts).await;
    sorted(indexes, &alerts, taken)
}

/// Longer between a delivery and its record, and the alerts say when they reached us: nothing waited is young.
const LATE: SignedDuration = SignedDuration::from_secs(10);

/// The alerts of a delivery, each with its arrival where that was long ago.
pub(crate) fn late(
    mut alerts: Vec<(usize, Alert)>,
    received_at: Timestamp,
    now: Timestamp,
) -> Vec<(usize, Alert)> {
    if now.duration_since(received_at) >= LATE {
        for (_, alert) in &mut alerts {
            alert.received_at = Some(received_at);
        }
    }
    alerts
}

/// The alerts as the record carries and knows them, beside where they stand in their delivery.
async fn known(
    ingest: Ingest<'_>,
    alerts: Vec<(usize, Alert)>,
) -> Result<(Vec<usize>, Vec<Arc<Alert>>), StoreError> {
    let (indexes, alerts): (Vec<usize>, Vec<Alert>) =
        alerts.into_iter().map(|(index, alert)| (index, alert.clipped())).unzip();
    let alerts = formerly::known_as(ingest.store, alerts).await?;
    Ok((indexes, alerts.into_iter().map(Arc::new).collect()))
}

fn sorted(
    indexes: Vec<usize>,
    alerts: &[Arc<Alert>],
    taken: Vec<Result<Taken, StoreError>>,
) -> Result<(Vec<Accepted>, Vec<Reject>), StoreError> {
    let (mut accepted, mut refused) = (Vec::new(), Vec::new());
    for ((index, alert), taken) in indexes.into_iter().zip(alerts).zip(taken) {
        match taken {
            Ok(Taken { incident_id, outcome }) => accepted.push(Accepted {
                index,
                fingerprint: alert.fingerprint.clone(),
                incident_id,
                outcome,
            }),
            Err(error @ StoreError::Unavailable(_)) => return Err(error),
            Err(StoreError::Corrupt(why)) => refused.push(unplaced(index, alert, &why)),
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
