//! Sweeping the live incidents, again and again, for as long as the platform runs.

use std::sync::Arc;
use std::time::Duration;

use firebreak_core::policy::Policy;
use firebreak_engine::ports::{Clock, Store};
use firebreak_engine::sweep::{Sweep, sweep};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What sweeping works with.
#[derive(Clone)]
pub struct SweepSettings {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub policy: Arc<Policy>,
    /// Between two sweeps.
    pub every: Duration,
}

/// Sweeps until it is stopped.
pub struct Sweeping {
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

impl Sweeping {
    /// Soon enough for a mute that ends by itself; who ends one by hand has a sweep at once.
    pub const EVERY: Duration = Duration::from_secs(10);

    pub fn start(settings: SweepSettings) -> Self {
        let (stop, stopped) = watch::channel(());
        Self { stop, task: tokio::spawn(run(settings, stopped)) }
    }

    pub async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "sweeping ended badly");
        }
    }
}

async fn run(settings: SweepSettings, mut stopped: watch::Receiver<()>) {
    loop {
        let with =
            Sweep { store: &*settings.store, clock: &*settings.clock, policy: &settings.policy };
        if let Err(error) = sweep(with).await {
            tracing::warn!(%error, "nobody looked for expired alerts and ended mutes");
        }
        tokio::select! {
            () = tokio::time::sleep(settings.every) => {}
            _ = stopped.changed() => return,
        }
    }
}
