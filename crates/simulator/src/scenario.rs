//! Scenarios as files: which world, which runbooks, how bad the weather is.

use firebreak_core::runbook::{RunbookSet, read};
use firebreak_core::yaml::{Diagnostic, Document};
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One scenario. Every rate is per mille: 100 is one in ten.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub scenario: String,
    /// What it is to show.
    pub about: String,
    /// How much of the world's time it lasts.
    #[schemars(with = "String")]
    pub lasts: SignedDuration,
    /// How many instances there are; they are `i-00000000000000000` and so on.
    pub instances: usize,
    /// How many incidents of illness begin in that time.
    pub illnesses: usize,
    /// How many rules speak of each illness: every one of them is an incident of its own.
    #[serde(default = "one")]
    pub rules: usize,
    #[serde(default)]
    pub senders: Senders,
    #[serde(default)]
    pub provider: Provider,
    #[serde(default)]
    pub store: Store,
    #[serde(default)]
    pub workers: Workers,
    #[serde(default)]
    pub people: People,
    /// Runbooks as they stand in files.
    pub runbooks: Vec<serde_json::Value>,
}

fn one() -> usize {
    1
}

/// How deliveries arrive.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Senders {
    pub duplicated: u32,
    /// Kept back for a while, so that others overtake it.
    pub delayed: u32,
    /// A resolve that never comes.
    pub resolve_lost: u32,
}

/// How the provider disappoints.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Provider {
    pub lost_reply: u32,
    pub throttled: u32,
    pub slow: u32,
    /// Readings that say the opposite.
    pub lies: u32,
    /// Instances that are replaced under the same name while something is planned for them.
    pub replaced: u32,
    /// Illnesses that no action helps, and those that pass by themselves.
    pub deeper: u32,
    pub passing: u32,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    pub unavailable: u32,
    pub answer_lost: u32,
}

#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Workers {
    /// How many may be at one incident at once: more than one where a bus delivers twice.
    pub at_once: usize,
    /// Deaths at an await point.
    pub die: u32,
    /// Orders that are carried out once more.
    pub redelivered: u32,
}

impl Default for Workers {
    fn default() -> Self {
        Self { at_once: 1, die: 0, redelivered: 0 }
    }
}

#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct People {
    /// Of the plans that wait for a person.
    pub approve: u32,
    pub reject: u32,
    pub acknowledge: u32,
    /// How often the kill switch is engaged in all, for a while each.
    pub switches: usize,
}

impl Scenario {
    /// Reads a scenario and its runbooks.
    pub fn read(yaml: &str) -> Result<(Self, RunbookSet), Vec<Diagnostic>> {
        let (scenario, document) = Document::read::<Self>(yaml).map_err(|wrong| vec![*wrong])?;
        let mut runbooks = Vec::new();
        let mut wrong = Vec::new();
        for (index, written) in scenario.runbooks.iter().enumerate() {
            match read(&written.to_string()) {
                Ok(runbook) => runbooks.push(runbook),
                Err(bad) => wrong.extend(bad.0.into_iter().map(|bad| {
                    let place = format!("runbooks[{index}].{}", bad.place);
                    document.error(bad.code, &place, bad.message).help_if(bad.help)
                })),
            }
        }
        if wrong.is_empty() { Ok((scenario, runbooks.into())) } else { Err(wrong) }
    }
}
