//! An Alertmanager configuration as ours, with a remark for everything that could not be carried over.
//!
//! Secrets stay where they are: of a value that may hold one, only the key and the line are ever shown.

mod duration;
mod node;
mod receivers;
mod routes;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use firebreak_core::channels;
use firebreak_core::routing::Routes;
use serde_json::{Value, json};

use self::node::{Entry, Node};
use crate::settings;

/// Our configuration, and what a person must know before using it.
#[derive(Debug)]
pub(crate) struct Imported {
    pub(crate) yaml: String,
    pub(crate) remarks: Vec<Remark>,
}

/// Something that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Remark {
    pub(crate) line: u64,
    pub(crate) place: String,
    pub(crate) text: String,
}

impl std::fmt::Display for Remark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}: {}", self.line, self.place, self.text)
    }
}

/// What is collected on the way.
#[derive(Default)]
struct Work {
    remarks: Vec<Remark>,
    /// Receiver → its channels.
    receivers: BTreeMap<String, Vec<String>>,
    channels: serde_json::Map<String, Value>,
    /// Channels that need a signing secret.
    signed: BTreeSet<String>,
    intervals: BTreeMap<String, Value>,
}

impl Work {
    fn say(&mut self, line: u64, place: impl Into<String>, text: impl Into<String>) {
        self.remarks.push(Remark { line, place: place.into(), text: text.into() });
    }
}

/// Reads `alertmanager.yml` and writes what our own reader takes.
pub(crate) fn alertmanager(text: &str) -> Result<Imported, String> {
    let root = Node::read(text)?;
    let Some(route) = root.get("route") else {
        return Err(
            "it has no `route`, so it is not the configuration of an Alertmanager".to_owned()
        );
    };
    let mut work = Work::default();
    receivers::carry(&root, &mut work);
    for entry in root.entries() {
        match entry.key.as_str() {
            "time_intervals" | "mute_time_intervals" => rules::intervals(entry, &mut work),
            "route" | "receivers" | "inhibit_rules" => {}
            _ => left_out(entry, &mut work),
        }
    }
    let mut ours = serde_json::Map::new();
    let inhibit = root.get("inhibit_rules").map(|entry| rules::inhibit(entry, &mut work));
    let route = routes::root(route, &mut work);
    ours.insert("channels".to_owned(), Value::Object(work.channels.clone()));
    ours.insert("route".to_owned(), route);
    if let Some(rules) = inhibit.filter(|rules| !rules.is_empty()) {
        ours.insert("inhibit_rules".to_owned(), Value::Array(rules));
    }
    if !work.intervals.is_empty() {
        let intervals = work.intervals.values().cloned().collect();
        ours.insert("time_intervals".to_owned(), Value::Array(intervals));
    }
    work.remarks.sort();
    let body = serde_saphyr::to_string(&Value::Object(ours)).map_err(|error| error.to_string())?;
    let yaml = format!("{}{body}", head(&work));
    check(&yaml)?;
    Ok(Imported { yaml, remarks: work.remarks })
}

/// Top-level keys that have no counterpart.
fn left_out(entry: &Entry, work: &mut Work) {
    let text = match entry.key.as_str() {
        "templates" => {
            "messages have one form here; a receiver of `webhook` gets all of it as JSON".to_owned()
        }
        "global" => {
            for setting in entry.value.entries() {
                global(setting, work);
            }
            return;
        }
        key => format!("there is nothing like `{key}` here"),
    };
    work.say(entry.line, &entry.key, text);
}

fn global(setting: &Entry, work: &mut Work) {
    let text = match setting.key.as_str() {
        "resolve_timeout" => {
            "an alert that its sender forgets is over after `expiry.after` (7 days unless set)"
        }
        key if key.starts_with("smtp_") => "there is no channel for e-mail; an SNS topic sends it",
        key if key.ends_with("_url") || key.ends_with("_key") || key.ends_with("_file") => {
            "it belongs to a kind of receiver that is not here; nothing of it was copied"
        }
        _ => "it has no counterpart here",
    };
    work.say(setting.line, format!("global.{}", setting.key), text);
}

/// What the file says of itself; remarks stand in it so that they are not lost.
fn head(work: &Work) -> String {
    let mut lines = vec![
        "Made from an Alertmanager configuration by `firebreak import`.".to_owned(),
        "Look at it with `firebreak routes test --config THIS_FILE severity=critical`.".to_owned(),
    ];
    if !work.signed.is_empty() {
        lines.push(
            "Give each of these channels a signing secret, under `secrets.channels` here or in"
                .to_owned(),
        );
        lines.push("the secret of the stack: `whsec_` and `openssl rand -base64 32`:".to_owned());
        lines.extend(work.signed.iter().map(|name| format!("  {}", one_line(name))));
    }
    if !work.remarks.is_empty() {
        lines.push("Not carried over as it was:".to_owned());
        lines.extend(
            work.remarks.iter().map(|remark| format!("  {}", one_line(&remark.to_string()))),
        );
    }
    lines.iter().map(|line| format!("# {line}\n")).collect::<Vec<_>>().concat()
}

/// A name of the input must not end a comment.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Our own reader takes it; anything else is a mistake of the import.
fn check(yaml: &str) -> Result<(), String> {
    let wrong = |what: String| format!("the result would not be valid: {what}");
    let settings = settings::parse(yaml).map_err(|error| wrong(format!("{error:#}")))?;
    let mut problems = channels::check(&settings.channels);
    let unknown = Routes::of(&settings.policy).unknown_channels(&settings.channels);
    problems.extend(unknown.into_iter().map(|(place, problem)| format!("{place}: {problem}")));
    if problems.is_empty() { Ok(()) } else { Err(wrong(problems.join("; "))) }
}

/// For what a machine reads.
pub(crate) fn as_json(imported: &Imported) -> Value {
    let remarks: Vec<Value> = imported
        .remarks
        .iter()
        .map(|remark| json!({"line": remark.line, "place": remark.place, "text": remark.text}))
        .collect();
    json!({"yaml": imported.yaml, "remarks": remarks})
}

#[cfg(test)]
mod tests;
