//! `firebreak why`: what was decided about an incident, or would be about an alert, and why.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use firebreak_core::explain::{Decision, NearestMiss, Outlook};
use firebreak_core::fingerprint::{Field, Fingerprint};
use firebreak_core::incident::Incident;
use firebreak_core::muting::{MuteFinding, Says};
use firebreak_core::trace::{GuardFinding, Ruling, Tried};
use serde_json::{Value, json};

use crate::args::{Server, Why};
use crate::client::{Client, taken};
use crate::output::{BAD, BOLD, DIM, GOOD, WARN, paint, say, say_json};

pub(crate) async fn why(server: &Server, asked: &Why, as_json: bool) -> anyhow::Result<ExitCode> {
    let client = Client::of_api(server)?;
    match &asked.source {
        Some(source) => {
            let body = json!({"source": source, "body": read(Path::new(&asked.what))?});
            alerts(&client, &body, as_json).await
        }
        None if asked.what.starts_with("inc_") => incident(&client, &asked.what, as_json).await,
        None => alerts(&client, &json!({"alert": asked.what}), as_json).await,
    }
}

fn read(file: &Path) -> anyhow::Result<String> {
    if file.as_os_str() == "-" {
        return std::io::read_to_string(std::io::stdin()).context("cannot read standard input");
    }
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// What would happen if they fired now.
async fn alerts(client: &Client, asked: &Value, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut said = client.post("/api/explain", asked).await?;
    if as_json {
        say_json(&said)?;
        return Ok(ExitCode::SUCCESS);
    }
    let outlooks: Vec<Outlook> = serde_json::from_value(taken(&mut said, "alerts"))?;
    let odd: Vec<String> = serde_json::from_value(taken(&mut said, "not_understood"))?;
    for why in &odd {
        say(&format!("{} {why}", paint(BAD, "not understood:")));
    }
    if outlooks.is_empty() && odd.is_empty() {
        say("there is no alert in it");
    }
    for outlook in &outlooks {
        tell(outlook);
    }
    if let Some(incident) = said.get("incident").and_then(Value::as_str) {
        say(&paint(DIM, &format!("its incident: firebreak why {incident}")));
    }
    Ok(if odd.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell(outlook: &Outlook) {
    say(&format!("{}  {}", paint(BOLD, &outlook.title), paint(DIM, &outlook.fingerprint)));
    say(&format!("  would: {}", outlook.would));
    for target in &outlook.targets {
        say(&format!("    target {target}"));
    }
    branches(&outlook.tried, outlook.others, &outlook.guards);
    if !outlook.asked_later.is_empty() {
        let later = outlook.asked_later.join(", ");
        say(&format!("    {}", paint(DIM, &format!("asked when the targets are read: {later}"))));
    }
    missed(outlook.nearest_miss.as_ref());
}

async fn incident(client: &Client, id: &str, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut shown = client.get(&format!("/api/incidents/{id}"), &[]).await?;
    if as_json {
        say_json(&taken(&mut shown, "decisions"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let decisions: Vec<Decision> = serde_json::from_value(taken(&mut shown, "decisions"))?;
    let incident: Incident = serde_json::from_value(taken(&mut shown, "incident"))?;
    let mut muting: BTreeMap<Fingerprint, Vec<MuteFinding>> =
        serde_json::from_value(taken(&mut shown, "muting"))?;
    say(&paint(BOLD, &incident.title));
    stands(&incident);
    for member in incident.alerts.values() {
        let alert = &member.alert;
        say(&format!("alert {} from {}, known by:", alert.fingerprint, alert.source));
        for (path, field) in &alert.identity_inputs {
            let value = match field {
                Field::Missing => paint(DIM, "missing"),
                Field::Null => paint(DIM, "null"),
                Field::Text(text) => format!("{text:?}"),
            };
            say(&format!("    {path} = {value}"));
        }
        for finding in muting.remove(&alert.fingerprint).unwrap_or_default() {
            muted(&finding);
        }
    }
    if decisions.is_empty() {
        say("nothing was decided yet");
    }
    for decision in &decisions {
        let Decision { at, event, trace, nearest_miss } = decision;
        say(&format!("\n{} {event}  {}", paint(DIM, &at.to_string()), trace.decision));
        branches(&trace.tried, trace.others, &trace.guards);
        missed(nearest_miss.as_ref());
    }
    Ok(ExitCode::SUCCESS)
}

/// What keeps the incident from people and runbooks, as the record says.
fn stands(incident: &Incident) {
    if let Some(muted) = &incident.muted {
        say(&format!("{}: {}", paint(WARN, "suppressed"), muted.reason));
    } else if let Some(resting) = &incident.resting {
        say(&format!("{}: {}", paint(WARN, "no runbook takes it"), resting.reason));
    }
    if let Some(parent) = &incident.parent {
        say(&format!(
            "{} depends on {}: see {}",
            incident.service, parent.service, parent.incident
        ));
    }
}

/// What a mute says right now; those that have nothing to say of the alert are left out.
fn muted(finding: &MuteFinding) {
    let (mute, because) = (finding.mute.as_str(), &finding.because);
    match finding.says {
        Says::Heard => {}
        Says::Muted => say(&format!("    {} by {mute}: {because}", paint(WARN, "muted"))),
        Says::Unreadable => {
            say(&format!(
                "    {} {mute}: {because}; it is told all the same",
                paint(BAD, "unknown")
            ));
        }
    }
}

/// Runbooks, then guards.
fn branches(tried: &[Tried], others: usize, guards: &[GuardFinding]) {
    for tried in tried {
        let mark = if tried.matched { paint(GOOD, "matches") } else { paint(DIM, "no") };
        say(&format!("    runbook {}: {mark}, {}", tried.runbook, tried.because));
    }
    if others > 0 {
        say(&paint(DIM, &format!("    and {others} more that are for other alerts")));
    }
    for finding in guards {
        match &finding.ruling {
            Ruling::Pass { because } => {
                say(&format!("    {} {}: {because}", paint(GOOD, "pass"), finding.guard));
            }
            Ruling::Hold { because, remedy, .. } => {
                say(&format!("    {} {}: {because}; {remedy}", paint(BAD, "hold"), finding.guard));
            }
        }
    }
}

fn missed(miss: Option<&NearestMiss>) {
    if let Some(miss) = miss {
        say(&format!("    {} {}", paint(WARN, "nearest miss:"), miss.sentence));
    }
}
