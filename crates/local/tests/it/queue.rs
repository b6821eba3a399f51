//! The queue in front of intake: what comes at once is written together, storms are counted, overload is refused.

use std::sync::Arc;
use std::time::Duration;

use firebreak_core::alert::Alert;
use firebreak_core::incident::IntakeVerdict;
use firebreak_core::policy;
use firebreak_core::sources::{Delivery, Intake, Source};
use firebreak_core::storm::StormSettings;
use firebreak_engine::contracts::examples::draft;
use firebreak_engine::ingest::Report;
use firebreak_engine::ports::{IncidentStore, SystemClock};
use firebreak_engine::queue::{NotTaken, Queue, QueueSettings, QueueTask};
use firebreak_local::SqliteStore;
use jiff::Timestamp;

use crate::world::{REOPEN, all};

/// Says the alerts that it was made with, whatever the body.
struct Says(Vec<Alert>);

impl Source for Says {
    fn name(&self) -> &'static str {
        "sumologic"
    }

    fn summary(&self) -> &'static str {
        "Always the same."
    }

    fn identity(&self) -> &'static str {
        "as it is"
    }

    fn resolves(&self) -> &'static str {
        "as it is"
    }

    fn parse(&self, _delivery: &Delivery<'_>) -> Intake {
        Intake { alerts: self.0.iter().cloned().enumerate().collect(), ..Intake::default() }
    }
}

fn start(store: &SqliteStore) -> (Queue, QueueTask) {
    // Hundreds of alerts of one service would be a shared cause.
    let policy = policy::read("shared_cause: {domains: []}").unwrap();
    Queue::start(QueueSettings {
        store: Arc::new(store.clone()),
        clock: Arc::new(SystemClock),
        routes: Arc::default(),
        policy: Arc::new(policy),
        reopen_within: REOPEN,
        storms: StormSettings::default(),
    })
}

async fn take(queue: &Queue, source: &Says) -> Result<Report, NotTaken> {
    let delivery =
        Delivery { body: b"", content_type: None, headers: &[], received_at: Timestamp::now() };
    queue.take(source, &delivery).await
}

fn alerts(count: usize, from: usize) -> Vec<Alert> {
    let one = |n: usize| draft(&format!("rule-{}", n % 20), &format!("thing-{n}")).seal();
    (from..from + count).map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_that_come_at_once_are_written_together() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let (queue, task) = start(&store);
    let before = store.commits();
    let deliveries = (0..100).map(|n| {
        let (queue, source) = (queue.clone(), Says(alerts(5, n * 5)));
        tokio::spawn(async move { take(&queue, &source).await.unwrap() })
    });
    let mut accepted = 0;
    for delivery in deliveries.collect::<Vec<_>>() {
        accepted += delivery.await.unwrap().accepted.len();
    }
    task.stop().await;
    assert_eq!(accepted, 500);
    let commits = store.commits() - before;
    assert!(commits < 50, "{commits} commits for a hundred deliveries at once");
    let members: usize = all(&store).await.iter().map(|incident| incident.alerts.len()).sum();
    assert_eq!(members, 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_repeats_costs_a_few_writes_and_every_repeat_is_counted() {
    const DELIVERIES: u64 = 400;
    const EACH: u64 = 250;
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let (queue, task) = start(&store);
    let one = alerts(1, 0).remove(0);
    let source = Arc::new(Says(vec![one.clone(); usize::try_from(EACH).unwrap()]));
    let before = store.commits();
    let senders = (0..8).map(|_| {
        let (queue, source) = (queue.clone(), Arc::clone(&source));
        tokio::spawn(async move {
            for _ in 0..DELIVERIES / 8 {
                take(&queue, &source).await.unwrap();
            }
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await.unwrap();
    }
    let meter = queue.meter();
    assert_eq!(meter.storms(), [("sumologic".to_owned(), 1)].into());
    task.stop().await;
    let commits = store.commits() - before;
    assert!(commits < 100, "{commits} commits for {} alerts", DELIVERIES * EACH);
    assert!(meter.appends() + meter.counts() < 100, "{meter:?}");
    let (repeats, _) = store.repeats(&one.fingerprint).await.unwrap();
    assert_eq!(repeats, DELIVERIES * EACH - 1, "the first of them opened the incident");
    assert_eq!(all(&store).await[0].version, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn news_of_a_storming_alert_are_taken_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let (queue, task) = start(&store);
    let one = alerts(1, 0).remove(0);
    let mut worse = draft("rule-0", "thing-0");
    worse.annotations.insert("now".to_owned(), "worse".to_owned());
    let worse = worse.seal();
    take(&queue, &Says(vec![one.clone(); 300])).await.unwrap();
    take(&queue, &Says(vec![one.clone(); 300])).await.unwrap();
    assert_eq!(queue.meter().storms().len(), 1);
    let both = [vec![worse], vec![one.clone(); 300]].concat();
    let report = take(&queue, &Says(both)).await.unwrap();
    let outcomes: Vec<IntakeVerdict> = report.accepted.iter().map(|one| one.outcome).collect();
    assert_eq!(
        outcomes[..3],
        [IntakeVerdict::Updated, IntakeVerdict::Updated, IntakeVerdict::Duplicate]
    );
    task.stop().await;
    assert_eq!(store.repeats(&one.fingerprint).await.unwrap().0, 299 + 300 + 299);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_finds_no_room_is_refused_at_once_and_what_has_room_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let (queue, task) = start(&store);
    // Nothing can be written while somebody else has the file.
    let other = rusqlite::Connection::open(folder.path().join("firebreak.sqlite")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let waiting: Vec<_> = (0..20)
        .map(|n| {
            let (queue, source) = (queue.clone(), Says(alerts(1000, n % 2)));
            tokio::spawn(async move { take(&queue, &source).await })
        })
        .collect();
    while queue.meter().waiting() < 20_000 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let refused = take(&queue, &Says(alerts(1, 0))).await;
    assert!(matches!(refused, Err(NotTaken::Overloaded)), "{refused:?}");
    other.execute_batch("COMMIT").unwrap();
    for one in waiting {
        assert_eq!(one.await.unwrap().unwrap().accepted.len(), 1000);
    }
    assert_eq!(queue.meter().waiting(), 0);
    take(&queue, &Says(alerts(1, 0))).await.unwrap();
    task.stop().await;
    let stopped = take(&queue, &Says(alerts(1, 0))).await;
    assert!(matches!(stopped, Err(NotTaken::Store(_))), "{stopped:?}");
}
