//! Every alert that was answered 2xx is in the store at the end, whatever the store and the process went through.
//!
//! The real binary on real files: one commit in ten fails, then all of them, and in the middle of that the process is
//! killed. `FIREBREAK_CHAOS_SECONDS` is the length of the outage; nothing else depends on it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use firebreak_core::fingerprint::Fingerprint;
use serde_json::{Value, json};

use crate::platform::{Platform, answer, client, folder};

const SENDERS: u64 = 8;
/// Alerts of one delivery.
const BATCH: u64 = 5;

/// What one delivery came to, from the sender's side.
#[derive(Default)]
struct Log {
    stored: BTreeSet<String>,
    spilled: BTreeSet<String>,
    refused: u64,
    unreachable: u64,
}

/// Where the platform is now; a restart moves it.
type Where = Arc<Mutex<(String, String)>>;

fn database(data: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(data.join("firebreak.sqlite")).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    connection
}

fn sql(data: &Path, text: &str) {
    database(data).execute_batch(text).unwrap();
}

fn body(names: &[String]) -> String {
    let alerts: Vec<Value> = names
        .iter()
        .map(|name| {
            json!({
                "status": "firing", "fingerprint": name, "startsAt": "2026-11-21T10:00:00Z",
                "labels": {"alertname": "Slow", "service": name.split('-').next()},
                "annotations": {},
            })
        })
        .collect();
    json!({"version": "4", "status": "firing", "alerts": alerts}).to_string()
}

/// Sends new alerts until it is told to stop; each again and again until it is answered 2xx, as senders do.
async fn send(
    sender: u64,
    at: Where,
    log: Arc<Mutex<Log>>,
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
) {
    let http = client();
    let mut next = 0;
    while !stop.load(Ordering::Relaxed) {
        let names: Vec<String> =
            (0..BATCH).map(|n| format!("svc{sender}-{}", next * BATCH + n)).collect();
        next += 1;
        loop {
            let (url, token) = at.lock().unwrap().clone();
            let request = http.post(format!("{url}/webhooks/alertmanager")).bearer_auth(token);
            let Ok(response) = request.body(body(&names)).send().await else {
                log.lock().unwrap().unreachable += 1;
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let status = response.status();
            // An answer that breaks off is none.
            let Ok(report) = response.json::<Value>().await else { continue };
            if !status.is_success() {
                assert_eq!(status, 503, "{report}");
                log.lock().unwrap().refused += 1;
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
            sent.fetch_add(BATCH, Ordering::Relaxed);
            let mut log = log.lock().unwrap();
            if report.get("spilled").is_some() {
                log.spilled.extend(names);
            } else {
                assert_eq!(report["accepted"].as_array().unwrap().len() as u64, BATCH, "{report}");
                log.stored.extend(names);
            }
            break;
        }
    }
}

/// How often each alert fired on the record, by the sender's name of it.
fn fired(data: &Path) -> BTreeMap<String, usize> {
    let connection = database(data);
    let mut statement =
        connection.prepare("SELECT body FROM events WHERE name = 'alert.fired'").unwrap();
    let bodies = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let mut fired = BTreeMap::new();
    for body in bodies {
        let event: Value = serde_json::from_str(&body.unwrap()).unwrap();
        let fingerprint = event["event"]["alert"]["fingerprint"].as_str().unwrap().to_owned();
        *fired.entry(fingerprint).or_default() += 1;
    }
    fired
}

fn fingerprint(name: &str) -> String {
    Fingerprint::of("alertmanager", &[("fingerprint".to_owned(), name.into())].into()).to_string()
}

fn waiting(data: &Path) -> usize {
    let ends = |path: PathBuf| path.extension().is_some_and(|extension| extension == "spill");
    let entries = std::fs::read_dir(data.join("spill")).unwrap();
    entries.filter(|entry| ends(entry.as_ref().unwrap().path())).count()
}

fn seconds(default: f64) -> Duration {
    #[expect(clippy::disallowed_methods, reason = "`make chaos` says how long the outage lasts")]
    let given = std::env::var("FIREBREAK_CHAOS_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs_f64(given.unwrap_or(default))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_2xx_survives_failing_commits_an_outage_and_a_kill() {
    let folder = folder("shadow");
    let data = folder.path().join("data");
    let mut platform = Platform::start(folder.path(), "http://127.0.0.1:9");
    let token = std::fs::read_to_string(data.join("webhook-token")).unwrap().trim().to_owned();
    let at: Where = Arc::new(Mutex::new((platform.url.clone(), token.clone())));
    let log = Arc::new(Mutex::new(Log::default()));
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));

    sql(
        &data,
        "CREATE TRIGGER chaos BEFORE INSERT ON incidents WHEN abs(random()) % 10 = 0
         BEGIN SELECT RAISE(ABORT, 'one in ten fails'); END;
         CREATE TRIGGER chaos_again BEFORE UPDATE ON incidents WHEN abs(random()) % 10 = 0
         BEGIN SELECT RAISE(ABORT, 'one in ten fails'); END;",
    );
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let (at, log) = (Arc::clone(&at), Arc::clone(&log));
            tokio::spawn(send(sender, at, log, Arc::clone(&stop), Arc::clone(&sent)))
        })
        .collect();
    let began = Instant::now();
    let outage = seconds(3.0);
    tokio::time::sleep(outage / 2).await;
    let before_outage = sent.load(Ordering::Relaxed);

    sql(
        &data,
        "DROP TRIGGER chaos; DROP TRIGGER chaos_again; ALTER TABLE events RENAME TO elsewhere;",
    );
    tokio::time::sleep(outage / 2).await;
    platform.kill();
    platform = Platform::start(folder.path(), "http://127.0.0.1:9");
    *at.lock().unwrap() = (platform.url.clone(), token);
    tokio::time::sleep(outage / 2).await;
    let (status, health) = answer(client().get(format!("{}/healthz", platform.url))).await;
    assert_eq!(
        (status, &health["status"], &health["store"]["writable"]),
        (200, &json!("degraded"), &json!(false)),
        "{health}"
    );
    let in_outage = sent.load(Ordering::Relaxed) - before_outage;
    let at_the_end = waiting(&data);
    sql(&data, "ALTER TABLE elsewhere RENAME TO events;");
    let back = Instant::now();

    tokio::time::sleep(outage / 4).await;
    stop.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.await.unwrap();
    }
    let mut drained = None;
    for _ in 0..12_000 {
        if waiting(&data) == 0 {
            drained = Some(back.elapsed());
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let drained = drained.expect("the spill is never drained");
    let (status, _) = answer(client().get(format!("{}/healthz", platform.url))).await;
    assert_eq!(status, 200);

    let log = Arc::into_inner(log).unwrap().into_inner().unwrap();
    let fired = fired(&data);
    let lost: Vec<&String> = log
        .stored
        .iter()
        .chain(&log.spilled)
        .filter(|name| !fired.contains_key(&fingerprint(name)))
        .collect();
    assert!(lost.is_empty(), "{} of {} alerts are lost: {lost:?}", lost.len(), fired.len());
    let twice = fired.iter().filter(|(_, times)| **times != 1).count();
    assert_eq!(twice, 0, "alerts are on record more than once");
    assert!(log.spilled.len() > 20 && at_the_end > 0, "the outage was not felt");
    println!(
        "in {:.1} s: {} alerts stored at once, {} by way of the spill ({in_outage} answered 2xx while the store was down), \
         {} deliveries answered 503, {} tries without a server, drained {:.1} s after the store was back, none lost, none twice",
        began.elapsed().as_secs_f64(),
        log.stored.len(),
        log.spilled.len(),
        log.refused,
        log.unreachable,
        drained.as_secs_f64(),
    );
    assert_eq!(platform.stop(), Some(0));
}
