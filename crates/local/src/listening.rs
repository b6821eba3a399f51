//! Listening for signs of life, looking after shared causes and the breaker, again and again, for as long as the platform runs.

use std::sync::Arc;
use std::time::Duration;

use firebreak_core::policy::Policy;
use firebreak_core::routing::Routes;
use firebreak_engine::breaker;
use firebreak_engine::heartbeats::listen;
use firebreak_engine::ingest::Ingest;
use firebreak_engine::ports::{Clock, Store};
use firebreak_engine::shared_cause::settle;
use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What listening works with.
#[derive(Clone)]
pub struct ListenSettings {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub routes: Arc<Routes>,
    pub reopen_within: SignedDuration,
    pub policy: Arc<Policy>,
}

/// Listens until it is stopped.
pub struct Listening {
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

/// Between two looks; less than any interval that a policy may ask for.
const EVERY: Duration = Duration::from_secs(5);

impl Listening {
    pub fn start(settings: ListenSettings) -> Self {
        let (stop, stopped) = watch::channel(());
        Self { stop, task: tokio::spawn(run(settings, stopped)) }
    }

    pub async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "listening ended badly");
        }
    }
}

async fn run(settings: ListenSettings, mut stopped: watch::Receiver<()>) {
    loop {
        let with = Ingest {
            store: &*settings.store,
            clock: &*settings.clock,
            routes: &settings.routes,
            policy: &settings.policy,
            reopen_within: settings.reopen_within,
        };
        if let Err(error) = listen(with).await {
            tracing::warn!(%error, "nobody knows which sources are silent");
        }
        if let Err(error) = breaker::watch(with).await {
            tracing::warn!(%error, "nobody knows whether the breaker tripped");
        }
        if let Err(error) = settle(with).await {
            tracing::warn!(%error, "nobody knows whether a shared cause is over");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stopped.changed() => return,
        }
    }
}
