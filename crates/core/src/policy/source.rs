//! `sources`: what differs for the alerts of one source.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Lifetime, Policy, Problem};
use crate::sources::{Options, Path, SOURCES};

/// The settings of one source; what is left out is as for all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourcePolicy {
    /// Instead of `expiry.after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expire_after: Option<Lifetime>,
    /// The fields that identify an alert, instead of the source's own id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identity: Vec<Path>,
    /// Earlier choices of these fields, while alerts fire that were identified by them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub formerly: Vec<Vec<Path>>,
}

pub(super) fn problems(sources: &BTreeMap<String, SourcePolicy>) -> Vec<Problem> {
    let known: Vec<&str> = SOURCES.iter().map(|source| source.name()).collect();
    let unknown = sources.keys().filter(|name| !known.contains(&name.as_str()));
    unknown
        .map(|name| {
            (
                format!("sources.{name}"),
                format!("there is no such source; there are {}", known.join(", ")),
            )
        })
        .collect()
}

impl Policy {
    /// How the alerts of the source are identified.
    pub fn options(&self, source: &str) -> Options {
        let of = self.sources.get(source).cloned().unwrap_or_default();
        Options { identity: of.identity, formerly: of.formerly }
    }

    /// How long an alert of the source fires without being heard of again.
    pub fn lifetime(&self, source: &str) -> Lifetime {
        self.sources.get(source).and_then(|of| of.expire_after).unwrap_or(self.expiry.after)
    }
}
