//! `firebreak incidents`: list, show, acknowledge, resolve.

use std::process::ExitCode;

use firebreak_core::incident::{Incident, Recorded};
use firebreak_core::timeline::sentence;
use serde_json::{Value, json};

use crate::args::{Incidents, Server};
use crate::client::{Client, taken};
use crate::output::{BOLD, DIM, of_status, paint, say, say_json, table};

pub(crate) async fn incidents(
    server: &Server,
    what: Incidents,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let client = Client::of_api(server)?;
    match what {
        Incidents::List { status, service, limit } => {
            let mut query = vec![("limit", limit.to_string())];
            query.extend(status.map(|status| ("status", status)));
            query.extend(service.map(|service| ("service", service)));
            let page = client.get("/api/incidents", &query).await?;
            if as_json { say_json(&page)? } else { say(&list(&page)) }
        }
        Incidents::Show { id } => {
            let shown = client.get(&format!("/api/incidents/{id}"), &[]).await?;
            if as_json { say_json(&shown)? } else { show(shown)? }
        }
        Incidents::Ack { id, by } => {
            let answer =
                client.post(&format!("/api/incidents/{id}/ack"), &json!({"by": by})).await?;
            changed(&answer, as_json)?;
        }
        Incidents::Resolve { id, by, reason } => {
            let body = json!({"by": by, "reason": reason});
            let answer = client.post(&format!("/api/incidents/{id}/resolve"), &body).await?;
            changed(&answer, as_json)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn text(value: &Value, key: &str) -> String {
    match value.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

fn list(page: &Value) -> String {
    let incidents = page.get("incidents").and_then(Value::as_array).cloned().unwrap_or_default();
    if incidents.is_empty() {
        return "no incidents".to_owned();
    }
    let rows = incidents
        .iter()
        .map(|incident| {
            ["id", "status", "severity", "service", "title", "opened_at"]
                .map(|key| text(incident, key))
                .to_vec()
        })
        .collect();
    table(&["ID", "STATUS", "SEVERITY", "SERVICE", "TITLE", "OPENED"], rows)
}

pub(crate) fn changed(answer: &Value, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return say_json(answer);
    }
    let incident = answer.get("incident").cloned().unwrap_or_default();
    let status = text(&incident, "status");
    say(&format!("{} is {}", text(&incident, "id"), paint(of_status(&status), &status)));
    Ok(())
}

fn show(mut shown: Value) -> anyhow::Result<()> {
    let incident: Incident = serde_json::from_value(taken(&mut shown, "incident"))?;
    let events: Vec<Recorded> = serde_json::from_value(taken(&mut shown, "events"))?;
    let status = incident.status.as_str();
    say(&format!("{}  {}", paint(BOLD, &incident.title), paint(of_status(status), status)));
    say(&paint(
        DIM,
        &format!("{}  {}  {}", incident.id, incident.service, incident.severity.as_str()),
    ));
    for recorded in &events {
        let since = recorded.at.duration_since(incident.opened_at).as_secs_f64();
        say(&format!(
            "{} {:<22} {}",
            paint(DIM, &format!("{since:>+9.1} s")),
            recorded.event.name(),
            sentence(&recorded.event)
        ));
    }
    Ok(())
}
