//! `firebreak why`: what was decided about an incident, and why.

use std::collections::BTreeMap;
use std::process::ExitCode;

use firebreak_core::fingerprint::{Field, Fingerprint};
use firebreak_core::incident::{Incident, Recorded};
use firebreak_core::muting::{MuteFinding, Says};
use firebreak_core::trace::{Ruling, Trace};
use jiff::Timestamp;

use crate::args::Server;
use crate::client::{Client, taken};
use crate::output::{BAD, BOLD, DIM, GOOD, WARN, paint, say, say_json};

pub(crate) async fn why(server: &Server, id: &str, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut shown = Client::of_api(server)?.get(&format!("/api/incidents/{id}"), &[]).await?;
    if as_json {
        say_json(&taken(&mut shown, "trace"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let incident: Incident = serde_json::from_value(taken(&mut shown, "incident"))?;
    let mut muting: BTreeMap<Fingerprint, Vec<MuteFinding>> =
        serde_json::from_value(taken(&mut shown, "muting"))?;
    let events: Vec<Recorded> = serde_json::from_value(taken(&mut shown, "events"))?;
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
    let decisions: Vec<(&Recorded, &Trace)> =
        events.iter().filter_map(|recorded| Some((recorded, recorded.event.trace()?))).collect();
    if decisions.is_empty() {
        say("nothing was decided yet");
    }
    for (recorded, trace) in decisions {
        say(&format!(
            "\n{} {}  {}",
            paint(DIM, &recorded.at.to_string()),
            recorded.event.name(),
            trace.decision
        ));
        explain(trace, recorded.at);
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

fn explain(trace: &Trace, at: Timestamp) {
    for tried in &trace.tried {
        let mark = if tried.matched { paint(GOOD, "matches") } else { paint(DIM, "no") };
        say(&format!("    runbook {}: {mark}, {}", tried.runbook, tried.because));
    }
    for finding in &trace.guards {
        match &finding.ruling {
            Ruling::Pass { because } => {
                say(&format!("    {} {}: {because}", paint(GOOD, "pass"), finding.guard));
            }
            Ruling::Hold { because, remedy, .. } => {
                say(&format!("    {} {}: {because}; {remedy}", paint(BAD, "hold"), finding.guard));
            }
        }
    }
    if let Some(miss) = trace.nearest_miss() {
        say(&format!("    {} {}", paint(WARN, "nearest miss:"), miss.sentence(at)));
    }
}
