//! Promises about signs of life: the latest counts, whatever the order in which they come.

use std::sync::Arc;

use firebreak_core::heartbeat::{Heard, Watch};
use jiff::SignedDuration;
use tokio::task::JoinSet;

use crate::contracts::examples::at;
use crate::ports::Store;

fn heard(source: &str, name: &str, seconds: i64) -> Heard {
    Heard { source: source.to_owned(), name: name.to_owned(), last: at(seconds) }
}

pub(super) async fn latest(store: Arc<dyn Store>) {
    assert_eq!(store.heard().await.expect("it can be read"), []);
    let half = Heard {
        last: at(20) + SignedDuration::from_millis(500),
        ..heard("sumologic", "any delivery", 0)
    };
    for one in [
        heard("alertmanager", "Watchdog", 10),
        heard("alertmanager", "größer # 🔥", 5),
        half.clone(),
        heard("sumologic", "any delivery", 20),
    ] {
        store.hear(&one).await.expect("it can be noted");
    }
    let mut tasks = JoinSet::new();
    for seconds in 0..20 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            store.hear(&heard("alertmanager", "Watchdog", seconds)).await.expect("it can be noted");
        });
    }
    tasks.join_all().await;
    let watchdog = heard("alertmanager", "Watchdog", 19);
    let other = heard("alertmanager", "größer # 🔥", 5);
    let expected = [watchdog.clone(), other.clone(), half.clone()];
    assert_eq!(store.heard().await.expect("it can be read"), expected);

    assert!(store.forget("alertmanager", "Watchdog").await.expect("it can be forgotten"));
    assert!(!store.forget("alertmanager", "Watchdog").await.expect("it can be tried"));
    assert_eq!(store.heard().await.expect("it can be read"), [other, half]);
}

pub(super) async fn watch(store: Arc<dyn Store>) {
    assert_eq!(store.watch().await.expect("it can be read"), None);
    for seconds in [1, 2] {
        let watch = Watch { since: at(0), looked_at: at(seconds) };
        store.set_watch(&watch).await.expect("it can be set");
        assert_eq!(store.watch().await.expect("it can be read"), Some(watch));
    }
}
