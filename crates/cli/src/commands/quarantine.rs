//! `firebreak quarantine`: what could not be understood, as it came.

use std::process::ExitCode;

use anyhow::bail;
use serde_json::Value;

use crate::args::{Quarantine, Server};
use crate::client::Client;
use crate::output::{say, say_json, table};

pub(crate) async fn quarantine(
    server: &Server,
    what: Quarantine,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let client = Client::of_api(server)?;
    let (source, wanted) = match what {
        Quarantine::List { source } => (source, None),
        Quarantine::Show { id } => (None, Some(id)),
    };
    let mut query = vec![("limit", "200".to_owned())];
    query.extend(source.map(|source| ("source", source)));
    let page = client.get("/api/quarantine", &query).await?;
    let kept = page.get("quarantined").and_then(Value::as_array).cloned().unwrap_or_default();
    let text =
        |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    if let Some(id) = wanted {
        let Some(entry) = kept.iter().find(|entry| text(entry, "id") == id) else {
            bail!("there is no `{id}` among the newest 200 entries")
        };
        if as_json {
            return say_json(entry).map(|()| ExitCode::SUCCESS);
        }
        say(&format!(
            "{}: {}\n\n{}",
            text(entry, "code"),
            text(entry, "message"),
            text(entry, "raw")
        ));
        return Ok(ExitCode::SUCCESS);
    }
    if as_json {
        say_json(&page)?;
    } else if kept.is_empty() {
        say("the quarantine is empty");
    } else {
        let rows = kept
            .iter()
            .map(|entry| {
                ["id", "source", "at", "code", "message"].map(|key| text(entry, key)).to_vec()
            })
            .collect();
        say(&table(&["ID", "SOURCE", "AT", "CODE", "WHAT IS WRONG"], rows));
    }
    Ok(ExitCode::SUCCESS)
}
