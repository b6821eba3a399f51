//! Verification: readings become evidence, evidence becomes a verdict.

use jiff::Timestamp;

use super::{Phase, Run};
use crate::evidence::{Effect, Evidence, Reading, Verdict};
use crate::incident::{Event, Incident};
use crate::runbook::{ALERT_RESOLVED, Step};
use crate::target::Target;

/// The event for one look: what the hands read, and what the incident's own alerts say.
pub fn checked(
    incident: &Incident,
    run: &Run,
    step: usize,
    mut evidence: Vec<Evidence>,
    now: Timestamp,
) -> Event {
    let firing: Vec<&str> = incident.firing().map(|alert| alert.title.as_str()).collect();
    let expired = incident.alerts.values().any(|member| member.expired);
    let (reading, detail) = match firing.first() {
        None if expired => {
            (Reading::Unreadable, "an alert expired: nobody said that it is over".to_owned())
        }
        None => (Reading::Good, "every alert of the incident is resolved".to_owned()),
        Some(title) => (Reading::Bad, format!("{} still firing, first: {title}", firing.len())),
    };
    evidence.push(Evidence {
        signal: ALERT_RESOLVED.to_owned(),
        target: None,
        reading,
        detail,
        at: now,
    });
    Event::StepChecked { run: run.number, step, evidence }
}

/// Takes a look into the state: the good streak goes on, begins or breaks.
pub(super) fn looked(run: &mut Run, step: usize, evidence: &[Evidence], at: Timestamp) {
    run.evidence = evidence.to_vec();
    let all_good = all_good(run, step, evidence);
    if let Phase::Verifying { step: current, since, good_since, .. } = run.phase
        && current == step
    {
        let good_since = if all_good { good_since.or(Some(at)) } else { None };
        run.phase = Phase::Verifying { step, since, good_since, looked_at: Some(at) };
    }
}

pub(super) fn last_sent(run: &Run, step: usize) -> Option<Timestamp> {
    run.rows_of(step).filter_map(|(_, row)| row.sent_at).max()
}

/// Whether each asked-for signal was read, of each target, as good and after the action.
fn all_good(run: &Run, index: usize, evidence: &[Evidence]) -> bool {
    let (Some(step), Some(sent_at)) = (run.step(index), last_sent(run, index)) else {
        return false;
    };
    let acted: Vec<&Target> = run
        .rows_of(index)
        .filter(|(_, row)| row.state.may_have_acted())
        .map(|(_, row)| &row.planned.target)
        .collect();
    step.verify.all.iter().all(|signal| {
        let readings = || evidence.iter().filter(|reading| reading.signal == *signal);
        let of = |target: &Target| {
            readings().any(|reading| reading.target.as_ref().is_none_or(|of| of == target))
        };
        readings().next().is_some()
            && acted.iter().all(|target| of(target))
            && readings()
                .all(|reading| reading.reading == Reading::Good && is_fresh(step, reading, sent_at))
    })
}

/// Whether the reading can only speak of the time after the action.
fn is_fresh(step: &Step, reading: &Evidence, sent_at: Timestamp) -> bool {
    reading.at >= sent_at + step.verify.fresh_from(step.spec(), &reading.signal)
}

/// What is known so far.
pub(super) enum Finding {
    Concluded(Verdict),
    LookAgain { at: Timestamp },
}

/// Judges a verifying step. A fresh `Worse` wins over everything, then a whole good streak, then the clock.
pub(super) fn judge(run: &Run, phase: &VerifyingPhase, now: Timestamp) -> Finding {
    let Some(step) = run.step(phase.step) else {
        return Finding::Concluded(verdict(
            run,
            Effect::Useless,
            "the runbook has no such step".to_owned(),
        ));
    };
    let sent_at = last_sent(run, phase.step).unwrap_or(phase.since);
    let worse =
        |reading: &&Evidence| reading.reading == Reading::Worse && is_fresh(step, reading, sent_at);
    if let Some(worse) = run.evidence.iter().find(worse) {
        let reason = format!("{} is worse than before: {}", worse.signal, worse.detail);
        return Finding::Concluded(verdict(run, Effect::Harmful, reason));
    }
    let next_look = phase.looked_at.map_or(now, |at| at + step.verify.interval());
    if let Some(good_since) = phase.good_since {
        let stable_at = good_since + step.verify.stable_for;
        // The streak must have been seen whole: the last look may not be older than its end.
        if phase.looked_at.is_some_and(|looked| looked >= stable_at) {
            let held = step.verify.stable_for.as_secs();
            let reason = format!("{} stayed good for {held} s", step.verify.all.join(" and "));
            return Finding::Concluded(verdict(run, Effect::Helped, reason));
        }
        return Finding::LookAgain { at: next_look.min(stable_at.max(now)) };
    }
    let give_up = phase.since + step.verify.within;
    if now >= give_up && phase.looked_at.is_some_and(|looked| looked >= give_up) {
        let missing: Vec<String> = run
            .evidence
            .iter()
            .filter(|reading| reading.reading != Reading::Good)
            .map(|reading| format!("{}: {}", reading.signal, reading.detail))
            .collect();
        let because =
            if missing.is_empty() { "no fresh evidence".to_owned() } else { missing.join("; ") };
        return Finding::Concluded(verdict(run, Effect::Useless, because));
    }
    Finding::LookAgain { at: next_look.min(give_up.max(now)) }
}

/// The fields of [`Phase::Verifying`].
pub(super) struct VerifyingPhase {
    pub(super) step: usize,
    pub(super) since: Timestamp,
    pub(super) good_since: Option<Timestamp>,
    pub(super) looked_at: Option<Timestamp>,
}

fn verdict(run: &Run, effect: Effect, reason: String) -> Verdict {
    Verdict { effect, reason, evidence: run.evidence.clone(), counterfactual: None }
}
