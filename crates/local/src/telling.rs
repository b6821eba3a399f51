//! Telling people: follows the same outbox with a cursor of its own, so that a slow channel holds up no run.
//!
//! What is to be told is queued durably before the cursor passes it, and leaves the queue when it was told.
//! Several messages are under way at once, and those that were tried before never take all of the room: a
//! channel that is dead does not keep the others from hearing of the next incident.

use std::sync::Arc;
use std::time::Duration;

use firebreak_core::channels::Channels;
use firebreak_core::incident::Recorded;
use firebreak_core::notification::TOLD;
use firebreak_engine::notify::{Notifier, NotifyError, Pace, Report, notify};
use firebreak_engine::ports::{Clock, SecretSource, Sender, StoreError};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::SqliteStore;
use crate::crew::Crew;
use crate::store::Undelivered;

/// What telling works with.
#[derive(Clone)]
pub struct TellingSettings {
    pub store: SqliteStore,
    pub clock: Arc<dyn Clock>,
    pub channels: Arc<Channels>,
    pub secrets: Arc<dyn SecretSource>,
    pub sender: Arc<dyn Sender>,
    pub pace: Pace,
}

/// Tells until it is stopped; goes on where it was after a restart.
pub struct Telling {
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

const CURSOR: &str = "telling";

/// How many messages are under way at once, and how many of them may be further attempts. A message waits for
/// its slowest channel, so there must be room for a storm of them.
const MOST_AT_ONCE: usize = 64;
const MOST_REPEATS: usize = 16;

/// Between two looks, should no append wake it.
const LONGEST_SLEEP: Duration = Duration::from_secs(2);

/// How long a message is worth sending; then it is given up, loudly.
const WORTH_TELLING: SignedDuration = SignedDuration::from_hours(24);

/// How long messages under way may take when stopping. One that is cut off is sent again.
const PATIENCE: Duration = Duration::from_secs(10);

impl Telling {
    pub fn start(settings: TellingSettings) -> Self {
        let (stop, stopped) = watch::channel(());
        let work = Work { settings: Arc::new(settings), crew: Crew::new() };
        Self { stop, task: tokio::spawn(work.run(stopped)) }
    }

    /// Begins no message and lets those under way go out, for ten seconds at most.
    pub async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "telling ended badly");
        }
    }
}

struct Work {
    settings: Arc<TellingSettings>,
    crew: Crew<Message, ()>,
}

#[derive(PartialEq, Eq)]
struct Message {
    position: i64,
    repeat: bool,
}

impl Work {
    async fn run(mut self, mut stopped: watch::Receiver<()>) {
        let settings = Arc::clone(&self.settings);
        loop {
            // Armed before the look, so that nothing falls between look and sleep.
            let appended = settings.store.appended();
            tokio::pin!(appended);
            appended.as_mut().enable();
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "telling could not read the store and tries again");
            }
            tokio::select! {
                () = &mut appended => {}
                () = tokio::time::sleep(LONGEST_SLEEP) => {}
                _ = self.crew.done() => {}
                _ = stopped.changed() => break,
            }
        }
        if !self.crew.finish(PATIENCE).await {
            tracing::warn!("stopping while messages are under way; the next start sends them");
        }
    }

    /// Queues what is new and starts what is due.
    async fn look(&mut self) -> Result<(), StoreError> {
        let settings = Arc::clone(&self.settings);
        let (store, now) = (&settings.store, settings.clock.now());
        loop {
            let batch = store.outgoing(CURSOR, 256).await?;
            let Some(last) = batch.last().map(|outgoing| outgoing.position) else { break };
            let told = batch.into_iter().filter(|outgoing| TOLD.contains(&outgoing.name.as_str()));
            store
                .queue_up_to(CURSOR, last, told.map(|outgoing| outgoing.position).collect(), now)
                .await?;
        }
        for due in store.overdue(now).await? {
            let message = Message { position: due.position, repeat: due.attempts > 0 };
            if !self.has_room(&message) {
                continue;
            }
            let settings = Arc::clone(&settings);
            self.crew.spawn(message, async move {
                let position = due.position;
                if let Err(error) = try_one(&settings, due).await {
                    tracing::warn!(position, %error, "what came of a message could not be written; it is sent again");
                }
            });
        }
        Ok(())
    }

    fn has_room(&self, message: &Message) -> bool {
        let repeats = self.crew.keys().filter(|busy| busy.repeat).count();
        !self.crew.is_at(message)
            && self.crew.keys().count() < MOST_AT_ONCE
            && !(message.repeat && repeats >= MOST_REPEATS)
    }
}

/// One attempt. The message leaves the queue, or comes back later.
async fn try_one(settings: &TellingSettings, due: Undelivered) -> Result<(), StoreError> {
    let (store, position) = (&settings.store, due.position);
    let recorded = match due.recorded {
        Ok(recorded) => recorded,
        Err(error) => {
            tracing::error!(position, %error, "an event cannot be read and nobody is told of it");
            return store.settle(position).await;
        }
    };
    let Err(error) = tell(settings, &recorded).await else {
        return store.settle(position).await;
    };
    let (event, now) = (recorded.event_id(), settings.clock.now());
    if now.duration_since(recorded.at) > WORTH_TELLING {
        tracing::error!(event, %error, "a message is given up after a day: not everybody was told");
        return store.settle(position).await;
    }
    let attempts = due.attempts + 1;
    tracing::warn!(event, attempts, %error, "people could not be told and it is tried again");
    store.postpone(position, attempts, next_attempt(attempts, now)).await
}

fn next_attempt(attempts: u32, now: Timestamp) -> Timestamp {
    now + SignedDuration::from_secs(5 * i64::from(attempts)).min(SignedDuration::from_mins(10))
}

async fn tell(settings: &TellingSettings, recorded: &Recorded) -> Result<Report, NotifyError> {
    let notifier = Notifier {
        store: &settings.store,
        clock: &*settings.clock,
        channels: &settings.channels,
        secrets: &*settings.secrets,
        sender: &*settings.sender,
        pace: settings.pace,
    };
    notify(&notifier, recorded).await
}
