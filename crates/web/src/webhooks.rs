//! `POST /webhooks/{source}`: authenticate on the raw body, then take the delivery in.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use firebreak_core::policy::Policy;
use firebreak_core::proof::Caller;
use firebreak_core::sources::{self, Delivery, Source};
use firebreak_engine::fallback::{Fallback, Refused};
use firebreak_engine::heartbeats::Ears;
use firebreak_engine::ingest::Report;
use firebreak_engine::ports::{Clock, SecretSource, Store};
use firebreak_engine::prove::Certificates;
use firebreak_engine::queue::Queue;
use jiff::Timestamp;

use crate::answer::Failure;
use crate::authenticate::{Admitted, Arrived, authenticate};
use crate::body;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::room::Room;

/// What the webhooks work with.
#[derive(Clone)]
pub struct Webhooks {
    pub queue: Queue,
    /// For the nonces of deliveries.
    pub store: Arc<dyn Store>,
    /// Where a delivery goes that the store does not take.
    pub fallback: Fallback,
    pub ears: Arc<Ears>,
    pub clock: Arc<dyn Clock>,
    pub secrets: Arc<dyn SecretSource>,
    pub certificates: Arc<Certificates>,
    pub metrics: Metrics,
    pub policy: Arc<Policy>,
}

#[derive(Clone)]
struct Gate {
    webhooks: Webhooks,
    room: Room,
    health: Health,
}

/// The routes that senders use.
pub fn router(webhooks: Webhooks) -> Router {
    let gate = Gate { webhooks, room: Room::default(), health: Health::default() };
    Router::new()
        .route("/webhooks/{source}", post(receive).put(receive))
        .route("/healthz", get(healthz))
        .with_state(gate)
}

async fn healthz(State(gate): State<Gate>) -> Response {
    gate.health.answer(&gate.webhooks).await
}

async fn receive(
    State(gate): State<Gate>,
    Path(name): Path<String>,
    caller: Option<Extension<Caller>>,
    request: Request,
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
    let began = Instant::now();
    // Before the body is read: what is refused takes no memory.
    let Some(_place) = gate.room.place(request.headers()) else {
        metrics.refused(source.name(), "overload");
        return Failure::unavailable("overloaded", "too many deliveries at once").into_response();
    };
    let (parts, body) = request.into_parts();
    let caller = caller.as_ref().map(|Extension(caller)| caller);
    let taken = match body::whole(body).await {
        Ok(body) => {
            let arrived = Arrived { source, headers: &parts.headers, body: &body, caller };
            take(&gate.webhooks, arrived).await
        }
        Err(failure) => Err(failure),
    };
    match taken {
        Ok(report) => {
            count(&metrics, source, &report, gate.webhooks.clock.now());
            metrics.taken(source.name(), began.elapsed());
            (StatusCode::ACCEPTED, Json(report)).into_response()
        }
        Err(failure) => failure.into_response(),
    }
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
    let taking = || webhooks.queue.take(source, &delivery);
    let taken = webhooks.fallback.take(source.name(), &delivery, taking).await;
    let report = taken.map_err(|refused| match refused {
        Refused::Overloaded => {
            webhooks.metrics.refused(source.name(), "overload");
            Failure::unavailable("overloaded", "too many alerts at once")
        }
        Refused::Limited { retry_after } => {
            webhooks.metrics.refused(source.name(), "limit");
            webhooks.metrics.traffic().limited(source.name());
            let message = "this source sends more alerts than its limit allows; nothing was taken";
            Failure::unavailable("limited", message).retry_after(retry_after)
        }
        Refused::Down { .. } => {
            webhooks.metrics.refused(source.name(), "store");
            Failure::unavailable("store_unavailable", "nothing was stored, send it again")
        }
    })?;
    let (store, policy) = (&*webhooks.store, &*webhooks.policy);
    webhooks.ears.delivered(store, policy, source.name(), delivery.received_at).await;
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

fn count(metrics: &Metrics, source: &'static dyn Source, report: &Report, now: Timestamp) {
    let (accepted, kept) = (report.accepted.len() as u64, report.quarantined.len() as u64);
    metrics.traffic().delivered(source.name(), now, accepted, kept);
    for accepted in &report.accepted {
        metrics.alert(source.name(), accepted.outcome.as_str());
    }
    for _ in &report.quarantined {
        metrics.alert(source.name(), "quarantined");
    }
    if report.spilled.is_some() {
        metrics.alert(source.name(), "spilled");
    }
    for finding in &report.findings {
        tracing::warn!(source = source.name(), finding, "a delivery was odd");
    }
}
