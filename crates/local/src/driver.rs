//! The local driver: does what the directives say, from durable timers, for many incidents side by side.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use firebreak_core::ids::IncidentId;
use firebreak_core::incident::event::WAKES_DRIVER;
use firebreak_core::policy::Policy;
use firebreak_core::run::{Directive, Takeover};
use firebreak_core::runbook::RunbookSet;
use firebreak_engine::guard_meter::GuardMeter;
use firebreak_engine::ports::{Clock, HandsSet, StoreError};
use firebreak_engine::remediate::{ActReport, RemediateError, Remediation, act, advance};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::SqliteStore;
use crate::crew::Crew;
use crate::following::{Following, GATHER};
use crate::store::{Sleepers, Wake};

/// What the driver works with.
#[derive(Clone)]
pub struct DriverSettings {
    pub store: SqliteStore,
    pub clock: Arc<dyn Clock>,
    pub runbooks: Arc<RunbookSet>,
    pub policy: Arc<Policy>,
    pub hands: Arc<HandsSet>,
    pub meter: Arc<GuardMeter>,
    pub reopen_within: SignedDuration,
}

/// A driver that runs until it is stopped. A killed one is continued by the next start on the same store.
pub struct Driver {
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

/// The name under which runs are driven here; the same after a restart, so that runs go on.
const NAME: &str = "local";

/// How many incidents are driven at once.
const MOST_AT_ONCE: usize = 16;

/// A timer that was taken comes back after this, should its task be lost.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// The rest after the first failure; it doubles with each one that follows.
const SHORTEST_REST: SignedDuration = SignedDuration::from_secs(1);
const LONGEST_REST: SignedDuration = SignedDuration::from_secs(30);

/// The longest sleep: clocks may be set, and machines may sleep themselves.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// How long work under way may take to finish when stopping.
const PATIENCE: Duration = Duration::from_secs(10);

/// Its cursor in the outbox, and the owner of its timers.
const CURSOR: &str = "driver";

impl Driver {
    pub fn start(settings: DriverSettings) -> Self {
        let (stop, stopped) = watch::channel(());
        let work = Work {
            settings: Arc::new(settings),
            crew: Crew::new(),
            following: Following::of(CURSOR, Sleepers::Suppressed),
            failures: HashMap::new(),
        };
        Self { stop, task: tokio::spawn(work.run(stopped)) }
    }

    /// Takes no new work and waits for what is under way, for ten seconds at most.
    pub async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the driver ended badly");
        }
    }
}

/// The loop's own state; tasks share nothing but the settings.
struct Work {
    settings: Arc<DriverSettings>,
    crew: Crew<IncidentId, Driven>,
    following: Following,
    /// How often in a row an incident could not be driven.
    failures: HashMap<IncidentId, u32>,
}

/// How a turn of an incident ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Driven {
    Well,
    Failed,
}

impl Work {
    fn now(&self) -> Timestamp {
        self.settings.clock.now()
    }

    async fn run(mut self, mut stopped: watch::Receiver<()>) {
        let settings = Arc::clone(&self.settings);
        let mut woken = false;
        loop {
            // Armed before the look, so that nothing falls between look and sleep.
            let appended = settings.store.appended();
            tokio::pin!(appended);
            appended.as_mut().enable();
            let sleep = match self.look(&mut woken, &stopped).await {
                Ok(next) => next.map_or(LONGEST_SLEEP, |at| until(self.now(), at)),
                Err(error) => {
                    tracing::warn!(%error, "the driver could not read the store and tries again");
                    Duration::from_secs(1)
                }
            };
            tokio::select! {
                () = &mut appended => tokio::time::sleep(GATHER).await,
                () = tokio::time::sleep(sleep) => {}
                (incident, driven) = self.crew.done() => {
                    self.remember(incident, driven);
                    while let Some((incident, driven)) = self.crew.done_already() {
                        self.remember(incident, driven);
                    }
                }
                _ = stopped.changed() => break,
            }
        }
        if !self.crew.finish(PATIENCE).await {
            tracing::warn!("stopping while work is under way; the next start goes on with it");
        }
    }

    /// A task that panicked counts as failed; its timer comes back when the lease ends.
    fn remember(&mut self, incident: IncidentId, driven: Option<Driven>) {
        if driven == Some(Driven::Well) {
            self.failures.remove(&incident);
        } else {
            *self.failures.entry(incident).or_default() += 1;
        }
    }

    /// Follows the outbox, starts what is due, and says when the next timer is.
    async fn look(
        &mut self,
        woken: &mut bool,
        stopped: &watch::Receiver<()>,
    ) -> Result<Option<Timestamp>, StoreError> {
        let settings = Arc::clone(&self.settings);
        let store = &settings.store;
        if !*woken {
            store.wake_all(CURSOR, Wake::Active, self.now()).await?;
            *woken = true;
        }
        let now = self.now();
        self.following.follow(store, &[CURSOR.to_owned()], wakes, now).await?;
        for (incident, at) in store.timers(CURSOR).await? {
            if at > now {
                return Ok(Some(at));
            }
            if self.crew.is_at(&incident) || self.crew.keys().count() >= MOST_AT_ONCE {
                continue;
            }
            let rest = rest_after(self.failures.get(&incident).copied().unwrap_or_default());
            let turn = Turn {
                settings: Arc::clone(&settings),
                incident: incident.clone(),
                stopped: stopped.clone(),
                rest,
            };
            self.crew.spawn(incident, turn.drive());
        }
        Ok(None)
    }
}

fn until(now: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now))
        .unwrap_or(Duration::from_millis(1))
        .min(LONGEST_SLEEP)
}

fn rest_after(failures: u32) -> SignedDuration {
    SHORTEST_REST.saturating_mul(1 << failures.min(8)).min(LONGEST_REST)
}

/// A person's answer is looked at at once here; on AWS the execution looks at its next poll.
fn wakes(event: &str) -> bool {
    WAKES_DRIVER.contains(&event)
        || matches!(event, "approval.granted" | "approval.rejected" | "alert.resolved")
}

/// One turn of one incident: until it has to wait or is done.
struct Turn {
    settings: Arc<DriverSettings>,
    incident: IncidentId,
    stopped: watch::Receiver<()>,
    /// Until the next turn, should this one fail.
    rest: SignedDuration,
}

impl Turn {
    async fn drive(self) -> Driven {
        let (store, incident) = (&self.settings.store, &self.incident);
        let now = self.now();
        let lease = now + LEASE;
        match store.take(CURSOR, incident, now, lease).await {
            Ok(true) => {}
            Ok(false) => return Driven::Well,
            Err(error) => {
                tracing::warn!(%incident, %error, "a timer could not be taken");
                // Otherwise the loop, woken by the end of this turn, would try again without a rest.
                tokio::time::sleep(Duration::try_from(SHORTEST_REST).unwrap_or_default()).await;
                return Driven::Failed;
            }
        }
        let (next, driven) = match self.steps().await {
            Ok(next) => (next, Driven::Well),
            Err(error) => {
                tracing::warn!(%incident, %error, rest = %self.rest, "an incident could not be driven and is tried again");
                (Some(self.now() + self.rest), Driven::Failed)
            }
        };
        if let Err(error) = store.give_back(CURSOR, incident, lease, next).await {
            tracing::warn!(%incident, %error, "a timer could not be set; it comes back by itself");
            return Driven::Failed;
        }
        driven
    }

    fn now(&self) -> Timestamp {
        self.settings.clock.now()
    }

    /// When to look again; nothing when there is nothing more to drive.
    async fn steps(&self) -> Result<Option<Timestamp>, RemediateError> {
        let (settings, incident) = (&*self.settings, &self.incident);
        let with = Remediation {
            store: &settings.store,
            clock: &*settings.clock,
            runbooks: &settings.runbooks,
            policy: &settings.policy,
            hands: &settings.hands,
            meter: &settings.meter,
            reopen_within: settings.reopen_within,
        };
        loop {
            match advance(with, incident, NAME, Takeover::Respect).await? {
                Directive::Act { order, .. } => {
                    if self.stopped.has_changed().is_err() {
                        return Ok(Some(self.now()));
                    }
                    if let ActReport::Stale(why) = act(with, incident, &order).await? {
                        tracing::debug!(%incident, why, "somebody else moved the record on");
                        return Ok(Some(self.now() + SHORTEST_REST));
                    }
                }
                Directive::Wait { until, .. } | Directive::Approve { until, .. } => {
                    return Ok(Some(until));
                }
                Directive::Done { reason, .. } => {
                    tracing::debug!(%incident, reason, "nothing more to drive");
                    return Ok(None);
                }
            }
        }
    }
}
