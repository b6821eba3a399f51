//! `firebreak quarantine`: what could not be understood, as it came, and its replay.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::args::{Quarantine, Server};
use crate::client::Client;
use crate::output::{BAD, DIM, GOOD, paint, say, say_json, table};

pub(crate) async fn quarantine(
    server: &Server,
    what: Quarantine,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let client = Client::of_api(server)?;
    match what {
        Quarantine::List { source, all, limit } => {
            let kept = list(&client, source.as_deref(), all, limit.map(usize::from)).await?;
            if as_json {
                say_json(&json!({"quarantined": kept}))?;
            } else {
                say(&listed(&kept));
            }
            Ok(ExitCode::SUCCESS)
        }
        Quarantine::Show { id } => {
            let shown = client.get(&format!("/api/quarantine/{id}"), &[]).await?;
            if as_json {
                say_json(&shown)?;
            } else {
                show(&shown);
            }
            Ok(ExitCode::SUCCESS)
        }
        Quarantine::Replay { ids, source, by } => {
            let ids = match source {
                Some(source) => ids_of(&client, &source).await?,
                None => ids,
            };
            replay(&client, &ids, &by, as_json).await
        }
    }
}

/// Everything that waits, or the newest `limit` deliveries of it.
async fn list(
    client: &Client,
    source: Option<&str>,
    all: bool,
    limit: Option<usize>,
) -> anyhow::Result<Vec<Value>> {
    let mut parts = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", limit.unwrap_or(200).to_string()), ("all", all.to_string())];
        query.extend(source.map(|source| ("source", source.to_owned())));
        query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let page = client.get("/api/quarantine", &query).await?;
        let found = page.get("quarantined").and_then(Value::as_array).cloned().unwrap_or_default();
        parts.extend(found);
        cursor = page.get("cursor").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() || limit.is_some() {
            return Ok(parts);
        }
    }
}

fn listed(kept: &[Value]) -> String {
    if kept.is_empty() {
        return "nothing waits in quarantine".to_owned();
    }
    let row = |part: &Value| {
        let mut row = ["id", "source", "at", "code", "message"].map(|key| text(part, key)).to_vec();
        if part.get("replayed").is_some() {
            row.push("replayed".to_owned());
        }
        row
    };
    table(&["ID", "SOURCE", "AT", "CODE", "WHAT IS WRONG"], kept.iter().map(row).collect())
}

fn show(shown: &Value) {
    say(&format!(
        "{} from {} at {}",
        text(shown, "id"),
        text(shown, "source"),
        text(shown, "received_at")
    ));
    for problem in list_of(shown, "problems") {
        let place = problem.get("index").and_then(Value::as_u64);
        let place = place.map_or("the whole body".to_owned(), |index| format!("part {index}"));
        let what = format!("{} ({}): {}", place, text(&problem, "code"), text(&problem, "message"));
        match problem.get("replayed") {
            Some(replayed) => say(&paint(
                GOOD,
                &format!(
                    "  replayed at {} by {}: {what}",
                    text(replayed, "at"),
                    text(replayed, "by")
                ),
            )),
            None => say(&paint(BAD, &format!("  {what}"))),
        }
    }
    let understood = shown.get("understood").cloned().unwrap_or_default();
    let alerts = understood.get("alerts").and_then(Value::as_u64).unwrap_or_default();
    let not = list_of(&understood, "problems").len();
    say(&paint(DIM, &format!("  read today: {alerts} alerts understood, {not} parts not")));
    say(&format!("\n{}", text(shown, "raw")));
}

/// The deliveries of a source of which something waits, oldest first: so they are taken in in their order.
async fn ids_of(client: &Client, source: &str) -> anyhow::Result<Vec<String>> {
    let parts = list(client, Some(source), false, None).await?;
    let whole = |part: &Value| {
        let id = text(part, "id");
        id.split('-').next().unwrap_or_default().to_owned()
    };
    let mut ids: Vec<String> = parts.iter().map(whole).collect();
    ids.sort();
    ids.dedup();
    Ok(ids)
}

async fn replay(
    client: &Client,
    ids: &[String],
    by: &str,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let (mut taken, mut still, mut answers) = (0, 0, Vec::new());
    for id in ids {
        let answer =
            client.post(&format!("/api/quarantine/{id}/replay"), &json!({"by": by})).await?;
        taken += list_of(&answer, "accepted").len();
        for problem in list_of(&answer, "still") {
            still += 1;
            if !as_json {
                let message = problem.pointer("/error/message").and_then(Value::as_str);
                let message = message.unwrap_or_default();
                say(&format!("{} {}: {message}", paint(BAD, "stays"), text(&problem, "id")));
            }
        }
        answers.push(json!({"id": id, "replay": answer}));
    }
    if as_json {
        say_json(&json!({"replayed": answers}))?;
    } else {
        say(&format!(
            "{} deliveries read again: {taken} alerts taken in, {still} parts stay",
            ids.len()
        ));
    }
    Ok(if still == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn text(entry: &Value, key: &str) -> String {
    entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn list_of(answer: &Value, key: &str) -> Vec<Value> {
    answer.get(key).and_then(Value::as_array).cloned().unwrap_or_default()
}
