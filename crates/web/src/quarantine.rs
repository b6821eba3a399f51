//! The quarantine over HTTP: what could not be understood, part by part, and its replay.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use firebreak_engine::ports::{QuarantineQuery, Quarantined, Replayed};
use firebreak_engine::quarantine::{QuarantineError, Replay, Shown, part_id, replay, show};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answer::Failure;
use crate::api::{Api, By, Posted, bad_request};

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/api/quarantine", get(list))
        .route("/api/quarantine/{id}", get(one))
        .route("/api/quarantine/{id}/replay", post(again))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    source: Option<String>,
    /// Deliveries, not parts of them.
    limit: Option<usize>,
    cursor: Option<String>,
    /// Also what was replayed and taken in.
    #[serde(default)]
    all: bool,
}

/// One part of a delivery that could not be understood.
#[derive(Serialize)]
pub(crate) struct Part {
    pub(crate) id: String,
    pub(crate) source: String,
    pub(crate) at: Timestamp,
    pub(crate) index: Option<usize>,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) excerpt: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replayed: Option<Replayed>,
}

/// The parts of kept deliveries; those that were taken in meanwhile only when asked for.
pub(crate) fn parts(kept: Vec<Quarantined>, all: bool) -> Vec<Part> {
    let of = |kept: Quarantined| {
        kept.problems.into_iter().map(move |problem| Part {
            id: part_id(&kept.id, problem.index),
            source: kept.source.clone(),
            at: kept.received_at,
            index: problem.index,
            code: problem.code,
            message: problem.message,
            excerpt: problem.excerpt,
            replayed: problem.replayed,
        })
    };
    kept.into_iter().flat_map(of).filter(|part| all || part.replayed.is_none()).collect()
}

async fn list(
    State(api): State<Api>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Value>, Failure> {
    let Query(wanted) = wanted.map_err(|bad| bad_request(bad.body_text()))?;
    let limit = wanted.limit.unwrap_or(50);
    if !(1..=200).contains(&limit) {
        return Err(bad_request("limit is 1 to 200"));
    }
    let query = QuarantineQuery { source: wanted.source, limit, before: wanted.cursor };
    let kept = api.store.kept(&query).await?;
    let cursor = kept.last().filter(|_| kept.len() == limit).map(|last| last.id.clone());
    Ok(Json(json!({"quarantined": parts(kept, wanted.all), "cursor": cursor})))
}

async fn one(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<Shown>, Failure> {
    Ok(Json(show(api.ingest(), &id).await?))
}

async fn again(
    State(api): State<Api>,
    Path(id): Path<String>,
    body: Posted<By>,
) -> Result<Json<Replay>, Failure> {
    let Json(By { by }) = body.map_err(|bad| bad_request(bad.body_text()))?;
    if by.trim().is_empty() {
        return Err(bad_request("`by` is empty: the record keeps who replays"));
    }
    Ok(Json(replay(api.ingest(), &id, &by).await?))
}

impl From<QuarantineError> for Failure {
    fn from(error: QuarantineError) -> Self {
        match error {
            QuarantineError::NotFound(_) => Self::not_found(error.to_string()),
            QuarantineError::Contended(_) => Self::unavailable("contended", error.to_string()),
            QuarantineError::Store(error) => error.into(),
        }
    }
}
