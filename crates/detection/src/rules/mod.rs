//! The rules file: what to look for in the events, in the language of the runbooks.

mod read;

use std::collections::BTreeMap;

use firebreak_core::cel::{Expression, Field, FieldKind, Scope};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

pub use read::{BadRules, read};

/// `event`: what the expressions of a rule look at.
pub const EVENT: Scope = Scope {
    variable: "event",
    fields: &[
        Field { name: "service", kind: FieldKind::Text, summary: "who wrote the line" },
        Field { name: "level", kind: FieldKind::Text, summary: "as the line says it" },
        Field { name: "message", kind: FieldKind::Text, summary: "the text for people" },
        Field {
            name: "fields",
            kind: FieldKind::Anything,
            summary: "everything else of the line, by name: `event.fields.latency_ms`",
        },
    ],
};

/// The annotated example, for `firebreak detect example`.
pub const EXAMPLE: &str = include_str!("example.yaml");

/// A rules file that was checked. Unknown keys are errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// How late an event may come and still count in its place. Alerts wait for as long.
    #[serde(default = "ten_seconds")]
    pub lateness: SignedDuration,
    /// The most keys (users, hosts, services) that one rule remembers.
    #[serde(default = "ten_thousand")]
    pub keys: usize,
    #[serde(default)]
    pub log: LogShape,
    pub rules: Vec<Rule>,
}

/// The names under which lines hold what every event has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogShape {
    pub time: Vec<String>,
    pub service: Vec<String>,
    pub level: Vec<String>,
    pub message: Vec<String>,
}

impl Default for LogShape {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            time: names(&["time", "timestamp", "@timestamp", "ts"]),
            service: names(&["service", "service.name", "service_name"]),
            level: names(&["level", "severity"]),
            message: names(&["message", "msg"]),
        }
    }
}

fn ten_seconds() -> SignedDuration {
    SignedDuration::from_secs(10)
}

fn ten_thousand() -> usize {
    10_000
}

/// One thing to look for. Exactly one of `count`, `ratio`, `threshold`, `absence` and `unusual` says how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, unique among the rules; the name of its alerts.
    pub rule: String,
    /// Who answers for it.
    pub owner: String,
    #[serde(default)]
    pub severity: Severity,
    /// The service that its alerts are about; left out, the value of `per.service`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// One line for people; left out, one is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// CEL over `event`: which events it is about; left out, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Expression>,
    /// Each value of these is looked at on its own and has its own alert.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub per: BTreeMap<String, Expression>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<Count>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Ratio>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Threshold>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absence: Option<Absence>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unusual: Option<Unusual>,
    /// How long it must hold before the alert fires.
    #[serde(default, rename = "for", skip_serializing_if = "is_zero")]
    pub hold: SignedDuration,
    /// How long it must be over before the alert is resolved.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub keep_firing: SignedDuration,
    /// Put on every alert, for runbooks and routes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

fn is_zero(duration: &SignedDuration) -> bool {
    duration.is_zero()
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    #[default]
    Warning,
    Error,
    Critical,
}

impl Severity {
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// More than so many events within a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    pub more_than: u32,
    pub within: SignedDuration,
    /// Resolved once there are no more than this; left out, `more_than`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clear: Option<u32>,
}

/// More than a share of the events within a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    /// CEL over `event`: the events that count as bad.
    pub of: Expression,
    /// A share such as 0.05.
    pub more_than: f64,
    pub within: SignedDuration,
    /// Says nothing about fewer events than this.
    #[serde(default = "ten")]
    pub at_least: u32,
    /// Resolved at or below this share; left out, `more_than`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clear: Option<f64>,
}

fn ten() -> u32 {
    10
}

/// The latest value of a field above or below a limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    pub value: Expression,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
    /// Resolved once the value is back at this; left out, the limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clear: Option<f64>,
    /// A value says nothing any more after this time.
    #[serde(default = "five_minutes")]
    pub stale_after: SignedDuration,
}

fn five_minutes() -> SignedDuration {
    SignedDuration::from_mins(5)
}

/// No event for a time. Without `per` it is expected from the first line on; with it, from the first event of each key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Absence {
    pub within: SignedDuration,
    /// A key that was silent for so long is forgotten, and its alert resolved.
    #[serde(default = "one_week")]
    pub forget_after: SignedDuration,
}

fn one_week() -> SignedDuration {
    SignedDuration::from_hours(7 * 24)
}

/// Several events within a time that are unlike those before, as a model learned them. Per service unless `per` says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unusual {
    /// The numbers that are looked at together, by name; 1 to 8 of them.
    pub features: BTreeMap<String, Expression>,
    #[serde(default)]
    pub method: crate::Method,
    /// Fires when more events than this are unusual
    #[serde(default = "two")]
    pub more_than: u32,
    /// within this time.
    #[serde(default = "one_minute")]
    pub within: SignedDuration,
    /// How many events are learned from before anything is judged.
    #[serde(default = "five_hundred_twelve")]
    pub warm_up: u32,
    /// How far above the ordinary scores a score must be, in their spread. Lower finds more and errs more.
    #[serde(default = "six")]
    pub sensitivity: f64,
    /// The same seed and the same events give the same alerts.
    #[serde(default)]
    pub seed: u64,
}

fn two() -> u32 {
    2
}

fn one_minute() -> SignedDuration {
    SignedDuration::from_mins(1)
}

fn five_hundred_twelve() -> u32 {
    512
}

fn six() -> f64 {
    crate::learner::SENSITIVITY
}
