//! Settings of the local platform, from one YAML file. Without a file every default holds.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use firebreak_core::channels::Channels;
use firebreak_core::policy::{self, Policy};
use firebreak_core::proof::Secrets;
use jiff::SignedDuration;
use serde::Deserialize;

/// The file behind `--config`: these keys and the sections of the policy. Unknown keys are errors.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) channels: Channels,
    /// Origins such as `http://127.0.0.1:8090` whose flags may be set; none without an entry.
    pub(crate) flag_origins: Vec<String>,
    pub(crate) secrets: SecretSettings,
    /// For how long after its resolve an incident can be reopened.
    pub(crate) reopen_within: SignedDuration,
    /// Filled from the keys beside these.
    #[serde(skip)]
    pub(crate) policy: Policy,
}

/// The keys of [`Settings`] itself.
const KEYS: &[&str] = &["channels", "flag_origins", "secrets", "reopen_within"];

/// Secrets of one's own per source and per channel; the shared webhook token serves the rest.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SecretSettings {
    pub(crate) sources: BTreeMap<String, Secrets>,
    pub(crate) channels: BTreeMap<String, String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            channels: Channels::new(),
            flag_origins: Vec::new(),
            secrets: SecretSettings::default(),
            reopen_within: SignedDuration::from_mins(10),
            policy: Policy::default(),
        }
    }
}

pub(crate) fn read(path: Option<&Path>) -> anyhow::Result<Settings> {
    let Some(path) = path else { return Ok(Settings::default()) };
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(&text).with_context(|| format!("{} is not valid", path.display()))
}

pub(crate) fn parse(text: &str) -> anyhow::Result<Settings> {
    let policy = policy::read_beside(text, KEYS)?;
    let settings: Option<Settings> = serde_saphyr::from_str(text)?;
    Ok(Settings { policy, ..settings.unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_policy_stand_in_one_file() {
        let text = "channels: {}\nflag_origins: []\nsecrets: {}\nreopen_within: 5m\nflapping: {start: 4}\n";
        let settings = parse(text).unwrap();
        assert_eq!(settings.reopen_within, SignedDuration::from_mins(5));
        assert_eq!(settings.policy.flapping.start, 4);
        assert_eq!(parse("# nothing yet\n").unwrap().policy, Policy::default());
    }

    #[test]
    fn a_key_that_neither_knows_is_named_with_its_line() {
        let error = parse("channels: {}\nchanels: {}\n").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("chanels"), "{error}");
        assert!(error.contains("flag_origins") && error.contains("inhibit_rules"), "{error}");
        assert!(parse("secrets: {source: {}}").is_err());
    }
}
