//! Room for deliveries: so many at once and so many bytes of them, and no more memory than that.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::body::MOST_BODY;

/// More deliveries at once are refused, so that those under way finish in time.
const MOST_AT_ONCE: usize = 256;

/// What the bodies of the deliveries under way may take together.
const MOST_KIB: usize = 32 * 1024;

/// Shared by all who ask for a place.
#[derive(Clone)]
pub(crate) struct Room {
    deliveries: Arc<Semaphore>,
    kib: Arc<Semaphore>,
}

impl Default for Room {
    fn default() -> Self {
        let of = |permits| Arc::new(Semaphore::new(permits));
        Self { deliveries: of(MOST_AT_ONCE), kib: of(MOST_KIB) }
    }
}

/// Held while a delivery is under way.
pub(crate) struct Place {
    _delivery: OwnedSemaphorePermit,
    _kib: OwnedSemaphorePermit,
}

impl Room {
    /// A place for a delivery with these headers. One that does not say how long it is may be as long as any.
    pub(crate) fn place(&self, headers: &HeaderMap) -> Option<Place> {
        let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or(MOST_BODY);
        let kib = u32::try_from(length.min(MOST_BODY) / 1024 + 1).unwrap_or(u32::MAX);
        let delivery = Arc::clone(&self.deliveries).try_acquire_owned().ok()?;
        let kib = Arc::clone(&self.kib).try_acquire_many_owned(kib).ok()?;
        Some(Place { _delivery: delivery, _kib: kib })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saying(length: &str) -> HeaderMap {
        [(header::CONTENT_LENGTH, length.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn there_is_room_for_many_small_deliveries_or_a_few_large_ones() {
        let room = Room::default();
        let small: Vec<_> =
            (0..MOST_AT_ONCE).map(|_| room.place(&saying("900")).unwrap()).collect();
        assert!(room.place(&saying("0")).is_none());
        drop(small);
        let large = MOST_BODY.to_string();
        let mut taken = Vec::new();
        while let Some(place) = room.place(&saying(&large)) {
            taken.push(place);
        }
        assert_eq!(taken.len(), 31);
        assert!(room.place(&HeaderMap::new()).is_none(), "a length that is not said may be any");
        assert!(room.place(&saying("900")).is_some());
        taken.pop();
        assert!(room.place(&HeaderMap::new()).is_some());
    }
}
