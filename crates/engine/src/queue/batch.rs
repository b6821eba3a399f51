//! Deliveries that are written together: which alerts still need a decision, and who waits for which answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use firebreak_core::alert::Alert;
use firebreak_core::fingerprint::Fingerprint;
use firebreak_core::incident::IntakeVerdict;
use firebreak_core::storm::{Repeats, Storms};
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::Meter;
use crate::ingest::Taken;
use crate::ports::StoreError;

pub(super) type Answer = Result<Taken, StoreError>;

/// The alerts of one delivery, waiting for their answers.
pub(super) struct Job {
    pub(super) alerts: Arc<Vec<Arc<Alert>>>,
    pub(super) reply: oneshot::Sender<Vec<Answer>>,
    /// What they take of the queue, until they are answered.
    pub(super) room: OwnedSemaphorePermit,
}

/// One alert of a batch.
#[derive(Clone, Copy)]
pub(super) struct Pick {
    pub(super) job: usize,
    pub(super) place: usize,
}

/// A delivery that is not answered yet.
pub(super) struct Open {
    pub(super) alerts: Arc<Vec<Arc<Alert>>>,
    answers: Vec<Option<Answer>>,
    reply: Option<(oneshot::Sender<Vec<Answer>>, OwnedSemaphorePermit)>,
    /// Something in it is counted as a repeat.
    pub(super) repeats: bool,
}

pub(super) struct Batch {
    pub(super) jobs: Vec<Open>,
    /// Those that no storm has absorbed, in their order.
    pub(super) picks: Vec<Pick>,
}

impl Batch {
    pub(super) fn of(jobs: Vec<Job>) -> Self {
        let open = |Job { alerts, reply, room }: Job| Open {
            answers: vec![None; alerts.len()],
            alerts,
            reply: Some((reply, room)),
            repeats: false,
        };
        Self { jobs: jobs.into_iter().map(open).collect(), picks: Vec::new() }
    }

    pub(super) fn absorb(&mut self, storms: &mut Storms, meter: &Meter, now: Timestamp) {
        // Nothing overtakes what was said before of the same alert.
        let mut passed: BTreeSet<&Fingerprint> = BTreeSet::new();
        let mut absorbed = 0;
        for (job, open) in self.jobs.iter_mut().enumerate() {
            for (place, (alert, answer)) in open.alerts.iter().zip(&mut open.answers).enumerate() {
                let fingerprint = &alert.fingerprint;
                let incident = if storms.rages(fingerprint) && !passed.contains(fingerprint) {
                    storms.absorb(alert, now)
                } else {
                    None
                };
                if incident.is_some() {
                    let outcome = IntakeVerdict::Duplicate;
                    *answer = Some(Ok(Taken { incident_id: incident, outcome }));
                    absorbed += 1;
                } else {
                    passed.insert(fingerprint);
                    self.picks.push(Pick { job, place });
                }
            }
        }
        meter.absorbed(absorbed);
    }

    /// Tells the storms what came of the alerts; gives what is to be counted now.
    pub(super) fn judge(
        &mut self,
        storms: &mut Storms,
        meter: &Meter,
        now: Timestamp,
    ) -> Vec<Repeats> {
        let mut counts: BTreeMap<Fingerprint, Repeats> = BTreeMap::new();
        let mut count = |fingerprint: &Fingerprint, count, last: Timestamp| {
            let none = Repeats { fingerprint: fingerprint.clone(), count: 0, last };
            let repeats = counts.entry(fingerprint.clone()).or_insert(none);
            repeats.count += count;
        };
        let mut absorbed = 0;
        for Pick { job, place } in &self.picks {
            let Some(open) = self.jobs.get_mut(*job) else { continue };
            let Some(alert) = open.alerts.get(*place) else { continue };
            let Some(Some(Ok(taken))) = open.answers.get(*place) else { continue };
            match (taken.outcome, &taken.incident_id) {
                (IntakeVerdict::Duplicate, Some(incident)) => {
                    if storms.repeated(alert, incident, now) {
                        absorbed += 1;
                    } else {
                        open.repeats = true;
                        count(&alert.fingerprint, 1, now);
                    }
                }
                _ => {
                    if let Some(handed) = storms.changed(&alert.fingerprint) {
                        count(&handed.fingerprint, handed.count, handed.last);
                    }
                }
            }
        }
        meter.absorbed(absorbed);
        counts.into_values().collect()
    }

    pub(super) fn answer(&mut self, pick: Pick, answer: Answer) {
        let answers = self.jobs.get_mut(pick.job).map(|open| &mut open.answers);
        if let Some(place) = answers.and_then(|answers| answers.get_mut(pick.place)) {
            *place = Some(answer);
        }
    }

    /// Answers those that are not answered yet.
    pub(super) fn reply(&mut self, which: impl Fn(&Open) -> bool) {
        for open in self.jobs.iter_mut().filter(|open| which(open)) {
            let Some((reply, room)) = open.reply.take() else { continue };
            let answers = std::mem::take(&mut open.answers).into_iter();
            let missing = || Err(StoreError::Unavailable("the alert was not decided".to_owned()));
            // Whoever asked may have gone.
            drop(reply.send(answers.map(|answer| answer.unwrap_or_else(missing)).collect()));
            drop(room);
        }
    }
}
