//! Many alerts at once come to the same as one after the other, at the price of a few appends.

use std::collections::BTreeMap;
use std::sync::Arc;

use firebreak_core::alert::{Alert, AlertStatus};
use firebreak_core::incident::IntakeVerdict::{self, Duplicate, Opened, Resolved, Updated};
use firebreak_core::incident::{Status, replay};
use firebreak_core::policy::Policy;
use firebreak_core::routing::Routes;
use firebreak_engine::contracts::examples::{at, by_fingerprint, draft};
use firebreak_engine::ingest::{Ingest, Taken, take_all};
use firebreak_engine::ports::{Clock, IncidentStore, SlotKey};
use firebreak_local::SqliteStore;
use jiff::Timestamp;

use crate::process::Moments;
use crate::world::{REOPEN, all};

/// The clock stands still unless the test moves it.
struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

async fn take(store: &SqliteStore, now: i64, alerts: &[Alert]) -> Vec<Taken> {
    let with = Ingest {
        store,
        clock: &At(at(now)),
        routes: &Routes::default(),
        policy: &Policy::default(),
        reopen_within: REOPEN,
    };
    let alerts: Vec<Arc<Alert>> = alerts.iter().cloned().map(Arc::new).collect();
    take_all(with, &alerts).await.into_iter().map(Result::unwrap).collect()
}

fn outcomes(taken: &[Taken]) -> Vec<IntakeVerdict> {
    taken.iter().map(|taken| taken.outcome).collect()
}

fn fires(monitor: &str, thing: &str, starts: i64) -> Alert {
    let mut draft = draft(monitor, thing);
    draft.starts_at = at(starts);
    draft.seal()
}

fn ends(monitor: &str, thing: &str, starts: i64, ends: i64) -> Alert {
    let mut draft = draft(monitor, thing);
    (draft.status, draft.starts_at, draft.ends_at) =
        (AlertStatus::Resolved, at(starts), Some(at(ends)));
    draft.seal()
}

/// Every incident is what its events fold into, and every alert leads to it.
pub(crate) async fn whole(store: &SqliteStore) {
    for incident in all(store).await {
        let events = store.events(&incident.id).await.unwrap();
        assert_eq!(replay(&events).unwrap().as_ref(), Some(&incident));
    }
}

#[tokio::test]
async fn a_hundred_alerts_of_five_rules_are_five_appends_of_many_events() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let alerts: Vec<Alert> =
        (0..100).map(|n| fires(&format!("rule-{}", n % 5), &format!("thing-{n}"), 0)).collect();
    let taken = take(&store, 0, &alerts).await;
    let opened = outcomes(&taken).iter().filter(|verdict| **verdict == Opened).count();
    assert_eq!(opened, 5);
    let incidents = all(&store).await;
    assert_eq!(incidents.len(), 5);
    for incident in &incidents {
        assert_eq!((incident.alerts.len(), incident.version), (20, 21));
    }
    whole(&store).await;
    let again = take(&store, 9, &alerts).await;
    assert!(outcomes(&again).iter().all(|verdict| *verdict == Duplicate));
    for (alert, taken) in alerts.iter().zip(&again) {
        let slot = store.find(&by_fingerprint(&alert.fingerprint)).await.unwrap();
        assert_eq!(slot, taken.incident_id);
        assert_eq!(store.repeats(&alert.fingerprint).await.unwrap(), (1, Some(at(9))));
    }
    assert_eq!(all(&store).await, incidents, "repeats changed an incident");
}

#[tokio::test]
async fn what_one_delivery_says_of_an_alert_is_taken_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let tale = [
        fires("slow", "a", 0),
        fires("slow", "a", 0),
        ends("slow", "a", 0, 5),
        ends("slow", "a", 0, 5),
        fires("slow", "a", 0),
        fires("slow", "a", 10),
        ends("slow", "b", 0, 5),
    ];
    let taken = take(&store, 10, &tale).await;
    let expected = [Opened, Duplicate, Resolved, Duplicate, Duplicate, Updated, Resolved];
    assert_eq!(outcomes(&taken), expected);
    assert_eq!(taken[6].incident_id, None);
    let [incident] = <[_; 1]>::try_from(all(&store).await).unwrap();
    assert_eq!((incident.status, incident.version), (Status::Open, 6));
    assert_eq!(store.repeats(&tale[0].fingerprint).await.unwrap().0, 3);
    whole(&store).await;
}

#[tokio::test]
async fn a_group_that_outgrows_its_incident_within_a_delivery_leads_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let alerts: Vec<Alert> = (0..70).map(|n| fires("slow", &format!("thing-{n}"), 0)).collect();
    take(&store, 0, &alerts).await;
    let mut sizes: Vec<usize> =
        all(&store).await.iter().map(|incident| incident.alerts.len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [6, 32, 32]);
    let next = take(&store, 1, &[fires("slow", "one more", 0)]).await;
    let group = store.find(&SlotKey::Group(alerts[0].group_key())).await.unwrap();
    assert_eq!(next[0].incident_id, group);
    assert_eq!(store.load(&group.unwrap()).await.unwrap().unwrap().alerts.len(), 7);
    whole(&store).await;
}

#[tokio::test]
async fn more_changes_of_one_incident_than_an_append_takes_are_all_taken() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let tale: Vec<Alert> = (0..300)
        .flat_map(|n| [fires("slow", "a", n * 10), ends("slow", "a", n * 10, n * 10 + 5)])
        .collect();
    let taken = take(&store, 3000, &tale).await;
    assert!(!outcomes(&taken).contains(&Duplicate));
    let [incident] = <[_; 1]>::try_from(all(&store).await).unwrap();
    assert_eq!(incident.status, Status::Resolved);
    // Opened, then fired, resolved and over each time, and reopened all but the first.
    let events = store.events(&incident.id).await.unwrap();
    let count = |name: &str| events.iter().filter(|event| event.event.name() == name).count();
    // That it flaps is said once, and each firing after that is muted.
    let flapping = count("alert.flapping") + count("incident.suppressed");
    assert_eq!((count("alert.flapping"), count("incident.suppressed")), (1, 297));
    assert_eq!(events.len() - flapping, 1 + 4 * 300 - 1);
    whole(&store).await;
}

#[tokio::test]
async fn an_incident_that_cannot_be_read_keeps_no_alert_from_being_taken() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let (bad, good) = (fires("bad", "a", 0), fires("good", "b", 0));
    let [first, _] = <[Taken; 2]>::try_from(take(&store, 0, &[bad, good]).await).unwrap();
    drop(store);
    let record = rusqlite::Connection::open(folder.path().join("firebreak.sqlite")).unwrap();
    let unreadable = "UPDATE incidents SET body = x'7b' WHERE id = ?1";
    let id = first.incident_id.unwrap();
    assert_eq!(record.execute(unreadable, [id.as_str()]).unwrap(), 1);
    drop(record);
    let store = SqliteStore::open(folder.path()).unwrap();
    let news = [fires("bad", "c", 1), fires("good", "d", 1), fires("bad", "a", 2)];
    let taken = take(&store, 2, &news).await;
    assert_eq!(outcomes(&taken), [Opened, Updated, Updated]);
    assert_eq!(taken[0].incident_id, taken[2].incident_id);
}

/// A tale of a few alerts, told in any pieces, by one or by many at once, comes to the same.
#[tokio::test(flavor = "multi_thread")]
async fn the_pieces_in_which_a_story_is_told_do_not_matter() {
    let mut moments = Moments(7);
    for _ in 0..12 {
        let mut tale = Vec::new();
        let mut clocks: BTreeMap<String, i64> = BTreeMap::new();
        for _ in 0..150 {
            let (rule, thing) = (moments.below(3), moments.below(5));
            let (monitor, thing) = (format!("rule-{rule}"), format!("thing-{thing}"));
            let starts = clocks.entry(format!("{monitor} {thing}")).or_default();
            match moments.below(4) {
                0 => *starts += 10,
                1 => tale.push(ends(&monitor, &thing, *starts, *starts + 5)),
                _ => tale.push(fires(&monitor, &thing, *starts)),
            }
        }
        let mut ends_of: Vec<BTreeMap<String, (bool, Timestamp)>> = Vec::new();
        for most in [1, 7, 200] {
            let folder = tempfile::tempdir().unwrap();
            let store = SqliteStore::open(folder.path()).unwrap();
            let mut rest = tale.as_slice();
            while !rest.is_empty() {
                let (piece, later) = rest.split_at(rest.len().min(most));
                take(&store, 1000, piece).await;
                rest = later;
            }
            whole(&store).await;
            let mut end = BTreeMap::new();
            for alert in &tale {
                let slot = by_fingerprint(&alert.fingerprint);
                let Some(id) = store.find(&slot).await.unwrap() else { continue };
                let incident = store.load(&id).await.unwrap().unwrap();
                let member = &incident.alerts[&alert.fingerprint].alert;
                end.insert(alert.title.clone(), (member.is_firing(), member.starts_at));
            }
            ends_of.push(end);
        }
        assert!(ends_of.windows(2).all(|pair| pair[0] == pair[1]), "{ends_of:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_deliveries_of_the_same_alerts_at_once_lose_none_and_double_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path()).unwrap());
    let alerts: Arc<Vec<Alert>> = Arc::new(
        (0..60).map(|n| fires(&format!("rule-{}", n % 3), &format!("thing-{n}"), 0)).collect(),
    );
    let deliveries = (0..12).map(|n| {
        let (store, alerts) = (Arc::clone(&store), Arc::clone(&alerts));
        tokio::spawn(async move {
            let some: Vec<Alert> = alerts.iter().cycle().skip(n * 5).take(40).cloned().collect();
            take(&store, 0, &some).await
        })
    });
    let mut news = 0;
    for delivery in deliveries.collect::<Vec<_>>() {
        let taken = delivery.await.unwrap();
        news += outcomes(&taken).iter().filter(|of| **of != Duplicate).count();
    }
    assert_eq!(news, 60, "each alert is news once");
    let members: usize = all(&store).await.iter().map(|incident| incident.alerts.len()).sum();
    assert_eq!(members, 60);
    whole(&store).await;
}
