//! The sources over HTTP: what each may and did send, and forgetting a sign of life that will not come again.

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use firebreak_engine::heartbeats::forget;
use firebreak_engine::ports::StoreError;
use firebreak_engine::sources::{Look, Standing, sources};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::Failure;
use crate::api::{Api, Posted, bad_request};

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/api/sources", get(all))
        .route("/api/sources/{source}/forget", post(forget_name))
}

pub(crate) async fn look(api: &Api) -> Result<Vec<Standing>, StoreError> {
    let traffic = api.metrics.traffic();
    let with =
        Look { store: &*api.store, policy: &api.policy, secrets: &*api.secrets, traffic: &traffic };
    sources(with, api.clock.now()).await
}

async fn all(State(api): State<Api>) -> Result<Json<Value>, Failure> {
    Ok(Json(json!({"sources": look(&api).await?})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forgotten {
    /// As `GET /api/sources` shows it.
    name: String,
    by: String,
}

async fn forget_name(
    State(api): State<Api>,
    Path(source): Path<String>,
    body: Posted<Forgotten>,
) -> Result<Json<Value>, Failure> {
    let Json(Forgotten { name, by }) = body.map_err(|bad| bad_request(bad.body_text()))?;
    if !forget(api.ingest(), &source, &name).await? {
        let message = format!("`{name}` was never heard of from {source}");
        return Err(Failure::not_found(message));
    }
    tracing::info!(source, name, by, "a sign of life is expected no more");
    Ok(Json(json!({"source": source, "name": name, "forgotten": true})))
}
