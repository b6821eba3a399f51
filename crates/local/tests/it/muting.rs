//! Mutes on a real store: a silence stops pages and actions, resolves are told, and nothing is forgotten after it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use firebreak_core::alert::Alert;
use firebreak_core::channels::Channels;
use firebreak_core::incident::{Incident, IntakeVerdict, Status};
use firebreak_core::matcher::Matchers;
use firebreak_core::muting::{Silence, SilenceDraft};
use firebreak_core::policy::{self, Policy};
use firebreak_core::routing::Routes;
use firebreak_core::run::{Directive, Takeover};
use firebreak_core::runbook::{self, RunbookSet};
use firebreak_engine::contracts::examples::{at, draft, firing, resolved};
use firebreak_engine::guard_meter::GuardMeter;
use firebreak_engine::ingest::{Ingest, take_all};
use firebreak_engine::notify::{Notifier, Pace, tell_all};
use firebreak_engine::ports::{Clock, HandsSet, IncidentStore as _};
use firebreak_engine::remediate::{Remediation, advance};
use firebreak_engine::silence::{self, SilenceError, add, expire};
use firebreak_engine::sweep::{Sweep, Swept, sweep};
use firebreak_local::{LocalSecrets, SqliteStore, Tokens};
use jiff::Timestamp;

use crate::telling::{Post, Topic};
use crate::world::{REOPEN, all};

#[derive(Default)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        at(self.0.load(Ordering::Relaxed))
    }
}

const RUNBOOK: &str = r#"
runbook: reboot
owner: tests
when: alert.labels.monitor == "slow"
mode: auto
max_age: 1h
targets: { ec2.instance: alert.labels.thing }
steps:
  - action: ec2.reboot
    verify: { within: 5m, stable_for: 1m, all: [alert_resolved, ec2.status_ok] }
"#;

const ONE: &str = "i-0abc12345";

struct Scene {
    store: SqliteStore,
    clock: Hand,
    policy: Policy,
    runbooks: RunbookSet,
    post: Arc<Post>,
    channels: Channels,
    secrets: LocalSecrets,
    _folder: tempfile::TempDir,
}

impl Scene {
    fn new(policy: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shared = Tokens::find(Some("0123456789abcdef"), std::path::Path::new("")).unwrap();
        let channels = serde_json::json!({
            "oncall": { "kind": "sns", "topic_arn": "arn:aws:sns:eu-west-1:111122223333:oncall" }
        });
        Self {
            store: SqliteStore::open(folder.path()).unwrap(),
            clock: Hand::default(),
            policy: policy::read(policy).unwrap(),
            runbooks: [runbook::read(RUNBOOK).unwrap()].into_iter().collect(),
            post: Post::new(&[("oncall", Topic::Well)]),
            channels: serde_json::from_value(channels).unwrap(),
            secrets: LocalSecrets {
                shared: shared.secrets,
                sources: BTreeMap::new(),
                channels: BTreeMap::new(),
            },
            _folder: folder,
        }
    }

    fn wait(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::Relaxed);
    }

    async fn deliver(&self, alert: &Alert) -> IntakeVerdict {
        let with = Ingest {
            store: &self.store,
            clock: &self.clock,
            routes: &Routes::default(),
            policy: &self.policy,
            reopen_within: REOPEN,
        };
        let taken = take_all(with, &[Arc::new(alert.clone())]).await.remove(0);
        taken.unwrap().outcome
    }

    async fn silence(&self, matchers: &str, lasts: i64) -> Silence {
        let draft = self.wish(matchers, lasts);
        add(&self.store, &self.clock, draft).await.unwrap()
    }

    fn wish(&self, matchers: &str, lasts: i64) -> SilenceDraft {
        SilenceDraft {
            owner: "ana".to_owned(),
            reason: "known".to_owned(),
            matchers: Matchers::read(matchers).unwrap(),
            starts_at: None,
            ends_at: self.clock.now() + jiff::SignedDuration::from_secs(lasts),
            replaces: None,
        }
    }

    async fn sweep(&self) -> Swept {
        let with = Sweep { store: &self.store, clock: &self.clock, policy: &self.policy };
        sweep(with).await.unwrap()
    }

    /// The only incident.
    async fn incident(&self) -> Incident {
        let [incident] = <[_; 1]>::try_from(all(&self.store).await).unwrap();
        incident
    }

    /// The messages that were sent so far, after everything that is due was told.
    async fn pages(&self) -> usize {
        let notifier = Notifier {
            claims: None,
            store: &self.store,
            clock: &self.clock,
            channels: &self.channels,
            routes: &Routes::default(),
            policy: &self.policy,
            secrets: &self.secrets,
            sender: &*self.post,
            pace: Pace { rests: [Duration::ZERO; 2], patience: Duration::from_secs(5) },
        };
        for incident in all(&self.store).await {
            tell_all(&notifier, &incident.id).await.unwrap();
        }
        self.post.tried("oncall").len()
    }

    async fn advance(&self) -> Directive {
        let with = Remediation {
            store: &self.store,
            clock: &self.clock,
            runbooks: &self.runbooks,
            policy: &self.policy,
            hands: &HandsSet::default(),
            meter: &GuardMeter::default(),
            reopen_within: REOPEN,
        };
        advance(with, &self.incident().await.id, "driver", Takeover::Respect).await.unwrap()
    }

    async fn acts(&self) -> bool {
        matches!(self.advance().await, Directive::Act { .. })
    }
}

#[tokio::test]
async fn a_silence_stops_the_page_and_the_action_and_its_end_brings_both() {
    let scene = Scene::new("");
    let silence = scene.silence("service=checkout", 600).await;
    assert_eq!(scene.deliver(&firing("slow", ONE)).await, IntakeVerdict::Suppressed);
    assert_eq!(scene.incident().await.status, Status::Suppressed);
    assert_eq!(scene.pages().await, 0);
    assert!(!scene.acts().await);
    assert_eq!(scene.sweep().await, Swept { looked_at: 1, changed: 0, failed: 0 });

    scene.wait(60);
    expire(&scene.store, &scene.clock, &silence.id, "bob").await.unwrap();
    assert_eq!(scene.sweep().await.changed, 1);
    assert_eq!(scene.sweep().await.changed, 0, "said once");
    assert_eq!(scene.pages().await, 1);
    assert!(scene.acts().await);
}

#[tokio::test]
async fn who_got_the_page_gets_its_resolve_though_it_is_silenced_by_then() {
    let scene = Scene::new("");
    assert_eq!(scene.deliver(&firing("slow", ONE)).await, IntakeVerdict::Opened);
    assert_eq!(scene.pages().await, 1);
    scene.silence("service=checkout", 6000).await;
    assert_eq!(scene.sweep().await.changed, 1);
    assert_eq!(scene.incident().await.status, Status::Suppressed);
    assert!(!scene.acts().await);
    scene.wait(30);
    assert_eq!(scene.deliver(&firing("slow", "i-0def12345")).await, IntakeVerdict::Suppressed);
    scene.wait(600);
    assert_eq!(scene.pages().await, 1, "the second alert is quiet");
    for thing in [ONE, "i-0def12345"] {
        scene.deliver(&resolved("slow", thing, scene.clock.now())).await;
    }
    assert_eq!(scene.incident().await.status, Status::Resolved);
    scene.wait(600);
    assert_eq!(scene.pages().await, 2);
    assert!(scene.post.tried("oncall")[1].contains("Resolved"));
}

#[tokio::test]
async fn a_silence_that_ends_by_itself_is_noticed_while_its_alert_fires() {
    let scene = Scene::new("");
    scene.silence("thing=~i-.*", 600).await;
    scene.deliver(&firing("slow", ONE)).await;
    scene.wait(599);
    assert_eq!((scene.sweep().await.changed, scene.pages().await), (0, 0));
    scene.wait(1);
    assert_eq!((scene.sweep().await.changed, scene.pages().await), (1, 1));
    let events = scene.store.events(&scene.incident().await.id).await.unwrap();
    let said = events.iter().find(|event| event.event.name() == "incident.unmuted").unwrap();
    assert!(firebreak_core::timeline::sentence(&said.event).contains("silenced by ana"));
}

#[tokio::test]
async fn planned_work_stops_pages_and_actions_for_its_time() {
    let (from, to) = (at(0), at(600));
    let policy = format!(
        "maintenance: [{{name: move, owner: dba, reason: disks, services: [checkout], from: {from}, to: {to}}}]"
    );
    let scene = Scene::new(&policy);
    assert_eq!(scene.deliver(&firing("slow", ONE)).await, IntakeVerdict::Suppressed);
    assert!(!scene.acts().await && scene.pages().await == 0);
    scene.wait(600);
    assert_eq!(scene.sweep().await.changed, 1);
    assert!(scene.acts().await && scene.pages().await == 1);
}

#[tokio::test]
async fn an_alert_that_is_not_heard_of_expires_and_its_page_gets_its_resolve() {
    let scene = Scene::new("expiry: {after: 1h}");
    scene.deliver(&firing("other", ONE)).await;
    assert_eq!(scene.pages().await, 1);
    scene.wait(3000);
    assert_eq!(scene.deliver(&firing("other", ONE)).await, IntakeVerdict::Duplicate);
    scene.wait(3599);
    assert_eq!(scene.sweep().await.changed, 0, "a repeat is a sign of life");
    scene.wait(1);
    assert_eq!(scene.sweep().await.changed, 1);
    assert_eq!(scene.incident().await.status, Status::Resolved);
    assert_eq!(scene.pages().await, 2);
    // Its sender speaks again of what it never ended: a new episode.
    assert_eq!(scene.deliver(&firing("other", ONE)).await, IntakeVerdict::Updated);
    assert_eq!(scene.incident().await.status, Status::Open);
    assert_eq!(scene.deliver(&firing("other", ONE)).await, IntakeVerdict::Duplicate);
}

#[tokio::test]
async fn while_a_parent_fires_its_child_is_told_with_its_name_and_does_not_act() {
    let scene = Scene::new("services: {checkout: {depends_on: [payments]}}");
    let mut parent = draft("payments-down", "p");
    parent.service = Some("payments".to_owned());
    let parent = parent.seal();
    scene.deliver(&parent).await;
    assert_eq!(scene.pages().await, 1);
    assert_eq!(scene.deliver(&firing("slow", ONE)).await, IntakeVerdict::Opened);
    let mut incidents = all(&scene.store).await;
    incidents.retain(|incident| incident.service == "checkout");
    let child = incidents.remove(0);
    assert_eq!(child.parent.as_ref().unwrap().service, "payments");
    assert_eq!(scene.pages().await, 2);
    assert!(scene.post.tried("oncall")[1].contains("payments, which it depends on"));

    let with = Remediation {
        store: &scene.store,
        clock: &scene.clock,
        runbooks: &scene.runbooks,
        policy: &scene.policy,
        hands: &HandsSet::default(),
        meter: &GuardMeter::default(),
        reopen_within: REOPEN,
    };
    let asked = advance(with, &child.id, "driver", Takeover::Respect).await.unwrap();
    assert!(matches!(asked, Directive::Done { .. }), "{asked:?}");
    scene.wait(60);
    let ends_at = Some(scene.clock.now());
    let over = Alert { status: firebreak_core::alert::AlertStatus::Resolved, ends_at, ..parent };
    scene.deliver(&over).await;
    assert_eq!(scene.sweep().await.changed, 1);
    let asked = advance(with, &child.id, "driver", Takeover::Respect).await.unwrap();
    assert!(matches!(asked, Directive::Act { .. }), "{asked:?}");
}

#[tokio::test]
async fn silences_are_made_changed_and_ended_as_alertmanager_does() {
    let scene = Scene::new("");
    let first = scene.silence("service=checkout", 600).await;
    let longer =
        SilenceDraft { replaces: Some(first.id.clone()), ..scene.wish("service=checkout", 1200) };
    let longer = add(&scene.store, &scene.clock, longer).await.unwrap();
    assert_eq!((&longer.id, longer.version, longer.ends_at), (&first.id, 2, at(1200)));
    scene.wait(60);
    let wider =
        SilenceDraft { replaces: Some(first.id.clone()), ..scene.wish("service=~c.*", 600) };
    let wider = add(&scene.store, &scene.clock, wider).await.unwrap();
    assert_ne!(wider.id, first.id);
    let shown = silence::list(&scene.store, scene.clock.now()).await.unwrap();
    let states: Vec<_> = shown.iter().map(|one| (&one.silence.id, one.state.as_str())).collect();
    assert_eq!(states, [(&wider.id, "active"), (&first.id, "expired")]);

    scene.deliver(&firing("slow", ONE)).await;
    let shown = silence::list(&scene.store, scene.clock.now()).await.unwrap();
    assert_eq!(shown[0].mutes.len(), 1);
    assert_eq!(shown[0].age_seconds, 0);
    assert_eq!(shown[1].mutes, []);

    let (one, other) = tokio::join!(
        expire(&scene.store, &scene.clock, &wider.id, "ana"),
        expire(&scene.store, &scene.clock, &wider.id, "bob"),
    );
    assert_eq!(usize::from(one.is_ok()) + usize::from(other.is_ok()), 1);
    let again = expire(&scene.store, &scene.clock, &wider.id, "ana").await;
    assert!(matches!(again, Err(SilenceError::Refused(_))), "{again:?}");
    let revived =
        SilenceDraft { replaces: Some(wider.id.clone()), ..scene.wish("service=~c.*", 9) };
    let revived = add(&scene.store, &scene.clock, revived).await;
    assert!(revived.unwrap_err().to_string().contains("cannot be revived"));
    let unknown = "sil_0".to_owned().try_into().unwrap();
    let unknown = expire(&scene.store, &scene.clock, &unknown, "ana").await;
    assert!(matches!(unknown, Err(SilenceError::NotFound(_))));
}
