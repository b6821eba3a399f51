//! What was seen of a target, before an action and after it, and the verdict drawn from that.

use std::collections::{BTreeMap, BTreeSet};

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
    /// What goes on around it.
    #[serde(default)]
    pub circumstances: Circumstances,
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
    /// The ids of those that are healthy, at most [`Group::MOST_NAMED`] of them.
    #[serde(default)]
    pub healthy: Fact<BTreeSet<String>>,
}

impl Group {
    /// Enough to know that a target is not the last healthy one, few enough for the record.
    pub const MOST_NAMED: usize = 64;
}

/// Something about a target that hands may not be able to read: then the guard that asks for it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact<T> {
    Known(T),
    /// Why it could not be read.
    Unreadable(String),
}

impl<T> Default for Fact<T> {
    fn default() -> Self {
        Fact::Unreadable("these hands do not read it".to_owned())
    }
}

/// What goes on around a target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Circumstances {
    /// The latest change by anybody but Firebreak, as far as the provider remembers.
    pub changed: Fact<Option<Change>>,
    /// What is being rolled out to it now.
    pub deployment: Fact<Option<String>>,
    /// Whether it does its work, as its provider sees it.
    pub healthy: Fact<bool>,
}

/// Who changed a target, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub by: String,
    pub at: Timestamp,
}

/// What a runbook asks of a target besides what it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Questions<'a> {
    /// The word for the failure domain (`tag:service`), whose members are to be counted now.
    pub group: Option<&'a str>,
    pub health: Health,
}

/// Whether somebody asks how the target and its group are; reading it may cost calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Health {
    #[default]
    NotAsked,
    Asked,
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
