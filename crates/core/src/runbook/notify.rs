//! Who hears of which moments of a run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A moment of a run that people may hear of at once.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// A plan waits for people.
    Approval,
    /// Something is done now.
    Started,
    Helped,
    /// It did not help, or nothing could be done: a person must look.
    Useless,
    Harmful,
}

/// Channels by moment; none of a moment left out: `started` and `helped` are then told to nobody, the others as
/// `escalate` and the routes say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Notify(BTreeMap<Moment, Vec<String>>);

impl Notify {
    pub fn of(&self, moment: Moment) -> Option<&[String]> {
        self.0.get(&moment).map(Vec::as_slice)
    }

    /// Every name that it gives.
    pub fn channels(&self) -> impl Iterator<Item = &str> {
        self.0.values().flatten().map(String::as_str)
    }
}
