//! An `alertmanager.yml` becomes a policy and channels; what could not be carried over is said, never dropped quietly.
//!
//! Secrets stay where they are: of a value that may hold one, only the key and the line are ever shown.

mod duration;
mod inhibitions;
mod intervals;
mod leftovers;
mod matchers;
mod node;
mod receivers;
mod routes;
mod written;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use self::node::{DEEPEST, Entry, Node, NotYaml};
use self::receivers::Tells;
use crate::channels::Channels;
use crate::policy::{Policy, TimeIntervals};

/// Something that is not as it was. It names keys and never holds a value that may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Remark {
    pub line: u64,
    /// Where it stands in the configuration that was read.
    pub place: String,
    /// What became of it, and why.
    pub what: String,
    pub remedy: String,
}

impl std::fmt::Display for Remark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}: {}; {}", self.line, self.place, self.what, self.remedy)
    }
}

/// What became of a configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    pub policy: Policy,
    pub channels: Channels,
    /// By line.
    pub remarks: Vec<Remark>,
    /// The file behind `--config`; its reader takes it as it is. The remarks stand in it as comments.
    pub yaml: String,
}

/// Why nothing was made of a text. It does not repeat the text, which may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotImported {
    #[error(
        "line {line}, column {column}: this is not YAML, or more than {DEEPEST} deep; `amtool check-config` says more"
    )]
    Unreadable { line: u64, column: u64 },
    #[error("it has no `route`, so it is not the configuration of an Alertmanager")]
    NoRoute,
    #[error("what was made of it is not right, and is not given out: {0}")]
    Refused(String),
}

/// What is collected on the way.
#[derive(Default)]
struct Work {
    remarks: Vec<Remark>,
    receivers: BTreeMap<String, Tells>,
    channels: Channels,
    /// Channels that stand for what is not here, and fail until a person sets them up.
    placeholders: BTreeSet<String>,
    intervals: TimeIntervals,
}

impl Work {
    fn say(
        &mut self,
        line: u64,
        place: impl AsRef<str>,
        what: impl AsRef<str>,
        remedy: impl AsRef<str>,
    ) {
        let (place, what) = (one_line(place.as_ref()), one_line(what.as_ref()));
        self.remarks.push(Remark { line, place, what, remedy: one_line(remedy.as_ref()) });
    }

    /// The texts of a list, or the one text that stands for it; what is no text is said and left out.
    fn texts(&mut self, entry: &Entry, place: &str) -> Vec<String> {
        entry.value.texts().unwrap_or_else(|| {
            self.say(entry.line, place, "left out: it is not a list of texts", "write one");
            Vec::new()
        })
    }
}

/// A name of the input must neither end a comment nor steer a terminal.
fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_control() || c.is_whitespace());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Translates the text of an `alertmanager.yml`.
pub fn alertmanager(text: &str) -> Result<Imported, NotImported> {
    let root = Node::read(text)
        .map_err(|NotYaml { line, column }| NotImported::Unreadable { line, column })?;
    let route = root.get("route").ok_or(NotImported::NoRoute)?;
    let mut work = Work::default();
    receivers::carry(&root, &mut work);
    for section in ["time_intervals", "mute_time_intervals"] {
        if let Some(entry) = root.get(section) {
            intervals::carry(entry, &mut work);
        }
    }
    leftovers::say(&root, &mut work);
    let inhibit_rules = inhibitions::carried(&root, &mut work);
    let route = Some(routes::root(route, &mut work));
    let time_intervals = std::mem::take(&mut work.intervals);
    let policy = Policy { inhibit_rules, route, time_intervals, ..Policy::default() };
    work.remarks.sort();
    let yaml = written::down(&policy, &work)?;
    Ok(Imported { policy, channels: work.channels, remarks: work.remarks, yaml })
}

#[cfg(test)]
mod tests;
