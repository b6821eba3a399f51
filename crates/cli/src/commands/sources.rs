//! `firebreak sources`: which sources may send, what they sent, and which are silent.

use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::args::{Server, Sources};
use crate::client::{Client, taken};
use crate::output::{BAD, DIM, GOOD, WARN, paint, say, say_json, table};

pub(crate) async fn sources(
    server: &Server,
    what: Option<Sources>,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let client = Client::of_api(server)?;
    let answer = match what.unwrap_or(Sources::List { all: false }) {
        Sources::List { all } => {
            let mut answer = client.get("/api/sources", &[]).await?;
            let mut sources = taken(&mut answer, "sources");
            if let Some(list) = sources.as_array_mut().filter(|_| !all) {
                list.retain(is_used);
            }
            if !as_json {
                let list = sources.as_array().map(Vec::as_slice).unwrap_or_default();
                say(&listed(list, all, Timestamp::now()));
            }
            json!({"sources": sources})
        }
        Sources::Forget { source, name, by } => {
            let path = format!("/api/sources/{source}/forget");
            let answer = client.post(&path, &json!({"name": name, "by": by})).await?;
            if !as_json {
                let done = paint(GOOD, "forgotten");
                say(&format!(
                    "{done} `{name}` of {source} is expected no more, until it is heard of again"
                ));
            }
            answer
        }
    };
    if as_json {
        say_json(&answer)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn number(source: &Value, key: &str) -> u64 {
    source.get(key).and_then(Value::as_u64).unwrap_or_default()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(source: &'a Value, key: &str) -> &'a [Value] {
    source.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Whether there is anything to say of it.
fn is_used(source: &Value) -> bool {
    let counts = ["accepted", "quarantined", "limited", "denied", "waiting"];
    counts.iter().any(|key| number(source, key) > 0)
        || !text(source, "last_heard").is_empty()
        || source.get("limit").is_some_and(|limit| !limit.is_null())
        || !list(source, "expected").is_empty()
}

fn listed(sources: &[Value], all: bool, now: Timestamp) -> String {
    if sources.is_empty() {
        return "no source was heard of yet (see those there are with --all)".to_owned();
    }
    let header = ["SOURCE", "ALERTS", "PER S", "LIMITED", "DENIED", "KEPT", "HEARD"];
    let mut lines = vec![table(&header, sources.iter().map(|source| row(source, now)).collect())];
    for source in sources {
        lines.push(way(source));
        lines.extend(list(source, "expected").iter().map(|one| sign(one, now)));
    }
    if !all {
        lines.push(paint(DIM, "Counts since the platform started; every source with --all."));
    }
    lines.join("\n")
}

fn row(source: &Value, now: Timestamp) -> Vec<String> {
    let rate = source.get("rate").and_then(Value::as_f64).unwrap_or_default();
    let kept = match (number(source, "quarantined"), number(source, "waiting")) {
        (kept, 0) => kept.to_string(),
        (kept, waiting) => format!("{kept} ({waiting} wait)"),
    };
    vec![
        text(source, "source").to_owned(),
        number(source, "accepted").to_string(),
        format!("{rate:.1}"),
        number(source, "limited").to_string(),
        number(source, "denied").to_string(),
        kept,
        ago(text(source, "last_heard"), now),
    ]
}

/// How it is let in: proof and limit.
fn way(source: &Value) -> String {
    let name = text(source, "source");
    if !source.get("enabled").and_then(Value::as_bool).unwrap_or_default() {
        return format!("{} {name}: no secret is set up for it", paint(BAD, "disabled"));
    }
    let proof: Vec<&str> = list(source, "proof").iter().filter_map(Value::as_str).collect();
    let limit =
        source.get("limit").filter(|limit| !limit.is_null()).map_or_else(String::new, |limit| {
            format!("; limit {}/s, {} at once", number(limit, "rate"), number(limit, "burst"))
        });
    format!("{} {name}: {}{limit}", paint(GOOD, "enabled"), proof.join(", "))
}

fn sign(one: &Value, now: Timestamp) -> String {
    let state = text(one, "state");
    let style = match state {
        "alive" => GOOD,
        "silent" => BAD,
        _ => WARN,
    };
    let heard = ago(text(one, "last"), now);
    format!("{} {}: {}, heard {heard}", paint(style, state), text(one, "source"), text(one, "name"))
}

/// `2m ago`, in the largest unit that fits.
fn ago(at: &str, now: Timestamp) -> String {
    let Ok(at) = at.parse::<Timestamp>() else { return "never".to_owned() };
    let seconds = now.duration_since(at).as_secs().max(0);
    let units = [(86_400, "d"), (3600, "h"), (60, "m")];
    let fits = units.into_iter().find(|(unit, _)| seconds >= *unit);
    let (unit, name) = fits.unwrap_or((1, "s"));
    format!("{}{name} ago", seconds / unit)
}
