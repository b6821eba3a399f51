//! The local driver: does what the directives say, from durable timers, for many incidents side by side.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use firebreak_core::ids::IncidentId;
use firebreak_core::incident::Recorded;
use firebreak_core::run::{Directive, Takeover};
use firebreak_core::runbook::Runbook;
use firebreak_engine::ports::{Clock, HandsSet, StoreError};
use firebreak_engine::remediate::{RemediateError, Remediation, act, advance};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::SqliteStore;

/// What the driver works with.
#[derive(Clone)]
pub struct DriverSettings {
    pub store: SqliteStore,
    pub clock: Arc<dyn Clock>,
    pub runbooks: Arc<Vec<Runbook>>,
    pub hands: Arc<HandsSet>,
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

/// The rest after a failure of the store or of the wiring.
const REST: SignedDuration = SignedDuration::from_secs(3);

/// The longest sleep: clocks may be set, and machines may sleep themselves.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// How long work under way may take to finish when stopping.
const PATIENCE: Duration = Duration::from_secs(10);

const CURSOR: &str = "driver";

impl Driver {
    pub fn start(settings: DriverSettings) -> Self {
        let (stop, stopped) = watch::channel(());
        let state =
            Arc::new(State { settings, busy: Mutex::new(BTreeSet::new()), freed: Notify::new() });
        let task = tokio::spawn(run(state, stopped));
        Self { stop, task }
    }

    /// Takes no new work and waits for what is under way.
    pub async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the driver ended badly");
        }
    }
}

struct State {
    settings: DriverSettings,
    busy: Mutex<BTreeSet<IncidentId>>,
    freed: Notify,
}

impl State {
    fn now(&self) -> Timestamp {
        self.settings.clock.now()
    }

    /// Marks the incident as being driven; `false` when it is already.
    fn occupy(&self, incident: &IncidentId) -> bool {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.len() < MOST_AT_ONCE && busy.insert(incident.clone())
    }

    fn free(&self, incident: &IncidentId) {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(incident);
        self.freed.notify_waiters();
    }
}

async fn run(state: Arc<State>, mut stopped: watch::Receiver<()>) {
    let mut under_way = JoinSet::new();
    if let Err(error) = state.settings.store.wake_all(state.now()).await {
        tracing::error!(%error, "timers could not be woken");
    }
    loop {
        // Armed before the look, so that nothing falls between look and sleep.
        let appended = state.settings.store.appended();
        let freed = state.freed.notified();
        tokio::pin!(appended, freed);
        appended.as_mut().enable();
        freed.as_mut().enable();
        let sleep = match look(&state, &mut under_way, &stopped).await {
            Ok(next) => next.map_or(LONGEST_SLEEP, |at| until(state.now(), at)),
            Err(error) => {
                tracing::warn!(%error, "the driver could not read the store and tries again");
                until(state.now(), state.now() + REST)
            }
        };
        tokio::select! {
            () = &mut appended => {}
            () = &mut freed => {}
            () = tokio::time::sleep(sleep) => {}
            _ = stopped.changed() => break,
        }
        while under_way.try_join_next().is_some() {}
    }
    let finish = async { while under_way.join_next().await.is_some() {} };
    if tokio::time::timeout(PATIENCE, finish).await.is_err() {
        tracing::warn!("stopping while work is under way; the next start goes on with it");
    }
}

fn until(now: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now))
        .unwrap_or(Duration::from_millis(1))
        .min(LONGEST_SLEEP)
}

/// Follows the outbox, starts what is due, and says when the next timer is.
async fn look(
    state: &Arc<State>,
    under_way: &mut JoinSet<()>,
    stopped: &watch::Receiver<()>,
) -> Result<Option<Timestamp>, StoreError> {
    let store = &state.settings.store;
    loop {
        let batch = store.outgoing(CURSOR, 256).await?;
        let Some(last) = batch.last().map(|outgoing| outgoing.position) else { break };
        let now = state.now();
        let wake = batch
            .iter()
            .filter(|outgoing| wakes(&outgoing.recorded))
            .map(|outgoing| (outgoing.recorded.incident.clone(), now))
            .collect();
        store.schedule_up_to(CURSOR, last, wake).await?;
    }
    let now = state.now();
    let mut next = None;
    for (incident, at) in store.timers().await? {
        if at > now {
            next = Some(at);
            break;
        }
        if state.occupy(&incident) {
            let (state, stopped) = (Arc::clone(state), stopped.clone());
            under_way.spawn(async move {
                drive(&state, &incident, &stopped).await;
                state.free(&incident);
            });
        }
    }
    Ok(next)
}

/// A person's answer is looked at at once here; on AWS the execution looks at its next poll.
fn wakes(recorded: &Recorded) -> bool {
    recorded.event.wakes_driver()
        || matches!(
            recorded.event.name(),
            "approval.granted" | "approval.rejected" | "alert.resolved"
        )
}

/// Drives one incident until it has to wait or is done.
async fn drive(state: &State, incident: &IncidentId, stopped: &watch::Receiver<()>) {
    let store = &state.settings.store;
    let now = state.now();
    let lease = now + LEASE;
    match store.take(incident, now, lease).await {
        Ok(true) => {}
        Ok(false) => return,
        Err(error) => {
            tracing::warn!(%incident, %error, "a timer could not be taken");
            return;
        }
    }
    let next = match steps(state, incident, stopped).await {
        Ok(next) => next,
        Err(error) => {
            tracing::warn!(%incident, %error, "an incident could not be driven and is tried again");
            Some(state.now() + REST)
        }
    };
    if let Err(error) = store.give_back(incident, lease, next).await {
        tracing::warn!(%incident, %error, "a timer could not be set; it comes back by itself");
    }
}

/// When to look again; nothing when there is nothing more to drive.
async fn steps(
    state: &State,
    incident: &IncidentId,
    stopped: &watch::Receiver<()>,
) -> Result<Option<Timestamp>, RemediateError> {
    let settings = &state.settings;
    let with = Remediation {
        store: &settings.store,
        clock: &*settings.clock,
        runbooks: &settings.runbooks,
        hands: &settings.hands,
        reopen_within: settings.reopen_within,
    };
    loop {
        match advance(with, incident, NAME, Takeover::Respect).await? {
            Directive::Act { order, .. } => {
                if stopped.has_changed().is_err() {
                    return Ok(Some(state.now()));
                }
                act(with, incident, &order).await?;
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
