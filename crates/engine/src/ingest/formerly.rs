//! Alerts under the fingerprints that they are known by, after the fields of an identity were changed.

use firebreak_core::alert::{Alert, AlertStatus};
use firebreak_core::ids::IncidentId;

use crate::ports::{Slot, SlotKey, Store, StoreError};

/// Gives each alert the fingerprint of the occurrence that it goes on with: what fires already keeps the one that it has.
pub(super) async fn known_as(
    store: &dyn Store,
    mut alerts: Vec<Alert>,
) -> Result<Vec<Alert>, StoreError> {
    let changed = || alerts.iter().filter(|alert| !alert.formerly.is_empty());
    if changed().next().is_none() {
        return Ok(alerts);
    }
    let mut keys: Vec<SlotKey> = changed().flat_map(names).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut slots = store.find_all(&keys).await?;
    slots.retain(|_, slot| fires(slot));
    let mut wanted: Vec<IncidentId> = slots.values().map(|slot| slot.incident.clone()).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let incidents = store.load_all(&wanted).await?;
    for alert in alerts.iter_mut().filter(|alert| !alert.formerly.is_empty()) {
        let known = std::iter::once(&alert.fingerprint).chain(&alert.formerly).find_map(|name| {
            let slot = slots.get(&SlotKey::Fingerprint(name.clone()))?;
            let member = incidents.get(&slot.incident)?.alerts.get(name)?;
            member.alert.is_firing().then_some(&member.alert)
        });
        if let Some(known) = known {
            alert.fingerprint = known.fingerprint.clone();
            alert.identity = known.identity;
            alert.identity_inputs = known.identity_inputs.clone();
        }
    }
    Ok(alerts)
}

fn names(alert: &Alert) -> impl Iterator<Item = SlotKey> {
    std::iter::once(&alert.fingerprint).chain(&alert.formerly).cloned().map(SlotKey::Fingerprint)
}

fn fires(slot: &Slot) -> bool {
    slot.seen.as_ref().is_none_or(|seen| seen.status == AlertStatus::Firing)
}
