//! `firebreak send`: delivers a file to a webhook.

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::Value;

use crate::args::{Send, Server};
use crate::client::Client;
use crate::output::{BAD, GOOD, paint, say, say_json};

pub(crate) async fn send(server: &Server, send: &Send, json: bool) -> anyhow::Result<ExitCode> {
    let mut body = Vec::new();
    if send.file.as_os_str() == "-" {
        std::io::stdin().read_to_end(&mut body).context("cannot read standard input")?;
    } else {
        body = std::fs::read(&send.file)
            .with_context(|| format!("cannot read {}", send.file.display()))?;
    }
    let report =
        Client::of_sender(server)?.post_bytes(&format!("/webhooks/{}", send.source), body).await?;
    if json {
        say_json(&report)?;
        return Ok(ExitCode::SUCCESS);
    }
    let list = |key: &str| report.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |value: &Value, path: &str| {
        value.pointer(path).and_then(Value::as_str).unwrap_or("-").to_owned()
    };
    for alert in list("accepted") {
        say(&format!(
            "{} {}  {}",
            paint(GOOD, &text(&alert, "/outcome")),
            text(&alert, "/incident_id"),
            text(&alert, "/fingerprint")
        ));
    }
    for kept in list("quarantined") {
        say(&format!(
            "{} {}: {}",
            paint(BAD, "quarantined"),
            text(&kept, "/id"),
            text(&kept, "/error/message")
        ));
    }
    for heartbeat in list("heartbeats") {
        say(&format!("heartbeat {}", heartbeat.as_str().unwrap_or_default()));
    }
    for finding in list("findings") {
        say(&format!("note: {}", finding.as_str().unwrap_or_default()));
    }
    Ok(ExitCode::SUCCESS)
}
