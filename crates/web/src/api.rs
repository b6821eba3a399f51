//! The JSON API: incidents, what people do to them, runbooks, kill switch and breaker, silences, quarantine.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use firebreak_core::fingerprint::Fingerprint;
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Command, Incident, Status};
use firebreak_core::muting::{MuteFinding, Subject, verdict};
use firebreak_core::policy::Policy;
use firebreak_core::proof::Secrets;
use firebreak_core::routing::Routes;
use firebreak_core::runbook::{Draft, RunbookSet, lint};
use firebreak_core::switch::KillSwitch;
use firebreak_engine::command::command;
use firebreak_engine::ingest::Ingest;
use firebreak_engine::ports::{Clock, ListQuery, SecretSource, Store};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answer::Failure;
use crate::approvals;
use crate::breaker;
use crate::entry::{require_token, require_token_or_agent};
use crate::explain;
use crate::metrics::Metrics;
use crate::proposals;
use crate::quarantine;
use crate::silences;
use crate::sources;
use crate::trust;

/// What the API works with.
#[derive(Clone)]
pub struct Api {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub routes: Arc<Routes>,
    pub policy: Arc<Policy>,
    pub reopen_within: SignedDuration,
    pub runbooks: Arc<RunbookSet>,
    pub metrics: Metrics,
    pub secrets: Arc<dyn SecretSource>,
    pub token: Arc<Secrets>,
    /// Of programs that may read and propose, and nothing else.
    pub agent_token: Arc<Secrets>,
}

impl Api {
    pub(crate) fn ingest(&self) -> Ingest<'_> {
        Ingest {
            store: &*self.store,
            clock: &*self.clock,
            routes: &self.routes,
            policy: &self.policy,
            reopen_within: self.reopen_within,
        }
    }
}

/// `/api/...` behind the token, `/metrics` open.
pub fn router(api: Api) -> Router {
    // An agent reads and proposes, and can neither approve nor change anything.
    let open_to_agents = Router::new()
        .route("/api/incidents", get(list))
        .route("/api/incidents/{id}", get(show))
        .route("/api/runbooks", get(runbooks))
        .merge(proposals::routes())
        .merge(explain::routes())
        .layer(middleware::from_fn_with_state(api.clone(), require_token_or_agent));
    let guarded = Router::new()
        .route("/api/incidents/{id}/ack", post(acknowledge))
        .route("/api/incidents/{id}/resolve", post(resolve))
        .route("/api/incidents/{id}/note", post(note))
        .route("/api/approvals/{token}", post(approvals::decide))
        .route("/api/kill-switch", get(kill_switch).post(set_kill_switch))
        .merge(breaker::routes())
        .merge(quarantine::routes())
        .merge(silences::routes())
        .merge(sources::routes())
        .merge(trust::routes())
        .layer(middleware::from_fn_with_state(Arc::clone(&api.token), require_token));
    Router::new()
        .route("/metrics", get(metrics))
        .merge(open_to_agents)
        .merge(guarded)
        .with_state(api)
}

async fn metrics(State(api): State<Api>, headers: HeaderMap) -> Response {
    api.metrics.render(&headers)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    status: Option<String>,
    service: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// One line of a list.
#[derive(Serialize)]
pub(crate) struct Summary<'a> {
    id: &'a IncidentId,
    status: &'static str,
    severity: &'static str,
    service: &'a str,
    title: &'a str,
    opened_at: String,
    resolved_at: Option<String>,
    firing: usize,
    alerts: usize,
    acknowledged_by: Option<&'a str>,
    version: u64,
}

impl<'a> From<&'a Incident> for Summary<'a> {
    fn from(incident: &'a Incident) -> Self {
        Self {
            id: &incident.id,
            status: incident.status.as_str(),
            severity: incident.severity.as_str(),
            service: &incident.service,
            title: &incident.title,
            opened_at: incident.opened_at.to_string(),
            resolved_at: incident.resolved_at.map(|at| at.to_string()),
            firing: incident.firing().count(),
            alerts: incident.alerts.len(),
            acknowledged_by: incident.acknowledged.as_ref().map(|taken| taken.by.as_str()),
            version: incident.version,
        }
    }
}

async fn list(
    State(api): State<Api>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Value>, Failure> {
    let Query(wanted) = wanted.map_err(|bad| bad_request(bad.body_text()))?;
    let status = match wanted.status.as_deref() {
        None => None,
        Some(word) => Some(Status::from_word(word).ok_or_else(|| {
            let words: Vec<_> = Status::ALL.iter().map(|status| status.as_str()).collect();
            bad_request(format!("status `{word}` does not exist; use one of {}", words.join(", ")))
        })?),
    };
    let limit = wanted.limit.unwrap_or(50);
    if !(1..=200).contains(&limit) {
        return Err(bad_request("limit is 1 to 200"));
    }
    let query = ListQuery { status, service: wanted.service, limit, cursor: wanted.cursor };
    let page = api.store.list(&query).await?;
    let incidents: Vec<Summary<'_>> = page.incidents.iter().map(Summary::from).collect();
    Ok(Json(json!({"incidents": incidents, "cursor": page.cursor})))
}

async fn show(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<Value>, Failure> {
    let id = incident_id(id)?;
    let incident = api.store.load(&id).await?;
    let incident =
        incident.ok_or_else(|| Failure::not_found(format!("there is no incident {id}")))?;
    let events = api.store.events(&id).await?;
    let mut repeats = serde_json::Map::new();
    for fingerprint in incident.alerts.keys() {
        let (count, _) = api.store.repeats(fingerprint).await?;
        repeats.insert(fingerprint.to_string(), count.into());
    }
    let traces: Vec<&firebreak_core::trace::Trace> =
        events.iter().filter_map(|recorded| recorded.event.trace()).collect();
    let muting = muting(&api, &incident).await;
    Ok(Json(json!({
        "incident": incident,
        "events": events,
        "runs": incident.runs,
        "trace": traces,
        "decisions": firebreak_core::explain::decisions(&events),
        "repeats": repeats,
        "muting": muting,
    })))
}

/// What every mute says right now of each alert that fires.
async fn muting(api: &Api, incident: &Incident) -> BTreeMap<Fingerprint, Vec<MuteFinding>> {
    let now = api.clock.now();
    let domains = firebreak_engine::shared_cause::domains(&api.policy, incident.firing());
    let facts =
        firebreak_engine::muting::read(&*api.store, &api.policy, incident.firing(), &domains, now)
            .await;
    let of = |alert| verdict(Subject { alert, incident: Some(incident) }, &facts, now).findings;
    incident.firing().map(|alert| (alert.fingerprint.clone(), of(alert))).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct By {
    pub(crate) by: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reasoned {
    pub(crate) by: String,
    pub(crate) reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Noted {
    by: String,
    text: String,
}

pub(crate) type Posted<T> = Result<Json<T>, JsonRejection>;

async fn acknowledge(
    State(api): State<Api>,
    Path(id): Path<String>,
    body: Posted<By>,
) -> Result<Json<Value>, Failure> {
    let Json(By { by }) = body.map_err(|bad| bad_request(bad.body_text()))?;
    carry_out(&api, id, Command::Acknowledge { by }).await
}

async fn resolve(
    State(api): State<Api>,
    Path(id): Path<String>,
    body: Posted<Reasoned>,
) -> Result<Json<Value>, Failure> {
    let Json(Reasoned { by, reason }) = body.map_err(|bad| bad_request(bad.body_text()))?;
    carry_out(&api, id, Command::Resolve { by, reason }).await
}

async fn note(
    State(api): State<Api>,
    Path(id): Path<String>,
    body: Posted<Noted>,
) -> Result<Json<Value>, Failure> {
    let Json(Noted { by, text }) = body.map_err(|bad| bad_request(bad.body_text()))?;
    carry_out(&api, id, Command::Note { by, text }).await
}

/// Carries a command out and answers with the incident's new line.
pub(crate) async fn carry_out(
    api: &Api,
    id: String,
    wish: Command,
) -> Result<Json<Value>, Failure> {
    let id = incident_id(id)?;
    let incident = command(&*api.store, &*api.clock, &id, &wish).await?;
    Ok(Json(json!({"incident": Summary::from(&incident)})))
}

async fn runbooks(State(api): State<Api>) -> Json<Value> {
    let runbooks: Vec<Value> = api
        .runbooks
        .iter()
        .map(|runbook| json!({"runbook": runbook, "remarks": lint(&Draft::from(runbook.clone()))}))
        .collect();
    Json(json!({"runbooks": runbooks}))
}

async fn kill_switch(State(api): State<Api>) -> Result<Json<KillSwitch>, Failure> {
    Ok(Json(api.store.kill_switch().await?))
}

/// `{"engage": {"by", "reason"}}` or `{"release": {"by"}}`.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Turn {
    Engage { by: String, reason: String },
    Release { by: String },
}

async fn set_kill_switch(
    State(api): State<Api>,
    body: Posted<Turn>,
) -> Result<Json<KillSwitch>, Failure> {
    let Json(turn) = body.map_err(|bad| bad_request(bad.body_text()))?;
    let switch = match turn {
        Turn::Engage { by, reason } => KillSwitch::engaged(by, reason, api.clock.now()),
        Turn::Release { by } => {
            tracing::warn!(by, "the kill switch was released");
            KillSwitch::released(by, api.clock.now())
        }
    };
    api.store.set_kill_switch(&switch).await?;
    Ok(Json(switch))
}

fn incident_id(text: String) -> Result<IncidentId, Failure> {
    IncidentId::try_from(text).map_err(|invalid| bad_request(invalid.to_string()))
}

pub(crate) fn bad_request(message: impl Into<String>) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, "bad_request", message)
}
