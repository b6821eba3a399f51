//! The HTTP surface: the checkout itself, its health, its metrics, and the flags under `/admin`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::flags::{Change, Flag, FlagError, Flags};
use crate::knobs::{ErrorRate, Knobs};
use crate::metrics::{CONTENT_TYPE, Metrics};

/// The whole service, with these knobs to begin with.
pub fn router(knobs: Knobs) -> Router {
    let checkout = Checkout {
        flags: Flags::new(knobs),
        metrics: Metrics::new(),
        owed_errors: OwedErrors::default(),
    };
    Router::new()
        .route("/checkout", get(check_out).post(check_out))
        .route("/healthz", get(|| async { Json(json!({ "status": "ok" })) }))
        .route("/metrics", get(metrics))
        .route("/admin/flags/{name}", get(read_flag).put(set_flag))
        .with_state(Arc::new(checkout))
}

struct Checkout {
    flags: Flags,
    metrics: Metrics,
    owed_errors: OwedErrors,
}

async fn check_out(State(checkout): State<Arc<Checkout>>) -> Response {
    let _measured = checkout.metrics.request();
    let knobs = checkout.flags.knobs();
    if knobs.degraded_mode {
        return Json(json!({ "order": "placed", "degraded": true })).into_response();
    }
    tokio::time::sleep(knobs.latency_ms.duration()).await;
    if checkout.owed_errors.next_fails(knobs.error_rate) {
        checkout.metrics.error();
        return error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "payment_failed",
            "the payment did not go through",
        );
    }
    Json(json!({ "order": "placed", "degraded": false })).into_response()
}

async fn metrics(State(checkout): State<Arc<Checkout>>) -> impl IntoResponse {
    let text = checkout.metrics.text(checkout.flags.knobs().degraded_mode);
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], text)
}

async fn read_flag(
    State(checkout): State<Arc<Checkout>>,
    Path(name): Path<String>,
) -> Result<Json<Flag>, FlagError> {
    checkout.flags.read(&name).map(Json)
}

/// Who makes a change says so here.
const CHANGED_BY: &str = "x-changed-by";

async fn set_flag(
    State(checkout): State<Arc<Checkout>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Flag>, FlagError> {
    let change: Change = serde_json::from_slice(&body).map_err(FlagError::BadBody)?;
    let by = headers.get(CHANGED_BY).and_then(|by| by.to_str().ok()).unwrap_or("somebody");
    let flag = checkout.flags.set(&name, &change, (by, Timestamp::now()))?;
    tracing::info!(flag = name, value = %flag.value, version = flag.version, "flag set");
    Ok(Json(flag))
}

impl IntoResponse for FlagError {
    fn into_response(self) -> Response {
        let message = self.to_string();
        match self {
            Self::Unknown { .. } => error(StatusCode::NOT_FOUND, "unknown_flag", &message),
            Self::BadBody(_) => refusal("bad_body", "body", &message),
            Self::BadValue { .. } => refusal("bad_value", "value", &message),
            Self::Moved { current } => {
                let body = json!({
                    "error": { "code": "version_mismatch", "field": "if_version", "message": message },
                    "current": current,
                });
                (StatusCode::CONFLICT, Json(body)).into_response()
            }
        }
    }
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({ "error": { "code": code, "message": message } }))).into_response()
}

fn refusal(code: &str, field: &str, message: &str) -> Response {
    let error: Value = json!({ "code": code, "field": field, "message": message });
    (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": error }))).into_response()
}

/// Which requests fail: each adds its share of an error, and one fails whenever a whole error is owed.
/// A rate of 0.3 thus fails exactly 3 of any 10 in a row, the same ones in every run.
#[derive(Default)]
struct OwedErrors(AtomicU64);

impl OwedErrors {
    fn next_fails(&self, rate: ErrorRate) -> bool {
        const WHOLE: u64 = 1_000_000;
        let share = u64::from(rate.per_million());
        let owed_before = self.0.fetch_add(share, Ordering::Relaxed) % WHOLE;
        owed_before + share >= WHOLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(rate: f64, requests: usize) -> Vec<bool> {
        let owed_errors = OwedErrors::default();
        let rate = ErrorRate::try_from(rate).unwrap();
        (0..requests).map(|_| owed_errors.next_fails(rate)).collect()
    }

    #[test]
    fn errors_come_evenly_and_in_the_exact_proportion() {
        let failed: Vec<usize> = pattern(0.3, 10)
            .iter()
            .enumerate()
            .filter(|(_, fails)| **fails)
            .map(|(n, _)| n)
            .collect();
        assert_eq!(failed, [3, 6, 9]);
        for (rate, expected) in [(0.0, 0), (0.05, 500), (0.3, 3000), (1.0, 10_000)] {
            let errors = pattern(rate, 10_000).into_iter().filter(|fails| *fails).count();
            assert_eq!(errors, expected, "rate {rate}");
        }
    }
}
