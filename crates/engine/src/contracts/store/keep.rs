//! Promises about what is kept beside the incidents: repeats, settings, quarantine, counters.

use std::collections::BTreeMap;
use std::sync::Arc;

use firebreak_core::storm::Repeats;
use firebreak_core::switch::{Engaged, KillSwitch};
use tokio::task::JoinSet;

use super::{eventually, find, written};
use crate::contracts::examples::{at, by_fingerprint, firing, opening};
use crate::ids::sortable;
use crate::ports::{Quarantined, Store};

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
    };
    for switch in [engage("deploying"), engage("größer 🔥"), KillSwitch::default(), engage("again")]
    {
        store.set_kill_switch(&switch).await.expect("it can be set");
        assert_eq!(store.kill_switch().await.expect("it can be read"), switch);
    }
}

fn quarantined(source: &str, seconds: i64, raw: String) -> Quarantined {
    Quarantined {
        id: sortable(at(seconds)),
        source: source.to_owned(),
        at: at(seconds),
        index: (seconds % 2 == 0).then_some(3),
        code: "not_json".to_owned(),
        message: "line 1, column 2: größer".to_owned(),
        raw,
    }
}

pub(super) async fn quarantine(store: Arc<dyn Store>) {
    let one = quarantined("sumologic", 1, "{\u{fffd}\"".to_owned());
    let two = quarantined("alertmanager", 2, "\u{0}".to_owned());
    let three = quarantined("sumologic", 3, "ä".repeat(Quarantined::MOST_RAW / 2));
    store.keep(&[two.clone(), three.clone()]).await.expect("they can be kept");
    store.keep(&[three.clone(), one.clone()]).await.expect("keeping one again is harmless");
    store.keep(&[]).await.expect("nothing can be kept");
    let kept = async |source, limit| store.kept(source, limit).await.expect("it can be read");
    assert_eq!(kept(None, 10).await, [three.clone(), two.clone(), one.clone()]);
    assert_eq!(kept(None, 2).await, [three.clone(), two.clone()]);
    assert_eq!(kept(Some("sumologic"), 10).await, [three.clone(), one]);
    assert_eq!(kept(Some("sumologic"), 1).await, [three]);
    assert_eq!(kept(Some("alertmanager"), 10).await, [two]);
    assert_eq!(kept(Some("nobody"), 10).await, []);
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
