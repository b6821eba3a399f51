//! Waiting for people: who is asked for a yes, and whether what they said yes to is still what would be done.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::advance::{Facts, Move, act, ending, plan};
use super::begin::targets_of;
use super::{Directive, Run, Work};
use crate::book::Books;
use crate::incident::{Event, Incident, Outcome};
use crate::target::Target;
use crate::trace::GuardFinding;

/// A run that waits for a person looks this many times at most whether the answer has come: the history of
/// an execution is finite (25,000 events,
/// <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>).
const MOST_APPROVAL_LOOKS: i32 = 240;
const APPROVAL_POLL: SignedDuration = SignedDuration::from_secs(15);

pub(super) fn awaiting(
    incident: &Incident,
    run: &Run,
    books: &Books,
    asked: (&str, Timestamp),
    now: Timestamp,
) -> Move {
    let (plan_hash, expires_at) = asked;
    if !incident.is_firing() {
        return ending(incident, run, books, Outcome::Moot, "resolved before anybody approved");
    }
    if now >= expires_at {
        return ending(incident, run, books, Outcome::Held, "nobody approved in time");
    }
    if means_others(incident, run) {
        return Move::Record(vec![Event::ApprovalVoided {
            run: run.number,
            plan_hash: plan_hash.to_owned(),
            reason: "the alerts mean other targets now".to_owned(),
        }]);
    }
    let poll = APPROVAL_POLL.max(run.runbook.approve_within / MOST_APPROVAL_LOOKS);
    Move::Stop(Directive::Approve {
        until: (now + poll).min(expires_at).min(run.deadline),
        expires_at,
        plan_hash: plan_hash.to_owned(),
        reason: waits_for(run),
    })
}

fn waits_for(run: &Run) -> String {
    let (runbook, approvals) = (&run.runbook.runbook, &run.runbook.approvals);
    let missing = approvals.missing(run.approvals.len());
    match run.approvals.as_slice() {
        [] if missing == 1 => format!("`{runbook}` asks before it acts"),
        given => {
            let of = approvals.of;
            format!("`{runbook}` asks before it acts: {} of {of} said yes", given.len())
        }
    }
}

/// Everybody said yes: what they saw may have changed since, so the targets are read once more.
pub(super) fn approved(incident: &Incident, run: &Run, books: &Books) -> Move {
    if !incident.is_firing() {
        return ending(incident, run, books, Outcome::Moot, "resolved before anything was done");
    }
    Move::Stop(act(run, 0, Work::Observe))
}

/// The plan that was approved, made anew: it is carried out only if it is the same to the last input.
pub(super) fn rechecking(
    incident: &Incident,
    run: &Run,
    plan_hash: &str,
    (facts, books): (&Facts<'_>, &Books),
    asked: &mut Vec<GuardFinding>,
    now: Timestamp,
) -> Move {
    if !incident.is_firing() {
        return ending(incident, run, books, Outcome::Moot, "resolved before anything was done");
    }
    let (plan, trace) = match plan(incident, run, (facts, books), asked, now) {
        Ok(planned) => planned,
        Err(trace) => {
            return Move::Record(vec![Event::Held { run: run.number, trace: *trace }]);
        }
    };
    if plan.hash == plan_hash {
        return Move::Record(vec![Event::Planned { run: run.number, plan, trace }]);
    }
    let changed = run.plan.as_ref().map(|earlier| plan.changes_from(earlier).join(", "));
    let reason = format!("{} changed since it was asked for", changed.unwrap_or_default());
    Move::Record(vec![Event::ApprovalVoided {
        run: run.number,
        plan_hash: plan_hash.to_owned(),
        reason,
    }])
}

/// Whether the alerts mean other targets than those that the plan is for.
fn means_others(incident: &Incident, run: &Run) -> bool {
    let planned: BTreeSet<&Target> = run.rows.iter().map(|row| &row.planned.target).collect();
    targets_of(incident, &run.runbook)
        .is_ok_and(|targets| targets.iter().collect::<BTreeSet<_>>() != planned)
}
