//! Trust over HTTP: where every action stands on the ladder, and moving one.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use firebreak_core::runbook::Mode;
use firebreak_core::trust::Wish;
use firebreak_engine::trust::{Move, TrustError, move_to, standings};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::Failure;
use crate::api::{Api, Posted, bad_request};

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/api/trust", get(all).post(change))
}

async fn all(State(api): State<Api>) -> Result<Json<Value>, Failure> {
    let rungs = standings(&*api.store, &api.runbooks, &api.policy.trust).await?;
    Ok(Json(json!({"trust": rungs})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    runbook: String,
    #[serde(default)]
    action: Option<String>,
    #[serde(default)]
    environment: Option<String>,
    to: Mode,
    by: String,
    reason: String,
    #[serde(default)]
    anyway: bool,
}

async fn change(State(api): State<Api>, body: Posted<Wanted>) -> Result<Json<Value>, Failure> {
    let Json(wanted) = body.map_err(|bad| bad_request(bad.body_text()))?;
    let Wanted { runbook, action, environment, to, by, reason, anyway } = wanted;
    let wish = Wish { to, by, reason, anyway };
    let wanted = Move { runbook, action, environment, wish };
    let ladder = (&*api.runbooks, &api.policy.trust);
    let moved = move_to(&*api.store, &*api.clock, ladder, &wanted).await?;
    for (place, change) in &moved {
        let (from, to) = (change.from.as_str(), change.to.as_str());
        tracing::warn!(runbook = wanted.runbook, action = %place.action, environment = place.environment, from, to, by = change.by, "moved on the ladder of trust");
    }
    let moved: Vec<Value> = moved
        .iter()
        .map(|(place, change)| {
            json!({"action": place.action, "environment": place.environment, "change": change})
        })
        .collect();
    Ok(Json(json!({"moved": moved})))
}

impl From<TrustError> for Failure {
    fn from(error: TrustError) -> Self {
        let text = error.to_string();
        match error {
            TrustError::NoRunbook(_) | TrustError::NoAction { .. } => Self::not_found(text),
            TrustError::Refused(_) => Self::new(StatusCode::CONFLICT, "refused", text),
            TrustError::Contended(_) => Self::unavailable("contended", text),
            TrustError::Store(error) => error.into(),
        }
    }
}
