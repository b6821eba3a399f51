//! Telling people: follows the same outbox with a cursor of its own, so that a slow channel holds up no run.

use std::sync::Arc;
use std::time::Duration;

use firebreak_core::channels::Channels;
use firebreak_core::incident::Recorded;
use firebreak_core::notification::TOLD;
use firebreak_engine::notify::{Notifier, Pace, notify};
use firebreak_engine::ports::{Clock, SecretSource, Sender, StoreError};
use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::SqliteStore;

/// What telling works with.
#[derive(Clone)]
pub struct TellingSettings {
    pub store: SqliteStore,
    pub clock: Arc<dyn Clock>,
    pub channels: Arc<Channels>,
    pub secrets: Arc<dyn SecretSource>,
    pub sender: Arc<dyn Sender>,
}

/// Tells until it is stopped; goes on where it was after a restart.
pub struct Telling {
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

const CURSOR: &str = "telling";

/// Between two looks, should no append wake it.
const LONGEST_SLEEP: Duration = Duration::from_secs(2);

/// With rests that grow to ten minutes this is about a day.
const MOST_ATTEMPTS: u32 = 150;

impl Telling {
    pub fn start(settings: TellingSettings) -> Self {
        let (stop, mut stopped) = watch::channel(());
        let task = tokio::spawn(async move {
            loop {
                // Armed before the look, so that nothing falls between look and sleep.
                let appended = settings.store.appended();
                tokio::pin!(appended);
                appended.as_mut().enable();
                if let Err(error) = look(&settings).await {
                    tracing::warn!(%error, "telling could not read the store and tries again");
                }
                tokio::select! {
                    () = &mut appended => {}
                    () = tokio::time::sleep(LONGEST_SLEEP) => {}
                    _ = stopped.changed() => return,
                }
            }
        });
        Self { stop, task }
    }

    /// Lets the message under way go out, for ten seconds at most. A message that is cut off is sent again.
    pub async fn stop(self) {
        drop(self.stop);
        let mut task = self.task;
        if tokio::time::timeout(Duration::from_secs(10), &mut task).await.is_err() {
            task.abort();
        }
    }
}

async fn look(settings: &TellingSettings) -> Result<(), StoreError> {
    let store = &settings.store;
    for late in store.overdue(settings.clock.now()).await? {
        if tell(settings, &late.recorded).await {
            store.settle(late.position).await?;
        } else if late.attempts >= MOST_ATTEMPTS {
            tracing::error!(
                event = late.recorded.event_id(),
                "a message is given up: nobody could be told"
            );
            store.settle(late.position).await?;
        } else {
            postpone(settings, late.position, late.attempts + 1).await?;
        }
    }
    loop {
        let batch = store.outgoing(CURSOR, 64).await?;
        if batch.is_empty() {
            return Ok(());
        }
        for outgoing in batch {
            if TOLD.contains(&outgoing.recorded.event.name())
                && !tell(settings, &outgoing.recorded).await
            {
                postpone(settings, outgoing.position, 1).await?;
            }
            store.pass(CURSOR, outgoing.position).await?;
        }
    }
}

async fn postpone(
    settings: &TellingSettings,
    position: i64,
    attempts: u32,
) -> Result<(), StoreError> {
    let rest =
        SignedDuration::from_secs(5 * i64::from(attempts)).min(SignedDuration::from_mins(10));
    settings.store.postpone(position, attempts, settings.clock.now() + rest).await
}

async fn tell(settings: &TellingSettings, recorded: &Recorded) -> bool {
    let notifier = Notifier {
        store: &settings.store,
        clock: &*settings.clock,
        channels: &settings.channels,
        secrets: &*settings.secrets,
        sender: &*settings.sender,
        pace: Pace::default(),
    };
    match notify(&notifier, recorded).await {
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(event = recorded.event_id(), %error, "people could not be told and it is tried again");
            false
        }
    }
}
