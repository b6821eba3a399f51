//! What every function does first: logs as JSON, settings from the environment.

use std::path::{Path, PathBuf};

use firebreak_core::policy::Policy;
use firebreak_engine::policy::{BadPolicyFile, load, load_if_there};
use jiff::SignedDuration;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// For how long after its resolve an incident is reopened; intake and remediation must agree on it.
/// `REOPEN_WITHIN` takes `10m` or `90s`; without it ten minutes hold.
pub fn reopen_within(lookup: &dyn Fn(&str) -> Option<String>) -> Result<SignedDuration, String> {
    let Some(text) = lookup("REOPEN_WITHIN") else { return Ok(SignedDuration::from_mins(10)) };
    text.parse().map_err(|error| format!("REOPEN_WITHIN is not a duration such as `10m`: {error}"))
}

/// The policy: the file that `POLICY_FILE` names, else `policy.yaml` beside the binary if it is there.
pub fn policy(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Policy, BadPolicyFile> {
    if let Some(path) = lookup("POLICY_FILE") {
        return load(Path::new(&path));
    }
    let folder = PathBuf::from(lookup("LAMBDA_TASK_ROOT").unwrap_or_default());
    load_if_there(&folder.join("policy.yaml"))
}

/// Writes logs as one JSON object per line. `RUST_LOG` takes `info` or `info,firebreak_engine=debug`.
pub fn start_logging() {
    let wanted = environment("RUST_LOG").and_then(|text| text.parse::<Targets>().ok());
    let filter = wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        // CloudWatch stamps each line.
        .without_time()
        .with_current_span(false)
        .with_ansi(false);
    // A second start in one process keeps the first subscriber.
    drop(tracing_subscriber::registry().with(filter).with(lines).try_init());
}

/// A variable of the environment; an empty one counts as not set.
#[expect(clippy::disallowed_methods, reason = "the one place where functions read their settings")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Settings that a function cannot run without.
#[derive(Debug, thiserror::Error)]
#[error("set the environment variable(s) {}", .0.join(", "))]
pub struct MissingSettings(pub Vec<&'static str>);

/// Reads the named settings, or names all that are missing at once.
pub fn required<const N: usize>(
    lookup: &dyn Fn(&str) -> Option<String>,
    names: [&'static str; N],
) -> Result<[String; N], MissingSettings> {
    let mut missing = Vec::new();
    let found = names.map(|name| {
        lookup(name).unwrap_or_else(|| {
            missing.push(name);
            String::new()
        })
    });
    if missing.is_empty() { Ok(found) } else { Err(MissingSettings(missing)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reopen_window_is_a_duration_or_ten_minutes() {
        let of = |text: Option<&str>| reopen_within(&|_| text.map(str::to_owned));
        assert_eq!(of(None), Ok(SignedDuration::from_mins(10)));
        assert_eq!(of(Some("90s")), Ok(SignedDuration::from_secs(90)));
        assert!(of(Some("soon")).unwrap_err().contains("REOPEN_WITHIN"));
    }

    #[test]
    fn a_policy_that_was_named_must_be_there() {
        let named = |name: &str| (name == "POLICY_FILE").then(|| "/no/such/policy.yaml".to_owned());
        assert!(policy(&named).unwrap_err().to_string().contains("/no/such/policy.yaml"));
        let beside = |name: &str| (name == "LAMBDA_TASK_ROOT").then(|| "/no/such".to_owned());
        assert_eq!(policy(&beside).unwrap(), Policy::default());
    }

    #[test]
    fn all_missing_settings_are_named_at_once() {
        let lookup = |name: &str| (name == "B").then(|| "b".to_owned());
        assert_eq!(required(&lookup, ["B"]).unwrap(), ["b"]);
        let missing = required(&lookup, ["A", "B", "C"]).unwrap_err();
        assert_eq!(missing.to_string(), "set the environment variable(s) A, C");
    }
}
