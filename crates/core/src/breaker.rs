//! The breaker: too many bad outcomes over all runbooks stop every new action until a person looks and resets it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alert::{Alert, AlertStatus, Draft, Severity};
use crate::book::RunRef;
use crate::ids::RunbookName;
use crate::incident::Outcome;
use crate::policy;
use crate::run::Run;

/// The stored state. What puts things back still runs while it is tripped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Breaker {
    /// The latest bad outcomes, oldest first.
    pub failures: Vec<Failure>,
    pub tripped: Option<Tripped>,
    /// The latest reset: what was planned before it is dropped.
    pub reset: Option<Reset>,
}

/// A run that did no good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub by: RunRef,
    pub runbook: RunbookName,
    pub outcome: Outcome,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tripped {
    pub at: Timestamp,
    pub because: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reset {
    pub by: String,
    pub reason: String,
    pub at: Timestamp,
}

/// Why a breaker is not reset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReset {
    #[error("the breaker is not tripped: there is nothing to reset")]
    NotTripped,
    #[error("{0} is empty; say who resets the breaker, and what was found")]
    Empty(&'static str),
}

/// Whether a run that ended so counts. Every outcome is in this one match.
pub fn is_bad(run: &Run, outcome: Outcome) -> bool {
    match outcome {
        Outcome::Useless | Outcome::Harmful => true,
        // Nobody knows what came of it.
        Outcome::Abandoned => run.may_have_acted(),
        Outcome::Helped | Outcome::Held | Outcome::Moot => false,
    }
}

impl Breaker {
    /// With one more bad outcome; a run counts once.
    #[must_use]
    pub fn counted(&self, failure: Failure, limits: &policy::Breaker) -> Self {
        let mut next = self.clone();
        let now = failure.at;
        next.failures.retain(|old| now.duration_since(old.at) < limits.within);
        if !next.failures.iter().any(|old| old.by == failure.by) {
            next.failures.push(failure);
        }
        if next.tripped.is_none() && next.failures.len() >= limits.failures {
            let last: Vec<String> = next.failures.iter().rev().take(3).map(said).collect();
            let because = format!(
                "{} runs within {:#} did no good, the latest: {}",
                next.failures.len(),
                limits.within,
                last.join(", ")
            );
            next.tripped = Some(Tripped { at: now, because });
        }
        next
    }

    /// Closed again by a person; the count begins anew.
    pub fn reset(&self, by: String, reason: String, now: Timestamp) -> Result<Self, NotReset> {
        if by.trim().is_empty() {
            return Err(NotReset::Empty("the name"));
        }
        if reason.trim().is_empty() {
            return Err(NotReset::Empty("the reason"));
        }
        if self.tripped.is_none() {
            return Err(NotReset::NotTripped);
        }
        Ok(Self { failures: Vec::new(), tripped: None, reset: Some(Reset { by, reason, at: now }) })
    }

    /// What people are told of it: the alert that fires while it is tripped, or its end.
    pub fn alert(&self, now: Timestamp) -> Alert {
        let reset = self.reset.as_ref().map_or(now, |reset| reset.at);
        let (status, starts_at, ends_at) = match &self.tripped {
            Some(tripped) => (AlertStatus::Firing, tripped.at, None),
            None => (AlertStatus::Resolved, reset, Some(reset)),
        };
        let because = self.tripped.as_ref().map(|tripped| tripped.because.clone());
        let next = "look at these runs, then `firebreak breaker reset --reason ...`".to_owned();
        Draft {
            source: OURSELVES,
            identity: [("breaker".to_owned(), "global".into())].into(),
            status,
            severity: Severity::Critical,
            service: Some(OURSELVES.to_owned()),
            name: "breaker-tripped".to_owned(),
            title: "the breaker tripped: nothing is acted on until it is reset".to_owned(),
            labels: [("alertname".to_owned(), "breaker-tripped".to_owned())].into(),
            annotations: because
                .map(|because| ("description".to_owned(), because))
                .into_iter()
                .chain([("next_step".to_owned(), next)])
                .collect(),
            episode: None,
            starts_at,
            ends_at,
            links: Vec::new(),
        }
        .seal()
    }
}

/// The source of alerts about Firebreak itself.
const OURSELVES: &str = "firebreak";

fn said(failure: &Failure) -> String {
    let outcome = match failure.outcome {
        Outcome::Useless => "useless",
        Outcome::Harmful => "harmful",
        Outcome::Abandoned => "of unknown effect",
        Outcome::Helped | Outcome::Held | Outcome::Moot => "no failure",
    };
    format!("`{}` in {} was {outcome}", failure.runbook, failure.by.incident)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::examples::at;

    fn failure(incident: &str, seconds: i64) -> Failure {
        let incident = incident.to_owned().try_into().unwrap();
        Failure {
            by: RunRef { incident, run: 1 },
            runbook: "restart".to_owned().try_into().unwrap(),
            outcome: Outcome::Useless,
            at: at(seconds),
        }
    }

    fn limits() -> policy::Breaker {
        policy::Breaker { failures: 3, within: SignedDuration::from_mins(10) }
    }

    fn after(failures: &[(&str, i64)]) -> Breaker {
        failures.iter().fold(Breaker::default(), |breaker, (incident, seconds)| {
            breaker.counted(failure(incident, *seconds), &limits())
        })
    }

    #[test]
    fn it_trips_at_the_limit_and_not_before() {
        assert_eq!(after(&[("inc_1", 0), ("inc_2", 1)]).tripped, None);
        let tripped = after(&[("inc_1", 0), ("inc_2", 1), ("inc_3", 2)]).tripped.unwrap();
        assert_eq!(tripped.at, at(2));
        assert!(tripped.because.starts_with("3 runs within 10m did no good"), "{tripped:?}");
    }

    #[test]
    fn a_run_counts_once_and_what_is_older_than_the_window_not_at_all() {
        assert_eq!(after(&[("inc_1", 0), ("inc_1", 1), ("inc_2", 2)]).tripped, None);
        assert_eq!(after(&[("inc_1", 0), ("inc_2", 1), ("inc_3", 600)]).tripped, None);
        assert!(after(&[("inc_1", 1), ("inc_2", 2), ("inc_3", 600)]).tripped.is_some());
    }

    #[test]
    fn it_never_closes_by_itself_and_a_reset_names_who_and_why() {
        let tripped = after(&[("inc_1", 0), ("inc_2", 1), ("inc_3", 2)]);
        let later = tripped.counted(failure("inc_4", 100_000), &limits());
        assert_eq!(later.tripped, tripped.tripped);
        let reset = |by: &str, reason: &str| later.reset(by.to_owned(), reason.to_owned(), at(9));
        assert_eq!(reset(" ", "found it"), Err(NotReset::Empty("the name")));
        assert_eq!(reset("ana", ""), Err(NotReset::Empty("the reason")));
        let closed = reset("ana", "found it").unwrap();
        assert_eq!((closed.tripped.clone(), closed.failures.len()), (None, 0));
        let again = closed.reset("ana".to_owned(), "again".to_owned(), at(10));
        assert_eq!(again, Err(NotReset::NotTripped));
    }

    #[test]
    fn the_alert_that_fires_and_its_end_are_one() {
        let tripped = after(&[("inc_1", 0), ("inc_2", 1), ("inc_3", 2)]);
        let closed = tripped.reset("ana".to_owned(), "found it".to_owned(), at(9)).unwrap();
        let (fires, over) = (tripped.alert(at(3)), closed.alert(at(10)));
        assert!(fires.is_firing() && !over.is_firing());
        assert_eq!(fires.fingerprint, over.fingerprint);
    }
}
