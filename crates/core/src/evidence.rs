//! What was seen of a target, before an action and after it, and the verdict drawn from that.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::counterfactual::Counterfactual;
use crate::target::Target;

/// The before-picture of one target, read from its provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    pub target: Target,
    /// What makes this the same thing and not a namesake: launch time, UID, version of its creation.
    /// `None` when the target does not exist.
    pub identity: Option<String>,
    pub tags: BTreeMap<String, String>,
    /// The failure domain that the target belongs to, where the runbook asked for one.
    pub group: Option<Group>,
    /// The state that an undo restores.
    pub captured: Value,
    /// When the provider was read.
    pub seen_at: Timestamp,
}

/// A set of like targets, counted when it was read and never from a cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Such as `tag:service=checkout`.
    pub key: String,
    /// How many members could serve at that moment, the target included.
    pub members: u32,
}

/// What one signal says of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    Good,
    Bad,
    /// Worse than before the action: a sign that the action did harm.
    Worse,
    /// The provider could not be read; neither good nor bad.
    Unreadable,
}

/// One reading of one signal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Such as `alert_resolved` or `ec2.status_ok`.
    pub signal: String,
    /// `None` where the signal speaks of the incident and not of one target.
    pub target: Option<Target>,
    pub reading: Reading,
    pub detail: String,
    pub at: Timestamp,
}

/// What an action did for the incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    Helped,
    Useless,
    Harmful,
}

/// The effect of a step, with what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub effect: Effect,
    pub reason: String,
    pub evidence: Vec<Evidence>,
    /// Where it helped: whether the alert would have been over anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterfactual: Option<Counterfactual>,
}
