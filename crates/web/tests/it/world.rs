//! The webhooks on a store of their own, with a clock and a vault that a test moves.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::{Extension, Router};
use firebreak_core::policy;
use firebreak_core::proof::{Caller, CertificateUrl, Confirmation, Secrets};
use firebreak_core::storm::StormSettings;
use firebreak_engine::fallback::Fallback;
use firebreak_engine::ports::{
    Clock, IncidentStore as _, ListQuery, SecretError, SecretSource, TopicHost, TopicHostError,
};
use firebreak_engine::prove::Certificates;
use firebreak_engine::queue::{Queue, QueueSettings};
use firebreak_local::SqliteStore;
use firebreak_web::metrics::Metrics;
use firebreak_web::webhooks::{Webhooks, router};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tower::ServiceExt as _;

pub(crate) const SECRET: &str = "a-current-secret-0123";

pub(crate) struct World {
    folder: tempfile::TempDir,
    pub(crate) store: SqliteStore,
    pub(crate) clock: Arc<SetClock>,
    vault: Arc<Vault>,
    router: Router,
}

/// A clock that stands until it is moved.
pub(crate) struct SetClock(Mutex<Timestamp>);

impl SetClock {
    pub(crate) fn set(&self, at: Timestamp) {
        *self.0.lock().unwrap() = at;
    }

    pub(crate) fn forward(&self, by: SignedDuration) {
        let mut now = self.0.lock().unwrap();
        *now += by;
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Holds one secret for every source until it is closed.
struct Vault(Mutex<Option<Secrets>>);

#[async_trait]
impl SecretSource for Vault {
    async fn of_source(&self, _source: &str) -> Result<Option<Secrets>, SecretError> {
        let secrets = self.0.lock().unwrap().clone();
        secrets.map(Some).ok_or_else(|| SecretError("the vault is closed".to_owned()))
    }

    async fn of_channel(&self, _channel: &str) -> Result<Option<String>, SecretError> {
        Ok(None)
    }
}

/// For tests in which nothing may be asked of SNS.
struct NoEndpoint;

#[async_trait]
impl TopicHost for NoEndpoint {
    async fn certificate(&self, at: &CertificateUrl) -> Result<Vec<u8>, TopicHostError> {
        panic!("{} was fetched", at.as_str())
    }

    async fn confirm(&self, confirmation: &Confirmation) -> Result<(), TopicHostError> {
        panic!("{} was confirmed", confirmation.topic())
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Seconds.
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: Value,
}

impl Answer {
    /// How many alerts were accepted.
    pub(crate) fn accepted(&self) -> usize {
        self.body["accepted"].as_array().map_or(0, Vec::len)
    }
}

impl World {
    pub(crate) fn new(policy: &str) -> Self {
        Self::with_endpoint(policy, Arc::new(NoEndpoint))
    }

    pub(crate) fn with_endpoint(policy: &str, endpoint: Arc<dyn TopicHost>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path()).unwrap();
        let clock = Arc::new(SetClock(Mutex::new("2026-11-21T04:00:22Z".parse().unwrap())));
        let secrets = serde_json::from_value(serde_json::json!([SECRET])).unwrap();
        let vault = Arc::new(Vault(Mutex::new(Some(secrets))));
        let policy = Arc::new(policy::read(policy).unwrap());
        let (queue, _ends_with_the_queue) = Queue::start(QueueSettings {
            store: Arc::new(store.clone()),
            clock: Arc::<SetClock>::clone(&clock),
            routes: Arc::default(),
            policy: Arc::clone(&policy),
            reopen_within: SignedDuration::from_mins(10),
            storms: StormSettings::default(),
        });
        let webhooks = Webhooks {
            metrics: Metrics::of(queue.meter()),
            queue,
            fallback: Fallback::none(Arc::<SetClock>::clone(&clock) as Arc<dyn Clock>),
            ears: Arc::default(),
            store: Arc::new(store.clone()),
            clock: Arc::<SetClock>::clone(&clock),
            secrets: Arc::<Vault>::clone(&vault),
            certificates: Arc::new(Certificates::of(endpoint)),
            policy,
        };
        Self { folder, store, clock, vault, router: router(webhooks) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn close_the_vault(&self) {
        *self.vault.0.lock().unwrap() = None;
    }

    /// Does something to the store's file behind its back.
    pub(crate) fn sabotage(&self, sql: &str) {
        let connection = rusqlite::Connection::open(self.folder.path().join("firebreak.sqlite"));
        connection.unwrap().execute_batch(sql).unwrap();
    }

    pub(crate) async fn post(
        &self,
        source: &str,
        headers: &[(String, String)],
        body: &[u8],
        caller: Option<Caller>,
    ) -> Answer {
        let mut request = Request::post(format!("/webhooks/{source}"));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let router = match caller {
            Some(caller) => self.router.clone().layer(Extension(caller)),
            None => self.router.clone(),
        };
        let response =
            router.oneshot(request.body(Body::from(body.to_vec())).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let retry_after = response.headers().get("retry-after");
        let retry_after = retry_after.map(|value| value.to_str().unwrap().parse().unwrap());
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        Answer { status, retry_after, body: serde_json::from_slice(&body).unwrap() }
    }

    pub(crate) async fn incidents(&self) -> usize {
        let query = ListQuery { limit: 200, ..ListQuery::default() };
        self.store.list(&query).await.unwrap().incidents.len()
    }
}
