//! Many targets of one failure domain at once are one parent incident: its members hold, and page as part of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use firebreak_core::alert::{Alert, AlertStatus};
use firebreak_core::incident::{Command, Incident, Status};
use firebreak_core::muting::MutedBy;
use firebreak_core::policy::{self, Policy};
use firebreak_core::routing::Routes;
use firebreak_engine::command::command;
use firebreak_engine::contracts::examples::{at, draft};
use firebreak_engine::ingest::{Ingest, take_all};
use firebreak_engine::ports::Clock;
use firebreak_engine::shared_cause::settle;
use firebreak_local::SqliteStore;
use jiff::Timestamp;

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
    fn new(targets: usize) -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("shared_cause: {{more_than: {{targets: {targets}, groups: 200}}}}");
        Arc::new(Self {
            store: SqliteStore::open(folder.path()).unwrap(),
            clock: Hand::default(),
            routes: Routes::default(),
            policy: policy::read(&text).unwrap(),
            _folder: folder,
        })
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

    async fn take(&self, alerts: &[Alert]) {
        let alerts: Vec<Arc<Alert>> = alerts.iter().cloned().map(Arc::new).collect();
        for taken in take_all(self.with(), &alerts).await {
            taken.unwrap();
        }
    }

    async fn later(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::Relaxed);
        settle(self.with()).await.unwrap();
    }

    /// The parents and the members.
    async fn incidents(&self) -> (Vec<Incident>, Vec<Incident>) {
        all(&self.store)
            .await
            .into_iter()
            .partition(|one| one.alerts.values().any(|member| member.alert.source == "firebreak"))
    }

    async fn parent(&self) -> Incident {
        let (parents, _) = self.incidents().await;
        let [parent] = <[_; 1]>::try_from(parents).unwrap();
        parent
    }
}

/// One rule for each thing, so that each opens an incident of its own.
fn fires(n: usize) -> Alert {
    let mut draft = draft(&format!("rule-{n}"), &format!("i-{n}"));
    draft.labels.insert("instance".to_owned(), format!("i-{n}"));
    draft.seal()
}

fn over(n: usize, seconds: i64) -> Alert {
    let mut draft = draft(&format!("rule-{n}"), &format!("i-{n}"));
    draft.labels.insert("instance".to_owned(), format!("i-{n}"));
    (draft.status, draft.ends_at) = (AlertStatus::Resolved, Some(at(seconds)));
    draft.seal()
}

fn muted_by_parent(member: &Incident, parent: &Incident) -> bool {
    member
        .muted
        .as_ref()
        .is_some_and(|muted| muted.by == MutedBy::SharedCause && muted.id == parent.id.as_str())
}

#[tokio::test]
async fn one_more_than_is_allowed_opens_one_parent_and_each_member_says_so() {
    let scene = Scene::new(5);
    for n in 0..5 {
        scene.take(&[fires(n)]).await;
    }
    assert!(scene.incidents().await.0.is_empty());
    scene.take(&[fires(5)]).await;
    for n in 6..9 {
        scene.take(&[fires(n)]).await;
    }
    let parent = scene.parent().await;
    assert!(parent.title.contains("6 targets"), "{}", parent.title);
    assert_eq!((parent.service.as_str(), parent.version), ("checkout", 2));
    let (_, members) = scene.incidents().await;
    assert_eq!(members.len(), 9);
    for member in &members {
        assert!(muted_by_parent(member, &parent), "{:?}", member.muted);
        assert_eq!(member.status, Status::Suppressed);
    }
    scene.later(60).await;
    assert_eq!(scene.parent().await.version, 2, "it is said once");
}

#[tokio::test]
async fn a_storm_in_one_delivery_is_one_parent_as_well() {
    let scene = Scene::new(5);
    let alerts: Vec<Alert> = (0..40).map(fires).collect();
    scene.take(&alerts).await;
    let parent = scene.parent().await;
    let (_, members) = scene.incidents().await;
    assert_eq!(members.len(), 40);
    let muted = members.iter().filter(|member| muted_by_parent(member, &parent)).count();
    assert_eq!(muted, 40);
    scene.take(&alerts).await;
    assert_eq!(scene.parent().await, parent, "repeats change nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn however_many_count_at_once_none_is_missed_and_one_parent_opens() {
    for round in 0..5 {
        let scene = Scene::new(15);
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..15 {
            let scene = Arc::clone(&scene);
            tasks.spawn(async move { scene.take(&[fires(n)]).await });
        }
        tasks.join_all().await;
        assert!(scene.incidents().await.0.is_empty(), "round {round}: 15 are allowed");
        let mut tasks = tokio::task::JoinSet::new();
        for n in 15..30 {
            let scene = Arc::clone(&scene);
            tasks.spawn(async move { scene.take(&[fires(n)]).await });
        }
        tasks.join_all().await;
        scene.later(1).await;
        let parent = scene.parent().await;
        let (_, members) = scene.incidents().await;
        let muted = members.iter().filter(|member| muted_by_parent(member, &parent)).count();
        assert_eq!((members.len(), muted), (30, 30), "round {round}");
    }
}

#[tokio::test]
async fn it_ends_when_the_last_member_is_over_and_counts_anew_then() {
    let scene = Scene::new(2);
    for n in 0..4 {
        scene.take(&[fires(n)]).await;
    }
    assert!(scene.parent().await.is_firing());
    for n in 0..3 {
        scene.take(&[over(n, 5)]).await;
    }
    scene.later(60).await;
    assert!(scene.parent().await.is_firing(), "one member still fires");
    scene.take(&[over(3, 70)]).await;
    scene.later(10).await;
    assert!(!scene.parent().await.is_firing());

    scene.take(&[fires(10)]).await;
    scene.take(&[fires(11)]).await;
    let (_, members) = scene.incidents().await;
    let firing: Vec<&Incident> = members.iter().filter(|member| member.is_firing()).collect();
    assert!(firing.iter().all(|member| member.muted.is_none()), "two are allowed again");
}

#[tokio::test]
async fn when_a_person_resolves_the_parent_the_members_that_still_fire_are_told_of() {
    let scene = Scene::new(2);
    for n in 0..4 {
        scene.take(&[fires(n)]).await;
    }
    let parent = scene.parent().await;
    let wish = Command::Resolve { by: "ana".to_owned(), reason: "three of a kind".to_owned() };
    command(&scene.store, &scene.clock, &parent.id, &wish).await.unwrap();
    scene.later(5).await;
    let (_, members) = scene.incidents().await;
    for member in &members {
        assert_eq!((&member.muted, member.status), (&None, Status::Open));
    }
    scene.later(5).await;
    assert!(!scene.parent().await.is_firing(), "it does not come back for the same");
}

#[tokio::test]
async fn services_do_not_count_for_one_another() {
    let scene = Scene::new(3);
    let mut alerts = Vec::new();
    for n in 0..12 {
        let mut draft = draft(&format!("rule-{n}"), &format!("i-{n}"));
        draft.service = Some(format!("service-{}", n % 4));
        alerts.push(draft.seal());
    }
    scene.take(&alerts).await;
    let (parents, members) = scene.incidents().await;
    assert!(parents.is_empty());
    let services: BTreeSet<&str> = members.iter().map(|one| one.service.as_str()).collect();
    assert_eq!(services.len(), 4);
}
