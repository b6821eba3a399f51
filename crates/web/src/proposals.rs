//! The catalogue, and `POST /api/proposals`: what programs that may not act ask for.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use firebreak_core::ids::IncidentId;
use firebreak_core::proposal::{NotProposed, Wish};
use firebreak_engine::propose::propose;
use firebreak_engine::record::RecordError;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::answer::Failure;
use crate::api::{Api, Posted, Summary, bad_request};

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/api/catalogue", get(catalogue)).route("/api/proposals", post(take_in))
}

async fn catalogue(State(api): State<Api>) -> Json<Value> {
    Json(firebreak_core::catalogue::catalogue(&api.runbooks))
}

/// A wish, and the incident that it is about.
#[derive(Deserialize)]
struct Proposed {
    incident: IncidentId,
    #[serde(flatten)]
    wish: Map<String, Value>,
}

async fn take_in(
    State(api): State<Api>,
    body: Posted<Proposed>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let Json(Proposed { incident, wish }) = body.map_err(|bad| bad_request(bad.body_text()))?;
    // In a second step: within one, unknown fields would pass.
    let wish: Wish =
        serde_json::from_value(Value::Object(wish)).map_err(|bad| bad_request(bad.to_string()))?;
    let taken = propose(&*api.store, &*api.clock, &api.runbooks, &incident, &wish).await;
    let incident = taken.map_err(refused)?;
    let next = "the guards are asked; then a person who is not the proposer, for the exact plan";
    let answer = json!({"incident": Summary::from(&incident), "next": next});
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

fn refused(error: RecordError<NotProposed>) -> Failure {
    match error {
        RecordError::NotFound(id) => Failure::not_found(format!("there is no incident {id}")),
        RecordError::Contended(_) => Failure::unavailable("contended", error.to_string()),
        RecordError::Store(error) => error.into(),
        RecordError::Refused(NotProposed::Wrong(why)) => bad_request(why),
        RecordError::Refused(NotProposed::NotNow(why)) => {
            Failure::new(StatusCode::CONFLICT, "not_now", why)
        }
    }
}
