//! Which target groups are which API, and what is asked of each: the settings of a report.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::report::Success;

/// The settings file. Everything may be left out: each target group is then an API under its own name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Stands above the report.
    pub title: Option<String>,
    interval: Option<SignedDuration>,
    objectives: Objectives,
    apis: Vec<ApiSettings>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApiSettings {
    name: String,
    /// ARNs, or the names in them; `*` stands for anything.
    target_groups: Vec<String>,
    #[serde(default)]
    success: Option<Vec<Success>>,
    #[serde(default)]
    objectives: Option<Objectives>,
}

/// What is still good. At ten times as much nothing of the score is left.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Objectives {
    pub server_errors_percent: f64,
    pub client_errors_percent: f64,
    pub p95_ms: f64,
}

impl Default for Objectives {
    fn default() -> Self {
        Self { server_errors_percent: 0.5, client_errors_percent: 10.0, p95_ms: 1000.0 }
    }
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("{0}")]
    Yaml(String),
    #[error(
        "`interval` is {0}; take 5m or more, in whole minutes that divide a day, such as 5m, 15m or 1h"
    )]
    Interval(SignedDuration),
    #[error("`apis` names `{0}` twice; put all of its target groups into one entry")]
    Twice(String),
    #[error("`apis`: `{0}` has no target groups; give their ARNs or names under `target_groups`")]
    NoGroups(String),
    #[error("`apis`: `{pattern}` belongs to `{first}` and to `{second}`; leave one of them")]
    Shared { pattern: String, first: String, second: String },
    #[error("`objectives`: `{0}` must be more than 0")]
    Objective(&'static str),
}

/// What a target group belongs to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Belongs<'a> {
    pub(crate) name: &'a str,
    pub(crate) success: &'a [Success],
    pub(crate) objectives: Objectives,
    pub(crate) is_configured: bool,
}

const PLAIN_SUCCESS: &[Success] = &[Success::Successful];
const MINUTES_OF_A_DAY: i64 = 24 * 60;
/// Two and a half days of these fit into a report.
const SHORTEST_MINUTES: i64 = 5;

impl Settings {
    pub fn read(yaml: &str) -> Result<Self, SettingsError> {
        let settings: Self = if yaml.trim().is_empty() {
            Self::default()
        } else {
            serde_saphyr::from_str(yaml).map_err(|error| SettingsError::Yaml(error.to_string()))?
        };
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), SettingsError> {
        self.minutes()?;
        let mut names = BTreeSet::new();
        let mut patterns: Vec<(&str, &str)> = Vec::new();
        check_objectives(&self.objectives)?;
        for api in &self.apis {
            if !names.insert(api.name.as_str()) {
                return Err(SettingsError::Twice(api.name.clone()));
            }
            if api.target_groups.is_empty() {
                return Err(SettingsError::NoGroups(api.name.clone()));
            }
            if let Some(objectives) = &api.objectives {
                check_objectives(objectives)?;
            }
            for pattern in &api.target_groups {
                if let Some((_, first)) = patterns.iter().find(|(known, _)| known == pattern) {
                    return Err(SettingsError::Shared {
                        pattern: pattern.clone(),
                        first: (*first).to_owned(),
                        second: api.name.clone(),
                    });
                }
                patterns.push((pattern, &api.name));
            }
        }
        Ok(())
    }

    fn minutes(&self) -> Result<u16, SettingsError> {
        let Some(interval) = self.interval else { return Ok(60) };
        let minutes = interval.as_mins();
        let fits = minutes >= SHORTEST_MINUTES
            && SignedDuration::from_mins(minutes) == interval
            && MINUTES_OF_A_DAY % minutes == 0;
        u16::try_from(minutes).ok().filter(|_| fits).ok_or(SettingsError::Interval(interval))
    }

    /// How long an interval is in which anomalies are looked for.
    pub fn interval_minutes(&self) -> u16 {
        self.minutes().unwrap_or(60)
    }

    /// Whether target groups have names at all, so that one without is worth a word.
    pub(crate) fn has_mapping(&self) -> bool {
        !self.apis.is_empty()
    }

    /// The API of a target group; the first entry that fits, else its own name.
    pub(crate) fn api_of<'a>(&'a self, target_group: &'a str) -> Belongs<'a> {
        let name = group_name(target_group);
        let fits = |pattern: &str| {
            if pattern.contains(':') { glob(pattern, target_group) } else { glob(pattern, name) }
        };
        match self.apis.iter().find(|api| api.target_groups.iter().any(|pattern| fits(pattern))) {
            Some(api) => Belongs {
                name: &api.name,
                success: api.success.as_deref().unwrap_or(PLAIN_SUCCESS),
                objectives: api.objectives.unwrap_or(self.objectives),
                is_configured: true,
            },
            None => Belongs {
                name,
                success: PLAIN_SUCCESS,
                objectives: self.objectives,
                is_configured: false,
            },
        }
    }
}

fn check_objectives(objectives: &Objectives) -> Result<(), SettingsError> {
    let all = [
        ("server_errors_percent", objectives.server_errors_percent),
        ("client_errors_percent", objectives.client_errors_percent),
        ("p95_ms", objectives.p95_ms),
    ];
    match all.iter().find(|(_, value)| value.is_nan() || *value <= 0.0) {
        Some((name, _)) => Err(SettingsError::Objective(name)),
        None => Ok(()),
    }
}

/// `checkout` of `arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/checkout/73e2d6bc24d8a067`
fn group_name(target_group: &str) -> &str {
    let after = target_group.split_once("targetgroup/").map(|(_, after)| after);
    after
        .and_then(|after| after.split('/').next())
        .filter(|name| !name.is_empty())
        .unwrap_or(target_group)
}

/// `*` stands for any text.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/checkout-blue/73e2d6bc24d8a067";

    #[test]
    fn a_target_group_is_found_by_arn_name_or_pattern() {
        for pattern in
            [ARN, "checkout-blue", "checkout-*", "*blue", "arn:*:targetgroup/checkout-*/*", "*"]
        {
            let yaml = format!(
                "apis: [{{name: Checkout, target_groups: ['{pattern}'], success: [2xx, 3xx]}}]"
            );
            let settings = Settings::read(&yaml).unwrap();
            let found = settings.api_of(ARN);
            assert_eq!((found.name, found.is_configured), ("Checkout", true), "{pattern}");
            assert_eq!(found.success, [Success::Successful, Success::Redirection]);
        }
        for pattern in ["checkout", "blue", "checkout-*-x", "arn:*:targetgroup/cart/*"] {
            let yaml = format!("apis: [{{name: Checkout, target_groups: ['{pattern}']}}]");
            assert_eq!(
                Settings::read(&yaml).unwrap().api_of(ARN).name,
                "checkout-blue",
                "{pattern}"
            );
        }
    }

    #[test]
    fn settings_that_cannot_hold_say_what_to_change() {
        let cases = [
            ("interval: 7m", "divide a day"),
            ("interval: 90s", "divide a day"),
            ("interval: 1m", "5m or more"),
            ("apis: [{name: A, target_groups: []}]", "has no target groups"),
            ("apis: [{name: A, target_groups: [a]}, {name: A, target_groups: [b]}]", "twice"),
            (
                "apis: [{name: A, target_groups: [a]}, {name: B, target_groups: [a]}]",
                "belongs to `A` and to `B`",
            ),
            ("apis: [{name: A, target_groups: [a], succes: [2xx]}]", "succes"),
            ("apis: [{name: A, target_groups: [a], success: [200]}]", "2xx"),
            ("objectives: {p95_ms: 0}", "p95_ms"),
        ];
        for (yaml, part) in cases {
            let error = Settings::read(yaml).unwrap_err().to_string();
            assert!(error.contains(part), "{yaml}: {error}");
        }
        assert_eq!(Settings::read("interval: 15m").unwrap().interval_minutes(), 15);
        assert_eq!(Settings::read("").unwrap().interval_minutes(), 60);
    }
}
