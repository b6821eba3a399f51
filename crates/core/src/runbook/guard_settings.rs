//! `guards:` what a runbook asks of the guards that it tunes. Those that take no setting always apply.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Window, schema};

/// The guards that a runbook tunes. Those that take no setting always apply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GuardSettings {
    /// No second action on a target within this time.
    #[schemars(with = "schema::Duration")]
    pub cooldown: SignedDuration,
    pub attempts: Attempts,
    pub blast_radius: BlastRadius,
    /// So many runs at once in one group, of all runbooks together; left out, as many as `blast_radius.max`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// So many other members of the group must be healthy before a healthy one is touched; left out, one where
    /// `blast_radius.group` is given. `0` for not asking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_healthy: Option<u32>,
    /// Tags that every target must carry; none is asked for where it is empty.
    pub require_tag: BTreeMap<String, String>,
    /// Tags that no target may carry; the value `*` means any value.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub forbid_tag: BTreeMap<String, String>,
    pub hands_off: HandsOff,
    /// Acts only while one of these holds; none given means at any time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only_within: Vec<Window>,
    /// Never acts while one of these holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub never_within: Vec<Window>,
}

impl Default for GuardSettings {
    fn default() -> Self {
        Self {
            cooldown: SignedDuration::from_mins(15),
            attempts: Attempts::default(),
            blast_radius: BlastRadius::default(),
            concurrency: None,
            keep_healthy: None,
            require_tag: BTreeMap::new(),
            forbid_tag: BTreeMap::new(),
            hands_off: HandsOff::default(),
            only_within: Vec::new(),
            never_within: Vec::new(),
        }
    }
}

impl GuardSettings {
    /// How many runs may be under way at once.
    pub fn runs_at_once(&self) -> u32 {
        self.concurrency.unwrap_or(self.blast_radius.max.max(1))
    }

    /// How many other members of the group must be healthy; zero where nobody asks.
    pub fn healthy_to_keep(&self) -> u32 {
        let with_a_group = u32::from(self.blast_radius.group.is_some());
        self.keep_healthy.unwrap_or(with_a_group)
    }
}

/// At most `max` runs on a target `per` window, whatever their outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attempts {
    pub max: u32,
    #[schemars(with = "schema::Duration")]
    pub per: SignedDuration,
}

impl Default for Attempts {
    fn default() -> Self {
        Self { max: 2, per: SignedDuration::from_hours(24) }
    }
}

/// At most `max` targets of one group, and at most `max_percent` of it, per `window`: whichever is smaller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BlastRadius {
    /// How the group is found, such as `tag:service`. Without it each target kind is one group.
    pub group: Option<String>,
    pub max: u32,
    /// Rounded down: 25 % of three members is none. Left out, only `max` counts.
    #[schemars(range(max = 100))]
    pub max_percent: Option<u8>,
    #[schemars(with = "schema::Duration")]
    pub window: SignedDuration,
}

impl Default for BlastRadius {
    fn default() -> Self {
        Self { group: None, max: 1, max_percent: None, window: SignedDuration::from_hours(1) }
    }
}

/// When a target is left to people and to deployments. A target tagged `firebreak:hands-off-until` with a time
/// is left alone until then, whatever stands here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HandsOff {
    /// Not for so long after somebody else changed it; left out, this is not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<schema::Duration>")]
    pub after_human_change: Option<SignedDuration>,
    /// Not while something is rolled out to it.
    pub during_deployment: bool,
}
