//! Silences over HTTP: what is muted, by whom and until when; making, changing and ending one.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use firebreak_core::muting::{Silence, SilenceDraft, SilenceId};
use firebreak_engine::silence::{SilenceError, add, expire, list};
use firebreak_engine::sweep::{Sweep, sweep};
use serde_json::{Value, json};

use crate::answer::Failure;
use crate::api::{Api, By, Posted, bad_request};

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/api/silences", get(all).post(make))
        .route("/api/silences/{id}/expire", post(end))
}

async fn all(State(api): State<Api>) -> Result<Json<Value>, Failure> {
    let silences = list(&*api.store, api.clock.now()).await?;
    Ok(Json(json!({"silences": silences})))
}

async fn make(
    State(api): State<Api>,
    body: Posted<SilenceDraft>,
) -> Result<Json<Silence>, Failure> {
    let Json(draft) = body.map_err(|bad| bad_request(bad.body_text()))?;
    let silence = add(&*api.store, &*api.clock, draft).await?;
    take_effect(&api).await;
    Ok(Json(silence))
}

async fn end(
    State(api): State<Api>,
    Path(id): Path<String>,
    body: Posted<By>,
) -> Result<Json<Silence>, Failure> {
    let Json(By { by }) = body.map_err(|bad| bad_request(bad.body_text()))?;
    let id = SilenceId::try_from(id).map_err(|invalid| bad_request(invalid.to_string()))?;
    let silence = expire(&*api.store, &*api.clock, &id, &by).await?;
    take_effect(&api).await;
    Ok(Json(silence))
}

/// The incidents need not wait for the next sweep; the silence is stored whatever comes of this one.
async fn take_effect(api: &Api) {
    let with = Sweep { store: &*api.store, clock: &*api.clock, policy: &api.policy };
    if let Err(error) = sweep(with).await {
        tracing::warn!(%error, "a silence takes effect with the next sweep");
    }
}

impl From<SilenceError> for Failure {
    fn from(error: SilenceError) -> Self {
        let text = error.to_string();
        match error {
            SilenceError::NotFound(_) => Self::not_found(text),
            SilenceError::Refused(_) => Self::new(StatusCode::BAD_REQUEST, "refused", text),
            SilenceError::TooMany => Self::new(StatusCode::CONFLICT, "too_many", text),
            SilenceError::Contended(_) => Self::unavailable("contended", text),
            SilenceError::Store(error) => error.into(),
        }
    }
}
