//! What happens in the queue, for those who watch it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Numbers of this process, since it started or as of now.
#[derive(Debug, Default)]
pub struct Meter {
    waiting: AtomicU64,
    batches: AtomicU64,
    appends: AtomicU64,
    counts: AtomicU64,
    coalesced: AtomicU64,
    storms: Mutex<BTreeMap<String, usize>>,
}

impl Meter {
    /// Alerts that wait to be written.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Batches of alerts that were written together.
    pub fn batches(&self) -> u64 {
        self.batches.load(Ordering::Relaxed)
    }

    /// Appends to incidents.
    pub fn appends(&self) -> u64 {
        self.appends.load(Ordering::Relaxed)
    }

    /// Counts of repeats that were written.
    pub fn counts(&self) -> u64 {
        self.counts.load(Ordering::Relaxed)
    }

    /// Repeats of a storm that were counted together with others.
    pub fn coalesced(&self) -> u64 {
        self.coalesced.load(Ordering::Relaxed)
    }

    /// How many alerts storm now, by source.
    pub fn storms(&self) -> BTreeMap<String, usize> {
        self.storms.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn batch(&self, appends: u64) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.appends.fetch_add(appends, Ordering::Relaxed);
    }

    pub(super) fn counted(&self, counts: usize) {
        self.counts.fetch_add(counts as u64, Ordering::Relaxed);
    }

    pub(super) fn absorbed(&self, repeats: u64) {
        self.coalesced.fetch_add(repeats, Ordering::Relaxed);
    }

    pub(super) fn storms_are(&self, storms: BTreeMap<String, usize>) {
        *self.storms.lock().unwrap_or_else(PoisonError::into_inner) = storms;
    }

    /// Counts alerts as waiting until the answer is dropped.
    pub(super) fn waits(&self, alerts: u64) -> Waits<'_> {
        self.waiting.fetch_add(alerts, Ordering::Relaxed);
        Waits { meter: self, alerts }
    }
}

pub(super) struct Waits<'a> {
    meter: &'a Meter,
    alerts: u64,
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.meter.waiting.fetch_sub(self.alerts, Ordering::Relaxed);
    }
}
