//! Remarks on a runbook that can be run and yet may not do what its author hopes.

use jiff::SignedDuration;
use serde::Serialize;

use super::{ALERT_RESOLVED, Mode, Runbook};
use crate::actions::Reversal;

/// Something to think about; never a reason not to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    pub place: String,
    pub text: String,
}

pub fn lint(runbook: &Runbook) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let mut say = |place: String, text: &str| remarks.push(Remark { place, text: text.to_owned() });
    for (index, step) in runbook.steps.iter().enumerate() {
        let place = format!("steps[{index}].verify");
        if step.verify.all.len() < 2 {
            say(format!("{place}.all"), "one kind of signal can be wrong; ask for two");
        }
        if !step.verify.all.iter().any(|signal| signal == ALERT_RESOLVED) {
            say(
                format!("{place}.all"),
                "without `alert_resolved` the problem itself is never looked at",
            );
        }
        if step.verify.stable_for == SignedDuration::ZERO {
            say(format!("{place}.stable_for"), "a single good reading counts; ask for it to last");
        }
        let lag = step.spec().signals().iter().map(|signal| signal.lag).max().unwrap_or_default();
        if step.verify.fresh_after.is_some_and(|fresh| fresh < lag) {
            say(
                format!("{place}.fresh_after"),
                "shorter than the signal's own lag: old readings may count",
            );
        }
        if runbook.mode == Mode::Auto
            && step.spec().reversal() == Reversal::Irreversible
            && runbook.guards.require_tag.is_empty()
        {
            say(
                "guards.require_tag".to_owned(),
                "an automatic action that cannot be undone should ask for an opt-in tag",
            );
        }
    }
    if runbook.mode == Mode::Approve && runbook.approve_within > runbook.max_age {
        let text = "longer than `max_age`: an approval that comes late is refused because the alert is too old";
        say("approve_within".to_owned(), text);
    }
    if runbook.tests.is_empty() {
        say(
            "tests".to_owned(),
            "an example alert with its expected plan would catch a typing error",
        );
    }
    remarks
}
