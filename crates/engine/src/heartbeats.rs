//! Signs of life: noting them, and opening an incident when one that is expected does not come.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use firebreak_core::heartbeat::{
    ANY_DELIVERY, ANY_HEARTBEAT, Expected, Heard, LifeState, Watch, expected,
};
use firebreak_core::policy::{Policy, SignOfLife};
use jiff::{SignedDuration, Timestamp};

use crate::ingest::Ingest;
use crate::own_alerts::{end, raise};
use crate::ports::{Heartbeats, StoreError};

/// Hears of the deliveries of a process, and notes as few of them as are needed.
#[derive(Debug, Default)]
pub struct Ears {
    noted: Mutex<BTreeMap<String, Timestamp>>,
}

/// Of many deliveries of a source one in so long is noted.
const NOTED_EVERY: SignedDuration = SignedDuration::from_secs(5);

impl Ears {
    /// Notes a delivery, where any delivery of its source counts. That it cannot be noted is no failure of it.
    pub async fn delivered(
        &self,
        store: &(impl Heartbeats + ?Sized),
        policy: &Policy,
        source: &str,
        now: Timestamp,
    ) {
        let wish = policy.sources.get(source).and_then(|of| of.heartbeat);
        if wish.is_none_or(|wish| wish.sign != SignOfLife::AnyDelivery) || !self.is_due(source, now)
        {
            return;
        }
        let name = ANY_DELIVERY.to_owned();
        if let Err(error) = store.hear(&Heard { source: source.to_owned(), name, last: now }).await
        {
            tracing::warn!(source, %error, "a sign of life could not be noted");
        }
    }

    fn is_due(&self, source: &str, now: Timestamp) -> bool {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let due = noted.get(source).is_none_or(|last| now.duration_since(*last) >= NOTED_EVERY);
        if due {
            noted.insert(source.to_owned(), now);
        }
        due
    }
}

/// Looks at every expected sign of life: opens incidents for those that do not come, and ends those of sources that
/// speak again. To be called again and again; twice at once does no harm.
pub async fn listen(with: Ingest<'_>) -> Result<Vec<Expected>, StoreError> {
    let now = with.clock.now();
    let watch = Watch::go_on(with.store.watch().await?, now);
    with.store.set_watch(&watch).await?;
    let all = expected(with.policy, &with.store.heard().await?, watch, now);
    for one in &all {
        match one.state {
            LifeState::Silent => drop(raise(with, one.silent(watch)).await?),
            LifeState::Alive => end(with, one.speaks_again(now)).await?,
            LifeState::Waiting => {}
        }
    }
    // A source that was never heard of is known by its names now.
    let named: BTreeSet<&str> =
        all.iter().filter(|one| one.last.is_some()).map(|one| one.source.as_str()).collect();
    for source in named {
        end(with, unnamed(source).speaks_again(now)).await?;
    }
    Ok(all)
}

fn unnamed(source: &str) -> Expected {
    Expected {
        source: source.to_owned(),
        name: ANY_HEARTBEAT.to_owned(),
        last: None,
        state: LifeState::Alive,
    }
}

/// How everything that is expected stands, without a look being taken.
pub async fn standing(
    store: &(impl Heartbeats + ?Sized),
    policy: &Policy,
    now: Timestamp,
) -> Result<Vec<Expected>, StoreError> {
    let watch = store.watch().await?.unwrap_or(Watch { since: now, looked_at: now });
    Ok(expected(policy, &store.heard().await?, watch, now))
}

/// Expects this name no more, and ends what is open about it.
pub async fn forget(with: Ingest<'_>, source: &str, name: &str) -> Result<bool, StoreError> {
    let known = with.store.forget(source, name).await?;
    let gone = Expected { name: name.to_owned(), ..unnamed(source) };
    end(with, gone.speaks_again(with.clock.now())).await?;
    Ok(known)
}
