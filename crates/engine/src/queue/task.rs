//! The task behind the queue: gathers what waits, writes it as one batch, and counts repeats.

use std::sync::Arc;
use std::time::Duration;

use firebreak_core::alert::Alert;
use firebreak_core::storm::{Repeats, Storms};
use tokio::sync::{Notify, mpsc};

use super::batch::{Batch, Job, Pick};
use super::{Meter, QueueSettings};
use crate::ingest::write_all;
use crate::ports::StoreError;

/// Alerts that are written together; what is more waits for the next batch.
const MOST_TOGETHER: usize = 2000;

/// Between two looks whether the counts of storms are due.
const TICK: Duration = Duration::from_secs(1);

pub(super) struct Task {
    settings: Arc<QueueSettings>,
    waiting: mpsc::UnboundedReceiver<Job>,
    meter: Arc<Meter>,
    storms: Storms,
}

impl Task {
    pub(super) fn new(
        settings: Arc<QueueSettings>,
        waiting: mpsc::UnboundedReceiver<Job>,
        meter: Arc<Meter>,
    ) -> Self {
        let storms = Storms::new(settings.storms, settings.clock.now());
        Self { settings, waiting, meter, storms }
    }

    pub(super) async fn run(mut self, stop: Arc<Notify>) {
        loop {
            tokio::select! {
                first = self.waiting.recv() => match first {
                    Some(first) => self.serve(first).await,
                    None => break,
                },
                () = tokio::time::sleep(TICK) => self.count_due().await,
                () = stop.notified() => break,
            }
        }
        self.waiting.close();
        while let Ok(first) = self.waiting.try_recv() {
            self.serve(first).await;
        }
        let rest = self.storms.all();
        self.count(rest).await;
    }

    /// Everything that waits by now, as one batch.
    async fn serve(&mut self, first: Job) {
        let mut together = first.alerts.len();
        let mut jobs = vec![first];
        while together < MOST_TOGETHER
            && let Ok(next) = self.waiting.try_recv()
        {
            together += next.alerts.len();
            jobs.push(next);
        }
        let now = self.settings.clock.now();
        let mut batch = Batch::of(jobs);
        batch.absorb(&mut self.storms, &self.meter, now);
        self.write(&mut batch).await;
        let mut counts = batch.judge(&mut self.storms, &self.meter, now);
        let due = self.storms.due(now);
        self.meter.storms_are(self.storms.by_source());
        if due.is_empty() {
            // Those that repeated nothing do not wait for the counts of others.
            batch.reply(|job| !job.repeats);
        }
        counts.extend(due);
        // Before the last answer: a function may be frozen as soon as it has answered.
        self.count(counts).await;
        batch.reply(|_| true);
    }

    /// A panic of the decision must stop neither the queue nor the deliveries beside the one that caused it.
    async fn write(&self, batch: &mut Batch) {
        let all = batch.picks.clone();
        if self.write_some(batch, &all).await.is_ok() {
            return;
        }
        for job in 0..batch.jobs.len() {
            let own: Vec<Pick> = all.iter().filter(|pick| pick.job == job).copied().collect();
            if self.write_some(batch, &own).await.is_err() {
                let broke_off = StoreError::Unavailable("the decision broke off".to_owned());
                for pick in own {
                    batch.answer(pick, Err(broke_off.clone()));
                }
            }
        }
    }

    async fn write_some(&self, batch: &mut Batch, picks: &[Pick]) -> Result<(), Panicked> {
        if picks.is_empty() {
            return Ok(());
        }
        let settings = Arc::clone(&self.settings);
        let alerts: Vec<Arc<Vec<Arc<Alert>>>> =
            batch.jobs.iter().map(|job| Arc::clone(&job.alerts)).collect();
        let chosen = picks.to_vec();
        let writing = tokio::spawn(async move {
            let alert = |pick: &Pick| alerts.get(pick.job)?.get(pick.place);
            let chosen: Vec<&Arc<Alert>> = chosen.iter().filter_map(alert).collect();
            write_all(settings.ingest(), &chosen).await
        });
        let written = writing.await.map_err(|error| {
            tracing::error!(%error, "a batch of alerts could not be decided");
            Panicked
        })?;
        self.meter.batch(written.appends);
        for (pick, answer) in picks.iter().zip(written.answers) {
            batch.answer(*pick, answer);
        }
        Ok(())
    }

    async fn count_due(&mut self) {
        let due = self.storms.due(self.settings.clock.now());
        self.meter.storms_are(self.storms.by_source());
        self.count(due).await;
    }

    /// A count that is lost is no reason to have a sender send again what is stored.
    async fn count(&mut self, counts: Vec<Repeats>) {
        if counts.is_empty() {
            return;
        }
        if let Err(error) = self.settings.store.count_repeats(&counts).await {
            tracing::warn!(%error, "repeats could not be counted");
            self.storms.give_back(&counts);
            return;
        }
        self.meter.counted(counts.len());
    }
}

struct Panicked;
