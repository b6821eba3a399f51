//! A source that should speak and does not is an incident, which ends when it speaks again.

use std::sync::atomic::{AtomicI64, Ordering};

use firebreak_core::heartbeat::LifeState;
use firebreak_core::incident::Incident;
use firebreak_core::policy::{self, Policy};
use firebreak_core::routing::Routes;
use firebreak_core::sources::{self, Delivery};
use firebreak_engine::contracts::examples::at;
use firebreak_engine::heartbeats::{Ears, forget, listen};
use firebreak_engine::ingest::{Ingest, ingest};
use firebreak_engine::ports::{Clock, Heartbeats as _};
use firebreak_local::SqliteStore;
use jiff::Timestamp;
use serde_json::json;

use crate::world::{REOPEN, all};

#[derive(Default)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        at(self.0.load(Ordering::Relaxed))
    }
}

struct Scene {
    store: SqliteStore,
    clock: Hand,
    routes: Routes,
    policy: Policy,
    _folder: tempfile::TempDir,
}

impl Scene {
    fn new(heartbeat: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("sources: {{alertmanager: {{heartbeat: {heartbeat}}}}}");
        Self {
            store: SqliteStore::open(folder.path()).unwrap(),
            clock: Hand::default(),
            routes: Routes::default(),
            policy: policy::read(&text).unwrap(),
            _folder: folder,
        }
    }

    fn with(&self) -> Ingest<'_> {
        Ingest {
            store: &self.store,
            clock: &self.clock,
            routes: &self.routes,
            policy: &self.policy,
            reopen_within: REOPEN,
        }
    }

    /// Looks once a minute until the second, as a platform that is up does.
    async fn up_to(&self, second: i64) -> Vec<LifeState> {
        let mut states = Vec::new();
        while self.clock.0.load(Ordering::Relaxed) < second {
            self.clock.0.fetch_add(60, Ordering::Relaxed);
            states = self.look().await;
        }
        states
    }

    async fn look(&self) -> Vec<LifeState> {
        let looked = listen(self.with()).await.unwrap();
        looked.iter().map(|one| one.state).collect()
    }

    async fn watchdog(&self) {
        let body = json!({"version": "4", "status": "firing", "alerts": [{
            "status": "firing", "labels": {"alertname": "Watchdog"}, "annotations": {},
            "startsAt": at(0).to_string(),
        }]});
        let body = body.to_string();
        let received_at = self.clock.now();
        let delivery =
            Delivery { body: body.as_bytes(), content_type: None, headers: &[], received_at };
        let source = sources::find("alertmanager").unwrap();
        let report = ingest(self.with(), source, &delivery).await.unwrap();
        assert_eq!(report.heartbeats, ["Watchdog"]);
    }

    async fn incidents(&self) -> Vec<Incident> {
        all(&self.store).await
    }
}

#[tokio::test]
async fn a_silent_watchdog_is_one_incident_that_ends_when_it_barks_again() {
    let scene = Scene::new("{every: 1m, grace: 3m}");
    scene.watchdog().await;
    assert_eq!(scene.up_to(240).await, [LifeState::Alive]);
    assert!(scene.incidents().await.is_empty());
    assert_eq!(scene.up_to(900).await, [LifeState::Silent]);
    let [silent] = <[_; 1]>::try_from(scene.incidents().await).unwrap();
    assert_eq!(silent.title, "silent source: alertmanager (Watchdog)");
    assert!(silent.is_firing());
    assert_eq!(silent.version, 2, "it is said once");

    scene.watchdog().await;
    assert_eq!(scene.look().await, [LifeState::Alive]);
    assert!(!scene.incidents().await[0].is_firing());
    scene.up_to(3000).await;
    let again = scene.incidents().await;
    assert_eq!(again.iter().filter(|incident| incident.is_firing()).count(), 1, "and again");
}

#[tokio::test]
async fn a_source_that_was_never_heard_of_is_silent_until_it_is_known_by_name() {
    let scene = Scene::new("{every: 1m, grace: 1m}");
    assert_eq!(scene.up_to(300).await, [LifeState::Silent]);
    let [never] = <[_; 1]>::try_from(scene.incidents().await).unwrap();
    assert!(never.title.contains("any heartbeat"));
    scene.watchdog().await;
    assert_eq!(scene.look().await, [LifeState::Alive]);
    assert!(!scene.incidents().await[0].is_firing());
}

#[tokio::test]
async fn a_platform_that_was_down_holds_its_own_silence_against_nobody() {
    let scene = Scene::new("{every: 1m, grace: 3m}");
    scene.watchdog().await;
    scene.up_to(120).await;
    // An hour without a look: the platform was down.
    scene.clock.0.store(3720, Ordering::Relaxed);
    assert_eq!(scene.look().await, [LifeState::Waiting]);
    assert_eq!(scene.up_to(3900).await, [LifeState::Waiting]);
    assert!(scene.incidents().await.is_empty());
    assert_eq!(scene.up_to(4100).await, [LifeState::Silent]);
}

#[tokio::test]
async fn a_name_that_is_forgotten_is_expected_no_more() {
    let scene = Scene::new("{every: 1m, grace: 1m}");
    scene.watchdog().await;
    scene.up_to(600).await;
    assert!(scene.incidents().await[0].is_firing());
    assert!(forget(scene.with(), "alertmanager", "Watchdog").await.unwrap());
    assert!(!forget(scene.with(), "alertmanager", "Watchdog").await.unwrap());
    assert!(!scene.incidents().await[0].is_firing());
}

#[tokio::test]
async fn any_delivery_counts_where_the_policy_says_so_and_few_are_written() {
    let scene = Scene::new("{every: 1m, grace: 1m, sign: any_delivery}");
    let ears = Ears::default();
    for second in 0..12 {
        ears.delivered(&scene.store, &scene.policy, "alertmanager", at(second)).await;
        ears.delivered(&scene.store, &scene.policy, "sumologic", at(second)).await;
    }
    let heard = scene.store.heard().await.unwrap();
    assert_eq!(heard.len(), 1, "only the source that was asked for: {heard:?}");
    assert_eq!(heard[0].last, at(10), "one in five seconds");
    assert_eq!(scene.up_to(60).await, [LifeState::Alive]);
    assert_eq!(scene.up_to(240).await, [LifeState::Silent]);
}
