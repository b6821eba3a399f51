//! The fields of an identity are changed while alerts fire: what fires goes on, what comes later is identified anew.

use firebreak_core::alert::{Alert, AlertStatus};
use firebreak_core::incident::{Incident, Status};
use firebreak_core::policy::{Policy, read};
use firebreak_engine::contracts::examples::{at, draft};
use firebreak_local::SqliteStore;

use crate::world::{all, deliver, deliver_under};

fn fires(thing: &str, seconds: i64) -> Alert {
    let mut draft = draft("slow", thing);
    draft.starts_at = at(seconds);
    draft.seal()
}

fn over(alert: &Alert, seconds: i64) -> Alert {
    Alert { status: AlertStatus::Resolved, ends_at: Some(at(seconds)), ..alert.clone() }
}

fn by_monitor() -> Policy {
    read("sources: {sumologic: {identity: [labels.monitor]}}").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fires_is_resolved_under_the_fingerprint_that_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let before = fires("i-1", 0);
    deliver(&store, &before).await;

    deliver_under(&store, &by_monitor(), &before).await;
    let incidents = all(&store).await;
    assert_eq!(incidents[0].version, 2, "the repeat is a duplicate under either fingerprint");

    deliver_under(&store, &by_monitor(), &over(&before, 9)).await;
    let incidents = all(&store).await;
    assert_eq!((incidents.len(), incidents[0].status), (1, Status::Resolved));
    assert_eq!(incidents[0].alerts.len(), 1);

    deliver_under(&store, &by_monitor(), &fires("i-1", 20)).await;
    deliver_under(&store, &by_monitor(), &fires("i-2", 20)).await;
    let incidents = all(&store).await;
    let firing: Vec<&Alert> = incidents.iter().flat_map(Incident::firing).collect();
    assert_eq!(firing.len(), 1, "the instance no longer takes part in the identity");
    assert_ne!(firing[0].fingerprint, before.fingerprint);
    assert!(firing[0].identity_inputs.contains_key("labels.monitor"));
}
