//! `firebreak trust`: how far each action goes by itself, and a person's word to move it.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::args::Server;
use crate::client::Client;
use crate::output::{BAD, GOOD, WARN, paint, say, say_json, table};

#[derive(Debug, Subcommand)]
pub(crate) enum Trust {
    /// Where every action stands, what it has shown, and what it lacks for the next rung; also without a word.
    List,
    /// Let an action go one rung further, once it has earned that.
    Promote {
        #[command(flatten)]
        wanted: TrustMove,
        /// Although it has not earned it; the record says so by its numbers.
        #[arg(long)]
        anyway: bool,
    },
    /// Let an action go less far, from now on.
    Demote {
        #[command(flatten)]
        wanted: TrustMove,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TrustMove {
    pub(crate) runbook: String,
    /// The rung: shadow records, suggest tells, approve asks, auto acts. The runbook's own mode is the ceiling.
    #[arg(long)]
    pub(crate) to: Rung,
    /// One action of the runbook; left out, all of them.
    #[arg(long)]
    pub(crate) action: Option<String>,
    /// One environment; left out, all that are known.
    #[arg(long)]
    pub(crate) environment: Option<String>,
    #[arg(long, env = "USER")]
    pub(crate) by: String,
    #[arg(long)]
    pub(crate) reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rung {
    Shadow,
    Suggest,
    Approve,
    Auto,
}

impl Rung {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Rung::Shadow => "shadow",
            Rung::Suggest => "suggest",
            Rung::Approve => "approve",
            Rung::Auto => "auto",
        }
    }
}

pub(crate) async fn trust(
    server: &Server,
    what: Option<Trust>,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let client = Client::of_api(server)?;
    let answer = match what.unwrap_or(Trust::List) {
        Trust::List => {
            let answer = client.get("/api/trust", &[]).await?;
            if !as_json {
                say(&list(&answer));
                return Ok(ExitCode::SUCCESS);
            }
            answer
        }
        Trust::Promote { wanted, anyway } => {
            client.post("/api/trust", &body(&wanted, anyway)).await?
        }
        Trust::Demote { wanted } => client.post("/api/trust", &body(&wanted, false)).await?,
    };
    if as_json {
        say_json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    for moved in answer.get("moved").and_then(Value::as_array).into_iter().flatten() {
        let change = |key: &str| text(moved.get("change").unwrap_or(&Value::Null), key);
        say(&format!(
            "{} in {}: {} -> {}",
            text(moved, "action"),
            text(moved, "environment"),
            change("from"),
            change("to")
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn body(wanted: &TrustMove, anyway: bool) -> Value {
    json!({
        "runbook": wanted.runbook,
        "action": wanted.action,
        "environment": wanted.environment,
        "to": wanted.to.as_str(),
        "by": wanted.by,
        "reason": wanted.reason,
        "anyway": anyway,
    })
}

fn list(answer: &Value) -> String {
    let rungs = answer.get("trust").and_then(Value::as_array).cloned().unwrap_or_default();
    if rungs.is_empty() {
        return "there are no runbooks".to_owned();
    }
    let rows = rungs.iter().map(row).collect();
    table(&["RUNBOOK", "ACTION", "ENVIRONMENT", "GOES", "CEILING", "SHOWED", "NEXT RUNG"], rows)
}

fn row(rung: &Value) -> Vec<String> {
    let goes = text(rung, "rung");
    let ceiling = text(rung, "ceiling");
    let style = match goes.as_str() {
        "auto" => GOOD,
        _ if goes == ceiling => WARN,
        _ => BAD,
    };
    vec![
        text(rung, "runbook"),
        text(rung, "action"),
        text(rung, "environment"),
        paint(style, &goes),
        ceiling,
        showed(rung),
        next(rung),
    ]
}

fn showed(rung: &Value) -> String {
    let count = |key: &str| {
        rung.pointer(&format!("/tally/{key}")).and_then(Value::as_u64).unwrap_or_default()
    };
    let parts = [
        (count("helped"), "helped"),
        (count("by_itself"), "of those likely anyway"),
        (count("useless"), "useless"),
        (count("harmful"), "harmful"),
        (count("unclear"), "unclear"),
        (count("would_act"), "watched"),
        (count("healed"), "of those healed"),
    ];
    let said: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if said.is_empty() { "nothing yet".to_owned() } else { said.join(", ") }
}

fn next(rung: &Value) -> String {
    if let Some(proposed) = rung.get("proposed").and_then(Value::as_str) {
        return format!("earned: {proposed}");
    }
    let missing = rung.get("missing").and_then(Value::as_array).cloned().unwrap_or_default();
    let missing: Vec<&str> = missing.iter().filter_map(Value::as_str).collect();
    if missing.is_empty() { "-".to_owned() } else { missing.join("; ") }
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}
