//! `POST /api/approvals/{token}`: a person's yes or no to one exact plan.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use firebreak_core::approval::ApprovalToken;
use firebreak_core::incident::Command;
use firebreak_core::run::{Phase, Run};
use firebreak_engine::command::command;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::Failure;
use crate::api::{Api, Summary, bad_request};

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", tag = "decision", deny_unknown_fields)]
pub(crate) enum Answer {
    Approve { by: String },
    Reject { by: String, reason: String },
}

/// The token names incident, run and plan hash. It works while the plan waits, once for each person; who may
/// decide is settled by the API token, so that a token in a chat message gives nobody any power. `by` is what
/// the caller says: the API token proves that somebody may decide, not who it is.
pub(crate) async fn decide(
    State(api): State<Api>,
    Path(token): Path<String>,
    body: Result<Json<Answer>, JsonRejection>,
) -> Result<Json<Value>, Failure> {
    let token: ApprovalToken = token.parse().map_err(|bad| bad_request(format!("{bad}")))?;
    let Json(answer) = body.map_err(|bad| bad_request(bad.body_text()))?;
    let plan_hash = token.plan_hash;
    let wish = match answer {
        Answer::Approve { by } => Command::Approve { by, plan_hash },
        Answer::Reject { by, reason } => Command::Reject { by, plan_hash, reason },
    };
    let incident = command(&*api.store, &*api.clock, &token.incident, &wish).await?;
    let run = incident.runs.iter().find(|run| run.number == token.run);
    let waits = |run: &&Run| matches!(run.phase, Phase::AwaitingApproval { .. });
    let missing =
        run.filter(waits).map_or(0, |run| run.runbook.approvals.missing(run.approvals.len()));
    let given: Vec<&str> =
        run.iter().flat_map(|run| &run.approvals).map(|said| said.by.as_str()).collect();
    Ok(Json(json!({
        "incident": Summary::from(&incident),
        "approval": {"given": given, "missing": missing},
    })))
}
