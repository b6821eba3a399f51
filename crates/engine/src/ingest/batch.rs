//! Many alerts at once: read together, decided one after the other, written as few appends as there are incidents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use firebreak_core::alert::Alert;
use firebreak_core::fingerprint::Fingerprint;
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::IntakeVerdict;
use firebreak_core::storm::Repeats;
use jiff::Timestamp;

use super::Ingest;
use super::working::{Keyed, Placed, Work, Working};
use crate::ports::{AppendError, Conflict, StoreError};
use crate::record::pause;
use crate::shared_cause;

/// What became of one alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// `None` for a resolve of something that was never open here.
    pub incident_id: Option<IncidentId>,
    pub outcome: IntakeVerdict,
}

/// How often alerts are decided anew because others wrote in between.
const MOST_TRIES: u32 = 64;

/// Takes alerts in, in their order, whatever others do at the same time; one answer for each. All that was
/// answered with [`Taken`] is durable, and one alert that cannot be stored does not keep the others from it.
pub async fn take_all(ingest: Ingest<'_>, alerts: &[Arc<Alert>]) -> Vec<Result<Taken, StoreError>> {
    let Written { answers, .. } = write_all(ingest, &alerts.iter().collect::<Vec<_>>()).await;
    let repeats = repeats(alerts, &answers, ingest.clock.now());
    // A count that is lost is no reason to have the sender send again what is stored.
    if !repeats.is_empty()
        && let Err(error) = ingest.store.count_repeats(&repeats).await
    {
        tracing::warn!(%error, "repeats could not be counted");
    }
    answers
}

/// What was answered, and how many appends it took.
pub(crate) struct Written {
    pub(crate) answers: Vec<Result<Taken, StoreError>>,
    pub(crate) appends: u64,
}

/// As [`take_all`], but repeats are not counted.
pub(crate) async fn write_all(ingest: Ingest<'_>, alerts: &[&Arc<Alert>]) -> Written {
    let keyed = alerts.iter().map(|&alert| Keyed::new(alert, ingest.routes)).collect();
    let mut batch = Batch { alerts: keyed, answers: vec![None; alerts.len()], appends: 0 };
    let mut waiting: Vec<usize> = (0..alerts.len()).collect();
    let mut tries = 0;
    while !waiting.is_empty() && tries < MOST_TRIES {
        match batch.round(ingest, &waiting, tries).await {
            Ok(again) => {
                tries = if again.len() < waiting.len() { 0 } else { tries + 1 };
                waiting = again;
            }
            Err(error) => {
                batch.fail(&std::mem::take(&mut waiting), &error);
            }
        }
    }
    let tired = StoreError::Unavailable("too many deliveries of one alert at once".to_owned());
    batch.fail(&waiting, &tired);
    let Batch { answers, appends, .. } = batch;
    let answered = answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(tired.clone())));
    Written { answers: answered.collect(), appends }
}

/// The exact repeats among alerts that were answered.
fn repeats(
    alerts: &[Arc<Alert>],
    answers: &[Result<Taken, StoreError>],
    last: Timestamp,
) -> Vec<Repeats> {
    let mut counts: BTreeMap<&Fingerprint, u64> = BTreeMap::new();
    for (alert, answer) in alerts.iter().zip(answers) {
        if matches!(answer, Ok(taken) if taken.outcome == IntakeVerdict::Duplicate) {
            *counts.entry(&alert.fingerprint).or_default() += 1;
        }
    }
    let of = |(fingerprint, count): (&Fingerprint, u64)| Repeats {
        fingerprint: fingerprint.clone(),
        count,
        last,
    };
    counts.into_iter().map(of).collect()
}

struct Batch<'a> {
    alerts: Vec<Keyed<'a>>,
    answers: Vec<Option<Result<Taken, StoreError>>>,
    appends: u64,
}

impl Batch<'_> {
    /// Decides and writes; gives those that must be decided again, in their order.
    async fn round(
        &mut self,
        ingest: Ingest<'_>,
        waiting: &[usize],
        attempt: u32,
    ) -> Result<Vec<usize>, StoreError> {
        let waiting =
            || waiting.iter().filter_map(|index| Some((*index, self.alerts.get(*index)?)));
        let mut working = Working::read(ingest, waiting().map(|(_, keyed)| keyed)).await?;
        let mut again = Vec::new();
        let mut settled = Vec::new();
        // What is said later of the same alert must not overtake what has to wait.
        let mut held: BTreeSet<&Fingerprint> = BTreeSet::new();
        for (index, keyed) in waiting() {
            let fingerprint = &keyed.alert.fingerprint;
            if held.contains(fingerprint) {
                again.push(index);
                continue;
            }
            match working.place(index, keyed).await {
                Ok(Placed::Settled(taken)) => settled.push((index, Ok(taken))),
                Ok(Placed::Hanging) => {}
                Ok(Placed::Later) => {
                    held.insert(fingerprint);
                    again.push(index);
                }
                Err(error) => settled.push((index, Err(error))),
            }
        }
        let works = working.into_works();
        let events = works.iter().flat_map(|work| &work.append.events);
        let suspected = shared_cause::count(ingest, events).await?;
        for (index, answer) in settled {
            self.answer(index, answer);
        }
        again.extend(self.write(ingest, works, attempt).await);
        // The parent is an alert as well, which comes this way once more.
        if let Err(error) = Box::pin(shared_cause::open(ingest, suspected)).await {
            tracing::warn!(%error, "a shared cause is suspected, and its parent is opened later");
        }
        again.sort_unstable();
        Ok(again)
    }

    /// Writes the appends; gives the alerts of those that somebody else came before.
    async fn write(&mut self, ingest: Ingest<'_>, works: Vec<Work>, attempt: u32) -> Vec<usize> {
        let (appends, hanging): (Vec<_>, Vec<_>) =
            works.into_iter().map(|work| (work.append, work.hanging)).unzip();
        if appends.is_empty() {
            return Vec::new();
        }
        let mut again = Vec::new();
        let mut rest = false;
        for (written, alerts) in ingest.store.append_all(&appends).await.into_iter().zip(hanging) {
            match written {
                Ok(()) => {
                    self.appends += 1;
                    for (index, taken) in alerts {
                        self.answer(index, Ok(taken));
                    }
                }
                Err(AppendError::Conflict(conflict)) => {
                    // The winner of a slot is found at the next look: no need to rest.
                    rest |= !matches!(conflict, Conflict::Slot { held_by: Some(_), .. });
                    again.extend(alerts.into_iter().map(|(index, _)| index));
                }
                Err(AppendError::Store(error)) => {
                    for (index, _) in alerts {
                        self.answer(index, Err(error.clone()));
                    }
                }
            }
        }
        if rest {
            pause(ingest.clock, attempt).await;
        }
        again
    }

    fn answer(&mut self, index: usize, answer: Result<Taken, StoreError>) {
        if let Some(place) = self.answers.get_mut(index) {
            *place = Some(answer);
        }
    }

    fn fail(&mut self, indexes: &[usize], error: &StoreError) {
        for index in indexes {
            self.answer(*index, Err(error.clone()));
        }
    }
}
