//! `sources`: what differs for the alerts of one source.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Lifetime, Policy, Problem};
use crate::limit::Limit;
use crate::proof::{Accepted, Scheme};
use crate::sources::{self, Options, Path, SOURCES, Source};

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
    /// That the source is heard of again and again; its silence is then an incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<Heartbeat>,
    /// How many alerts it may send; what is over it is refused until later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// How the sender may prove itself, instead of all ways that the source knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<Vec<Accepted>>,
}

/// How often a source shows that it lives, and how late that may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    pub every: SignedDuration,
    /// Over and above `every`.
    pub grace: SignedDuration,
    #[serde(default)]
    pub sign: SignOfLife,
}

impl Heartbeat {
    /// Longer without a sign than this is silence.
    pub fn patience(&self) -> SignedDuration {
        self.every.saturating_add(self.grace)
    }
}

/// What shows that a source lives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignOfLife {
    /// A message that is nothing else, such as Alertmanager's `Watchdog`. Each is expected by its own name.
    #[default]
    Heartbeat,
    /// Whatever the source delivers.
    AnyDelivery,
}

const SHORTEST: SignedDuration = SignedDuration::from_secs(10);
const LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);

pub(super) fn problems(written: &BTreeMap<String, SourcePolicy>) -> Vec<Problem> {
    let known: Vec<&str> = SOURCES.iter().map(|source| source.name()).collect();
    let unknown = written.keys().filter(|name| !known.contains(&name.as_str()));
    let mut problems: Vec<Problem> = unknown
        .map(|name| {
            (
                format!("sources.{name}"),
                format!("there is no such source; there are {}", known.join(", ")),
            )
        })
        .collect();
    for (name, of) in written {
        if let (Some(accepted), Some(source)) = (&of.proof, sources::find(name)) {
            let schemes = Accepted::schemes(accepted, source.schemes());
            problems.extend(schemes.err().map(|why| (format!("sources.{name}.proof"), why)));
        }
        if of.limit.is_some_and(|limit| limit.rate == 0 || limit.burst == 0) {
            let place = format!("sources.{name}.limit");
            problems.push((place, "use a `rate` and a `burst` of at least 1".to_owned()));
        }
        let Some(heartbeat) = of.heartbeat else { continue };
        for (field, time, least) in
            [("every", heartbeat.every, SHORTEST), ("grace", heartbeat.grace, SignedDuration::ZERO)]
        {
            if time < least || time > LONGEST {
                problems.push((
                    format!("sources.{name}.heartbeat.{field}"),
                    format!("use {least:#} to {LONGEST:#}"),
                ));
            }
        }
    }
    problems
}

impl Policy {
    /// How the alerts of the source are identified.
    pub fn options(&self, source: &str) -> Options {
        let of = self.sources.get(source).cloned().unwrap_or_default();
        Options { identity: of.identity, formerly: of.formerly }
    }

    /// How senders of the source may prove themselves.
    pub fn schemes(&self, source: &dyn Source) -> Cow<'static, [Scheme]> {
        match self.sources.get(source.name()).and_then(|of| of.proof.as_deref()) {
            None => Cow::Borrowed(source.schemes()),
            // A policy that was read has no entry that fails; one that was not lets nobody in.
            Some(accepted) => {
                Cow::Owned(Accepted::schemes(accepted, source.schemes()).unwrap_or_default())
            }
        }
    }

    /// How many alerts the source may send; none without one.
    pub fn limit(&self, source: &str) -> Option<Limit> {
        self.sources.get(source).and_then(|of| of.limit)
    }

    /// How long an alert of the source fires without being heard of again.
    pub fn lifetime(&self, source: &str) -> Lifetime {
        let written = self.sources.get(source).and_then(|of| of.expire_after);
        let usual = || sources::find(source)?.expire_after().map(Lifetime::After);
        written.or_else(usual).unwrap_or(self.expiry.after)
    }
}
