//! Tasks side by side, at most one per key: who is at what, owned by the loop that hands out the work.

use std::collections::HashMap;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};

pub(crate) struct Crew<K, T> {
    tasks: JoinSet<T>,
    keys: HashMap<Id, K>,
}

impl<K: PartialEq, T: Send + 'static> Crew<K, T> {
    pub(crate) fn new() -> Self {
        Self { tasks: JoinSet::new(), keys: HashMap::new() }
    }

    pub(crate) fn is_at(&self, key: &K) -> bool {
        self.keys.values().any(|busy| busy == key)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.keys.values()
    }

    /// Starts work on a key that nobody is at.
    pub(crate) fn spawn(&mut self, key: K, work: impl Future<Output = T> + Send + 'static) {
        let id = self.tasks.spawn(work).id();
        self.keys.insert(id, key);
    }

    /// The next work that ends; without an output where it panicked. Waits for ever when there is none, and
    /// loses nothing when it is dropped before it completes.
    pub(crate) async fn done(&mut self) -> (K, Option<T>) {
        loop {
            let (id, output) = match self.tasks.join_next_with_id().await {
                Some(Ok((id, output))) => (id, Some(output)),
                Some(Err(failure)) => (report(&failure), None),
                None => std::future::pending().await,
            };
            if let Some(key) = self.keys.remove(&id) {
                return (key, output);
            }
        }
    }

    /// Work that has ended by now, as [`done`](Self::done) gives it.
    pub(crate) fn done_already(&mut self) -> Option<(K, Option<T>)> {
        loop {
            let (id, output) = match self.tasks.try_join_next_with_id()? {
                Ok((id, output)) => (id, Some(output)),
                Err(failure) => (report(&failure), None),
            };
            if let Some(key) = self.keys.remove(&id) {
                return Some((key, output));
            }
        }
    }

    /// Waits for everything under way, but not for longer than `patience`; `false` when that cut something off.
    pub(crate) async fn finish(mut self, patience: Duration) -> bool {
        let finish = async { while self.tasks.join_next().await.is_some() {} };
        tokio::time::timeout(patience, finish).await.is_ok()
    }
}

fn report(failure: &JoinError) -> Id {
    tracing::error!(%failure, "work ended badly; it is taken up again");
    failure.id()
}
