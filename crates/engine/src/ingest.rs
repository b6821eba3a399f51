//! Intake: from an authenticated delivery to durable incidents. Answers only after the commit.

use firebreak_core::alert::{Alert, AlertStatus, Draft, Severity};
use firebreak_core::fingerprint::Fingerprint;
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Incident, IntakeVerdict, Received, receive};
use firebreak_core::routing::Routes;
use firebreak_core::sources::{self, Delivery, Options, Reject, Source};
use jiff::SignedDuration;
use serde::Serialize;

use crate::ids;
use crate::ports::{
    AppendError, Clock, Conflict, Quarantined, SlotKey, SlotWrite, Store, StoreError,
};
use crate::record::{append_of, opening_of, pause};

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

/// How often one alert is decided anew because others wrote in between.
const MOST_TRIES: u32 = 64;

/// Takes a delivery in. An error means that a part may not be stored: the sender must send all of it again,
/// which is safe, since what was stored is recognised.
pub async fn ingest(
    ingest: Ingest<'_>,
    source: &dyn Source,
    delivery: &Delivery<'_>,
) -> Result<Report, StoreError> {
    let intake = sources::read(source, delivery, &Options::default());
    let mut report = Report { findings: intake.findings, ..Report::default() };
    for (index, alert) in intake.alerts {
        let alert = known_as(ingest, alert.clipped()).await?;
        let (incident_id, outcome) = take(ingest, &alert).await?;
        report.accepted.push(Accepted {
            index,
            fingerprint: alert.fingerprint,
            incident_id,
            outcome,
        });
    }
    for (_, name) in intake.heartbeats {
        ingest.store.count(&format!("heartbeat.{}.{name}", source.name())).await?;
        report.heartbeats.push(name);
    }
    report.findings.extend(intake.controls.iter().map(|(_, control)| control.told()));
    for reject in intake.rejects {
        report.quarantined.push(keep(ingest, source.name(), reject).await?);
    }
    if !report.quarantined.is_empty() {
        take(ingest, &unreadable(source.name(), delivery.received_at)).await?;
    }
    Ok(report)
}

async fn keep(ingest: Ingest<'_>, source: &str, reject: Reject) -> Result<Kept, StoreError> {
    let now = ingest.clock.now();
    let kept = Quarantined {
        id: ids::sortable(now),
        source: source.to_owned(),
        at: now,
        index: reject.index,
        code: reject.problem.code.to_owned(),
        message: reject.problem.message,
        raw: clip(reject.raw, Quarantined::MOST_RAW),
    };
    ingest.store.keep(&kept).await?;
    let error = KeptBecause { code: kept.code, message: kept.message };
    Ok(Kept { id: kept.id, index: kept.index, error })
}

fn clip(mut text: String, most: usize) -> String {
    text.truncate(text.floor_char_boundary(most));
    text
}

/// The alert that tells people, once per source while it is open, that messages wait in quarantine.
fn unreadable(source: &str, at: jiff::Timestamp) -> Alert {
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

/// The alert under the fingerprint of the occurrence that it goes on with: after the fields of an identity were changed,
/// what fires already keeps the fingerprint that it has.
async fn known_as(ingest: Ingest<'_>, alert: Alert) -> Result<Alert, StoreError> {
    if alert.formerly.is_empty() {
        return Ok(alert);
    }
    for fingerprint in std::iter::once(&alert.fingerprint).chain(&alert.formerly) {
        let slot = ingest.store.find(&SlotKey::Fingerprint(fingerprint.clone())).await?;
        let incident = load(ingest.store, slot.as_ref()).await?;
        let member = incident.and_then(|mut incident| incident.alerts.remove(fingerprint));
        if let Some(member) = member.filter(|member| member.alert.is_firing()) {
            let Alert { fingerprint, identity, identity_inputs, .. } = member.alert;
            return Ok(Alert { fingerprint, identity, identity_inputs, ..alert });
        }
    }
    Ok(alert)
}

/// Takes one alert in, whatever others do at the same time.
async fn take(
    ingest: Ingest<'_>,
    alert: &Alert,
) -> Result<(Option<IncidentId>, IntakeVerdict), StoreError> {
    for attempt in 0..MOST_TRIES {
        let place = find_place(ingest, alert).await?;
        let (append, verdict) = match place.received {
            Received::Nothing { verdict } => {
                if verdict == IntakeVerdict::Duplicate {
                    ingest.store.count_repeat(&alert.fingerprint, ingest.clock.now()).await?;
                }
                return Ok((place.incident.map(|incident| incident.id), verdict));
            }
            Received::Append { verdict, ref events } => {
                let Some(incident) = &place.incident else { continue };
                let append = append_of(incident, events.clone(), ingest.clock.now());
                (append.with_slots(place.slots_for(alert, &incident.id)), verdict)
            }
            Received::Open { ref events } => {
                let now = ingest.clock.now();
                let id = ids::incident_id(now);
                let slots = place.slots_for(alert, &id);
                (opening_of(&id, events.clone(), now).with_slots(slots), IntakeVerdict::Opened)
            }
        };
        match ingest.store.append(&append).await {
            Ok(()) => return Ok((Some(append.incident.id), verdict)),
            Err(AppendError::Conflict(conflict)) => settle(attempt, &conflict).await,
            Err(AppendError::Store(error)) => return Err(error),
        }
    }
    Err(StoreError::Unavailable("too many deliveries of one alert at once".to_owned()))
}

/// After a lost race for a slot the winner is known and the next look finds it: no need to rest.
async fn settle(attempt: u32, conflict: &Conflict) {
    match conflict {
        Conflict::Slot { held_by: Some(_), .. } => {}
        Conflict::Slot { .. } | Conflict::Version | Conflict::Book { .. } => pause(attempt).await,
    }
}

/// Where an alert belongs, with what was read to find out.
struct Place {
    incident: Option<Incident>,
    received: Received,
    by_fingerprint: Option<IncidentId>,
    group: String,
    by_group: Option<IncidentId>,
}

impl Place {
    /// The pointers that must lead to `id` once it is written.
    fn slots_for(&self, alert: &Alert, id: &IncidentId) -> Vec<SlotWrite> {
        let mut slots = Vec::new();
        let mut point = |key: SlotKey, expected: &Option<IncidentId>| {
            if expected.as_ref() != Some(id) {
                slots.push(SlotWrite { key, expected: expected.clone(), incident: id.clone() });
            }
        };
        point(SlotKey::Fingerprint(alert.fingerprint.clone()), &self.by_fingerprint);
        // A known alert that goes on in its incident leaves the group's pointer alone.
        if alert.is_firing() && self.by_fingerprint.as_ref() != Some(id) {
            point(SlotKey::Group(self.group.clone()), &self.by_group);
        }
        slots
    }
}

/// An alert is looked for by its own fingerprint first: a resolve may carry less than its firing did, so
/// that its group would differ. Only an alert that has no place of its own is looked for by group.
async fn find_place(ingest: Ingest<'_>, alert: &Alert) -> Result<Place, StoreError> {
    let store = ingest.store;
    let now = ingest.clock.now();
    let by_fingerprint = store.find(&SlotKey::Fingerprint(alert.fingerprint.clone())).await?;
    let own = load(store, by_fingerprint.as_ref()).await?;
    let group = ingest.routes.group_key(alert);
    let received = receive(own.as_ref(), alert, &group, ingest.reopen_within, now);
    let opens = matches!(received, Received::Open { .. });
    if !opens {
        return Ok(Place { incident: own, received, by_fingerprint, group, by_group: None });
    }
    let by_group = store.find(&SlotKey::Group(group.clone())).await?;
    if by_group == by_fingerprint {
        return Ok(Place { incident: own, received, by_fingerprint, group, by_group });
    }
    let latest = load(store, by_group.as_ref()).await?;
    let received = receive(latest.as_ref(), alert, &group, ingest.reopen_within, now);
    Ok(Place { incident: latest, received, by_fingerprint, group, by_group })
}

async fn load(store: &dyn Store, id: Option<&IncidentId>) -> Result<Option<Incident>, StoreError> {
    match id {
        Some(id) => store.load(id).await,
        None => Ok(None),
    }
}
