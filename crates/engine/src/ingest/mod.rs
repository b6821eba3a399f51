//! Intake: from an authenticated delivery to durable incidents. Answers only after the commit.

mod batch;
mod formerly;
mod working;

use firebreak_core::alert::{Alert, AlertStatus, Draft, Severity};
use firebreak_core::fingerprint::Fingerprint;
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::IntakeVerdict;
use firebreak_core::routing::Routes;
use firebreak_core::sources::{self, Delivery, Intake, Options, Problem, Reject, Source};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

pub(crate) use batch::write_all;
pub use batch::{Taken, take_all};

use crate::ids;
use crate::ports::{Clock, Quarantined, Store, StoreError};

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
    let (reading, alerts) = Reading::of(ingest, source, delivery).await?;
    let taken = take_all(ingest, &alerts).await;
    reading.answered(ingest, &alerts, taken).await
}

/// A delivery as it was understood, beside its alerts.
pub(crate) struct Reading {
    source: &'static str,
    received_at: Timestamp,
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
    ) -> Result<(Self, Vec<Alert>), StoreError> {
        let Intake { alerts, heartbeats, rejects, controls, mut findings } =
            sources::read(source, delivery, &Options::default());
        findings.extend(controls.iter().map(|(_, control)| control.told()));
        let (indexes, alerts) =
            alerts.into_iter().map(|(index, alert)| (index, alert.clipped())).unzip();
        let alerts = formerly::known_as(ingest.store, alerts).await?;
        let reading = Self {
            source: source.name(),
            received_at: delivery.received_at,
            indexes,
            heartbeats: heartbeats.into_iter().map(|(_, name)| name).collect(),
            rejects,
            findings,
        };
        Ok((reading, alerts))
    }

    /// What the sender is told, once its alerts were taken and the rest of the delivery is kept as well.
    pub(crate) async fn answered(
        self,
        ingest: Ingest<'_>,
        alerts: &[Alert],
        taken: Vec<Result<Taken, StoreError>>,
    ) -> Result<Report, StoreError> {
        let Self { source, received_at, indexes, heartbeats, mut rejects, findings } = self;
        let mut report = Report { findings, ..Report::default() };
        for ((index, alert), taken) in indexes.into_iter().zip(alerts).zip(taken) {
            match taken {
                Ok(Taken { incident_id, outcome }) => report.accepted.push(Accepted {
                    index,
                    fingerprint: alert.fingerprint.clone(),
                    incident_id,
                    outcome,
                }),
                Err(error @ StoreError::Unavailable(_)) => return Err(error),
                Err(StoreError::Corrupt(why)) => rejects.push(unplaced(index, alert, &why)),
            }
        }
        for name in heartbeats {
            ingest.store.count(&format!("heartbeat.{source}.{name}")).await?;
            report.heartbeats.push(name);
        }
        if !rejects.is_empty() {
            report.quarantined = keep(ingest, source, rejects).await?;
            let unreadable = unreadable(source, received_at);
            take_all(ingest, &[unreadable]).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        }
        Ok(report)
    }
}

/// An alert that the record takes at no attempt is kept for people, so that it holds up none of the others.
fn unplaced(index: usize, alert: &Alert, why: &str) -> Reject {
    let message = format!("the alert cannot be recorded: {why}; it is kept as it was understood");
    Reject {
        index: Some(index),
        problem: Problem { code: "record", message },
        raw: serde_json::to_string(alert).unwrap_or_default(),
    }
}

async fn keep(
    ingest: Ingest<'_>,
    source: &str,
    rejects: Vec<Reject>,
) -> Result<Vec<Kept>, StoreError> {
    let now = ingest.clock.now();
    let kept = rejects.into_iter().map(|reject| Quarantined {
        id: ids::of(now, ingest.clock.chance()),
        source: source.to_owned(),
        at: now,
        index: reject.index,
        code: reject.problem.code.to_owned(),
        message: reject.problem.message,
        raw: clip(reject.raw, Quarantined::MOST_RAW),
    });
    let kept: Vec<Quarantined> = kept.collect();
    ingest.store.keep(&kept).await?;
    let said = |kept: Quarantined| {
        let error = KeptBecause { code: kept.code, message: kept.message };
        Kept { id: kept.id, index: kept.index, error }
    };
    Ok(kept.into_iter().map(said).collect())
}

fn clip(mut text: String, most: usize) -> String {
    text.truncate(text.floor_char_boundary(most));
    text
}

/// The alert that tells people, once per source while it is open, that messages wait in quarantine.
fn unreadable(source: &str, at: Timestamp) -> Alert {
    Draft {
        source: "firebreak",
        identity: [("quarantine".to_owned(), source.into())].into(),
        status: AlertStatus::Firing,
        severity: Severity::Warning,
        service: Some("firebreak".to_owned()),
        name: "unreadable-alerts".to_owned(),
        title: format!("alerts from {source} could not be understood"),
        labels: [("source".to_owned(), source.to_owned())].into(),
        annotations: [(
            "remedy".to_owned(),
            "look at them with `firebreak quarantine list`, mend the sender's template, resolve this incident"
                .to_owned(),
        )]
        .into(),
        episode: None,
        starts_at: at,
        ends_at: None,
        links: Vec::new(),
    }
    .seal()
}
