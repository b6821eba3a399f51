//! Promises about what is kept beside the incidents: repeats, settings, counters.

use std::collections::BTreeMap;
use std::sync::Arc;

use firebreak_core::storm::Repeats;
use firebreak_core::switch::{Engaged, KillSwitch};
use tokio::task::JoinSet;

use super::{eventually, find, written};
use crate::contracts::examples::{at, by_fingerprint, firing, opening};
use crate::ports::Store;

pub(super) async fn repeats(store: Arc<dyn Store>) {
    let alert = firing("slow-api", "i-1");
    let (fingerprint, slot) = (&alert.fingerprint, by_fingerprint(&alert.fingerprint));
    let count = async |count, at| {
        let repeats = Repeats { fingerprint: fingerprint.clone(), count, last: at };
        store.count_repeats(&[repeats]).await.expect("repeats can be counted");
    };
    count(1, at(1)).await;
    assert_eq!(find(&*store, &slot).await, None, "counting made a slot");

    let append = opening(&alert, at(2));
    written(&*store, &append).await;
    assert_eq!(find(&*store, &slot).await.as_ref(), Some(&append.incident.id));
    let (before, _) = store.repeats(fingerprint).await.expect("repeats can be read");
    for n in 0..5 {
        count(1, at(10 + n)).await;
    }
    count(1000, at(20)).await;
    let counted = store.repeats(fingerprint).await.expect("repeats can be read");
    assert_eq!(counted, (before + 1005, Some(at(20))));
    assert_eq!(find(&*store, &slot).await.as_ref(), Some(&append.incident.id));
    let other = firing("slow-api", "i-2").fingerprint;
    assert_eq!(store.repeats(&other).await.expect("repeats can be read"), (0, None));
}

pub(super) async fn kill_switch(store: Arc<dyn Store>) {
    assert_eq!(store.kill_switch().await.expect("it can be read"), KillSwitch::default());
    let engage = |reason: &str| KillSwitch {
        engaged: Some(Engaged { by: "ada".to_owned(), reason: reason.to_owned(), at: at(1) }),
        released: None,
    };
    let released = KillSwitch::released("bob".to_owned(), at(2));
    for switch in [engage("deploying"), engage("größer 🔥"), released, engage("again")] {
        store.set_kill_switch(&switch).await.expect("it can be set");
        assert_eq!(store.kill_switch().await.expect("it can be read"), switch);
    }
}

pub(super) async fn counters(store: Arc<dyn Store>) {
    let mut tasks = JoinSet::new();
    for n in 0..30 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let name = if n % 3 == 0 { "alerts.größer" } else { "alerts.received" };
            store.count(name).await.expect("it can be counted");
        });
    }
    tasks.join_all().await;
    let expected: BTreeMap<String, u64> =
        [("alerts.größer".to_owned(), 10), ("alerts.received".to_owned(), 20)].into();
    eventually(expected, || async { store.counts().await.expect("counts can be read") }).await;
}
