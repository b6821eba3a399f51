//! `POST /webhooks/{source}`: authenticate on the raw body, then take the delivery in.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use firebreak_core::policy::Policy;
use firebreak_core::proof::Caller;
use firebreak_core::routing::Routes;
use firebreak_core::sources::{self, Delivery, Source};
use firebreak_engine::ingest::{Ingest, Report, ingest};
use firebreak_engine::ports::{Clock, SecretSource, Store};
use firebreak_engine::prove::Certificates;
use jiff::SignedDuration;
use tokio::sync::Semaphore;

use crate::answer::Failure;
use crate::authenticate::{Admitted, Arrived, authenticate};
use crate::metrics::Metrics;

/// A larger body is answered 413. Alertmanager groups of thousands fit; API Gateway itself takes 10 MB.
pub const MOST_BODY: usize = 1024 * 1024;

/// More deliveries at once are answered 503, so that those under way finish in time.
const MOST_AT_ONCE: usize = 256;

/// What the webhooks work with.
#[derive(Clone)]
pub struct Webhooks {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub secrets: Arc<dyn SecretSource>,
    pub certificates: Arc<Certificates>,
    pub metrics: Metrics,
    pub routes: Arc<Routes>,
    pub policy: Arc<Policy>,
    pub reopen_within: SignedDuration,
}

#[derive(Clone)]
struct Gate {
    webhooks: Webhooks,
    room: Arc<Semaphore>,
}

/// The routes that senders use.
pub fn router(webhooks: Webhooks) -> Router {
    let gate = Gate { webhooks, room: Arc::new(Semaphore::new(MOST_AT_ONCE)) };
    Router::new()
        .route("/webhooks/{source}", post(receive).put(receive))
        .route("/healthz", get(healthz))
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .with_state(gate)
}

async fn healthz() -> Json<serde_json::Value> {
    Json(serde_json::json!({"status": "ok"}))
}

async fn receive(
    State(gate): State<Gate>,
    Path(name): Path<String>,
    caller: Option<Extension<Caller>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Some(source) = sources::find(&name) else {
        let known: Vec<_> = sources::SOURCES.iter().map(|source| source.name()).collect();
        return Failure::not_found(format!(
            "there is no such source; there are {}",
            known.join(", ")
        ))
        .into_response();
    };
    let metrics = gate.webhooks.metrics.clone();
    let Ok(_room) = gate.room.try_acquire() else {
        metrics.refused(source.name(), "overload");
        return Failure::unavailable("overloaded", "too many deliveries at once").into_response();
    };
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return too_large_or_cut(&rejection).into_response(),
    };
    let caller = caller.as_ref().map(|Extension(caller)| caller);
    let arrived = Arrived { source, headers: &headers, body: &body, caller };
    match take(&gate.webhooks, arrived).await {
        Ok(report) => {
            count(&metrics, source, &report);
            (StatusCode::ACCEPTED, Json(report)).into_response()
        }
        Err(failure) => failure.into_response(),
    }
}

fn too_large_or_cut(rejection: &BytesRejection) -> Failure {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let message =
            format!("a delivery has at most {MOST_BODY} bytes; send fewer alerts at once");
        return Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message);
    }
    Failure::unavailable("cut_off", "the body did not arrive whole, send it again")
}

async fn take(webhooks: &Webhooks, arrived: Arrived<'_>) -> Result<Report, Failure> {
    let ticket = match authenticate(webhooks, arrived).await? {
        Admitted::Delivery(ticket) => ticket,
        Admitted::Done(report) => return Ok(report),
    };
    let Arrived { source, headers, .. } = arrived;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let delivery = Delivery {
        body: &ticket.body,
        content_type,
        headers: &of_the_message(source, headers),
        received_at: webhooks.clock.now(),
    };
    let with = Ingest {
        store: &*webhooks.store,
        clock: &*webhooks.clock,
        routes: &webhooks.routes,
        reopen_within: webhooks.reopen_within,
    };
    let report = ingest(with, source, &delivery).await.map_err(|error| {
        webhooks.metrics.refused(source.name(), "store");
        Failure::from(error)
    })?;
    ticket.settle(webhooks).await;
    Ok(report)
}

/// The headers that belong to the message; a value that is not text says nothing.
fn of_the_message(source: &dyn Source, headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| source.reads_header(name.as_str()))
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect()
}

fn count(metrics: &Metrics, source: &'static dyn Source, report: &Report) {
    for accepted in &report.accepted {
        metrics.alert(source.name(), accepted.outcome.as_str());
    }
    for _ in &report.quarantined {
        metrics.alert(source.name(), "quarantined");
    }
    for finding in &report.findings {
        tracing::warn!(source = source.name(), finding, "a delivery was odd");
    }
}
