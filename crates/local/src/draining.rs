//! Draining the spill: what waited is taken in oldest first, as soon as the store is back.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use firebreak_core::policy::Policy;
use firebreak_core::routing::Routes;
use firebreak_engine::drain::{keep_crashing, keep_unknown, take_front, take_spilled};
use firebreak_engine::ingest::{Ingest, Report};
use firebreak_engine::ports::{Clock, Spilled, Store, StoreError};
use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::spill::{FileSpill, Waiting};

/// What draining works with.
#[derive(Clone)]
pub struct DrainSettings {
    pub spill: FileSpill,
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub routes: Arc<Routes>,
    pub policy: Arc<Policy>,
    pub reopen_within: SignedDuration,
}

/// Drains until it is stopped; goes on where it was after a restart.
pub struct Drain {
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

/// Deliveries that are read from the spill at once.
const MOST_AT_ONCE: usize = 256;

/// The rest after the first failure; it doubles with each one that follows.
const SHORTEST_REST: Duration = Duration::from_millis(250);
const LONGEST_REST: Duration = Duration::from_secs(15);

impl Drain {
    pub fn start(settings: DrainSettings) -> Self {
        let (stop, stopped) = watch::channel(());
        Self { stop, task: tokio::spawn(run(Arc::new(settings), stopped)) }
    }

    /// Finishes the delivery that is under way. What still waits is drained by the next start.
    pub async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "draining ended badly");
        }
    }
}

async fn run(settings: Arc<DrainSettings>, mut stopped: watch::Receiver<()>) {
    let mut rest = SHORTEST_REST;
    loop {
        let rested = match drain(&settings, &stopped).await {
            Ok(taken) => {
                if taken > 0 {
                    tracing::info!(taken, "the spill is drained");
                }
                rest = SHORTEST_REST;
                None
            }
            Err(error) => {
                tracing::warn!(%error, ?rest, "the spill cannot be drained yet");
                let rested = rest;
                rest = rest.saturating_mul(2).min(LONGEST_REST);
                Some(rested)
            }
        };
        let wait = async {
            match rested {
                Some(rest) => tokio::time::sleep(rest).await,
                None => settings.spill.added().await,
            }
        };
        tokio::select! {
            () = wait => {}
            _ = stopped.changed() => return,
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum NotDrained {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the spill cannot be read: {0}")]
    Spill(#[from] io::Error),
}

/// Takes in what waits, in order; how much that was.
async fn drain(
    settings: &Arc<DrainSettings>,
    stopped: &watch::Receiver<()>,
) -> Result<usize, NotDrained> {
    let mut taken = 0;
    loop {
        let waiting = settings.spill.oldest(MOST_AT_ONCE).await?;
        if waiting.is_empty() {
            return Ok(taken);
        }
        if stopped.has_changed().is_err() {
            return Ok(taken);
        }
        let mut waiting = waiting;
        let together = take_together(settings, &waiting).await?;
        waiting.truncate(together.max(1));
        if together == 0
            && let Some(first) = waiting.first()
        {
            take(settings, first).await?;
        }
        taken += waiting.len();
        settings.spill.taken(waiting).await?;
    }
}

/// How many at the front were taken in with one another. A fault in one of them is found when each is taken alone.
async fn take_together(
    settings: &Arc<DrainSettings>,
    waiting: &[Waiting],
) -> Result<usize, StoreError> {
    let known = waiting.iter().map_while(|one| one.spilled.as_ref().ok()).cloned();
    let known: Vec<Spilled> = known.collect();
    let of = Arc::clone(settings);
    let taking =
        tokio::spawn(
            async move { take_front(of.ingest(), &known.iter().collect::<Vec<_>>()).await },
        );
    taking.await.unwrap_or(Ok(0))
}

async fn take(settings: &Arc<DrainSettings>, waiting: &Waiting) -> Result<(), StoreError> {
    let report = match &waiting.spilled {
        Err(unknown) => {
            keep_unknown(settings.ingest(), unknown, "it is not known".to_owned()).await?
        }
        Ok(spilled) => take_known(settings, spilled).await?,
    };
    for finding in &report.findings {
        tracing::warn!(finding, "a spilled delivery was odd");
    }
    Ok(())
}

/// A fault of this program in one delivery must not stop those behind it.
async fn take_known(
    settings: &Arc<DrainSettings>,
    spilled: &Spilled,
) -> Result<Report, StoreError> {
    let (of, one) = (Arc::clone(settings), spilled.clone());
    let taking = tokio::spawn(async move { take_spilled(of.ingest(), &one).await });
    match taking.await {
        Ok(taken) => taken,
        Err(fault) => {
            tracing::error!(%fault, id = spilled.id, "a spilled delivery cannot be read");
            keep_crashing(settings.ingest(), spilled).await
        }
    }
}

impl DrainSettings {
    fn ingest(&self) -> Ingest<'_> {
        Ingest {
            store: &*self.store,
            clock: &*self.clock,
            routes: &self.routes,
            policy: &self.policy,
            reopen_within: self.reopen_within,
        }
    }
}
