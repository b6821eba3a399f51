//! How a run changes with each of its events.

use jiff::Timestamp;

use super::{AfterUndo, Approval, Judged, Phase, Run, verify};
use crate::actions::Reversal;
use crate::evidence::{Observation, Verdict};
use crate::incident::{Event, Outcome};
use crate::ledger::{Row, RowState};
use crate::plan::Plan;
use crate::runbook::{Mode, OnHarmful, OnUseless, is_same};

/// An event that does not fit the state of its run.
pub(crate) type Misfit = &'static str;

pub(crate) fn evolve(run: &mut Run, event: &Event, at: Timestamp) -> Result<(), Misfit> {
    match event {
        Event::Observed { observations, .. } => observed(run, observations)?,
        Event::Held { trace, .. } => {
            run.phase = Phase::Ending { outcome: Outcome::Held, reason: trace.decision.clone() };
        }
        Event::Planned { plan, .. } => planned(run, plan, at)?,
        Event::ApprovalRequested { plan_hash, expires_at, .. } => {
            run.phase =
                Phase::AwaitingApproval { plan_hash: plan_hash.clone(), expires_at: *expires_at };
        }
        Event::ApprovalGranted { plan_hash, by, .. } => granted(run, (plan_hash, by), at)?,
        Event::ApprovalRejected { plan_hash, by, reason, .. } => {
            expect(awaits(run, plan_hash), "nothing awaits this approval")?;
            let reason = format!("rejected by {by}: {reason}");
            run.phase = Phase::Ending { outcome: Outcome::Held, reason };
        }
        Event::ApprovalVoided { plan_hash, .. } => voided(run, plan_hash)?,
        Event::StepClaimed { row, fence, groups, .. } => {
            let row = become_state(run, *row, RowState::Claimed)?;
            row.fence = *fence;
            row.groups.clone_from(groups);
        }
        Event::StepSent { row, .. } => {
            become_state(run, *row, RowState::Sent)?.sent_at = Some(at);
        }
        Event::StepConfirmed { row, receipt, .. } => {
            let row = become_state(run, *row, RowState::Confirmed)?;
            (row.answered, row.receipt) = (true, Some(receipt.clone()));
            enter_verifying(run, at);
        }
        Event::StepUnknown { row, reason, .. } => {
            become_state(run, *row, RowState::Unknown)?.receipt = Some(reason.clone());
            enter_verifying(run, at);
        }
        Event::StepRefused { row, reason, .. } => {
            let row = become_state(run, *row, RowState::Refused)?;
            (row.answered, row.receipt) = (true, Some(reason.clone()));
            enter_verifying(run, at);
        }
        Event::StepChecked { step, evidence, .. } => {
            let verifying = matches!(run.phase, Phase::Verifying { step: now, .. } if now == *step);
            expect(verifying, "that step is not being verified")?;
            verify::looked(run, *step, evidence, at);
        }
        Event::StepVerified { step, verdict, .. } => {
            conclude(run, *step, RowState::Verified, verdict);
            let keep = run.step(*step).and_then(|step| step.undo_after);
            run.phase = Phase::Kept { step: *step, undo_at: keep.map(|keep| at + keep) };
        }
        Event::StepIneffective { step, verdict, .. } => ineffective(run, *step, verdict),
        Event::StepHarmful { step, verdict, .. } => harmful(run, *step, verdict),
        Event::StepUndone { row, receipt, .. } => {
            become_state(run, *row, RowState::Undone)?.receipt = Some(receipt.clone());
            leave_undoing(run);
        }
        Event::StepStuck { row, reason, .. } => {
            become_state(run, *row, RowState::Stuck)?.receipt = Some(reason.clone());
            leave_undoing(run);
        }
        Event::RunEnded { outcome, reason, .. } => {
            run.phase = Phase::Ended { outcome: *outcome, reason: reason.clone() };
        }
        Event::Opened { .. }
        | Event::AlertFired { .. }
        | Event::AlertUpdated { .. }
        | Event::AlertResolved { .. }
        | Event::AlertExpired { .. }
        | Event::AlertRecurred { .. }
        | Event::AlertFlapping { .. }
        | Event::AlertCollapsed { .. }
        | Event::Suppressed { .. }
        | Event::Unmuted { .. }
        | Event::Correlated { .. }
        | Event::Considered { .. }
        | Event::RunStarted { .. }
        | Event::TrustLost { .. }
        | Event::Proposed { .. }
        | Event::Escalated { .. }
        | Event::Acknowledged { .. }
        | Event::Noted { .. }
        | Event::Resolved { .. }
        | Event::Reopened { .. }
        | Event::Closed { .. }
        | Event::Notified { .. } => return Err("not an event of a run"),
    }
    Ok(())
}

fn expect(condition: bool, misfit: Misfit) -> Result<(), Misfit> {
    if condition { Ok(()) } else { Err(misfit) }
}

fn awaits(run: &Run, hash: &str) -> bool {
    matches!(&run.phase, Phase::AwaitingApproval { plan_hash, .. } if plan_hash == hash)
}

fn observed(run: &mut Run, observations: &[Observation]) -> Result<(), Misfit> {
    run.phase = if let Phase::Approved { plan_hash } = &run.phase {
        Phase::Rechecking { plan_hash: plan_hash.clone() }
    } else {
        expect(matches!(run.phase, Phase::Preparing), "only a preparing run is observed")?;
        Phase::Deciding
    };
    run.observations = observations.to_vec();
    Ok(())
}

fn planned(run: &mut Run, plan: &Plan, at: Timestamp) -> Result<(), Misfit> {
    let approved = is_rechecked(run, &plan.hash);
    let deciding = matches!(run.phase, Phase::Deciding);
    expect(approved || deciding, "only a deciding run is planned")?;
    run.rows = plan.steps.iter().cloned().map(Row::new).collect();
    run.phase = if approved || run.mode == Mode::Auto {
        Phase::Acting { step: 0 }
    } else {
        // The request follows in the same append and sets the expiry.
        Phase::AwaitingApproval { plan_hash: plan.hash.clone(), expires_at: at }
    };
    run.plan = Some(plan.clone());
    // A plan that was approved is as old as its approval.
    if deciding {
        run.confirmed_at = Some(at);
    }
    Ok(())
}

fn granted(run: &mut Run, (plan_hash, by): (&str, &str), at: Timestamp) -> Result<(), Misfit> {
    expect(awaits(run, plan_hash), "nothing awaits this approval")?;
    expect(run.approvals.iter().all(|said| !is_same(&said.by, by)), "one yes a person")?;
    run.approvals.push(Approval { by: by.to_owned(), at });
    if run.runbook.approvals.missing(run.approvals.len()) == 0 {
        let names: Vec<&str> = run.approvals.iter().map(|said| said.by.as_str()).collect();
        run.approved_by = Some(names.join(" and "));
        run.confirmed_at = Some(at);
        run.phase = Phase::Approved { plan_hash: plan_hash.to_owned() };
    }
    Ok(())
}

fn voided(run: &mut Run, plan_hash: &str) -> Result<(), Misfit> {
    // Where the group changed while it waited its targets are to be read anew.
    let waits = awaits(run, plan_hash);
    expect(waits || is_rechecked(run, plan_hash), "nothing awaits this approval")?;
    run.phase = if waits { Phase::Preparing } else { Phase::Deciding };
    run.approvals.clear();
    run.approved_by = None;
    run.confirmed_at = None;
    run.plan = None;
    run.rows.clear();
    Ok(())
}

fn is_rechecked(run: &Run, hash: &str) -> bool {
    matches!(&run.phase, Phase::Rechecking { plan_hash } if plan_hash == hash)
}

fn become_state(run: &mut Run, row: usize, next: RowState) -> Result<&mut Row, Misfit> {
    let row = run.rows.get_mut(row).ok_or("the ledger has no such row")?;
    expect(row.state.may_become(next), "the row cannot become that")?;
    row.state = next;
    Ok(row)
}

/// Once no row of the step is still to be done, what was done is verified.
fn enter_verifying(run: &mut Run, at: Timestamp) {
    let Phase::Acting { step } = run.phase else { return };
    let unfinished =
        |state| matches!(state, RowState::Planned | RowState::Claimed | RowState::Sent);
    if run.rows_of(step).any(|(_, row)| unfinished(row.state)) {
        return;
    }
    let acted = run.rows_of(step).any(|(_, row)| row.state.may_have_acted());
    run.evidence.clear();
    run.phase = if acted {
        Phase::Verifying { step, since: at, good_since: None, looked_at: None }
    } else {
        let refused = run.rows_of(step).find_map(|(_, row)| row.receipt.clone());
        Phase::Ending { outcome: Outcome::Held, reason: refused.unwrap_or_default() }
    };
}

fn conclude(run: &mut Run, step: usize, state: RowState, verdict: &Verdict) {
    for row in
        run.rows.iter_mut().filter(|row| row.planned.step == step && row.state.may_become(state))
    {
        row.state = state;
    }
    run.evidence.clone_from(&verdict.evidence);
    let likely = verdict.counterfactual.as_ref().map(|otherwise| otherwise.likely);
    run.judged.push(Judged { step, effect: verdict.effect, likely });
}

fn ineffective(run: &mut Run, step: usize, verdict: &Verdict) {
    conclude(run, step, RowState::Ineffective, verdict);
    run.phase = if to_put_back(run, step) {
        Phase::Undoing { step, then: AfterUndo::NextStep }
    } else {
        after_useless(run, step, &verdict.reason)
    };
}

fn harmful(run: &mut Run, step: usize, verdict: &Verdict) {
    conclude(run, step, RowState::Harmful, verdict);
    let (outcome, reason) = (Outcome::Harmful, verdict.reason.clone());
    let keep = run.step(step).is_some_and(|step| step.on_harmful == OnHarmful::Keep);
    run.phase = if !keep && to_put_back(run, step) {
        Phase::Undoing { step, then: AfterUndo::End { outcome, reason } }
    } else {
        Phase::Ending { outcome, reason }
    };
}

/// Whether there is a way back and something to take it; a call may have turned out to be refused.
fn to_put_back(run: &Run, step: usize) -> bool {
    run.step(step).is_some_and(|step| step.spec().reversal() == Reversal::Undo)
        && run.rows_of(step).any(|(_, row)| row.state.may_have_acted())
}

fn after_useless(run: &Run, step: usize, reason: &str) -> Phase {
    let next = run.step(step).is_some_and(|step| step.on_useless == OnUseless::Next);
    if next && step + 1 < run.runbook.steps.len() {
        Phase::Acting { step: step + 1 }
    } else {
        Phase::Ending { outcome: Outcome::Useless, reason: reason.to_owned() }
    }
}

/// Once nothing of the step is left to put back, the run goes where it was bound for.
fn leave_undoing(run: &mut Run) {
    let Phase::Undoing { step, then } = run.phase.clone() else { return };
    if run.rows_of(step).any(|(_, row)| row.state.may_have_acted()) {
        return;
    }
    let stuck = run.rows_of(step).find(|(_, row)| row.state == RowState::Stuck);
    run.phase = match (stuck, then) {
        (Some((_, row)), _) => {
            let why = row.receipt.clone().unwrap_or_default();
            Phase::Ending { outcome: Outcome::Harmful, reason: format!("an undo failed: {why}") }
        }
        (None, AfterUndo::End { outcome, reason }) => Phase::Ending { outcome, reason },
        (None, AfterUndo::NextStep) => after_useless(run, step, "no step helped"),
    };
}
