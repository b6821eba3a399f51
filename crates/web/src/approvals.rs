//! `POST /api/approvals/{token}`: a person's yes or no to one exact plan.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use firebreak_core::approval::ApprovalToken;
use firebreak_core::incident::Command;
use serde::Deserialize;
use serde_json::Value;

use crate::answer::Failure;
use crate::api::{Api, bad_request, carry_out};

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", tag = "decision", deny_unknown_fields)]
pub(crate) enum Answer {
    Approve { by: String },
    Reject { by: String, reason: String },
}

/// The token names incident, run and plan hash. It works once and while the plan waits; who may decide is
/// settled by the API token, so that a token in a chat message gives nobody any power.
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
    carry_out(&api, token.incident.to_string(), wish).await
}
