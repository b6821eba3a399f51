//! Promises about nonces: known from the moment they are remembered until their time is over.

use std::sync::Arc;

use firebreak_core::proof::Nonce;
use tokio::task::JoinSet;

use crate::contracts::examples::at;
use crate::ports::{Remembered, Store};

fn nonce(key: &str, until: i64) -> Nonce {
    Nonce { key: key.to_owned(), until: at(until) }
}

pub(super) async fn known_until_its_time_is_over(store: Arc<dyn Store>) {
    let (one, other) = (nonce("one", 300), nonce("other", 300));
    let known = async |nonce: &Nonce, seconds| {
        store.is_known(nonce, at(seconds)).await.expect("a nonce can be looked up")
    };
    let remember = async |nonce: &Nonce, seconds| {
        store.remember(nonce, at(seconds)).await.expect("a nonce can be remembered")
    };
    assert!(!known(&one, 0).await, "it was never remembered");
    assert_eq!(remember(&one, 0).await, Remembered::Fresh);
    assert!(known(&one, 0).await && known(&one, 299).await);
    assert!(!known(&other, 0).await);
    assert_eq!(remember(&one, 299).await, Remembered::Seen);
    assert!(!known(&one, 300).await, "its time is over");
    assert_eq!(remember(&nonce("one", 900), 301).await, Remembered::Fresh);
    assert!(known(&one, 600).await, "a new time counts");
    assert_eq!(remember(&other, 601).await, Remembered::Fresh);
    assert!(known(&one, 899).await, "remembering another one forgets none");
}

pub(super) async fn one_of_many_at_once_is_fresh(store: Arc<dyn Store>) {
    let mut tasks = JoinSet::new();
    for _ in 0..30 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            store.remember(&nonce("hot", 300), at(1)).await.expect("a nonce can be remembered")
        });
    }
    let answers = tasks.join_all().await;
    let fresh = answers.iter().filter(|answer| **answer == Remembered::Fresh).count();
    assert_eq!(fresh, 1, "{answers:?}");
}
