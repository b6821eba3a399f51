//! `firebreak send`: delivers a file to a webhook, with the token or signed as the source's sender signs.

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use firebreak_core::proof::{Scheme, Secret};
use firebreak_core::sources;
use firebreak_engine::ids;
use firebreak_engine::ports::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::args::{Send, Server};
use crate::client::{Client, webhook_token};
use crate::output::{BAD, DIM, GOOD, WARN, paint, say, say_json, table};
use crate::settings;

pub(crate) async fn send(server: &Server, send: &Send, json: bool) -> anyhow::Result<ExitCode> {
    let mut body = Vec::new();
    if send.file.as_os_str() == "-" {
        std::io::stdin().read_to_end(&mut body).context("cannot read standard input")?;
    } else {
        body = std::fs::read(&send.file)
            .with_context(|| format!("cannot read {}", send.file.display()))?;
    }
    let path = format!("/webhooks/{}", send.source);
    let mut report = if send.is_signed() {
        let headers = signed(server, send, &body)?;
        if !json {
            say(&paint(DIM, &format!("POST {}{path}", server.url)));
            for (name, value) in &headers {
                say(&paint(DIM, &format!("{name}: {value}")));
            }
        }
        let client = Client::new(&server.url, String::new())?;
        let report = client.post_signed(&path, &headers, body).await?;
        with_headers(report, headers)
    } else {
        Client::of_sender(server)?.post_bytes(&path, body).await?
    };
    if json {
        say_json(&report)?;
    } else {
        if let Some(fields) = report.as_object_mut() {
            fields.remove("sent");
        }
        say(&told(&report));
    }
    Ok(ExitCode::SUCCESS)
}

fn with_headers(mut report: Value, headers: Vec<(String, String)>) -> Value {
    let headers: serde_json::Map<String, Value> =
        headers.into_iter().map(|(name, value)| (name, value.into())).collect();
    if let Some(fields) = report.as_object_mut() {
        fields.insert("sent".to_owned(), json!({ "headers": headers }));
    }
    report
}

/// The headers that prove the body, by the first scheme of the source that signs.
fn signed(server: &Server, send: &Send, body: &[u8]) -> anyhow::Result<Vec<(String, String)>> {
    let Some(source) = sources::find(&send.source) else {
        let known: Vec<_> = sources::SOURCES.iter().map(|source| source.name()).collect();
        bail!("there is no source `{}`; there are {}", send.source, known.join(", "));
    };
    let settings = settings::read(send.config.as_deref())?;
    let schemes = settings.policy.schemes(source);
    let signs = |scheme: &&Scheme| matches!(scheme, Scheme::Hmac(_) | Scheme::StandardWebhooks);
    let Some(scheme) = schemes.iter().find(signs) else {
        bail!(
            "`{}` signs nothing; leave --sign out, or name settings whose `sources.{}.proof` lists a signature with --config",
            send.source,
            send.source
        );
    };
    let secret = match (&send.sign_with, settings.secrets.sources.get(&send.source)) {
        (Some(file), _) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            Secret::new(text.trim().to_owned()).with_context(|| file.display().to_string())?
        }
        (None, Some(secrets)) => secrets.current.clone(),
        (None, None) => Secret::new(webhook_token(server)?).context("the webhook token")?,
    };
    let now = SystemClock.now();
    let id = format!("msg_{}", ids::sortable(now));
    scheme.sign(&secret, &id, body, now).context("a public key cannot sign; name the private one")
}

/// What became of each alert, then what a person should know.
fn told(report: &Value) -> String {
    let list = |key: &str| report.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |value: &Value, path: &str| match value.pointer(path) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => "-".to_owned(),
    };
    let mut rows = Vec::new();
    for alert in list("accepted") {
        rows.push(vec![
            text(&alert, "/index"),
            paint(GOOD, &text(&alert, "/outcome")),
            text(&alert, "/incident_id"),
            text(&alert, "/fingerprint"),
        ]);
    }
    for kept in list("quarantined") {
        rows.push(vec![
            text(&kept, "/index"),
            paint(BAD, "quarantined"),
            text(&kept, "/id"),
            text(&kept, "/error/message"),
        ]);
    }
    if report.get("spilled").is_some() {
        rows.push(vec![
            "all".to_owned(),
            paint(WARN, "spilled"),
            text(report, "/spilled/id"),
            "the store is down; it is taken in when that is back".to_owned(),
        ]);
    }
    for heartbeat in list("heartbeats") {
        let name = heartbeat.as_str().unwrap_or_default().to_owned();
        rows.push(vec!["-".to_owned(), "heartbeat".to_owned(), "-".to_owned(), name]);
    }
    let mut parts = Vec::new();
    if !rows.is_empty() {
        parts.push(table(&["ALERT", "BECAME", "INCIDENT OR ENTRY", "FINGERPRINT OR REASON"], rows));
    }
    for finding in list("findings") {
        parts.push(format!("note: {}", finding.as_str().unwrap_or_default()));
    }
    if parts.is_empty() {
        parts.push("accepted, and nothing was in it".to_owned());
    }
    parts.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_says_what_became_of_each_alert() {
        let told = told(&json!({
            "accepted": [
                {"index": 0, "outcome": "opened", "incident_id": "inc_1", "fingerprint": "fp1_a"},
                {"index": 2, "outcome": "resolved", "incident_id": null, "fingerprint": "fp1_b"},
            ],
            "quarantined": [{"id": "q1", "index": 1, "error": {"code": "field", "message": "no status"}}],
            "heartbeats": ["Watchdog"],
            "findings": ["it was repaired"],
        }));
        for part in [
            "opened",
            "inc_1",
            "fp1_b",
            "quarantined",
            "no status",
            "Watchdog",
            "note: it was repaired",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert_eq!(told.lines().count(), 6, "{told}");
    }
}
