//! What is next for an incident: the whole of remediation as one pure function.

use jiff::{SignedDuration, Timestamp};

use super::approving::{approved, awaiting, rechecking};
use super::begin::{Begun, begin, choose, targets_of};
use super::booking::{claims, counted, groups_of};
use super::verify::{self, Finding, VerifyingPhase};
use super::{Directive, Order, Phase, Run, Work, end, learning};
use crate::alert::Alert;
use crate::book::{Book, BookKey, BookWrite, Books};
use crate::counterfactual;
use crate::evidence::{Effect, Observation, Verdict};
use crate::guards::{self, Case};
use crate::incident::{Event, Incident, Outcome, Recorded, Status};
use crate::ledger::RowState;
use crate::muting::MuteFacts;
use crate::plan::{Basis, Plan};
use crate::runbook::{Mode, RunbookSet};
use crate::switch::SwitchReading;
use crate::trace::{GuardFinding, Trace};

/// What the decision is made from, besides the incident itself.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Who asks.
    pub driver: &'a str,
    pub takeover: Takeover,
    pub runbooks: &'a RunbookSet,
    /// At least those of [`books_needed`].
    pub books: &'a Books,
    pub switch: &'a SwitchReading,
    /// What may mute the incident's alerts.
    pub mutes: &'a MuteFacts<'a>,
    /// The latest incidents of its service where [`siblings_needed`] says so, as far as they could be read.
    pub siblings: &'a [Incident],
    /// For how long after its resolve an incident can be reopened.
    pub reopen_within: SignedDuration,
}

/// What to do with a run that another driver began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takeover {
    /// Leave it alone until its deadline.
    Respect,
    /// Its driver is known to be dead: end it.
    End,
}

/// The decision: events and book writes to append in one transaction, then what to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Advanced {
    pub events: Vec<Event>,
    pub books: Vec<BookWrite>,
    /// What the guards said on the way, for those who count.
    pub asked: Vec<GuardFinding>,
    pub directive: Directive,
}

/// The books that [`advance`], or the last look before a call, may ask or write for this incident.
pub fn books_needed(incident: &Incident, runbooks: &RunbookSet) -> Vec<BookKey> {
    let mut keys = learning::books_needed(incident);
    if incident.is_firing() && mutes_needed(incident) {
        let (chosen, _, _) = choose(incident, runbooks);
        keys.extend(chosen.map(|runbook| BookKey::trust(&runbook.runbook)));
    }
    keys.extend(incident.active_run().into_iter().flat_map(|run| acted_on(run, runbooks)));
    keys.sort();
    keys.dedup();
    keys
}

/// The books of the run's targets and of all their groups, and those that bound all runs together.
fn acted_on(run: &Run, runbooks: &RunbookSet) -> Vec<BookKey> {
    let targets = run.observations.iter().map(|seen| BookKey::target(&seen.target));
    let groups = run.observations.iter().flat_map(|seen| groups_of(seen, runbooks));
    let booked = run.rows.iter().flat_map(|row| row.groups.iter().cloned());
    let groups = groups.chain(booked).map(|group| BookKey::group(&group));
    targets.chain(groups).chain([BookKey::breaker(), BookKey::effects()]).collect()
}

/// Whether [`advance`] may have to say whether the problem would have gone away by itself: then it wants the
/// latest incidents of the same service.
pub fn siblings_needed(incident: &Incident) -> bool {
    let phase = incident.active_run().map(|run| &run.phase);
    matches!(phase, Some(Phase::Verifying { good_since: Some(_), .. }))
}

/// Whether [`advance`] may ask what mutes the incident: not while it only waits.
pub fn mutes_needed(incident: &Incident) -> bool {
    match incident.active_run().map(|run| &run.phase) {
        None => incident.status.is_live(),
        Some(Phase::Preparing | Phase::AwaitingApproval { .. } | Phase::Approved { .. }) => false,
        // Each of these may lead to the next step, or to the next run, within one decision.
        Some(
            Phase::Deciding
            | Phase::Rechecking { .. }
            | Phase::Acting { .. }
            | Phase::Verifying { .. }
            | Phase::Kept { .. }
            | Phase::Undoing { .. }
            | Phase::Ending { .. }
            | Phase::Ended { .. },
        ) => true,
    }
}

/// What the next move of a run is: record something and go on, or stop at a directive.
pub(super) enum Move {
    Record(Vec<Event>),
    /// Record, write books, and go on.
    Claim(Vec<Event>, Vec<BookWrite>),
    Stop(Directive),
}

/// Decides until there is something to do in the world.
pub fn advance(incident: &Incident, facts: &Facts<'_>, now: Timestamp) -> Advanced {
    let mut state = incident.clone();
    let mut books = facts.books.clone();
    let mut events = Vec::new();
    let mut written: Vec<BookWrite> = Vec::new();
    let mut asked = Vec::new();
    loop {
        let (recorded, mut claims) = match next(&state, facts, &books, &mut asked, now) {
            Move::Stop(directive) => return Advanced { events, books: written, asked, directive },
            Move::Record(recorded) => (recorded, Vec::new()),
            Move::Claim(recorded, claims) => {
                learning::with_lessons(&state, (recorded, claims), facts, &books, now)
            }
        };
        for event in recorded {
            let record = Recorded {
                incident: state.id.clone(),
                seq: state.version + 1,
                at: now,
                event,
                prev: None,
            };
            state.take(&record).expect("the core only records what fits the state");
            if let Event::RunEnded { run, outcome, .. } = &record.event {
                let limits = &facts.mutes.policy.breaker;
                claims.extend(counted(&state, (*run, *outcome), &books, limits, now));
            }
            events.push(record.event);
        }
        for claim in claims {
            books.insert(claim.key.clone(), claim.book.clone());
            // One write per book and transaction: the last state counts, at the version after the stored one.
            match written.iter_mut().find(|earlier| earlier.key == claim.key) {
                Some(earlier) => {
                    earlier.book = Book { version: earlier.book.version, ..claim.book }
                }
                None => written.push(claim),
            }
        }
    }
}

fn next(
    incident: &Incident,
    facts: &Facts<'_>,
    books: &Books,
    asked: &mut Vec<GuardFinding>,
    now: Timestamp,
) -> Move {
    let Some(run) = incident.active_run() else { return without_run(incident, facts, now) };
    let foreign = run.driver != facts.driver;
    // Putting back is late at worst, never too late: only the rest of a run has a deadline.
    let putting_back = !foreign && matches!(run.phase, Phase::Kept { .. } | Phase::Undoing { .. });
    if facts.takeover == Takeover::End || (now >= run.deadline && !putting_back) {
        return cut_short(incident, run, books, "it took longer than it may, or its driver died");
    }
    if foreign {
        let reason = format!("run {} is driven by {}", run.number, run.driver);
        return Move::Stop(Directive::Done { outcome: None, reason });
    }
    match &run.phase {
        Phase::Preparing => preparing(incident, run, books, now),
        Phase::Deciding => deciding(incident, run, (facts, books), asked, now),
        Phase::AwaitingApproval { plan_hash, expires_at } => {
            awaiting(incident, run, books, (plan_hash, *expires_at), now)
        }
        Phase::Approved { .. } => approved(incident, run, books),
        Phase::Rechecking { plan_hash } => {
            rechecking(incident, run, plan_hash, (facts, books), asked, now)
        }
        Phase::Acting { step } => acting(incident, run, *step, (facts, books), asked, now),
        Phase::Verifying { step, since, good_since, looked_at } => {
            let phase = VerifyingPhase {
                step: *step,
                since: *since,
                good_since: *good_since,
                looked_at: *looked_at,
            };
            verifying(incident, run, &phase, (facts, books), now)
        }
        Phase::Kept { step, undo_at } => kept(incident, run, (*step, *undo_at), books, now),
        Phase::Undoing { step, .. } => undoing(incident, run, *step, books),
        Phase::Ending { outcome, reason } => ending(incident, run, books, *outcome, reason),
        Phase::Ended { .. } => without_run(incident, facts, now),
    }
}

fn without_run(incident: &Incident, facts: &Facts<'_>, now: Timestamp) -> Move {
    if let Some(proposal) = &incident.proposed
        && incident.status.is_live()
        && incident.is_firing()
    {
        return Move::Record(vec![proposal.started(incident, facts.driver, now)]);
    }
    let outcome = incident.runs.last().and_then(Run::outcome);
    let done = |reason: &str| Move::Stop(Directive::Done { outcome, reason: reason.to_owned() });
    match incident.status {
        Status::Closed => return done("closed"),
        Status::Escalated => return done("a person was told and has it now"),
        Status::Resolved => {
            let close_at = incident.resolved_at.unwrap_or(now) + facts.reopen_within;
            return if now >= close_at {
                Move::Claim(
                    vec![Event::Closed { reason: "nothing came back".to_owned() }],
                    Vec::new(),
                )
            } else {
                let reason = "it may still come back".to_owned();
                Move::Stop(Directive::Wait { until: close_at, reason })
            };
        }
        Status::Open | Status::Suppressed | Status::Remediating | Status::Verifying => {}
    }
    if let Some(taken) = &incident.acknowledged {
        return done(&format!("{} has it", taken.by));
    }
    if !incident.is_firing() {
        return Move::Record(vec![Event::Resolved {
            reason: "every alert is resolved".to_owned(),
        }]);
    }
    // Asked again when it is unmuted, not before: the record says when.
    if let Some(mute) = incident.muted.as_ref().or(incident.resting.as_ref()) {
        return done(&format!("nothing is done for now: {}", mute.reason));
    }
    match begin(incident, facts, now) {
        Begun::Run(started) => Move::Record(vec![started]),
        Begun::Not(trace) if incident.considered.as_ref() == Some(&trace) => done(&trace.decision),
        Begun::Not(trace) => Move::Record(vec![Event::Considered { trace }]),
    }
}

fn preparing(incident: &Incident, run: &Run, books: &Books, now: Timestamp) -> Move {
    if !incident.is_firing() {
        return ending(incident, run, books, Outcome::Moot, "resolved before anything was planned");
    }
    if now < run.settle_until {
        let reason = "letting the group settle".to_owned();
        let until = run.settle_until.min(run.deadline);
        return Move::Stop(Directive::Wait { until, reason });
    }
    match targets_of(incident, &run.runbook) {
        Ok(_) => Move::Stop(act(run, 0, Work::Observe)),
        Err(problem) => {
            let trace = Trace::of(problem);
            Move::Record(vec![Event::Held { run: run.number, trace }])
        }
    }
}

fn deciding(
    incident: &Incident,
    run: &Run,
    (facts, books): (&Facts<'_>, &Books),
    asked: &mut Vec<GuardFinding>,
    now: Timestamp,
) -> Move {
    if !incident.is_firing() {
        return ending(incident, run, books, Outcome::Moot, "resolved before anything was planned");
    }
    let (plan, trace) = match plan(incident, run, (facts, books), asked, now) {
        Ok(planned) => planned,
        Err(trace) => {
            return Move::Record(vec![Event::Held { run: run.number, trace: *trace }]);
        }
    };
    let plan_hash = plan.hash.clone();
    let mut events = vec![Event::Planned { run: run.number, plan, trace }];
    if run.mode != Mode::Auto {
        let expires_at = now + run.runbook.approve_within;
        events.push(Event::ApprovalRequested { run: run.number, plan_hash, expires_at });
    }
    Move::Record(events)
}

/// The plan as of now, or why there is none.
pub(super) fn plan(
    incident: &Incident,
    run: &Run,
    (facts, books): (&Facts<'_>, &Books),
    asked: &mut Vec<GuardFinding>,
    now: Timestamp,
) -> Result<(Plan, Trace), Box<Trace>> {
    // An alert that went away since the targets were read takes its target with it.
    let observations: Vec<Observation> = run
        .observations
        .iter()
        .filter(|seen| incident.firing().any(|alert| run.runbook.means(alert, &seen.target)))
        .cloned()
        .collect();
    let judgement = judge(incident, run, (&observations, None), facts, books, now);
    asked.extend_from_slice(&judgement.findings);
    let trace = judgement.trace();
    if judgement.permit.is_none() {
        return Err(Box::new(trace));
    }
    let firing: Vec<&Alert> = incident.firing().collect();
    let basis = Basis {
        runbook: &run.runbook,
        firing: &firing,
        observations: &observations,
        rulings: &judgement.findings,
        books,
        run: &run.reference(&incident.id),
    };
    match Plan::of(&basis) {
        Ok(plan) => Ok((plan, trace)),
        Err(problem) => Err(Box::new(Trace::of(problem))),
    }
}

fn acting(
    incident: &Incident,
    run: &Run,
    step: usize,
    (facts, books): (&Facts<'_>, &Books),
    asked: &mut Vec<GuardFinding>,
    now: Timestamp,
) -> Move {
    let open = |state| matches!(state, RowState::Planned | RowState::Claimed | RowState::Sent);
    let Some((index, row)) = run.rows_of(step).find(|(_, row)| open(row.state)) else {
        return ending(incident, run, books, Outcome::Held, "nothing is left to do");
    };
    match row.state {
        RowState::Sent => {
            // The hand was at it and left no word: it died or timed out. It is never asked again.
            let reason = "no answer is on record".to_owned();
            Move::Record(vec![Event::StepUnknown { run: run.number, row: index, reason }])
        }
        RowState::Claimed => {
            Move::Stop(act(run, step, Work::Apply { row: index, fence: row.fence }))
        }
        RowState::Planned => {
            if !incident.is_firing() && !run.may_have_acted() {
                return ending(
                    incident,
                    run,
                    books,
                    Outcome::Moot,
                    "resolved before anything was done",
                );
            }
            let observations: Vec<Observation> = run
                .observations
                .iter()
                .filter(|seen| seen.target == row.planned.target)
                .cloned()
                .collect();
            let seen = (observations.as_slice(), run.plan.as_ref());
            let judgement = judge(incident, run, seen, facts, books, now);
            asked.extend_from_slice(&judgement.findings);
            if judgement.permit.is_none() {
                let (reason, trace) = (judgement.reason(), judgement.trace());
                return Move::Record(vec![Event::StepRefused {
                    run: run.number,
                    row: index,
                    reason,
                    trace: Some(trace),
                }]);
            }
            let fence = incident.version + 1;
            let groups: Vec<String> =
                observations.iter().flat_map(|seen| groups_of(seen, facts.runbooks)).collect();
            let claims = claims(incident, run, (index, &groups), books, now);
            let claimed = Event::StepClaimed { run: run.number, row: index, fence, groups };
            Move::Claim(vec![claimed], claims)
        }
        RowState::Confirmed
        | RowState::Unknown
        | RowState::Refused
        | RowState::Verified
        | RowState::Ineffective
        | RowState::Harmful
        | RowState::Undone
        | RowState::Stuck => ending(incident, run, books, Outcome::Held, "nothing is left to do"),
    }
}

fn judge(
    incident: &Incident,
    run: &Run,
    (observations, plan): (&[Observation], Option<&Plan>),
    facts: &Facts<'_>,
    books: &Books,
    now: Timestamp,
) -> guards::Judgement {
    guards::judge(&Case {
        incident,
        runbook: &run.runbook,
        run: &run.reference(&incident.id),
        observations,
        plan,
        books,
        switch: facts.switch,
        mutes: facts.mutes,
        now,
    })
}

fn verifying(
    incident: &Incident,
    run: &Run,
    phase: &VerifyingPhase,
    (facts, books): (&Facts<'_>, &Books),
    now: Timestamp,
) -> Move {
    let (number, step) = (run.number, phase.step);
    match verify::judge(run, phase, now) {
        Finding::Concluded(verdict) => Move::Record(match verdict.effect {
            Effect::Helped => {
                let reason = format!("`{}` helped: {}", run.runbook.runbook, verdict.reason);
                let span = (verify::last_sent(run, step), phase.good_since);
                let counterfactual = span
                    .0
                    .zip(span.1)
                    .map(|span| counterfactual::weigh(incident, run, span, books, facts.siblings));
                let verdict = Verdict { counterfactual, ..verdict };
                let mut events = vec![Event::StepVerified { run: number, step, verdict }];
                if !incident.is_firing() && incident.status.is_live() {
                    events.push(Event::Resolved { reason });
                }
                events
            }
            Effect::Useless => vec![Event::StepIneffective { run: number, step, verdict }],
            Effect::Harmful => vec![Event::StepHarmful { run: number, step, verdict }],
        }),
        Finding::LookAgain { at } if at <= now => Move::Stop(act(run, step, Work::Check { step })),
        Finding::LookAgain { at } => {
            let until = at.min(run.deadline);
            Move::Stop(Directive::Wait { until, reason: "looking again".to_owned() })
        }
    }
}

fn kept(
    incident: &Incident,
    run: &Run,
    phase: (usize, Option<Timestamp>),
    books: &Books,
    now: Timestamp,
) -> Move {
    let (step, undo_at) = phase;
    let to_undo = run.rows_of(step).any(|(_, row)| row.state.may_have_acted());
    let stuck = run.rows_of(step).find(|(_, row)| row.state == RowState::Stuck);
    match undo_at {
        Some(at) if to_undo && now < at => Move::Stop(Directive::Wait {
            until: at,
            reason: "the change is kept a while, then undone".to_owned(),
        }),
        Some(_) if to_undo => undoing(incident, run, step, books),
        Some(_) => {
            if let Some((_, row)) = stuck {
                let why = row.receipt.as_deref().unwrap_or_default();
                let reason = format!("an undo failed: {why}");
                return ending(incident, run, books, Outcome::Harmful, &reason);
            }
            ending(incident, run, books, Outcome::Helped, "verified, and put back as it was")
        }
        None => ending(incident, run, books, Outcome::Helped, "verified"),
    }
}

fn undoing(incident: &Incident, run: &Run, step: usize, books: &Books) -> Move {
    match run.rows_of(step).rev().find(|(_, row)| row.state.may_have_acted()) {
        Some((index, _)) => Move::Stop(act(run, step, Work::Undo { row: index })),
        None => ending(incident, run, books, Outcome::Abandoned, "nothing is left to undo"),
    }
}

pub(super) fn act(run: &Run, step: usize, work: Work) -> Directive {
    let family = run.step(step).map(|step| step.spec().family()).unwrap_or_default();
    Directive::Act { family: family.to_owned(), order: Order { run: run.number, work } }
}

pub(super) fn ending(
    incident: &Incident,
    run: &Run,
    books: &Books,
    outcome: Outcome,
    reason: &str,
) -> Move {
    Move::Claim(end::end(incident, run, outcome, reason), end::release(incident, run, books))
}

/// Ends a run whose driver is gone. Rows that were sent and not settled stay on the record as unknown.
fn cut_short(incident: &Incident, run: &Run, books: &Books, reason: &str) -> Move {
    let unsettled = run.rows.iter().enumerate().filter(|(_, row)| row.state == RowState::Sent);
    let mut events: Vec<Event> = unsettled
        .map(|(row, _)| Event::StepUnknown { run: run.number, row, reason: reason.to_owned() })
        .collect();
    // A call may still be on its way: the locks then lapse by themselves, a little after the deadline.
    let released = if events.is_empty() { end::release(incident, run, books) } else { Vec::new() };
    events.extend(end::end(incident, run, Outcome::Abandoned, reason));
    Move::Claim(events, released)
}
