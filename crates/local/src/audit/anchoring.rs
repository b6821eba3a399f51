//! An anchor each day, for as long as the platform runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use firebreak_engine::ports::Clock;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::AnchorFile;

/// Often enough that an anchor comes soon after midnight.
const EVERY: Duration = Duration::from_mins(5);

/// Looks for a new day until it is stopped.
pub struct Anchoring {
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

impl Anchoring {
    /// Anchors the record of `folder` in its own `anchors.jsonl`.
    pub fn start(folder: PathBuf, clock: Arc<dyn Clock>) -> Self {
        let (stop, stopped) = watch::channel(());
        Self { stop, task: tokio::spawn(run(folder, clock, stopped)) }
    }

    pub async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "anchoring ended badly");
        }
    }
}

async fn run(folder: PathBuf, clock: Arc<dyn Clock>, mut stopped: watch::Receiver<()>) {
    loop {
        let (of, now) = (folder.clone(), clock.now());
        let add = move || AnchorFile::of_folder(&of).add_if_due(&of, now);
        match tokio::task::spawn_blocking(add).await {
            Ok(Ok(Some(anchor))) => {
                tracing::info!(date = %anchor.date, incidents = anchor.incidents, events = anchor.events, "the record was anchored");
            }
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::error!(%error, "the record could not be anchored"),
            Err(error) => tracing::error!(%error, "anchoring ended badly"),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stopped.changed() => return,
        }
    }
}
