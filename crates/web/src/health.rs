//! `GET /healthz`: whether deliveries can be taken, and whether the store can be written.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use firebreak_engine::ports::StoreError;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::webhooks::Webhooks;

/// What was found stands for so long: the page is open to everybody and must not make work.
const STANDS_FOR: SignedDuration = SignedDuration::from_secs(3);

/// A store that takes longer is as good as down.
const PATIENCE: Duration = Duration::from_secs(2);

/// A delivery that the store did not take so lately counts for more than any try.
const LATELY: SignedDuration = SignedDuration::from_secs(10);

/// The counter by which it is tried.
const COUNTER: &str = "health.tried";

/// What was found last; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Health {
    last: Arc<Mutex<Option<Found>>>,
}

#[derive(Clone)]
struct Found {
    at: Timestamp,
    store: Result<(), &'static str>,
}

impl Health {
    /// 200 as long as a delivery would be taken: by the store, or by the spill while the store is down.
    pub(crate) async fn answer(&self, webhooks: &Webhooks) -> Response {
        let store = self.store(webhooks).await;
        let waiting = webhooks.fallback.backlog();
        let drained = waiting.is_none_or(|waiting| waiting.deliveries == 0);
        let status = match &store {
            Ok(()) if drained => "ok",
            Ok(()) => "draining",
            Err(_) if webhooks.fallback.has_spill() => "degraded",
            Err(_) => "down",
        };
        let code = if status == "down" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
        let said = match &store {
            Ok(()) => json!({"writable": true}),
            Err(why) => json!({"writable": false, "because": why}),
        };
        (code, Json(json!({"status": status, "store": said, "spill": waiting}))).into_response()
    }

    async fn store(&self, webhooks: &Webhooks) -> Result<(), &'static str> {
        if webhooks.fallback.failed_within(LATELY) {
            return Err("it did not take a delivery a moment ago");
        }
        let now = webhooks.clock.now();
        let known = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(found) = known.filter(|found| now.duration_since(found.at) < STANDS_FOR) {
            return found.store;
        }
        let store = match tokio::time::timeout(PATIENCE, webhooks.store.count(COUNTER)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(StoreError::Unavailable(_))) => Err("it does not take a write"),
            Ok(Err(StoreError::Corrupt(_))) => Err("it is damaged"),
            Err(_) => Err("it does not answer in time"),
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Found { at: now, store });
        store
    }
}
