//! What could not be understood waits whole, and becomes alerts when a later parser understands it.

use firebreak_core::incident::IntakeVerdict;
use firebreak_core::policy::Policy;
use firebreak_core::routing::Routes;
use firebreak_core::sources::{self, Delivery};
use firebreak_engine::contracts::examples::at;
use firebreak_engine::delivery::PackedBody;
use firebreak_engine::ids::sortable;
use firebreak_engine::ingest::{Ingest, Report, ingest};
use firebreak_engine::ports::{Clock, KeptProblem, Quarantine as _, QuarantineQuery, Quarantined};
use firebreak_engine::quarantine::{QuarantineError, replay, show};
use firebreak_local::SqliteStore;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::world::{REOPEN, all};

struct At(i64);

impl Clock for At {
    fn now(&self) -> Timestamp {
        at(self.0)
    }
}

/// Calls `work` with what intake works with, at the time.
macro_rules! ingest_at {
    ($store:expr, $second:expr) => {
        Ingest {
            store: $store,
            clock: &At($second),
            routes: &Routes::default(),
            policy: &Policy::default(),
            reopen_within: REOPEN,
        }
    };
}

fn element(name: &str, status: &str) -> Value {
    json!({
        "status": status, "labels": {"alertname": name, "service": "checkout"}, "annotations": {},
        "startsAt": at(0).to_string(), "endsAt": "0001-01-01T00:00:00Z", "fingerprint": format!("fp-{name}"),
    })
}

fn body(elements: &[Value]) -> String {
    json!({"version": "4", "status": "firing", "alerts": elements}).to_string()
}

async fn deliver(store: &SqliteStore, second: i64, body: &[u8]) -> Report {
    let source = sources::find("alertmanager").unwrap();
    let delivery = Delivery { body, content_type: None, headers: &[], received_at: at(second) };
    ingest(ingest_at!(store, second), source, &delivery).await.unwrap()
}

/// A delivery that an older parser understood nothing of, or not all.
async fn kept_by_an_older_version(
    store: &SqliteStore,
    body: &str,
    indexes: &[Option<usize>],
) -> String {
    let problem = |index: &Option<usize>| KeptProblem {
        index: *index,
        code: "field".to_owned(),
        message: "not known then".to_owned(),
        excerpt: String::new(),
        replayed: None,
    };
    let kept = Quarantined {
        id: sortable(at(5)),
        version: 1,
        source: "alertmanager".to_owned(),
        received_at: at(5),
        content_type: None,
        headers: Vec::new(),
        problems: indexes.iter().map(problem).collect(),
    };
    store.keep(&kept, &PackedBody::of(body.as_bytes())).await.unwrap();
    kept.id
}

async fn kept(store: &SqliteStore) -> Vec<Quarantined> {
    store.kept(&QuarantineQuery { limit: 200, ..QuarantineQuery::default() }).await.unwrap()
}

#[tokio::test]
async fn each_part_has_an_id_of_its_own_and_one_delivery_is_kept_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let mixed = body(&[element("a", "firing"), json!(7), element("b", "sideways"), json!({})]);
    let report = deliver(&store, 1, mixed.as_bytes()).await;
    assert_eq!(report.accepted.len(), 1);
    let ids: Vec<&str> = report.quarantined.iter().map(|kept| kept.id.as_str()).collect();
    assert_eq!(ids.len(), 3);
    let [one] = <[_; 1]>::try_from(kept(&store).await).unwrap();
    assert_eq!(ids, [1, 2, 3].map(|index| format!("{}-{index}", one.id)));
    assert_eq!(one.received_at, at(1));

    let shown = show(ingest_at!(&store, 2), ids[1]).await.unwrap();
    assert_eq!(shown.raw, mixed, "the delivery is kept whole");
    assert_eq!(shown.kept.problems.len(), 1);
    assert!(shown.kept.problems[0].message.contains("sideways"));
    assert_eq!(shown.understood.alerts, 0);
    for absent in ["01NOTHERE", "01NOTHERE-3", "", "-1"] {
        let missing = show(ingest_at!(&store, 2), absent).await;
        assert!(matches!(missing, Err(QuarantineError::NotFound(_))), "{absent}");
    }
}

#[tokio::test]
async fn a_megabyte_of_anything_is_kept_and_shown_as_it_came() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let bytes: Vec<u8> = (0..1024 * 1024_u32).map(|n| (n % 32) as u8).collect();
    let report = deliver(&store, 1, &bytes).await;
    let (_, whole) = store.quarantined(&report.quarantined[0].id).await.unwrap().unwrap();
    assert_eq!(whole.unpack().unwrap(), bytes);
}

#[tokio::test]
async fn people_are_told_once_however_much_comes() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    for second in 0..20 {
        deliver(&store, second, b"{\"alerts\": [").await;
    }
    let [told] = <[_; 1]>::try_from(all(&store).await).unwrap();
    assert_eq!(
        (told.title.as_str(), told.version),
        ("alerts from alertmanager could not be understood", 2)
    );
    assert_eq!(kept(&store).await.len(), 20);
}

#[tokio::test]
async fn what_a_later_version_understands_is_taken_in_once_and_marked() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    deliver(&store, 1, b"nonsense").await;
    let later = body(&[element("a", "firing"), element("b", "firing")]);
    let id = kept_by_an_older_version(&store, &later, &[None]).await;

    let first = replay(ingest_at!(&store, 60), &id, "ada").await.unwrap();
    let outcomes = |replay: &firebreak_engine::quarantine::Replay| -> Vec<IntakeVerdict> {
        replay.accepted.iter().map(|accepted| accepted.outcome).collect()
    };
    assert_eq!(outcomes(&first), [IntakeVerdict::Opened, IntakeVerdict::Opened]);
    assert!(first.still.is_empty());
    let again = replay(ingest_at!(&store, 61), &id, "bob").await.unwrap();
    assert_eq!(outcomes(&again), [IntakeVerdict::Duplicate, IntakeVerdict::Duplicate]);

    let (marked, _) = store.quarantined(&id).await.unwrap().unwrap();
    let mark = marked.problems[0].replayed.as_ref().unwrap();
    assert_eq!(
        (mark.by.as_str(), mark.at),
        ("ada", at(60)),
        "the first replay is the one on record"
    );
    assert!(!marked.waits());
    let told = all(&store).await.into_iter().find(|incident| incident.service == "firebreak");
    assert!(told.unwrap().is_firing(), "another delivery still waits");
}

#[tokio::test]
async fn a_part_is_replayed_without_the_others_and_what_is_still_unknown_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let mixed = body(&[element("a", "firing"), json!(7), element("c", "firing")]);
    let id = kept_by_an_older_version(&store, &mixed, &[Some(0), Some(1), Some(2)]).await;

    let one = replay(ingest_at!(&store, 60), &format!("{id}-2"), "ada").await.unwrap();
    assert_eq!(one.accepted.iter().map(|accepted| accepted.index).collect::<Vec<_>>(), [2]);
    let replayed = async || -> Vec<bool> {
        let (kept, _) = store.quarantined(&id).await.unwrap().unwrap();
        kept.problems.iter().map(|problem| problem.replayed.is_some()).collect()
    };
    assert_eq!(replayed().await, [false, false, true]);

    let rest = replay(ingest_at!(&store, 61), &id, "ada").await.unwrap();
    assert_eq!(rest.accepted.len(), 2);
    assert_eq!(rest.still.len(), 1);
    assert_eq!(rest.still[0].id, format!("{id}-1"));
    assert_eq!(replayed().await, [true, false, true]);
    let (kept, _) = store.quarantined(&id).await.unwrap().unwrap();
    assert!(kept.problems[1].message.contains("is not an object"), "today's words: {kept:?}");
}

#[tokio::test]
async fn a_body_that_is_understood_in_part_now_keeps_the_rest_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let mixed = body(&[element("a", "firing"), json!(7)]);
    let id = kept_by_an_older_version(&store, &mixed, &[None]).await;
    let part = replay(ingest_at!(&store, 60), &id, "ada").await.unwrap();
    assert_eq!((part.accepted.len(), part.still.len()), (1, 1));
    let (kept, _) = store.quarantined(&id).await.unwrap().unwrap();
    let stand: Vec<_> =
        kept.problems.iter().map(|one| (one.index, one.replayed.is_some())).collect();
    assert_eq!(stand, [(None, true), (Some(1), false)]);
}

#[tokio::test]
async fn when_nothing_waits_any_more_the_incident_about_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    deliver(&store, 1, b"nonsense").await;
    let [nonsense] = <[_; 1]>::try_from(kept(&store).await).unwrap();
    let still = replay(ingest_at!(&store, 2), &nonsense.id, "ada").await.unwrap();
    assert_eq!(still.still.len(), 1);
    assert!(all(&store).await[0].is_firing());

    // As if a later version had learned to read it.
    let (mut known, _) = store.quarantined(&nonsense.id).await.unwrap().unwrap();
    known.version += 1;
    known.problems.clear();
    assert!(store.amend(&known).await.unwrap());
    let id = kept_by_an_older_version(&store, &body(&[element("a", "firing")]), &[None]).await;
    replay(ingest_at!(&store, 60), &id, "ada").await.unwrap();
    let told = all(&store).await.into_iter().find(|incident| incident.service == "firebreak");
    assert!(!told.unwrap().is_firing());
}

#[tokio::test]
async fn alerts_beyond_the_limit_of_a_delivery_are_taken_in_by_replay() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let elements: Vec<Value> = (0..2003).map(|n| element(&format!("n{n}"), "firing")).collect();
    let report = deliver(&store, 1, body(&elements).as_bytes()).await;
    assert_eq!((report.accepted.len(), report.quarantined.len()), (2000, 1));
    let id = &report.quarantined[0].id;
    let rest = replay(ingest_at!(&store, 2), id, "ada").await.unwrap();
    let fresh = rest.accepted.iter().filter(|one| one.outcome != IntakeVerdict::Duplicate);
    assert_eq!((fresh.count(), rest.still.len()), (3, 0));
}
