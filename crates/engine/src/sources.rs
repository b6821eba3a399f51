//! The sources as people look at them: which may send, what they sent, and whether they were heard of.

use std::collections::BTreeMap;

use firebreak_core::heartbeat::{Expected, LifeState};
use firebreak_core::limit::Limit;
use firebreak_core::policy::Policy;
use firebreak_core::proof::Scheme;
use firebreak_core::sources::{SOURCES, Source};
use jiff::Timestamp;
use serde::Serialize;

use crate::heartbeats::standing;
use crate::ports::{QuarantineQuery, SecretSource, Store, StoreError};
use crate::traffic::{Tally, Traffic};

/// One source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    pub source: &'static str,
    pub summary: &'static str,
    /// Whether a sender can prove itself at all.
    pub enabled: bool,
    /// The ways in which it may.
    pub proof: Vec<&'static str>,
    pub limit: Option<Limit>,
    #[serde(flatten)]
    pub sent: Tally,
    /// Deliveries of it that wait in quarantine, of the latest [`MOST_KEPT`] of all sources.
    pub waiting: usize,
    /// As far as it is on record; of most sources only since this process started.
    pub last_heard: Option<Timestamp>,
    /// The signs of life that the policy asks for.
    pub expected: Vec<Expected>,
}

impl Standing {
    /// Whether there is anything to say of it.
    pub fn is_used(&self) -> bool {
        let Standing { sent, limit, waiting, last_heard, expected, .. } = self;
        *sent != Tally::default()
            || limit.is_some()
            || *waiting > 0
            || last_heard.is_some()
            || !expected.is_empty()
    }

    /// Whether a sign of life does not come.
    pub fn is_silent(&self) -> bool {
        self.expected.iter().any(|one| one.state == LifeState::Silent)
    }
}

/// As far as one looks for deliveries that wait.
pub const MOST_KEPT: usize = 200;

/// What the sources are looked at with.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    pub store: &'a dyn Store,
    pub policy: &'a Policy,
    pub secrets: &'a dyn SecretSource,
    pub traffic: &'a Traffic,
}

/// All sources, in the order of their names.
pub async fn sources(with: Look<'_>, now: Timestamp) -> Result<Vec<Standing>, StoreError> {
    let heard = with.store.heard().await?;
    let expected = standing(with.store, with.policy, now).await?;
    let query = QuarantineQuery { limit: MOST_KEPT, ..QuarantineQuery::default() };
    let mut waiting: BTreeMap<String, usize> = BTreeMap::new();
    for kept in with.store.kept(&query).await?.into_iter().filter(crate::ports::Quarantined::waits)
    {
        *waiting.entry(kept.source).or_default() += 1;
    }
    let mut all = Vec::new();
    for source in SOURCES {
        let name = source.name();
        let schemes = with.policy.schemes(*source);
        let sent = with.traffic.of(name, now);
        let noted = heard.iter().filter(|heard| heard.source == name).map(|heard| heard.last);
        all.push(Standing {
            source: name,
            summary: source.summary(),
            enabled: is_enabled(with.secrets, *source, &schemes).await,
            proof: schemes.iter().map(Scheme::word).collect(),
            limit: with.policy.limit(name),
            waiting: waiting.get(name).copied().unwrap_or_default(),
            last_heard: noted.max().max(sent.last_delivery),
            sent,
            expected: expected.iter().filter(|one| one.source == name).cloned().collect(),
        });
    }
    all.sort_by_key(|standing| standing.source);
    Ok(all)
}

/// A secret that cannot be read lets nobody in.
async fn is_enabled(secrets: &dyn SecretSource, source: &dyn Source, schemes: &[Scheme]) -> bool {
    if !schemes.iter().all(Scheme::needs_secret) {
        return true;
    }
    match secrets.of_source(source.name()).await {
        Ok(found) => found.is_some() && !schemes.is_empty(),
        Err(error) => {
            tracing::warn!(source = source.name(), %error, "nobody knows whether it may send");
            false
        }
    }
}
