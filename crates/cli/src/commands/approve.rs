//! `firebreak approve`: a yes or a no to one exact plan.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::incidents::changed;
use crate::args::{Approve, Server};
use crate::client::Client;
use crate::output::say;

pub(crate) async fn approve(
    server: &Server,
    answer: Approve,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let body = match answer.reject {
        Some(reason) => json!({"decision": "reject", "by": answer.by, "reason": reason}),
        None => json!({"decision": "approve", "by": answer.by}),
    };
    let reply =
        Client::of_api(server)?.post(&format!("/api/approvals/{}", answer.token), &body).await?;
    changed(&reply, as_json)?;
    let missing = reply.pointer("/approval/missing").and_then(Value::as_u64).unwrap_or_default();
    if missing > 0 && !as_json {
        say(&format!("{missing} more must approve before it acts"));
    }
    Ok(ExitCode::SUCCESS)
}
