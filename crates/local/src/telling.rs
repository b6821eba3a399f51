//! Telling people: follows the outbox with a cursor of its own, and keeps a durable timer for each incident and channel.
//!
//! Each channel is told of each incident by itself: one that hangs, or has a backlog, delays no other. What is to be
//! told is decided from the incident's record when its time comes, so a timer that was lost or came twice says
//! nothing wrong.

use std::sync::Arc;
use std::time::Duration;

use firebreak_core::channels::Channels;
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::event::WAKES_TELLING;
use firebreak_core::policy::Policy;
use firebreak_core::routing::Routes;
use firebreak_engine::notify::{Notifier, NotifyError, Pace, Report, tell};
use firebreak_engine::ports::{Clock, SecretSource, Sender, StoreError};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::SqliteStore;
use crate::crew::Crew;
use crate::following::{Following, GATHER};
use crate::store::{Sleepers, Wake};

/// What telling works with.
#[derive(Clone)]
pub struct TellingSettings {
    pub store: SqliteStore,
    pub clock: Arc<dyn Clock>,
    pub channels: Arc<Channels>,
    pub routes: Arc<Routes>,
    pub policy: Arc<Policy>,
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

/// How many messages of one channel are under way at once.
const MOST_AT_ONCE: usize = 16;

/// Between two looks, should no append wake it: clocks may be set, and machines may sleep themselves.
const LONGEST_SLEEP: Duration = Duration::from_secs(2);

/// A timer that was taken comes back after this, should its task be lost.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// The rest after the record could not be read or written.
const REST: SignedDuration = SignedDuration::from_secs(2);

/// How long messages under way may take when stopping. One that is cut off is sent again.
const PATIENCE: Duration = Duration::from_secs(10);

impl Telling {
    pub fn start(settings: TellingSettings) -> Self {
        let (stop, stopped) = watch::channel(());
        let work = Work {
            settings: Arc::new(settings),
            crew: Crew::new(),
            following: Following::of(CURSOR, Sleepers::Nobody),
            woken: false,
        };
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

/// One incident, as one channel is told of it.
#[derive(Clone, PartialEq, Eq)]
struct Post {
    channel: String,
    incident: IncidentId,
}

/// Who owns the timers of a channel.
fn owner(channel: &str) -> String {
    format!("telling:{channel}")
}

struct Work {
    settings: Arc<TellingSettings>,
    crew: Crew<Post, ()>,
    following: Following,
    /// Whether everything was looked at since the start.
    woken: bool,
}

impl Work {
    async fn run(mut self, mut stopped: watch::Receiver<()>) {
        let settings = Arc::clone(&self.settings);
        loop {
            // Armed before the look, so that nothing falls between look and sleep.
            let appended = settings.store.appended();
            tokio::pin!(appended);
            appended.as_mut().enable();
            let sleep = match self.look().await {
                Ok(next) => next.map_or(LONGEST_SLEEP, |at| self.until(at)),
                Err(error) => {
                    tracing::warn!(%error, "telling could not read the store and tries again");
                    LONGEST_SLEEP
                }
            };
            tokio::select! {
                () = &mut appended => tokio::time::sleep(GATHER).await,
                () = tokio::time::sleep(sleep) => {}
                _ = self.crew.done() => while self.crew.done_already().is_some() {},
                _ = stopped.changed() => break,
            }
        }
        if !self.crew.finish(PATIENCE).await {
            tracing::warn!("stopping while messages are under way; the next start sends them");
        }
    }

    fn until(&self, at: Timestamp) -> Duration {
        Duration::try_from(at.duration_since(self.settings.clock.now()))
            .unwrap_or(Duration::from_millis(1))
            .min(LONGEST_SLEEP)
    }

    /// Sets timers for what is new, starts what is due, and says when the next timer is.
    async fn look(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let settings = Arc::clone(&self.settings);
        let (store, now) = (&settings.store, settings.clock.now());
        if !self.woken {
            for channel in settings.channels.keys() {
                store.wake_all(&owner(channel), Wake::Live, now).await?;
            }
            self.woken = true;
        }
        let owners: Vec<String> = settings.channels.keys().map(|channel| owner(channel)).collect();
        let wakes = |event: &str| WAKES_TELLING.contains(&event);
        self.following.follow(store, &owners, wakes, now).await?;
        let mut next: Option<Timestamp> = None;
        for channel in settings.channels.keys() {
            let soonest = self.start_what_is_due(channel, now).await?;
            next = [next, soonest].into_iter().flatten().min();
        }
        Ok(next)
    }

    /// The soonest timer of the channel that is not due yet.
    async fn start_what_is_due(
        &mut self,
        channel: &str,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        for (incident, at) in self.settings.store.timers(&owner(channel)).await? {
            if at > now {
                return Ok(Some(at));
            }
            let post = Post { channel: channel.to_owned(), incident };
            let busy = self.crew.keys().filter(|busy| busy.channel == channel).count();
            if busy >= MOST_AT_ONCE || self.crew.is_at(&post) {
                continue;
            }
            let settings = Arc::clone(&self.settings);
            self.crew.spawn(post.clone(), async move {
                if let Err(error) = bring(&settings, &post, now).await {
                    let Post { channel, incident } = post;
                    tracing::warn!(%incident, channel, %error, "a timer could not be set; it comes back by itself");
                }
            });
        }
        Ok(None)
    }
}

/// Tells the channel what is due, and sets its timer anew.
async fn bring(settings: &TellingSettings, post: &Post, now: Timestamp) -> Result<(), StoreError> {
    let Post { channel, incident } = post;
    let (store, owner) = (&settings.store, owner(channel));
    let lease = now + LEASE;
    if !store.take(&owner, incident, now, lease).await? {
        return Ok(());
    }
    let next = match tell_one(settings, post).await {
        Ok(report) => report.next_at,
        Err(NotifyError::Store(StoreError::Corrupt(error))) => {
            tracing::error!(%incident, channel, error, "an incident cannot be read and nobody is told of it");
            None
        }
        Err(NotifyError::NotFound(_)) => None,
        Err(error @ (NotifyError::Contended(_) | NotifyError::Store(_))) => {
            tracing::warn!(%incident, channel, %error, "people could not be told and it is tried again");
            Some(settings.clock.now() + REST)
        }
    };
    store.give_back(&owner, incident, lease, next).await
}

async fn tell_one(settings: &TellingSettings, post: &Post) -> Result<Report, NotifyError> {
    let notifier = Notifier {
        claims: None,
        store: &settings.store,
        clock: &*settings.clock,
        channels: &settings.channels,
        routes: &settings.routes,
        policy: &settings.policy,
        secrets: &*settings.secrets,
        sender: &*settings.sender,
        pace: settings.pace,
    };
    tell(&notifier, &post.incident, &post.channel).await
}
