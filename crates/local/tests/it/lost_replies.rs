//! The record writes and the answer never comes: no alert is lost by it, and none is on record twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use firebreak_core::book::{BookKey, BookWrite, Books};
use firebreak_core::fingerprint::Fingerprint;
use firebreak_core::heartbeat::{Heard, Watch};
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Event, Incident, Recorded};
use firebreak_core::muting::{Live, Silence, SilenceId};
use firebreak_core::proof::Nonce;
use firebreak_core::sources::{self, Delivery};
use firebreak_core::storm::{Repeats, StormSettings};
use firebreak_core::switch::KillSwitch;
use firebreak_engine::delivery::PackedBody;
use firebreak_engine::ports::{
    Append, AppendError, Counters, Heartbeats, IncidentStore, ListPage, ListQuery, Nonces,
    PutError, Quarantine, QuarantineQuery, Quarantined, Remembered, Settings, Silences, Slot,
    SlotKey, StoreError, SystemClock,
};
use firebreak_engine::queue::{Queue, QueueSettings};
use firebreak_local::SqliteStore;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::batch::whole;
use crate::world::{REOPEN, all};

const SENDERS: usize = 8;
const DELIVERIES: usize = 12;
const EACH: usize = 5;

/// The record, whose every third answer to a write is lost after the commit.
#[derive(Clone)]
struct Forgetful {
    record: SqliteStore,
    writes: Arc<AtomicU64>,
    lost: Arc<AtomicU64>,
}

impl Forgetful {
    fn answer<T, E: From<StoreError>>(&self, answer: Result<T, E>) -> Result<T, E> {
        if self.writes.fetch_add(1, Ordering::Relaxed) % 3 != 2 {
            return answer;
        }
        self.lost.fetch_add(1, Ordering::Relaxed);
        Err(StoreError::Unavailable("the answer was lost".to_owned()).into())
    }
}

#[async_trait]
impl IncidentStore for Forgetful {
    async fn load(&self, id: &IncidentId) -> Result<Option<Incident>, StoreError> {
        self.record.load(id).await
    }

    async fn events(&self, id: &IncidentId) -> Result<Vec<Recorded>, StoreError> {
        self.record.events(id).await
    }

    async fn load_all(
        &self,
        ids: &[IncidentId],
    ) -> Result<BTreeMap<IncidentId, Incident>, StoreError> {
        self.record.load_all(ids).await
    }

    async fn find_all(&self, keys: &[SlotKey]) -> Result<BTreeMap<SlotKey, Slot>, StoreError> {
        self.record.find_all(keys).await
    }

    async fn append(&self, append: &Append) -> Result<(), AppendError> {
        self.answer(self.record.append(append).await)
    }

    async fn append_all(&self, appends: &[Append]) -> Vec<Result<(), AppendError>> {
        let answers = self.record.append_all(appends).await;
        answers.into_iter().map(|answer| self.answer(answer)).collect()
    }

    async fn count_repeats(&self, repeats: &[Repeats]) -> Result<(), StoreError> {
        self.answer(self.record.count_repeats(repeats).await)
    }

    async fn repeats(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<(u64, Option<Timestamp>), StoreError> {
        self.record.repeats(fingerprint).await
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        self.record.list(query).await
    }

    async fn live(&self, most: usize) -> Result<Live, StoreError> {
        self.record.live(most).await
    }

    async fn write_books(&self, books: &[BookWrite]) -> Result<(), AppendError> {
        self.answer(self.record.write_books(books).await)
    }

    async fn books(&self, keys: &[BookKey]) -> Result<Books, StoreError> {
        self.record.books(keys).await
    }
}

#[async_trait]
impl Settings for Forgetful {
    async fn kill_switch(&self) -> Result<KillSwitch, StoreError> {
        self.record.kill_switch().await
    }

    async fn set_kill_switch(&self, switch: &KillSwitch) -> Result<(), StoreError> {
        self.answer(self.record.set_kill_switch(switch).await)
    }
}

#[async_trait]
impl Counters for Forgetful {
    async fn count(&self, name: &str) -> Result<(), StoreError> {
        self.answer(self.record.count(name).await)
    }

    async fn counts(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        self.record.counts().await
    }
}

#[async_trait]
impl Silences for Forgetful {
    async fn silences(&self, since: Timestamp) -> Result<Vec<Silence>, StoreError> {
        self.record.silences(since).await
    }

    async fn silence(&self, id: &SilenceId) -> Result<Option<Silence>, StoreError> {
        self.record.silence(id).await
    }

    async fn put_silence(&self, silence: &Silence) -> Result<(), PutError> {
        self.answer(self.record.put_silence(silence).await)
    }
}

#[async_trait]
impl Quarantine for Forgetful {
    async fn keep(&self, kept: &Quarantined, body: &PackedBody) -> Result<(), StoreError> {
        self.answer(self.record.keep(kept, body).await)
    }

    async fn kept(&self, query: &QuarantineQuery) -> Result<Vec<Quarantined>, StoreError> {
        self.record.kept(query).await
    }

    async fn quarantined(&self, id: &str) -> Result<Option<(Quarantined, PackedBody)>, StoreError> {
        self.record.quarantined(id).await
    }

    async fn amend(&self, kept: &Quarantined) -> Result<bool, StoreError> {
        self.answer(self.record.amend(kept).await)
    }
}

#[async_trait]
impl Heartbeats for Forgetful {
    async fn hear(&self, heard: &Heard) -> Result<(), StoreError> {
        self.answer(self.record.hear(heard).await)
    }

    async fn heard(&self) -> Result<Vec<Heard>, StoreError> {
        self.record.heard().await
    }

    async fn forget(&self, source: &str, name: &str) -> Result<bool, StoreError> {
        self.answer(self.record.forget(source, name).await)
    }

    async fn watch(&self) -> Result<Option<Watch>, StoreError> {
        self.record.watch().await
    }

    async fn set_watch(&self, watch: &Watch) -> Result<(), StoreError> {
        self.answer(self.record.set_watch(watch).await)
    }
}

#[async_trait]
impl Nonces for Forgetful {
    async fn is_known(&self, nonce: &Nonce, now: Timestamp) -> Result<bool, StoreError> {
        self.record.is_known(nonce, now).await
    }

    async fn remember(&self, nonce: &Nonce, now: Timestamp) -> Result<Remembered, StoreError> {
        self.answer(self.record.remember(nonce, now).await)
    }
}

fn body(sender: usize, delivery: usize) -> Vec<u8> {
    let alert = |n: usize| {
        json!({
            "status": "firing", "fingerprint": format!("{sender}-{delivery}-{n}"),
            "startsAt": "2026-11-21T10:00:00Z", "annotations": {},
            "labels": {"alertname": format!("Slow{n}"), "service": format!("svc{sender}")},
        })
    };
    let alerts: Vec<Value> = (0..EACH).map(alert).collect();
    json!({"version": "4", "status": "firing", "alerts": alerts}).to_string().into_bytes()
}

/// Sends a delivery again and again until it is answered, as senders do.
async fn send(queue: &Queue, body: &[u8]) {
    let source = sources::find("alertmanager").unwrap();
    loop {
        let received_at = Timestamp::now();
        let delivery = Delivery { body, content_type: None, headers: &[], received_at };
        if let Ok(report) = queue.take(source, &delivery).await {
            assert_eq!(report.accepted.len(), EACH, "{report:?}");
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_and_not_answered_is_neither_lost_nor_recorded_twice() {
    let folder = tempfile::tempdir().unwrap();
    let record = SqliteStore::open(folder.path()).unwrap();
    let store = Forgetful { record: record.clone(), writes: Arc::default(), lost: Arc::default() };
    let (queue, task) = Queue::start(QueueSettings {
        store: Arc::new(store.clone()),
        clock: Arc::new(SystemClock),
        routes: Arc::default(),
        policy: Arc::default(),
        reopen_within: REOPEN,
        storms: StormSettings::default(),
    });
    let senders = (0..SENDERS).map(|sender| {
        let queue = queue.clone();
        tokio::spawn(async move {
            for delivery in 0..DELIVERIES {
                send(&queue, &body(sender, delivery)).await;
            }
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await.unwrap();
    }
    task.stop().await;

    let mut fired: BTreeMap<Fingerprint, usize> = BTreeMap::new();
    for incident in all(&record).await {
        for recorded in record.events(&incident.id).await.unwrap() {
            let Event::AlertFired { alert } = &recorded.event else { continue };
            if alert.source == "alertmanager" {
                *fired.entry(alert.fingerprint.clone()).or_default() += 1;
            }
        }
    }
    assert_eq!(fired.len(), SENDERS * DELIVERIES * EACH, "alerts are lost");
    assert!(fired.values().all(|times| *times == 1), "alerts are on record twice: {fired:?}");
    let lost = store.lost.load(Ordering::Relaxed);
    assert!(lost > 20, "only {lost} answers were lost");
    whole(&record).await;
}
