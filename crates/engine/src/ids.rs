//! New ids: the one place where randomness enters.

use firebreak_core::ids::IncidentId;
use jiff::Timestamp;
use ulid::Ulid;

/// An incident id that sorts by `now`.
pub fn incident_id(now: Timestamp) -> IncidentId {
    IncidentId::try_from(format!("inc_{}", sortable(now))).expect("a ULID is letters and digits")
}

/// A random id that sorts by `now`.
pub fn sortable(now: Timestamp) -> String {
    let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
    Ulid::from_parts(millis, Ulid::generate().random()).to_string()
}

/// A random number below `limit`, to keep retries out of step.
pub(crate) fn below(limit: u64) -> u64 {
    let random =
        u64::try_from(Ulid::generate().random() & u128::from(u64::MAX)).unwrap_or_default();
    if limit == 0 { 0 } else { random % limit }
}
