//! A world of one incident, three channels and a sender that answers as it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use firebreak_core::alert::{Alert, AlertStatus, Draft, Severity};
use firebreak_core::book::{BookKey, BookWrite, Books};
use firebreak_core::channels::{Channels, Reply, Request};
use firebreak_core::fingerprint::Fingerprint;
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Event, Incident, Recorded, replay};
use firebreak_core::muting::{Live, Silence, SilenceId};
use firebreak_core::policy::Policy;
use firebreak_core::proof::Secrets;
use firebreak_core::routing::Routes;
use firebreak_core::storm::Repeats;
use jiff::Timestamp;
use serde_json::json;

use super::super::{Notifier, NotifyError, Pace, Report, tell_all};
use crate::ports::{
    Append, AppendError, Clock, Conflict, IncidentStore, ListPage, ListQuery, PutError,
    SecretError, SecretSource, Sender, Silences, Slot, SlotKey, StoreError,
};

/// One incident, a sender that answers as told, and the secret of the hook.
#[derive(Default)]
pub(super) struct World {
    pub(super) events: Mutex<Vec<Recorded>>,
    /// What each address answers, in order; the last answer stays. 200 where nothing is said.
    pub(super) replies: Mutex<BTreeMap<&'static str, Vec<u16>>>,
    /// Address and event id (or subject) of each message that arrived.
    pub(super) sent: Mutex<Vec<(String, String)>>,
    /// What somebody else appends while the next message is on its way.
    pub(super) meanwhile: Mutex<Vec<Event>>,
    /// Seconds of the story.
    pub(super) now: Mutex<i64>,
    pub(super) routes: Routes,
    pub(super) policy: Policy,
    /// `None`: they cannot be read.
    pub(super) silences: Mutex<Option<Vec<Silence>>>,
    /// `None`: the secrets cannot be read.
    pub(super) secret: Mutex<Option<String>>,
    pub(super) channels: Channels,
}

pub(super) const HOOK: &str = "https://hook.example/";
pub(super) const OTHER: &str = "https://other.example/";
pub(super) const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:oncall";

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + seconds).unwrap()
}

pub(super) fn id() -> IncidentId {
    "inc_01A".to_owned().try_into().unwrap()
}

pub(super) fn opened() -> Event {
    Event::Opened {
        group_key: "g".to_owned(),
        service: "shop".to_owned(),
        severity: Severity::Critical,
        title: "slow".to_owned(),
    }
}

pub(super) fn escalated() -> Event {
    Event::Escalated { reason: "no action helped".to_owned() }
}

fn alert_at(seconds: i64) -> Alert {
    Draft {
        source: "sumologic",
        identity: [("monitor".to_owned(), "slow".into())].into(),
        status: AlertStatus::Firing,
        severity: Severity::Critical,
        service: Some("shop".to_owned()),
        name: "slow".to_owned(),
        title: "slow".to_owned(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        episode: None,
        starts_at: at(seconds),
        ends_at: None,
        links: Vec::new(),
    }
    .seal()
}

pub(super) fn fired(alert: &Alert) -> Event {
    Event::AlertFired { alert: Arc::new(alert.clone()) }
}

pub(super) fn resolved() -> [Event; 2] {
    let fingerprint = alert_at(0).fingerprint;
    [
        Event::AlertResolved { fingerprint, ends_at: at(0) },
        Event::Resolved { reason: "over".to_owned() },
    ]
}

pub(super) fn reopened() -> Event {
    Event::Reopened { reason: "again".to_owned() }
}

impl World {
    pub(super) fn new() -> Self {
        let channels = json!({
            "hook": {"kind": "webhook", "url": HOOK},
            "oncall": {"kind": "sns", "topic_arn": TOPIC},
            "other": {"kind": "webhook", "url": OTHER},
        });
        let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".to_owned();
        Self {
            channels: serde_json::from_value(channels).unwrap(),
            secret: Mutex::new(Some(secret)),
            silences: Mutex::new(Some(Vec::new())),
            ..Self::default()
        }
    }

    pub(super) fn happens(&self, event: Event) -> Recorded {
        let mut events = lock(&self.events);
        let seq = events.len() as u64 + 1;
        let recorded =
            Recorded { incident: id(), seq, at: at(*lock(&self.now)), event, prev: None };
        events.push(recorded.clone());
        recorded
    }

    pub(super) fn wait(&self, seconds: i64) {
        *lock(&self.now) += seconds;
    }

    /// An incident opens; answers with the event that people hear of.
    pub(super) fn opens(&self) -> Recorded {
        self.happens(opened());
        self.happens(fired(&self.alert()))
    }

    /// The alert as it fires now.
    pub(super) fn alert(&self) -> Alert {
        alert_at(*lock(&self.now))
    }

    pub(super) fn resolves(&self) -> Recorded {
        for event in resolved() {
            self.happens(event);
        }
        lock(&self.events).last().cloned().unwrap()
    }

    pub(super) fn answers(&self, address: &'static str, statuses: &[u16]) {
        lock(&self.replies).insert(address, statuses.to_vec());
    }

    pub(super) fn notifier(&self) -> Notifier<'_> {
        Notifier {
            claims: None,
            store: self,
            clock: self,
            channels: &self.channels,
            routes: &self.routes,
            policy: &self.policy,
            secrets: self,
            sender: self,
            pace: Pace { rests: [Duration::ZERO; 2], patience: Duration::from_secs(5) },
        }
    }

    pub(super) async fn tell(&self) -> Result<Report, NotifyError> {
        tell_all(&self.notifier(), &id()).await
    }

    /// The channels that were told just now, by name.
    pub(super) async fn told(&self) -> Vec<String> {
        let report = self.tell().await.unwrap();
        report.delivered.into_iter().map(|(channel, _)| channel).collect()
    }

    /// How many messages with that number (and what follows it) arrived at each address, whatever was answered.
    pub(super) fn arrived(&self, number: &str) -> BTreeMap<String, usize> {
        let mut arrived = BTreeMap::new();
        for (address, event_id) in lock(&self.sent).iter() {
            if *event_id == format!("{}:{number}", id()) {
                *arrived.entry(address.clone()).or_default() += 1;
            }
        }
        arrived
    }

    pub(super) fn once(addresses: &[&str]) -> BTreeMap<String, usize> {
        addresses.iter().map(|address| ((*address).to_owned(), 1)).collect()
    }
}

#[async_trait]
impl Sender for World {
    async fn send(&self, request: &Request) -> Reply {
        let (address, event_id) = match request {
            Request::Http(http) => {
                let id = http.headers.iter().find(|(name, _)| name == "webhook-id").unwrap();
                (http.url.clone(), id.1.clone())
            }
            Request::Topic { arn, attributes, .. } => (arn.clone(), attributes["event_id"].clone()),
        };
        // Others get their turn while this one waits for its answer.
        tokio::task::yield_now().await;
        for event in lock(&self.meanwhile).drain(..).collect::<Vec<_>>() {
            self.happens(event);
        }
        lock(&self.sent).push((address.clone(), event_id));
        let status = match lock(&self.replies).get_mut(address.as_str()) {
            None => 200,
            Some(statuses) if statuses.len() > 1 => statuses.remove(0),
            Some(statuses) => statuses[0],
        };
        match (status, address.as_str()) {
            (0, _) => Reply::None { error: "connection reset".to_owned() },
            (200, TOPIC) => Reply::Published { message_id: "m-1".to_owned() },
            _ => Reply::Http { status, body: String::new() },
        }
    }
}

#[async_trait]
impl Silences for World {
    async fn silences(&self, since: Timestamp) -> Result<Vec<Silence>, StoreError> {
        let Some(silences) = lock(&self.silences).clone() else {
            return Err(StoreError::Unavailable("throttled".to_owned()));
        };
        Ok(silences.into_iter().filter(|silence| silence.ends_at > since).collect())
    }

    async fn silence(&self, _id: &SilenceId) -> Result<Option<Silence>, StoreError> {
        unreachable!("telling looks for none")
    }

    async fn put_silence(&self, _silence: &Silence) -> Result<(), PutError> {
        unreachable!("telling makes none")
    }
}

#[async_trait]
impl SecretSource for World {
    async fn of_source(&self, _source: &str) -> Result<Option<Secrets>, SecretError> {
        Ok(None)
    }

    async fn of_channel(&self, channel: &str) -> Result<Option<String>, SecretError> {
        match lock(&self.secret).clone() {
            None => Err(SecretError("access denied".to_owned())),
            Some(_) if channel == "unset" => Ok(None),
            Some(secret) => Ok(Some(secret)),
        }
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        at(*lock(&self.now))
    }
}

#[async_trait]
impl IncidentStore for World {
    async fn load(&self, _id: &IncidentId) -> Result<Option<Incident>, StoreError> {
        Ok(replay(lock(&self.events).iter()).unwrap())
    }

    async fn events(&self, _id: &IncidentId) -> Result<Vec<Recorded>, StoreError> {
        Ok(lock(&self.events).clone())
    }

    async fn append(&self, append: &Append) -> Result<(), AppendError> {
        tokio::task::yield_now().await;
        let mut events = lock(&self.events);
        if append.events[0].seq != events.len() as u64 + 1 {
            return Err(AppendError::Conflict(Conflict::Version));
        }
        events.extend(append.events.iter().cloned());
        Ok(())
    }

    async fn append_all(&self, _appends: &[Append]) -> Vec<Result<(), AppendError>> {
        unreachable!("telling appends one by one")
    }

    async fn load_all(
        &self,
        _ids: &[IncidentId],
    ) -> Result<BTreeMap<IncidentId, Incident>, StoreError> {
        unreachable!("telling is about one incident")
    }

    async fn find_all(&self, _keys: &[SlotKey]) -> Result<BTreeMap<SlotKey, Slot>, StoreError> {
        unreachable!("telling finds incidents by id")
    }

    async fn count_repeats(&self, _repeats: &[Repeats]) -> Result<(), StoreError> {
        unreachable!("telling counts nothing")
    }

    async fn repeats(&self, _of: &Fingerprint) -> Result<(u64, Option<Timestamp>), StoreError> {
        unreachable!("telling counts nothing")
    }

    async fn list(&self, _query: &ListQuery) -> Result<ListPage, StoreError> {
        unreachable!("telling lists nothing")
    }

    async fn live(&self, _most: usize) -> Result<Live, StoreError> {
        Ok(Live::default())
    }

    async fn write_books(&self, _: &[BookWrite]) -> Result<(), AppendError> {
        unreachable!("telling writes no books")
    }

    async fn books(&self, _: &[BookKey]) -> Result<Books, StoreError> {
        Ok(Books::new())
    }
}
