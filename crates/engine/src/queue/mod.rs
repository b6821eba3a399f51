//! The queue in front of intake: deliveries of many senders at once are written together, storms are counted.

mod batch;
mod meter;
mod task;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use firebreak_core::alert::Alert;
use firebreak_core::limit::Bucket;
use firebreak_core::policy::Policy;
use firebreak_core::routing::Routes;
use firebreak_core::sources::{Delivery, Source};
use firebreak_core::storm::StormSettings;
use jiff::SignedDuration;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use batch::{Answer, Job};
pub use meter::Meter;
use task::Task;

use crate::ingest::{Ingest, Reading, Report};
use crate::ports::{Clock, Store, StoreError};

/// What the queue works with.
#[derive(Clone)]
pub struct QueueSettings {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub routes: Arc<Routes>,
    pub policy: Arc<Policy>,
    pub reopen_within: SignedDuration,
    pub storms: StormSettings,
}

impl QueueSettings {
    pub fn ingest(&self) -> Ingest<'_> {
        Ingest {
            store: &*self.store,
            clock: &*self.clock,
            routes: &self.routes,
            policy: &self.policy,
            reopen_within: self.reopen_within,
        }
    }
}

/// Alerts that may wait; a delivery that finds no room is refused at once. A kilobyte or two each.
const MOST_WAITING: usize = 20_000;

/// Why a delivery was not taken in. The sender must send it again.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    #[error("too many alerts wait already")]
    Overloaded,
    #[error("the source sends more than its limit")]
    Limited { retry_after: SignedDuration },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NotTaken> for StoreError {
    fn from(not_taken: NotTaken) -> Self {
        match not_taken {
            NotTaken::Overloaded | NotTaken::Limited { .. } => {
                StoreError::Unavailable(not_taken.to_string())
            }
            NotTaken::Store(error) => error,
        }
    }
}

/// Takes deliveries in. Clones share the queue.
#[derive(Clone)]
pub struct Queue {
    settings: Arc<QueueSettings>,
    jobs: mpsc::UnboundedSender<Job>,
    /// Bounds what waits, in alerts.
    room: Arc<Semaphore>,
    /// What the sources that have a limit have left of it.
    buckets: Arc<Mutex<BTreeMap<&'static str, Bucket>>>,
    meter: Arc<Meter>,
}

/// The task that writes. It ends with the last [`Queue`]; stop it, or counts of a storm may be lost.
pub struct QueueTask {
    stop: Arc<Notify>,
    task: JoinHandle<()>,
}

impl QueueTask {
    /// Writes what waits and counts what was counted. What comes later is refused.
    pub async fn stop(self) {
        self.stop.notify_one();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "intake ended badly");
        }
    }
}

impl Queue {
    pub fn start(settings: QueueSettings) -> (Self, QueueTask) {
        let settings = Arc::new(settings);
        let meter = Arc::new(Meter::default());
        let (jobs, waiting) = mpsc::unbounded_channel();
        let stop = Arc::new(Notify::new());
        let task = Task::new(Arc::clone(&settings), waiting, Arc::clone(&meter));
        let task = tokio::spawn(task.run(Arc::clone(&stop)));
        let room = Arc::new(Semaphore::new(MOST_WAITING));
        let buckets = Arc::default();
        (Self { settings, jobs, room, buckets, meter }, QueueTask { stop, task })
    }

    /// Answers when all that the delivery says is durable.
    pub async fn take(
        &self,
        source: &dyn Source,
        delivery: &Delivery<'_>,
    ) -> Result<Report, NotTaken> {
        let ingest = self.settings.ingest();
        let (reading, alerts) = Reading::of(ingest, source, delivery).await?;
        self.within_limit(source.name(), alerts.len())?;
        let alerts = Arc::new(alerts);
        let report = async {
            let taken = self.take_all(Arc::clone(&alerts)).await?;
            Ok(reading.answered(ingest, delivery, &alerts, taken).await?)
        };
        let report: Result<Report, NotTaken> = report.await;
        if report.is_err() {
            // It comes again, and is charged for then.
            self.buckets().entry(source.name()).and_modify(|bucket| bucket.give_back(alerts.len()));
        }
        report
    }

    /// Intake past the queue, for what must be taken in one after the other.
    pub fn ingest(&self) -> Ingest<'_> {
        self.settings.ingest()
    }

    /// What happens in it.
    pub fn meter(&self) -> Arc<Meter> {
        Arc::clone(&self.meter)
    }

    fn buckets(&self) -> MutexGuard<'_, BTreeMap<&'static str, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn within_limit(&self, source: &'static str, alerts: usize) -> Result<(), NotTaken> {
        let Some(limit) = self.settings.policy.limit(source) else { return Ok(()) };
        let now = self.settings.clock.now();
        let mut buckets = self.buckets();
        let bucket = buckets.entry(source).or_insert_with(|| Bucket::full(limit, now));
        bucket.take(limit, alerts, now).map_err(|retry_after| NotTaken::Limited { retry_after })
    }

    /// One answer for each.
    async fn take_all(&self, alerts: Arc<Vec<Arc<Alert>>>) -> Result<Vec<Answer>, NotTaken> {
        if alerts.is_empty() {
            return Ok(Vec::new());
        }
        // A delivery of more alerts than fit is let in when it is alone.
        let many = u32::try_from(alerts.len().min(MOST_WAITING)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).try_acquire_many_owned(many);
        let room = room.map_err(|_| NotTaken::Overloaded)?;
        let _waits = self.meter.waits(u64::from(many));
        let (reply, answer) = oneshot::channel();
        let stopped = || StoreError::Unavailable("intake has stopped".to_owned());
        self.jobs.send(Job { alerts, reply, room }).map_err(|_| stopped())?;
        Ok(answer.await.map_err(|_| stopped())?)
    }
}
