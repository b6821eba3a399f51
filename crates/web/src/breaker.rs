//! The breaker and the doctor over HTTP: how things stand, and the reset by a person.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use firebreak_core::breaker::Breaker;
use firebreak_engine::breaker::{ResetError, reset, standing};
use firebreak_engine::doctor::{self, Finding};
use serde_json::{Value, json};

use crate::answer::Failure;
use crate::api::{Api, Posted, Reasoned, bad_request};

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/api/breaker", get(status))
        .route("/api/breaker/reset", post(close))
        .route("/api/doctor", get(examine))
}

async fn status(State(api): State<Api>) -> Result<Json<Breaker>, Failure> {
    Ok(Json(standing(&*api.store).await?))
}

async fn close(State(api): State<Api>, body: Posted<Reasoned>) -> Result<Json<Breaker>, Failure> {
    let Json(Reasoned { by, reason }) = body.map_err(|bad| bad_request(bad.body_text()))?;
    Ok(Json(reset(api.ingest(), &by, &reason).await?))
}

/// What only the running platform can tell; what stands in files is looked at where the files are.
async fn examine(State(api): State<Api>) -> Json<Value> {
    let mut findings: Vec<Finding> = vec![doctor::guards_proved()];
    findings.extend(doctor::record(&*api.store, api.clock.now()).await);
    findings.push(doctor::runbooks(&api.runbooks, &api.policy));
    Json(json!({"findings": findings}))
}

impl From<ResetError> for Failure {
    fn from(error: ResetError) -> Self {
        match error {
            ResetError::Refused(why) => Self::new(StatusCode::CONFLICT, "refused", why.to_string()),
            ResetError::Store(error) => error.into(),
        }
    }
}
