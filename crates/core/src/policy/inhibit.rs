//! `inhibit_rules`: while one alert fires, those that follow from it are not told and not acted on.

use serde::{Deserialize, Serialize};

use crate::matcher::Matchers;

/// An alert that fits `target_matchers` is muted while another one that fits `source_matchers` fires and has
/// the same values for all labels of `equal`; a label that both lack is equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InhibitRule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(deserialize_with = "some_matchers")]
    pub source_matchers: Matchers,
    #[serde(deserialize_with = "some_matchers")]
    pub target_matchers: Matchers,
    #[serde(default)]
    pub equal: Vec<String>,
}

/// A side without a matcher would be every alert there is.
fn some_matchers<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Matchers, D::Error> {
    let matchers = Matchers::deserialize(deserializer)?;
    if matchers.is_empty() {
        return Err(serde::de::Error::custom("give at least one matcher"));
    }
    Ok(matchers)
}
