//! What people ask of the ladder of trust: where everything stands, and to move an action.

use firebreak_core::book::{Book, BookKey, BookWrite};
use firebreak_core::ids::{ActionName, RunbookName};
use firebreak_core::policy::Trust;
use firebreak_core::runbook::{Mode, Runbook, RunbookSet};
use firebreak_core::trust::{
    Change, DEFAULT, Misplaced, Outlook, Place, Standing, TrustRecord, Wish, outlook, set,
};
use serde::Serialize;

use crate::ports::{AppendError, Clock, IncidentStore, StoreError};

/// One rung: an action of a runbook in an environment, with all that speaks for and against it.
#[derive(Debug, Clone, Serialize)]
pub struct Rung {
    pub runbook: RunbookName,
    /// What its file allows.
    pub ceiling: Mode,
    /// How far it goes: the lower of ceiling and what it has earned.
    pub rung: Mode,
    /// What a person may promote it to now.
    pub proposed: Option<Mode>,
    /// What it still has to show for the next rung.
    pub missing: Vec<String>,
    #[serde(flatten)]
    pub standing: Standing,
}

/// Why an action was not moved.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    #[error("there is no runbook `{0}`")]
    NoRunbook(String),
    #[error("`{runbook}` has no action `{action}`; it has {}", .known.join(", "))]
    NoAction { runbook: RunbookName, action: String, known: Vec<String> },
    #[error(transparent)]
    Refused(#[from] Misplaced),
    #[error("the record of `{0}` is being changed by too many at once; try again")]
    Contended(RunbookName),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A person's wish to move an action of a runbook, or all of them.
#[derive(Debug, Clone)]
pub struct Move {
    pub runbook: String,
    /// Left out: every action of the runbook.
    pub action: Option<String>,
    pub environment: Option<String>,
    pub wish: Wish,
}

/// Where every action of every runbook stands, in their order; where nothing is known, in the environment
/// that alerts without one belong to.
pub async fn standings(
    store: &dyn IncidentStore,
    runbooks: &RunbookSet,
    rules: &Trust,
) -> Result<Vec<Rung>, StoreError> {
    let keys: Vec<BookKey> =
        runbooks.iter().map(|runbook| BookKey::trust(&runbook.runbook)).collect();
    let books = store.books(&keys).await?;
    let mut rungs = Vec::new();
    for runbook in runbooks.iter() {
        let record = books
            .get(&BookKey::trust(&runbook.runbook))
            .and_then(|book| book.trust.clone())
            .unwrap_or_default();
        for action in actions(runbook) {
            rungs.extend(of_action(runbook, &record, &action, rules));
        }
    }
    Ok(rungs)
}

fn of_action(
    runbook: &Runbook,
    record: &TrustRecord,
    action: &ActionName,
    rules: &Trust,
) -> Vec<Rung> {
    let mut known: Vec<Standing> =
        record.standings().iter().filter(|known| known.action == *action).cloned().collect();
    if known.is_empty() {
        known.push(Standing::new(action.clone(), DEFAULT));
    }
    known.sort_by(|one, other| one.environment.cmp(&other.environment));
    let rung = |standing: Standing| {
        let Outlook { rung, next, missing } = outlook(Some(&standing), runbook.mode, rules);
        Rung {
            runbook: runbook.runbook.clone(),
            ceiling: runbook.mode,
            rung,
            proposed: next.filter(|_| missing.is_empty()),
            missing,
            standing,
        }
    };
    known.into_iter().map(rung).collect()
}

/// The actions of its steps, each once.
fn actions(runbook: &Runbook) -> Vec<ActionName> {
    let mut actions: Vec<ActionName> = Vec::new();
    for step in &runbook.steps {
        if !actions.contains(&step.action) {
            actions.push(step.action.clone());
        }
    }
    actions
}

const MOST_TRIES: u32 = 16;

/// Moves actions as a person wishes, all of those that are meant or none; answers with what was moved.
pub async fn move_to(
    store: &dyn IncidentStore,
    clock: &dyn Clock,
    (runbooks, rules): (&RunbookSet, &Trust),
    wanted: &Move,
) -> Result<Vec<(Place, Change)>, TrustError> {
    let runbook = runbooks
        .named(&wanted.runbook)
        .ok_or_else(|| TrustError::NoRunbook(wanted.runbook.clone()))?;
    let key = BookKey::trust(&runbook.runbook);
    for _ in 0..MOST_TRIES {
        let mut books = store.books(std::slice::from_ref(&key)).await?;
        let book = books.remove(&key).unwrap_or_default();
        let mut record = book.trust.clone().unwrap_or_default();
        let places = places(runbook, &record, wanted)?;
        let mut moved = Vec::new();
        let mut still = None;
        for place in &places {
            match set(&record, place, &wanted.wish, runbook.mode, rules, clock.now()) {
                Ok((next, change)) => {
                    record = next;
                    moved.push((place.clone(), change));
                }
                // Of several some may stand there already.
                Err(Misplaced::Already(rung)) => still = Some(rung),
                Err(refused) => return Err(refused.into()),
            }
        }
        if let (true, Some(rung)) = (moved.is_empty(), still) {
            return Err(Misplaced::Already(rung).into());
        }
        let book = Book { version: book.version + 1, trust: Some(record), ..book };
        match store.write_books(&[BookWrite { key: key.clone(), book }]).await {
            Ok(()) => return Ok(moved),
            Err(AppendError::Conflict(_)) => {}
            Err(AppendError::Store(error)) => return Err(error.into()),
        }
    }
    Err(TrustError::Contended(runbook.runbook.clone()))
}

/// What the wish means: the action or all, in the environment or wherever something is known of it.
fn places(
    runbook: &Runbook,
    record: &TrustRecord,
    wanted: &Move,
) -> Result<Vec<Place>, TrustError> {
    let known = actions(runbook);
    let named = |action: &&ActionName| {
        wanted.action.as_ref().is_none_or(|wanted| action.as_str() == wanted.as_str())
    };
    let environments = |action: &ActionName| -> Vec<String> {
        let of = record.standings().iter().filter(|standing| standing.action == *action);
        let known: Vec<String> = of.map(|standing| standing.environment.clone()).collect();
        match &wanted.environment {
            Some(one) => vec![one.clone()],
            None if known.is_empty() => vec![DEFAULT.to_owned()],
            None => known,
        }
    };
    let place = |action: &ActionName, environment| Place { action: action.clone(), environment };
    let places: Vec<Place> = known
        .iter()
        .filter(named)
        .flat_map(|action| environments(action).into_iter().map(|at| place(action, at)))
        .collect();
    if places.is_empty() {
        return Err(TrustError::NoAction {
            runbook: runbook.runbook.clone(),
            action: wanted.action.clone().unwrap_or_default(),
            known: known.iter().map(ToString::to_string).collect(),
        });
    }
    Ok(places)
}
