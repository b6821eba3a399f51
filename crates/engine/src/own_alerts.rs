//! What Firebreak has to say itself goes the way of every other alert, so that people are told of it alike.

use std::sync::Arc;

use firebreak_core::alert::{Alert, AlertStatus};
use firebreak_core::ids::IncidentId;

use crate::ingest::{Ingest, Taken, take_all};
use crate::ports::{SlotKey, StoreError};

/// Raises it, once for as long as it fires; the incident that it belongs to.
pub(crate) async fn raise(
    ingest: Ingest<'_>,
    alert: Alert,
) -> Result<Option<IncidentId>, StoreError> {
    match firing(ingest, &alert).await? {
        Some(incident) => Ok(Some(incident)),
        None => take(ingest, alert).await,
    }
}

/// Ends it, if it fires.
pub(crate) async fn end(ingest: Ingest<'_>, over: Alert) -> Result<(), StoreError> {
    if firing(ingest, &over).await?.is_some() {
        take(ingest, over).await?;
    }
    Ok(())
}

async fn firing(ingest: Ingest<'_>, alert: &Alert) -> Result<Option<IncidentId>, StoreError> {
    let key = SlotKey::Fingerprint(alert.fingerprint.clone());
    let slot = ingest.store.find_all(std::slice::from_ref(&key)).await?.remove(&key);
    let fires = |status| status == AlertStatus::Firing;
    Ok(slot
        .filter(|slot| slot.seen.as_ref().is_some_and(|seen| fires(seen.status)))
        .map(|slot| slot.incident))
}

async fn take(ingest: Ingest<'_>, alert: Alert) -> Result<Option<IncidentId>, StoreError> {
    let mut taken = take_all(ingest, &[Arc::new(alert)]).await;
    taken.pop().map_or(Ok(None), |taken| taken.map(|Taken { incident_id, .. }| incident_id))
}
