//! A fake world: hands whose calls stand in a file that survives a kill, and a sender that sees what they cured.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use firebreak_core::alert::{Alert, AlertStatus};
use firebreak_core::evidence::{Circumstances, Evidence, Observation, Questions, Reading};
use firebreak_core::guards::RowPermit;
use firebreak_core::incident::Incident;
use firebreak_core::ledger::Row;
use firebreak_core::policy::{self, Policy};
use firebreak_core::routing::Routes;
use firebreak_core::runbook::{self, Runbook, Step};
use firebreak_core::sources::{Delivery, Intake, Source};
use firebreak_core::target::Target;
use firebreak_engine::contracts::examples::{at, draft};
use firebreak_engine::ingest::{Ingest, ingest};
use firebreak_engine::ports::{
    ApplyError, Clock, Hands, HandsSet, IncidentStore, ListQuery, ReadError, SystemClock,
};
use firebreak_local::{Driver, DriverSettings, SqliteStore};
use jiff::{SignedDuration, Timestamp};

pub(crate) const REOPEN: SignedDuration = SignedDuration::from_mins(10);

const REBOOT: &str = r#"
runbook: reboot
owner: tests
when: alert.labels.monitor == "reboot"
mode: auto
settle: 50ms
targets: { ec2.instance: alert.labels.thing }
guards: { cooldown: 0s, blast_radius: { max: 1000 } }
steps:
  - action: ec2.reboot
    verify: { within: 2s, stable_for: 200ms, all: [alert_resolved, ec2.status_ok], every: 100ms, fresh_after: 0s }
"#;

const FLAG: &str = r#"
runbook: flag
owner: tests
when: alert.labels.monitor == "flag"
mode: auto
targets: { http.flag: '"http://world/flags/" + alert.labels.thing' }
guards: { cooldown: 0s, blast_radius: { max: 1000 } }
steps:
  - action: http.set_flag
    with: { value: true }
    verify: { within: 2s, stable_for: 200ms, all: [alert_resolved, http.flag_set], every: 100ms, fresh_after: 0s }
    undo_after: 150ms
"#;

/// How the world takes a call, by the letter behind `i-` of the thing's name.
pub(crate) const CURED: char = 'a';
pub(crate) const CURED_BUT_NO_ANSWER: char = 'b';
pub(crate) const REFUSED: char = 'c';
pub(crate) const NO_USE: char = 'd';

/// A thing of that kind.
pub(crate) fn thing(kind: char, number: usize) -> String {
    format!("i-{kind}{number:08}")
}

#[derive(Clone)]
pub(crate) struct World {
    file: PathBuf,
    /// Calls that are under way, and the most that ever were.
    pub(crate) at_once: Arc<AtomicUsize>,
    pub(crate) most_at_once: Arc<AtomicUsize>,
    /// While this is set no call comes back.
    pub(crate) held: Arc<AtomicBool>,
}

impl World {
    pub(crate) fn new(folder: &Path) -> Self {
        let counter = || Arc::new(AtomicUsize::new(0));
        let file = folder.join("world");
        Self { file, at_once: counter(), most_at_once: counter(), held: Arc::default() }
    }

    /// One write, so that a kill leaves all of the line or nothing.
    fn write(&self, line: &str) {
        let mut file = OpenOptions::new().append(true).create(true).open(&self.file).unwrap();
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    pub(crate) fn count(&self, verb: &str, thing: &str) -> usize {
        let lines = fs::read_to_string(&self.file).unwrap_or_default();
        lines.lines().filter(|line| *line == format!("{verb} {thing}")).count()
    }

    pub(crate) fn cured(&self, thing: &str) -> bool {
        matches!(thing.chars().nth(2), Some(CURED | CURED_BUT_NO_ANSWER))
            && self.count("call", thing) > 0
    }

    pub(crate) fn hands(&self) -> HandsSet {
        let set_flag = self.hand("http.set_flag", "http.flag_set");
        HandsSet::new(vec![self.reboot_only(), set_flag])
    }

    pub(crate) fn reboot_only(&self) -> Box<dyn Hands> {
        self.hand("ec2.reboot", "ec2.status_ok")
    }

    fn hand(&self, action: &'static str, signal: &'static str) -> Box<dyn Hands> {
        Box::new(FakeHands { action, signal, world: self.clone() })
    }
}

struct FakeHands {
    action: &'static str,
    signal: &'static str,
    world: World,
}

fn name(target: &Target) -> &str {
    target.id.rsplit('/').next().unwrap()
}

#[async_trait]
impl Hands for FakeHands {
    fn action(&self) -> &'static str {
        self.action
    }

    async fn observe(&self, target: &Target, _: Questions<'_>) -> Result<Observation, ReadError> {
        Ok(Observation {
            target: target.clone(),
            identity: Some("the one and only".to_owned()),
            tags: [("firebreak".to_owned(), "allow".to_owned())].into(),
            group: None,
            circumstances: Circumstances::default(),
            captured: serde_json::json!(false),
            seen_at: Timestamp::now(),
        })
    }

    /// Slow before and after, so that a kill finds it at every point.
    async fn apply(&self, permit: &RowPermit) -> Result<String, ApplyError> {
        let now = self.world.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.world.most_at_once.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(15)).await;
        let thing = name(permit.target());
        self.world.write(&format!("call {thing}"));
        tokio::time::sleep(Duration::from_millis(15)).await;
        while self.world.held.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.world.at_once.fetch_sub(1, Ordering::SeqCst);
        match thing.chars().nth(2) {
            Some(CURED_BUT_NO_ANSWER) => Err(ApplyError::Unknown("it timed out".to_owned())),
            Some(REFUSED) => Err(ApplyError::Refused("it is not allowed".to_owned())),
            _ => Ok("taken".to_owned()),
        }
    }

    async fn check(&self, row: &Row, _: &Step) -> Vec<Evidence> {
        vec![Evidence {
            signal: self.signal.to_owned(),
            target: Some(row.planned.target.clone()),
            reading: Reading::Good,
            detail: "it looks well".to_owned(),
            at: Timestamp::now(),
        }]
    }

    async fn undo(&self, row: &Row, _: &Step) -> Result<String, ReadError> {
        self.world.write(&format!("undo {}", name(&row.planned.target)));
        Ok("as before".to_owned())
    }
}

/// A sender whose messages are alerts already.
struct Plain;

impl Source for Plain {
    fn name(&self) -> &'static str {
        "sumologic"
    }

    fn summary(&self) -> &'static str {
        "Alerts as they are."
    }

    fn identity(&self) -> &'static str {
        "as it is"
    }

    fn resolves(&self) -> &'static str {
        "as it is"
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Intake {
        let alert: Alert = serde_json::from_slice(delivery.body).unwrap();
        Intake { alerts: vec![(0, alert)], ..Intake::default() }
    }
}

/// A firing alert about a thing, in an incident of its own.
pub(crate) fn alert(monitor: &str, thing: &str) -> Alert {
    let mut draft = draft(monitor, thing);
    thing.clone_into(&mut draft.name);
    draft.seal()
}

pub(crate) async fn deliver(store: &SqliteStore, alert: &Alert) {
    deliver_under(store, &Policy::default(), alert).await;
}

pub(crate) async fn deliver_under(store: &SqliteStore, policy: &Policy, alert: &Alert) {
    let body = serde_json::to_vec(alert).unwrap();
    let now = SystemClock.now();
    let delivery = Delivery { body: &body, content_type: None, headers: &[], received_at: now };
    let with = Ingest {
        store,
        clock: &SystemClock,
        routes: &Routes::default(),
        policy,
        reopen_within: REOPEN,
    };
    ingest(with, &Plain, &delivery).await.unwrap();
}

/// Sends the resolve of everything that was cured and still fires.
pub(crate) async fn send_resolves(store: &SqliteStore, world: &World) {
    for incident in all(store).await {
        for alert in incident.firing().filter(|alert| world.cured(&alert.labels["thing"])) {
            let (status, ends_at) = (AlertStatus::Resolved, Some(at(1)));
            deliver(store, &Alert { status, ends_at, ..alert.clone() }).await;
        }
    }
}

pub(crate) async fn all(store: &SqliteStore) -> Vec<Incident> {
    let query = ListQuery { limit: 200, ..ListQuery::default() };
    let page = store.list(&query).await.unwrap();
    assert!(page.cursor.is_none(), "more incidents than a test should make");
    page.incidents
}

pub(crate) fn start_driver(store: &SqliteStore, hands: HandsSet, more: &[&str]) -> Driver {
    start_with(store, hands, more, REOPEN)
}

pub(crate) fn start_with(
    store: &SqliteStore,
    hands: HandsSet,
    more: &[&str],
    reopen_within: SignedDuration,
) -> Driver {
    // What fails here fails on purpose: it costs no trust.
    let policy = policy::read(
        "trust: { useless_in_a_row: 1000000 }\nbreaker: { failures: 100, within: 1h }",
    )
    .unwrap();
    let read = |yaml: &&str| -> Runbook { runbook::read(yaml).unwrap() };
    Driver::start(DriverSettings {
        store: store.clone(),
        clock: Arc::new(SystemClock),
        runbooks: Arc::new([REBOOT, FLAG].iter().chain(more).map(read).collect()),
        policy: Arc::new(policy),
        meter: Arc::default(),
        hands: Arc::new(hands),
        reopen_within,
    })
}

/// Sends resolves until every incident is as `wanted`; panics with those that are not after half a minute.
pub(crate) async fn until(store: &SqliteStore, world: &World, wanted: fn(&Incident) -> bool) {
    let began = Instant::now();
    loop {
        send_resolves(store, world).await;
        let mut incidents = all(store).await;
        incidents.retain(|incident| !wanted(incident));
        if incidents.is_empty() {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "never came about for {incidents:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Nothing is left to do: one run, and it ended.
pub(crate) fn over(incident: &Incident) -> bool {
    incident.runs.len() == 1 && incident.active_run().is_none()
}
