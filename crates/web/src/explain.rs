//! `POST /api/explain`: what an alert would meet right now, whether or not it was ever sent. Nothing is written.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use firebreak_core::alert::Alert;
use firebreak_core::fingerprint::Fingerprint;
use firebreak_core::incident::Incident;
use firebreak_core::sources::{self, Delivery};
use firebreak_engine::explain::Explain;
use firebreak_engine::ports::ListQuery;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::Failure;
use crate::api::{Api, Posted, bad_request};

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/api/explain", post(explain))
}

/// A body as its sender would send it, or an alert that is known.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Asked {
    Body {
        source: String,
        body: String,
    },
    /// The fingerprint of an alert, or its beginning.
    Known {
        alert: String,
    },
}

async fn explain(State(api): State<Api>, body: Posted<Asked>) -> Result<Json<Value>, Failure> {
    let Json(asked) = body.map_err(|_| {
        bad_request("send `{\"source\", \"body\"}` with a body as its sender sends it, or `{\"alert\"}` with a fingerprint")
    })?;
    let with = Explain {
        store: &*api.store,
        clock: &*api.clock,
        runbooks: &api.runbooks,
        policy: &api.policy,
    };
    let (incident, alerts, rejects) = match asked {
        Asked::Known { alert } => {
            let (incident, alert) = known(&api, &alert).await?;
            (Some(incident), vec![alert], Vec::new())
        }
        Asked::Body { source, body } => {
            let found = sources::find(&source).ok_or_else(|| {
                let names: Vec<_> = sources::SOURCES.iter().map(|source| source.name()).collect();
                bad_request(format!(
                    "source `{source}` does not exist; use one of {}",
                    names.join(", ")
                ))
            })?;
            let delivery = Delivery {
                body: body.as_bytes(),
                content_type: None,
                headers: &[],
                received_at: api.clock.now(),
            };
            let intake = with.read(found, &delivery);
            let alerts = intake.alerts.into_iter().map(|(_, alert)| Arc::new(alert)).collect();
            let rejects = intake.rejects.into_iter().map(|reject| reject.problem.message).collect();
            (None, alerts, rejects)
        }
    };
    let mut outlooks = Vec::new();
    for alert in &alerts {
        outlooks.push(with.alert(alert).await?);
    }
    let incident = incident.map(|incident| incident.id);
    Ok(Json(json!({"incident": incident, "alerts": outlooks, "not_understood": rejects})))
}

/// The alert with this fingerprint, or with one that begins so, in its latest incident.
async fn known(api: &Api, prefix: &str) -> Result<(Incident, Arc<Alert>), Failure> {
    let missing = || {
        Failure::not_found(format!(
            "no recent alert has a fingerprint that begins with `{prefix}`; `firebreak why --source SOURCE FILE` explains one that was never sent"
        ))
    };
    if !prefix.starts_with("fp1_") || prefix.len() < 8 {
        return Err(bad_request(
            "a fingerprint begins with `fp1_`; give at least four of its digits",
        ));
    }
    let mut cursor = None;
    for _ in 0..MOST_PAGES {
        let query = ListQuery { limit: 200, cursor, ..ListQuery::default() };
        let page = api.store.list(&query).await?;
        for incident in page.incidents {
            let of = |fingerprint: &&Fingerprint| fingerprint.as_str().starts_with(prefix);
            let mut found = incident.alerts.keys().filter(of);
            let (Some(first), more) = (found.next(), found.next()) else { continue };
            if more.is_some() {
                return Err(bad_request(format!(
                    "several alerts of {} begin with `{prefix}`: give more digits",
                    incident.id
                )));
            }
            let alert = incident.alerts.get(first).map(|member| Arc::clone(&member.alert));
            return alert.map(|alert| (incident, alert)).ok_or_else(missing);
        }
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    Err(missing())
}

/// Of the latest incidents; an older alert is found by its incident.
const MOST_PAGES: usize = 5;
