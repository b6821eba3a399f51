//! Settings of the local platform, from one YAML file. Without a file every default holds.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use firebreak_core::channels::Channels;
use firebreak_core::proof::Secrets;
use jiff::SignedDuration;
use serde::Deserialize;

/// The file behind `--config`. Unknown keys are errors.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    pub(crate) channels: Channels,
    /// Origins such as `http://127.0.0.1:8090` whose flags may be set; none without an entry.
    pub(crate) flag_origins: Vec<String>,
    pub(crate) secrets: SecretSettings,
    /// For how long after its resolve an incident can be reopened.
    pub(crate) reopen_within: SignedDuration,
}

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
        }
    }
}

pub(crate) fn read(path: Option<&Path>) -> anyhow::Result<Settings> {
    let Some(path) = path else { return Ok(Settings::default()) };
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let settings: Settings = serde_saphyr::from_str(&text)
        .with_context(|| format!("{} is not valid", path.display()))?;
    Ok(settings)
}
