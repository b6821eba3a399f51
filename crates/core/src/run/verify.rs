//! Verification: readings become evidence, evidence becomes a verdict.

use jiff::{SignedDuration, Timestamp};

use super::{Phase, Run};
use crate::evidence::{Effect, Evidence, Reading, Verdict};
use crate::incident::{Event, Incident};
use crate::runbook::{ALERT_RESOLVED, Step};

/// The event for one look: what the hands read, and what the incident's own alerts say.
pub fn checked(
    incident: &Incident,
    run: &Run,
    step: usize,
    mut evidence: Vec<Evidence>,
    now: Timestamp,
) -> Event {
    let firing: Vec<&str> = incident.firing().map(|alert| alert.title.as_str()).collect();
    let (reading, detail) = match firing.first() {
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
    let sent_at = last_sent(run, step);
    let all_good = run.step(step).is_some_and(|spec| all_good(spec, evidence, sent_at));
    if let Phase::Verifying { step: current, since, good_since, .. } = run.phase
        && current == step
    {
        let good_since = if all_good { good_since.or(Some(at)) } else { None };
        run.phase = Phase::Verifying { step, since, good_since, looked_at: Some(at) };
    }
}

fn last_sent(run: &Run, step: usize) -> Option<Timestamp> {
    run.rows_of(step).filter_map(|(_, row)| row.sent_at).max()
}

/// Whether each asked-for signal was read, of each target, as good and after the action.
fn all_good(step: &Step, evidence: &[Evidence], sent_at: Option<Timestamp>) -> bool {
    let Some(sent_at) = sent_at else { return false };
    step.verify.all.iter().all(|signal| {
        let fresh_from = sent_at + freshness(step, signal);
        let mut readings = evidence.iter().filter(|reading| reading.signal == *signal).peekable();
        readings.peek().is_some()
            && readings.all(|reading| reading.reading == Reading::Good && reading.at >= fresh_from)
    })
}

/// How long after the action a reading of the signal begins to count.
fn freshness(step: &Step, signal: &str) -> SignedDuration {
    if signal == ALERT_RESOLVED {
        return SignedDuration::ZERO;
    }
    let lag =
        step.spec().signals().iter().find(|known| known.name == signal).map(|known| known.lag);
    step.verify.fresh_after.or(lag).unwrap_or_default()
}

/// What is known so far.
pub(super) enum Finding {
    Concluded(Verdict),
    LookAgain { at: Timestamp },
}

/// Judges a verifying step. `Worse` wins over everything, then a whole good streak, then the clock.
pub(super) fn judge(run: &Run, phase: &VerifyingPhase, now: Timestamp) -> Finding {
    let Some(step) = run.step(phase.step) else {
        return Finding::Concluded(verdict(
            run,
            Effect::Useless,
            "the runbook has no such step".to_owned(),
        ));
    };
    if let Some(worse) = run.evidence.iter().find(|reading| reading.reading == Reading::Worse) {
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
    Verdict { effect, reason, evidence: run.evidence.clone() }
}
