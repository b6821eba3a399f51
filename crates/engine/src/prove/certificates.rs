//! Certificates of SNS, fetched once and kept by their address.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use firebreak_core::proof::{CertificateUrl, Confirmation};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;

use crate::ports::{TopicHost, TopicHostError};

/// SNS has one certificate at a time per Region, under a new name when it changes.
const MOST_KEPT: usize = 32;

/// Then it is asked for again; until then it is read from memory even if the host is away.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Anybody who knows an allowed topic can name certificates that are not there: they may keep so many requests
/// busy, and none that is kept already.
const MOST_AT_ONCE: usize = 4;

/// The certificates that this process knows.
pub struct Certificates {
    host: Arc<dyn TopicHost>,
    kept: Mutex<BTreeMap<CertificateUrl, Kept>>,
    room: Semaphore,
}

struct Kept {
    pem: Arc<[u8]>,
    at: Timestamp,
}

impl Certificates {
    pub fn of(host: Arc<dyn TopicHost>) -> Self {
        Self { host, kept: Mutex::default(), room: Semaphore::new(MOST_AT_ONCE) }
    }

    pub(super) async fn get(
        &self,
        url: &CertificateUrl,
        now: Timestamp,
    ) -> Result<Arc<[u8]>, TopicHostError> {
        if let Some(pem) = self.known(url, now) {
            return Ok(pem);
        }
        let Ok(_room) = self.room.try_acquire() else {
            return Err(TopicHostError::Unavailable("too many certificates at once".to_owned()));
        };
        let pem: Arc<[u8]> = self.host.certificate(url).await?.into();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            let oldest = kept.iter().min_by_key(|(_, kept)| kept.at).map(|(url, _)| url.clone());
            if let Some(oldest) = oldest {
                kept.remove(&oldest);
            }
        }
        kept.insert(url.clone(), Kept { pem: Arc::clone(&pem), at: now });
        Ok(pem)
    }

    fn known(&self, url: &CertificateUrl, now: Timestamp) -> Option<Arc<[u8]>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get(url).filter(|kept| now.duration_since(kept.at).abs() < KEPT_FOR)?;
        Some(Arc::clone(&found.pem))
    }

    /// Says yes to a topic that has proven itself.
    pub async fn confirm(&self, confirmation: &Confirmation) -> Result<(), TopicHostError> {
        self.host.confirm(confirmation).await
    }
}
