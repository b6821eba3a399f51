//! The sweep: every live incident is looked at again and again for what no sender says: expired alerts, mutes that
//! began or ended, parents that fire.

use std::convert::Infallible;

use firebreak_core::incident::{Incident, LastHeard, Status, expires_at, upkeep};
use firebreak_core::muting::{Live, MuteFacts, Reading};
use firebreak_core::policy::Policy;
use jiff::Timestamp;

use crate::muting::effects;
use crate::ports::{Clock, ListQuery, Store, StoreError};
use crate::record::{RecordError, record};
use crate::shared_cause::{domains, suspicions};

/// What a sweep works with.
#[derive(Clone, Copy)]
pub struct Sweep<'a> {
    pub store: &'a dyn Store,
    pub clock: &'a dyn Clock,
    pub policy: &'a Policy,
}

/// What came of a sweep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Swept {
    pub looked_at: usize,
    pub changed: usize,
    /// Incidents that could not be written; the next sweep looks at them again.
    pub failed: usize,
}

/// As many incidents of one status are looked at, the newest first; a record with more live ones has other worries.
const MOST_PAGES: usize = 50;
const PAGE: usize = 200;

/// Looks at all live incidents. To be called again and again; two at once, or one that is cut off, do no harm.
///
/// Facts that cannot be read end it: a mute that may have ended is looked at again in a moment, and telling does
/// not depend on it.
pub async fn sweep(with: Sweep<'_>) -> Result<Swept, StoreError> {
    let now = with.clock.now();
    let silences = with.store.silences(now).await?;
    let incidents = live(with.store).await?;
    // Other incidents count for inhibition and dependencies just as far as they do for every other decision.
    let others = Live::first(incidents.clone(), Live::MOST);
    let domains = domains(with.policy, incidents.iter().flat_map(Incident::firing));
    let facts = MuteFacts {
        policy: with.policy,
        silences: Reading::Known(silences),
        live: Reading::Known(others),
        suspected: Reading::Known(suspicions(with.store, &domains).await?),
        effects: Reading::Known(effects(with.store).await?),
    };
    let mut swept = Swept { looked_at: incidents.len(), ..Swept::default() };
    for incident in &incidents {
        match look(with, incident, &facts, now).await {
            Ok(Looked::Unchanged) => {}
            Ok(Looked::Changed) => swept.changed += 1,
            Err(error) => {
                tracing::warn!(incident = %incident.id, %error, "upkeep of an incident is put off");
                swept.failed += 1;
            }
        }
    }
    Ok(swept)
}

/// The newest first, across the statuses.
async fn live(store: &dyn Store) -> Result<Vec<Incident>, StoreError> {
    let mut incidents = Vec::new();
    for status in Status::live() {
        let mut query = ListQuery { status: Some(status), limit: PAGE, ..ListQuery::default() };
        for page in 1.. {
            let listed = store.list(&query).await?;
            incidents.extend(listed.incidents);
            query.cursor = listed.cursor;
            if query.cursor.is_none() {
                break;
            }
            if page == MOST_PAGES {
                let status = status.as_str();
                tracing::error!(status, "too many live incidents: the oldest are not looked at");
                break;
            }
        }
    }
    // One that changes its status while the lists are read may be in two of them.
    incidents
        .sort_by(|one: &Incident, other| (&other.id, other.version).cmp(&(&one.id, one.version)));
    incidents.dedup_by(|later, earlier| later.id == earlier.id);
    Ok(incidents)
}

enum Looked {
    Unchanged,
    Changed,
}

async fn look(
    with: Sweep<'_>,
    incident: &Incident,
    facts: &MuteFacts<'_>,
    now: Timestamp,
) -> Result<Looked, RecordError<Infallible>> {
    let last_heard = last_heard(with, incident, now).await?;
    if upkeep(incident, &last_heard, facts, now).is_empty() {
        return Ok(Looked::Unchanged);
    }
    let (store, clock) = (with.store, with.clock);
    let mut changed = false;
    record(store, clock, &incident.id, |latest| -> Result<_, Infallible> {
        let events = upkeep(latest, &last_heard, facts, now);
        changed = !events.is_empty();
        Ok(events)
    })
    .await?;
    Ok(if changed { Looked::Changed } else { Looked::Unchanged })
}

/// Repeats are asked for only where an alert would expire without them.
async fn last_heard(
    with: Sweep<'_>,
    incident: &Incident,
    now: Timestamp,
) -> Result<LastHeard, StoreError> {
    let mut last_heard = LastHeard::new();
    for (fingerprint, member) in &incident.alerts {
        if expires_at(member, None, with.policy).is_none_or(|at| at > now) {
            continue;
        }
        if let (_, Some(last)) = with.store.repeats(fingerprint).await? {
            last_heard.insert(fingerprint.clone(), last);
        }
    }
    Ok(last_heard)
}
