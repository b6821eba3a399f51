//! New ids: the time at which a thing began, and a chance.

use firebreak_core::ids::IncidentId;
use firebreak_core::muting::SilenceId;
use jiff::Timestamp;
use ulid::Ulid;

use crate::ports::{Clock, SystemClock};

/// An incident id that sorts by `now`.
pub fn incident_id(now: Timestamp) -> IncidentId {
    incident_id_of(now, SystemClock.chance())
}

/// An incident id that sorts by `now`, told apart by `chance`.
pub fn incident_id_of(now: Timestamp, chance: u128) -> IncidentId {
    let id = of(now, chance);
    IncidentId::try_from(format!("inc_{id}")).expect("a ULID is letters and digits")
}

/// A silence id that sorts by `now`.
pub fn silence_id(now: Timestamp) -> SilenceId {
    SilenceId::try_from(format!("sil_{}", sortable(now))).expect("a ULID is letters and digits")
}

/// A random id that sorts by `now`.
pub fn sortable(now: Timestamp) -> String {
    of(now, SystemClock.chance())
}

/// An id that sorts by `now`, told apart by `chance`.
pub fn of(now: Timestamp, chance: u128) -> String {
    let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
    Ulid::from_parts(millis, chance).to_string()
}
