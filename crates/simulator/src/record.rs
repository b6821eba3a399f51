//! The record of a simulated world: a store in memory that keeps the promises of a real one and breaks down
//! the way real ones do: before a write, or after it with the answer lost.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use firebreak_core::book::{Book, BookKey, BookWrite, Books};
use firebreak_core::fingerprint::Fingerprint;
use firebreak_core::heartbeat::{Heard, Watch};
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Event, Incident, Recorded};
use firebreak_core::muting::{Live, Silence, SilenceId};
use firebreak_core::proof::Nonce;
use firebreak_core::switch::KillSwitch;
use firebreak_engine::delivery::PackedBody;
use firebreak_engine::ports::{
    Append, AppendError, Conflict, Counters, Heartbeats, IncidentStore, ListPage, ListQuery,
    Nonces, PutError, Quarantine, QuarantineQuery, Quarantined, Remembered, Repeats, Settings,
    Silences, Slot, SlotKey, StoreError,
};
use jiff::Timestamp;

use crate::kernel::{Kernel, Touch};
use crate::mutant::Mutant;

/// How often the store fails, per mille of its calls.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    pub unavailable: u32,
    /// The write took effect and its answer was lost.
    pub answer_lost: u32,
}

/// Cheap to clone; all clones are one record.
#[derive(Clone)]
pub struct MemoryStore {
    kernel: Kernel,
    mutant: Option<Mutant>,
    tables: Arc<Mutex<Tables>>,
}

/// All that the store holds at one moment. A copy costs little: incidents and events are shared.
#[derive(Clone, Default)]
pub struct Tables {
    weather: Weather,
    /// The state after each append.
    states: BTreeMap<IncidentId, Vec<Arc<Incident>>>,
    events: BTreeMap<IncidentId, Vec<Arc<Recorded>>>,
    slots: BTreeMap<SlotKey, Slot>,
    books: BTreeMap<BookKey, Book>,
    repeats: BTreeMap<Fingerprint, (u64, Timestamp)>,
    counters: BTreeMap<String, u64>,
    quarantine: BTreeMap<String, (Quarantined, PackedBody)>,
    heard: BTreeMap<(String, String), Timestamp>,
    watch: Option<Watch>,
    nonces: BTreeMap<String, Timestamp>,
    switch: KillSwitch,
    silences: BTreeMap<SilenceId, Silence>,
    /// Every event in the order of its commit: what a stream or an outbox delivers.
    outbox: Vec<Arc<Recorded>>,
}

impl MemoryStore {
    pub fn new(kernel: Kernel, weather: Weather, mutant: Option<Mutant>) -> Self {
        let tables = Tables { weather, ..Tables::default() };
        Self { kernel, mutant, tables: Arc::new(Mutex::new(tables)) }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self, id: &IncidentId) -> Option<Arc<Incident>> {
        self.tables().latest(id).map(Arc::clone)
    }

    /// What was committed after `from`, without faults: for the world, not for the product.
    pub fn committed(&self, from: usize) -> Vec<Arc<Recorded>> {
        self.tables().outbox.get(from..).unwrap_or_default().to_vec()
    }

    pub fn incidents(&self) -> Vec<Arc<Incident>> {
        self.tables().latest_all().map(Arc::clone).collect()
    }

    /// An incident as it was after its first `version` events.
    pub fn as_of(&self, id: &IncidentId, version: u64) -> Option<Arc<Incident>> {
        let tables = self.tables();
        let states = tables.states.get(id)?;
        let after = states.partition_point(|state| state.version <= version);
        let known = after.checked_sub(1).and_then(|at| states.get(at));
        if let Some(known) = known.filter(|known| known.version == version) {
            return Some(Arc::clone(known));
        }
        let count = usize::try_from(version).ok()?;
        let events = tables.events.get(id)?.get(..count)?;
        let Some(known) = known else {
            return firebreak_core::incident::replay(events.iter().map(Arc::as_ref))
                .ok()?
                .map(Arc::new);
        };
        let mut rest = events.iter().filter(|event| event.seq > known.version);
        rest.try_fold((**known).clone(), |state, event| state.apply(event).ok()).map(Arc::new)
    }

    pub fn history(&self, id: &IncidentId) -> Vec<Arc<Recorded>> {
        self.tables().events.get(id).cloned().unwrap_or_default()
    }

    /// What it holds now, to be put back later.
    pub fn snapshot(&self) -> Tables {
        self.tables().clone()
    }

    pub fn restore(&self, tables: Tables) {
        *self.tables() = tables;
    }

    async fn weather(&self, touch: Touch) -> Result<(), StoreError> {
        self.kernel.step(touch).await;
        if self.is_bad(|weather| weather.unavailable) {
            return Err(StoreError::Unavailable("throttled".to_owned()));
        }
        Ok(())
    }

    /// After a write took effect.
    async fn answered(&self) -> Result<(), StoreError> {
        self.kernel.step(Touch::Aside).await;
        if self.is_bad(|weather| weather.answer_lost) {
            return Err(StoreError::Unavailable("the answer was lost".to_owned()));
        }
        Ok(())
    }

    fn is_bad(&self, of: impl Fn(Weather) -> u32) -> bool {
        let often = of(self.tables().weather);
        self.kernel.often(often)
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}

impl Tables {
    /// The same with other weather.
    #[must_use]
    pub fn under(self, weather: Weather) -> Self {
        Self { weather, ..self }
    }

    pub fn latest(&self, id: &IncidentId) -> Option<&Arc<Incident>> {
        self.states.get(id)?.last()
    }

    /// Every incident as it is now.
    pub fn latest_all(&self) -> impl DoubleEndedIterator<Item = &Arc<Incident>> {
        self.states.values().filter_map(|states| states.last())
    }

    pub fn books(&self) -> &BTreeMap<BookKey, Book> {
        &self.books
    }

    /// Every event in the order of its commit.
    pub fn outbox(&self) -> &[Arc<Recorded>] {
        &self.outbox
    }

    fn check(&self, append: &Append, store: &MemoryStore) -> Result<(), Conflict> {
        let incident = &append.incident;
        let stored = self.latest(&incident.id).map_or(0, |found| found.version);
        let first = append.events.first().map_or(incident.version, |event| event.seq);
        if stored + 1 != first && !store.is(Mutant::VersionsUnconditional) {
            return Err(Conflict::Version);
        }
        for slot in &append.slots {
            let held = self.slots.get(&slot.key).map(|slot| slot.incident.clone());
            if held != slot.expected && !store.is(Mutant::SlotsUnconditional) {
                return Err(Conflict::Slot { key: slot.key.clone(), held_by: held });
            }
        }
        for write in &append.books {
            let stored = self.books.get(&write.key).map_or(0, |book| book.version);
            if stored + 1 != write.book.version && !store.is(Mutant::BooksUnconditional) {
                return Err(Conflict::Book { key: write.key.clone() });
            }
        }
        Ok(())
    }

    fn write(&mut self, append: &Append) {
        let id = &append.incident.id;
        self.states.entry(id.clone()).or_default().push(Arc::new(append.incident.clone()));
        let events: Vec<Arc<Recorded>> = append.events.iter().cloned().map(Arc::new).collect();
        self.events.entry(id.clone()).or_default().extend(events.iter().cloned());
        self.outbox.extend(events);
        for slot in &append.slots {
            let held = Slot { incident: slot.incident.clone(), seen: slot.seen.clone() };
            self.slots.insert(slot.key.clone(), held);
        }
        for write in &append.books {
            self.books.insert(write.key.clone(), write.book.clone());
        }
    }
}

fn is_sent(append: &Append) -> bool {
    append.events.iter().any(|recorded| matches!(recorded.event, Event::StepSent { .. }))
}

#[async_trait]
impl IncidentStore for MemoryStore {
    async fn load(&self, id: &IncidentId) -> Result<Option<Incident>, StoreError> {
        self.weather(Touch::ReadsIncident).await?;
        Ok(self.state(id).map(|state| (*state).clone()))
    }

    async fn events(&self, id: &IncidentId) -> Result<Vec<Recorded>, StoreError> {
        self.weather(Touch::Aside).await?;
        Ok(self.history(id).iter().map(|event| (**event).clone()).collect())
    }

    async fn load_all(
        &self,
        ids: &[IncidentId],
    ) -> Result<BTreeMap<IncidentId, Incident>, StoreError> {
        self.weather(Touch::Aside).await?;
        let tables = self.tables();
        let found = |id: &IncidentId| Some((id.clone(), (**tables.latest(id)?).clone()));
        Ok(ids.iter().filter_map(found).collect())
    }

    async fn find_all(&self, keys: &[SlotKey]) -> Result<BTreeMap<SlotKey, Slot>, StoreError> {
        self.weather(Touch::Aside).await?;
        let tables = self.tables();
        let found = |key: &SlotKey| Some((key.clone(), tables.slots.get(key)?.clone()));
        Ok(keys.iter().filter_map(found).collect())
    }

    async fn append(&self, append: &Append) -> Result<(), AppendError> {
        self.weather(Touch::Writes).await?;
        {
            let mut tables = self.tables();
            tables.check(append, self).map_err(AppendError::Conflict)?;
            if !(self.is(Mutant::SentUnwritten) && is_sent(append)) {
                tables.write(append);
            }
        }
        for event in &append.events {
            self.kernel
                .say(|| format!("  wrote {} {} {}", event.incident, event.seq, event.event.name()));
        }
        Ok(self.answered().await?)
    }

    async fn append_all(&self, appends: &[Append]) -> Vec<Result<(), AppendError>> {
        let mut answers = Vec::new();
        for append in appends {
            answers.push(self.append(append).await);
        }
        answers
    }

    async fn count_repeats(&self, repeats: &[Repeats]) -> Result<(), StoreError> {
        self.weather(Touch::Aside).await?;
        let mut tables = self.tables();
        for repeat in repeats {
            let entry =
                tables.repeats.entry(repeat.fingerprint.clone()).or_insert((0, repeat.last));
            *entry = (entry.0 + repeat.count, entry.1.max(repeat.last));
        }
        Ok(())
    }

    async fn repeats(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<(u64, Option<Timestamp>), StoreError> {
        self.weather(Touch::Aside).await?;
        let found = self.tables().repeats.get(fingerprint).copied();
        Ok(found.map_or((0, None), |(count, last)| (count, Some(last))))
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        self.weather(Touch::Aside).await?;
        let tables = self.tables();
        let wanted = |incident: &&Arc<Incident>| {
            query.status.is_none_or(|status| incident.status == status)
                && query.service.as_ref().is_none_or(|service| incident.service == *service)
                && query.cursor.as_deref().is_none_or(|cursor| incident.id.as_str() < cursor)
        };
        let mut incidents: Vec<Incident> =
            tables.latest_all().rev().filter(wanted).map(|found| (**found).clone()).collect();
        let more = incidents.len() > query.limit;
        incidents.truncate(query.limit);
        let cursor = incidents.last().filter(|_| more).map(|last| last.id.to_string());
        Ok(ListPage { incidents, cursor })
    }

    async fn live(&self, most: usize) -> Result<Live, StoreError> {
        self.weather(Touch::Aside).await?;
        let tables = self.tables();
        let live = tables.latest_all().rev().filter(|incident| incident.status.is_live());
        let live = live.take(most + 1).map(|incident| (**incident).clone());
        Ok(Live::first(live.collect(), most))
    }

    async fn write_books(&self, books: &[BookWrite]) -> Result<(), AppendError> {
        self.weather(Touch::Writes).await?;
        let mut tables = self.tables();
        for write in books {
            let stored = tables.books.get(&write.key).map_or(0, |book| book.version);
            if stored + 1 != write.book.version {
                return Err(AppendError::Conflict(Conflict::Book { key: write.key.clone() }));
            }
        }
        for write in books {
            tables.books.insert(write.key.clone(), write.book.clone());
        }
        Ok(())
    }

    async fn books(&self, keys: &[BookKey]) -> Result<Books, StoreError> {
        self.weather(Touch::ReadsBooks).await?;
        let tables = self.tables();
        let read = |key: &BookKey| {
            let mut book = tables.books.get(key)?.clone();
            if self.is(Mutant::BudgetForgotten) {
                book.entries.clear();
            }
            if self.is(Mutant::LocksUnread) {
                book.lock = None;
            }
            Some((key.clone(), book))
        };
        Ok(keys.iter().filter_map(read).collect())
    }
}

#[async_trait]
impl Settings for MemoryStore {
    async fn kill_switch(&self) -> Result<KillSwitch, StoreError> {
        self.weather(Touch::Aside).await?;
        if self.is(Mutant::SwitchUnread) {
            return Ok(KillSwitch::default());
        }
        Ok(self.tables().switch.clone())
    }

    async fn set_kill_switch(&self, switch: &KillSwitch) -> Result<(), StoreError> {
        self.weather(Touch::Aside).await?;
        self.tables().switch = switch.clone();
        Ok(())
    }
}

#[async_trait]
impl Silences for MemoryStore {
    async fn silences(&self, since: Timestamp) -> Result<Vec<Silence>, StoreError> {
        self.weather(Touch::Aside).await?;
        let tables = self.tables();
        let silences = tables.silences.values().rev();
        Ok(silences.filter(|silence| silence.ends_at > since).cloned().collect())
    }

    async fn silence(&self, id: &SilenceId) -> Result<Option<Silence>, StoreError> {
        self.weather(Touch::Aside).await?;
        Ok(self.tables().silences.get(id).cloned())
    }

    async fn put_silence(&self, silence: &Silence) -> Result<(), PutError> {
        self.weather(Touch::Aside).await?;
        {
            let mut tables = self.tables();
            let before = tables.silences.get(&silence.id).map_or(0, |stored| stored.version);
            if before + 1 != silence.version {
                return Err(PutError::Conflict);
            }
            tables.silences.insert(silence.id.clone(), silence.clone());
        }
        Ok(self.answered().await?)
    }
}

#[async_trait]
impl Quarantine for MemoryStore {
    async fn keep(&self, kept: &Quarantined, body: &PackedBody) -> Result<(), StoreError> {
        self.weather(Touch::Aside).await?;
        self.tables().quarantine.insert(kept.id.clone(), (kept.clone(), body.clone()));
        Ok(())
    }

    async fn kept(&self, query: &QuarantineQuery) -> Result<Vec<Quarantined>, StoreError> {
        self.weather(Touch::Aside).await?;
        let tables = self.tables();
        let wanted = |kept: &&Quarantined| {
            query.source.as_ref().is_none_or(|source| kept.source == *source)
                && query.before.as_ref().is_none_or(|before| kept.id < *before)
        };
        let kept = tables.quarantine.values().rev().map(|(kept, _)| kept);
        Ok(kept.filter(wanted).take(query.limit).cloned().collect())
    }

    async fn quarantined(&self, id: &str) -> Result<Option<(Quarantined, PackedBody)>, StoreError> {
        self.weather(Touch::Aside).await?;
        Ok(self.tables().quarantine.get(id).cloned())
    }

    async fn amend(&self, kept: &Quarantined) -> Result<bool, StoreError> {
        self.weather(Touch::Aside).await?;
        let mut tables = self.tables();
        let stored = tables.quarantine.get_mut(&kept.id);
        let Some(stored) = stored.filter(|(stored, _)| stored.version + 1 == kept.version) else {
            return Ok(false);
        };
        stored.0 = kept.clone();
        Ok(true)
    }
}

#[async_trait]
impl Nonces for MemoryStore {
    async fn is_known(&self, nonce: &Nonce, now: Timestamp) -> Result<bool, StoreError> {
        self.weather(Touch::Aside).await?;
        Ok(self.tables().nonces.get(&nonce.key).is_some_and(|until| now < *until))
    }

    async fn remember(&self, nonce: &Nonce, now: Timestamp) -> Result<Remembered, StoreError> {
        self.weather(Touch::Aside).await?;
        let before = self.tables().nonces.insert(nonce.key.clone(), nonce.until);
        let known = before.is_some_and(|until| now < until);
        Ok(if known { Remembered::Seen } else { Remembered::Fresh })
    }
}

#[async_trait]
impl Counters for MemoryStore {
    async fn count(&self, name: &str) -> Result<(), StoreError> {
        self.weather(Touch::Aside).await?;
        *self.tables().counters.entry(name.to_owned()).or_default() += 1;
        Ok(())
    }

    async fn counts(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        self.weather(Touch::Aside).await?;
        Ok(self.tables().counters.clone())
    }
}

#[async_trait]
impl Heartbeats for MemoryStore {
    async fn hear(&self, heard: &Heard) -> Result<(), StoreError> {
        self.weather(Touch::Aside).await?;
        let mut tables = self.tables();
        let key = (heard.source.clone(), heard.name.clone());
        let last = tables.heard.entry(key).or_insert(heard.last);
        *last = heard.last.max(*last);
        Ok(())
    }

    async fn heard(&self) -> Result<Vec<Heard>, StoreError> {
        self.weather(Touch::Aside).await?;
        let of = |((source, name), last): (&(String, String), &Timestamp)| Heard {
            source: source.clone(),
            name: name.clone(),
            last: *last,
        };
        Ok(self.tables().heard.iter().map(of).collect())
    }

    async fn forget(&self, source: &str, name: &str) -> Result<bool, StoreError> {
        self.weather(Touch::Aside).await?;
        Ok(self.tables().heard.remove(&(source.to_owned(), name.to_owned())).is_some())
    }

    async fn watch(&self) -> Result<Option<Watch>, StoreError> {
        self.weather(Touch::Aside).await?;
        Ok(self.tables().watch)
    }

    async fn set_watch(&self, watch: &Watch) -> Result<(), StoreError> {
        self.weather(Touch::Aside).await?;
        self.tables().watch = Some(*watch);
        Ok(())
    }
}
