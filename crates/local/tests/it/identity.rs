//! The fields of an identity are changed while alerts fire: what fires goes on, what comes later is identified anew.

use firebreak_core::alert::{Alert, AlertStatus};
use firebreak_core::fingerprint::Fingerprint;
use firebreak_core::incident::Status;
use firebreak_engine::contracts::examples::{at, draft};
use firebreak_local::SqliteStore;

use crate::world::{all, deliver};

/// The alert as it is read after the change: under another fingerprint, the former one beside it.
fn changed(alert: &Alert) -> Alert {
    let inputs = [("labels.monitor".to_owned(), "slow".into())].into();
    let fingerprint = Fingerprint::of(&alert.source, &inputs);
    let formerly = vec![alert.fingerprint.clone()];
    Alert { fingerprint, formerly, identity_inputs: inputs, ..alert.clone() }
}

fn over(alert: &Alert, seconds: i64) -> Alert {
    Alert { status: AlertStatus::Resolved, ends_at: Some(at(seconds)), ..alert.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fires_is_resolved_under_the_fingerprint_that_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let before = draft("slow", "i-1").seal();
    deliver(&store, &before).await;

    deliver(&store, &changed(&before)).await;
    let incidents = all(&store).await;
    assert_eq!(incidents[0].version, 2, "the repeat is a duplicate under either fingerprint");

    deliver(&store, &over(&changed(&before), 9)).await;
    let incidents = all(&store).await;
    assert_eq!((incidents.len(), incidents[0].status), (1, Status::Resolved));
    assert_eq!(incidents[0].alerts.len(), 1);

    let mut later = draft("slow", "i-1");
    later.starts_at = at(20);
    let later = changed(&later.seal());
    deliver(&store, &later).await;
    let incidents = all(&store).await;
    assert!(incidents.iter().any(|incident| {
        incident.firing().any(|firing| firing.fingerprint == later.fingerprint)
    }));
}
