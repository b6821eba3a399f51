//! Remediation: asks the core what is next, and carries out what the record says was planned.

use std::convert::Infallible;

use firebreak_core::book::{Book, BookWrite, Books};
use firebreak_core::evidence::{Fact, Group, Observation};
use firebreak_core::guards::{self, Case, RowPermit};
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Event, Incident};
use firebreak_core::ledger::{Row, RowState};
use firebreak_core::muting::MuteFacts;
use firebreak_core::policy::Policy;
use firebreak_core::routing::Routes;
use firebreak_core::run::{self, Directive, Facts, Order, Phase, Run, Takeover, Work};
use firebreak_core::runbook::{Runbook, RunbookSet, Step};
use firebreak_core::switch::SwitchReading;
use firebreak_core::target::Targets;
use firebreak_core::trace::{GuardFinding, Trace};
use jiff::{SignedDuration, Timestamp};

use crate::breaker;
use crate::guard_meter::GuardMeter;
use crate::ingest::Ingest;
use crate::muting;
use crate::ports::{AppendError, ApplyError, Clock, Hands, HandsSet, ListQuery, Store, StoreError};
use crate::record::{RecordError, append_of, pause, record};
use crate::shared_cause::domains;

/// What remediation works with. A driver that only advances needs no hands.
#[derive(Clone, Copy)]
pub struct Remediation<'a> {
    pub store: &'a dyn Store,
    pub clock: &'a dyn Clock,
    pub runbooks: &'a RunbookSet,
    pub policy: &'a Policy,
    pub hands: &'a HandsSet,
    pub meter: &'a GuardMeter,
    pub reopen_within: SignedDuration,
}

#[derive(Debug, thiserror::Error)]
pub enum RemediateError {
    #[error("there is no incident {0}")]
    NotFound(IncidentId),
    #[error("incident {0} is being written to by too many at once")]
    Contended(IncidentId),
    /// The wiring is wrong: this process was asked for an action that it has no hands for.
    #[error("no hands for `{0}` here")]
    NoHands(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RecordError<Infallible>> for RemediateError {
    fn from(error: RecordError<Infallible>) -> Self {
        match error {
            RecordError::NotFound(id) => RemediateError::NotFound(id),
            RecordError::Contended(id) => RemediateError::Contended(id),
            RecordError::Store(error) => RemediateError::Store(error),
            RecordError::Refused(never) => match never {},
        }
    }
}

/// What came of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActReport {
    Done,
    /// The record no longer asks for it: done before, or overtaken. Nothing was touched.
    Stale(String),
}

const MOST_TRIES: u32 = 16;

/// Decides what is next and makes the decision durable. Asking twice is harmless.
pub async fn advance(
    with: Remediation<'_>,
    id: &IncidentId,
    driver: &str,
    takeover: Takeover,
) -> Result<Directive, RemediateError> {
    for attempt in 0..MOST_TRIES {
        let incident = load(with, id).await?;
        let books = books(with, &incident).await?;
        let switch = switch(with).await;
        let mutes = mutes(with, &incident).await;
        let siblings = siblings(with, &incident).await;
        let facts = Facts {
            driver,
            takeover,
            runbooks: with.runbooks,
            books: &books,
            switch: &switch,
            mutes: &mutes,
            siblings: &siblings,
            reopen_within: with.reopen_within,
        };
        let now = with.clock.now();
        let advanced = run::advance(&incident, &facts, now);
        with.meter.count(id, &advanced.asked);
        if advanced.events.is_empty() {
            return Ok(advanced.directive);
        }
        let append = append_of(&incident, advanced.events, now).with_books(advanced.books);
        match with.store.append(&append).await {
            Ok(()) => {
                if is_about_the_breaker(&append.books, &advanced.asked) {
                    tell_of_the_breaker(with).await;
                }
                return Ok(advanced.directive);
            }
            Err(AppendError::Conflict(_)) => pause(with.clock, attempt).await,
            Err(AppendError::Store(error)) => return Err(error.into()),
        }
    }
    Err(RemediateError::Contended(id.clone()))
}

fn is_about_the_breaker(books: &[BookWrite], asked: &[GuardFinding]) -> bool {
    let tripped = |write: &BookWrite| {
        write.book.breaker.as_ref().is_some_and(|breaker| breaker.tripped.is_some())
    };
    books.iter().any(tripped)
        || asked.iter().any(|finding| finding.guard == "breaker" && finding.holds())
}

/// At once, and again by whoever watches: that it cannot be told of now is no failure of the run.
async fn tell_of_the_breaker(with: Remediation<'_>) {
    let routes = Routes::of(with.policy);
    let ingest = Ingest {
        store: with.store,
        clock: with.clock,
        routes: &routes,
        policy: with.policy,
        reopen_within: with.reopen_within,
    };
    if let Err(error) = breaker::watch(ingest).await {
        tracing::error!(%error, "the breaker tripped, and nobody could be told yet");
    }
}

/// Carries out one order, if the record still asks for it.
pub async fn act(
    with: Remediation<'_>,
    id: &IncidentId,
    order: &Order,
) -> Result<ActReport, RemediateError> {
    let incident = load(with, id).await?;
    let Some(run) = incident.active_run().filter(|run| run.number == order.run) else {
        return Ok(stale("that run is not active"));
    };
    match order.work {
        Work::Observe => observe(with, &incident, run).await,
        Work::Apply { row, fence } => apply(with, id, order.run, row, fence).await,
        Work::Check { step } => check(with, &incident, run, step).await,
        Work::Undo { row } => undo(with, &incident, run, row).await,
    }
}

fn stale(why: &str) -> ActReport {
    ActReport::Stale(why.to_owned())
}

async fn load(with: Remediation<'_>, id: &IncidentId) -> Result<Incident, RemediateError> {
    with.store.load(id).await?.ok_or_else(|| RemediateError::NotFound(id.clone()))
}

/// A book that is there and cannot be read is a fact for the guards, and a person is told; a store that does not
/// answer is asked again.
async fn books(with: Remediation<'_>, incident: &Incident) -> Result<Books, StoreError> {
    let keys = run::books_needed(incident, with.runbooks);
    match with.store.books(&keys).await {
        Err(StoreError::Corrupt(_)) => {}
        read => return read,
    }
    let mut books = Books::new();
    for key in keys {
        match with.store.books(std::slice::from_ref(&key)).await {
            Ok(read) => books.extend(read),
            Err(StoreError::Corrupt(why)) => drop(books.insert(key, Book::unreadable(why))),
            Err(error) => return Err(error),
        }
    }
    Ok(books)
}

/// A switch that cannot be read is a fact for the guards, not a failure of the question.
async fn switch(with: Remediation<'_>) -> SwitchReading {
    match with.store.kill_switch().await {
        Ok(switch) => SwitchReading::Known(switch),
        Err(error) => SwitchReading::Unreadable(error.to_string()),
    }
}

async fn mutes_now<'a>(with: Remediation<'a>, incident: &Incident) -> MuteFacts<'a> {
    let of = domains(with.policy, incident.firing());
    muting::read(with.store, with.policy, incident.firing(), &of, with.clock.now()).await
}

async fn mutes<'a>(with: Remediation<'a>, incident: &Incident) -> MuteFacts<'a> {
    if !run::mutes_needed(incident) {
        return MuteFacts::unread(with.policy);
    }
    mutes_now(with, incident).await
}

/// More than these say no more.
const MOST_SIBLINGS: usize = 50;

/// The latest incidents of the same service. They tell what a verdict is worth and decide nothing, so it is
/// given without them where they cannot be read.
async fn siblings(with: Remediation<'_>, incident: &Incident) -> Vec<Incident> {
    if !run::siblings_needed(incident) {
        return Vec::new();
    }
    let service = Some(incident.service.clone());
    let query = ListQuery { service, limit: MOST_SIBLINGS, ..ListQuery::default() };
    match with.store.list(&query).await {
        Ok(page) => page.incidents,
        Err(error) => {
            tracing::warn!(%error, incident = %incident.id, "its siblings cannot be read");
            Vec::new()
        }
    }
}

fn hands<'a>(with: Remediation<'a>, step: &Step) -> Result<&'a dyn Hands, RemediateError> {
    let action = step.action.as_str();
    with.hands.of(action).ok_or_else(|| RemediateError::NoHands(action.to_owned()))
}

/// Appends events for a run as long as `fits` says that the record still asks for them.
async fn record_for(
    with: Remediation<'_>,
    id: &IncidentId,
    run: u32,
    fits: impl Fn(&Run) -> bool,
    events: impl Fn(&Incident, &Run) -> Vec<Event>,
) -> Result<ActReport, RemediateError> {
    let mut fitted = false;
    record(with.store, with.clock, id, |incident| -> Result<_, Infallible> {
        let active = incident.active_run().filter(|active| active.number == run && fits(active));
        fitted = active.is_some();
        Ok(active.map(|active| events(incident, active)).unwrap_or_default())
    })
    .await?;
    Ok(if fitted { ActReport::Done } else { stale("the record moved on meanwhile") })
}

async fn observe(
    with: Remediation<'_>,
    incident: &Incident,
    run: &Run,
) -> Result<ActReport, RemediateError> {
    let preparing = |run: &Run| matches!(run.phase, Phase::Preparing | Phase::Approved { .. });
    let Some(step) = run.runbook.steps.first().filter(|_| preparing(run)) else {
        return Ok(stale("the targets were read before"));
    };
    let hands = hands(with, step)?;
    let seen = match run::targets_of(incident, &run.runbook) {
        Ok(targets) => read_targets(hands, &targets, &run.runbook).await,
        Err(problem) => Err(problem),
    };
    record_for(with, &incident.id, run.number, preparing, |_, run| {
        vec![match &seen {
            Ok(observations) => {
                Event::Observed { run: run.number, observations: observations.clone() }
            }
            Err(problem) => {
                let trace = Trace::of(problem.clone());
                Event::Held { run: run.number, trace }
            }
        }]
    })
    .await
}

async fn read_targets(
    hands: &dyn Hands,
    targets: &Targets,
    runbook: &Runbook,
) -> Result<Vec<Observation>, String> {
    let asked = runbook.questions();
    let mut observations = Vec::new();
    for target in targets {
        let mut seen = hands
            .observe(target, asked)
            .await
            .map_err(|error| format!("{target} cannot be read: {error}"))?;
        if asked.group.is_none() {
            let members = u32::try_from(targets.count()).unwrap_or(u32::MAX);
            let key = format!("kind:{}", target.kind);
            seen.group = Some(Group { key, members, healthy: Fact::default() });
        }
        observations.push(seen);
    }
    Ok(observations)
}

/// The write-ahead order of things: judge, write `step.sent` on the very version that was judged, call, write
/// what came of it. A crash anywhere leaves a row that is never called for again.
async fn apply(
    with: Remediation<'_>,
    id: &IncidentId,
    number: u32,
    row: usize,
    fence: u64,
) -> Result<ActReport, RemediateError> {
    for attempt in 0..MOST_TRIES {
        let incident = load(with, id).await?;
        let Some((run, claimed)) = claimed_row(&incident, number, row, fence) else {
            return Ok(stale("the row is not claimed under this fence"));
        };
        let Some(step) = run.step(claimed.planned.step) else { return Ok(stale("no such step")) };
        let hands = hands(with, step)?;
        let look = at_hand(with, &incident, run, (row, claimed), hands).await?;
        let append = append_of(&incident, vec![look.event], look.at).with_books(look.books);
        match with.store.append(&append).await {
            Ok(()) => {}
            Err(AppendError::Conflict(_)) => {
                pause(with.clock, attempt).await;
                continue;
            }
            Err(AppendError::Store(error)) => return Err(error.into()),
        }
        let Some(permit) = look.permit else { return Ok(ActReport::Done) };
        let called = hands.apply(&permit).await;
        return settle(with, id, number, row, called).await;
    }
    Err(RemediateError::Contended(id.clone()))
}

fn claimed_row(incident: &Incident, number: u32, row: usize, fence: u64) -> Option<(&Run, &Row)> {
    let run = incident.active_run().filter(|run| run.number == number)?;
    let claimed =
        run.rows.get(row).filter(|row| row.state == RowState::Claimed && row.fence == fence)?;
    Some((run, claimed))
}

/// What the last look before a call came to.
struct LastLook {
    /// `step.sent` with a permit, `step.refused` without one.
    event: Event,
    permit: Option<RowPermit>,
    /// On condition of these the guards said yes.
    books: Vec<BookWrite>,
    at: Timestamp,
}

/// Reads the target once more and asks every guard.
async fn at_hand(
    with: Remediation<'_>,
    incident: &Incident,
    run: &Run,
    (index, row): (usize, &Row),
    hands: &dyn Hands,
) -> Result<LastLook, RemediateError> {
    let refused = |reason: String, trace| LastLook {
        event: Event::StepRefused { run: run.number, row: index, reason, trace },
        permit: None,
        books: Vec::new(),
        at: with.clock.now(),
    };
    let target = &row.planned.target;
    let asked = run.runbook.questions();
    let mut seen = match hands.observe(target, asked).await {
        Ok(seen) => seen,
        Err(error) => {
            return Ok(refused(format!("{target} cannot be read: {error}"), None));
        }
    };
    if asked.group.is_none() {
        let planned_for = run.observations.iter().find(|earlier| earlier.target == *target);
        seen.group = planned_for.and_then(|earlier| earlier.group.clone());
    }
    let books = books(with, incident).await?;
    let switch = switch(with).await;
    let mutes = mutes_now(with, incident).await;
    let observations = [seen];
    let now = with.clock.now();
    let judgement = guards::judge(&Case {
        incident,
        runbook: &run.runbook,
        run: &run.reference(&incident.id),
        observations: &observations,
        plan: run.plan.as_ref(),
        books: &books,
        switch: &switch,
        mutes: &mutes,
        now,
    });
    with.meter.count(&incident.id, &judgement.findings);
    let permit =
        judgement.permit.as_ref().and_then(|permit| RowPermit::for_row(permit, row, &run.runbook));
    if permit.is_none() {
        return Ok(refused(judgement.reason(), Some(judgement.trace())));
    }
    let event = Event::StepSent { run: run.number, row: index };
    let books = run::sent(incident, run, target, &books, now);
    Ok(LastLook { event, permit, books, at: now })
}

/// Writes down what came of the call. If this write is lost the row stays `sent`, and the next `advance`
/// makes it `unknown`: the provider is then read, never called again.
async fn settle(
    with: Remediation<'_>,
    id: &IncidentId,
    number: u32,
    row: usize,
    called: Result<String, ApplyError>,
) -> Result<ActReport, RemediateError> {
    let (next, event) = match called {
        Ok(receipt) => (RowState::Confirmed, Event::StepConfirmed { run: number, row, receipt }),
        Err(ApplyError::Refused(reason)) => {
            (RowState::Refused, Event::StepRefused { run: number, row, reason, trace: None })
        }
        Err(ApplyError::Unknown(reason)) => {
            (RowState::Unknown, Event::StepUnknown { run: number, row, reason })
        }
    };
    let fits = |run: &Run| run.rows.get(row).is_some_and(|row| row.state.may_become(next));
    record_for(with, id, number, fits, |_, _| vec![event.clone()]).await
}

async fn check(
    with: Remediation<'_>,
    incident: &Incident,
    run: &Run,
    step: usize,
) -> Result<ActReport, RemediateError> {
    let verifying =
        |run: &Run| matches!(run.phase, Phase::Verifying { step: current, .. } if current == step);
    let Some(spec) = run.step(step).filter(|_| verifying(run)) else {
        return Ok(stale("that step is not being verified"));
    };
    let hands = hands(with, spec)?;
    let mut evidence = Vec::new();
    for (_, row) in run.rows_of(step).filter(|(_, row)| row.state.may_have_acted()) {
        evidence.extend(hands.check(row, spec).await);
    }
    record_for(with, &incident.id, run.number, verifying, |incident, run| {
        vec![run::checked(incident, run, step, evidence.clone(), with.clock.now())]
    })
    .await
}

/// How often an undo is tried before a person must look.
const UNDO_TRIES: u32 = 3;

async fn undo(
    with: Remediation<'_>,
    incident: &Incident,
    run: &Run,
    index: usize,
) -> Result<ActReport, RemediateError> {
    let now = with.clock.now();
    let due = match run.phase {
        Phase::Undoing { .. } => true,
        Phase::Kept { undo_at, .. } => undo_at.is_some_and(|at| at <= now),
        _ => false,
    };
    let undoable = |run: &Run| run.rows.get(index).is_some_and(|row| row.state.may_have_acted());
    let row = run.rows.get(index).filter(|_| due && undoable(run));
    let Some((row, step)) = row.and_then(|row| Some((row, run.step(row.planned.step)?))) else {
        return Ok(stale("nothing is to be undone there"));
    };
    let hands = hands(with, step)?;
    let mut tried = hands.undo(row, step).await;
    for attempt in 1..UNDO_TRIES {
        if tried.is_ok() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_secs(u64::from(attempt))).await;
        tried = hands.undo(row, step).await;
    }
    record_for(with, &incident.id, run.number, undoable, |_, run| {
        vec![match &tried {
            Ok(receipt) => {
                Event::StepUndone { run: run.number, row: index, receipt: receipt.clone() }
            }
            Err(error) => {
                Event::StepStuck { run: run.number, row: index, reason: error.to_string() }
            }
        }]
    })
    .await
}
