//! Reading a policy from YAML: everything that can be wrong is found here and named with its place.

use std::fmt;

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_saphyr::Spanned;

use super::{KEYS, Policy};

/// Why a text is no policy. The text holds one problem per line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPolicy {
    /// The text already says line, column and field.
    #[error("{0}")]
    Yaml(String),
    #[error("line {line}: there is no section `{key}`; there are {}", .known.join(", "))]
    UnknownKey { line: u64, key: String, known: Vec<String> },
    #[error("{}", .0.iter().map(|(place, problem)| format!("{place}: {problem}")).collect::<Vec<_>>().join("\n"))]
    Rules(Vec<super::Problem>),
}

/// Reads a file that holds nothing but a policy. What it returns need not be checked again.
pub fn read(yaml: &str) -> Result<Policy, BadPolicy> {
    read_beside(yaml, &[])
}

/// Reads the policy from a file that also has `others` as top-level keys; those are left to their own reader.
pub fn read_beside(yaml: &str, others: &[&str]) -> Result<Policy, BadPolicy> {
    let yaml_error = |error: serde_saphyr::Error| BadPolicy::Yaml(error.to_string());
    let Some(Keys(keys)) = serde_saphyr::from_str(yaml).map_err(yaml_error)? else {
        return Ok(Policy::default());
    };
    let known = |key: &str| KEYS.contains(&key) || others.contains(&key);
    if let Some(unknown) = keys.into_iter().find(|key| !known(&key.value)) {
        let known = KEYS.iter().chain(others).map(|key| (*key).to_owned()).collect();
        let line = unknown.referenced.line();
        return Err(BadPolicy::UnknownKey { line, key: unknown.value, known });
    }
    let policy: Policy = serde_saphyr::from_str(yaml).map_err(yaml_error)?;
    let problems = policy.problems();
    if problems.is_empty() { Ok(policy) } else { Err(BadPolicy::Rules(problems)) }
}

/// The top-level keys of a file with their places.
struct Keys(Vec<Spanned<String>>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(KeysVisitor)
    }
}

struct KeysVisitor;

impl<'de> Visitor<'de> for KeysVisitor {
    type Value = Keys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sections such as {}", KEYS.join(", "))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
        let mut keys = Vec::new();
        while let Some((key, IgnoredAny)) = map.next_entry()? {
            keys.push(key);
        }
        Ok(Keys(keys))
    }
}
