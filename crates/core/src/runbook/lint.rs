//! Remarks on a runbook that can be run and yet may not do what its author hopes.

use jiff::SignedDuration;

use super::{ALERT_RESOLVED, Draft, Mode, Step};
use crate::actions::Reversal;
use crate::cel::{ALERT, reach};
use crate::yaml::{Diagnostic, Document};

/// Things to think about; never a reason not to run, but for `lint --strict`.
pub fn lint(draft: &Draft<'_>) -> Vec<Diagnostic> {
    let (runbook, document) = (&draft.runbook, &draft.document);
    let mut remarks = Vec::new();
    if let Ok(reach) = reach(&runbook.when, &ALERT) {
        for dead in reach.dead {
            remarks.push(
                document.warning("never_holds", "when", "a part of this can never hold").help(dead),
            );
        }
        let named = reach.alternatives.iter().all(|alternative| {
            alternative.is.keys().any(|path| path != "severity" && path != "status")
        });
        if !named && runbook.mode != Mode::Shadow {
            let message = "this may hold for alerts of any kind";
            let help = "ask for the alert's `name` or for a label that tells what is wrong";
            remarks.push(document.warning("broad", "when", message).help(help));
        }
    }
    for (kind, ids) in &runbook.targets {
        if ids.as_str().contains("alert.title") {
            let message = "a title is a text for people and may be worded anew";
            let help = "take the id from a label, so that the target has an identity";
            remarks.push(
                document.warning("target_identity", &format!("targets.{kind}"), message).help(help),
            );
        }
    }
    for (index, step) in runbook.steps.iter().enumerate() {
        verify(document, &format!("steps[{index}].verify"), step, &mut remarks);
    }
    irreversible(draft, &mut remarks);
    never_acts(draft, &mut remarks);
    if runbook.mode == Mode::Approve && runbook.approve_within > runbook.max_age {
        let message = "this is longer than `max_age`";
        let help = "an approval that comes late is refused because the alert is too old; make `max_age` longer";
        remarks.push(document.warning("approve_within", "approve_within", message).help(help));
    }
    if runbook.tests.is_empty() {
        let help = "add an example alert and the plan that you expect, and one that must not match";
        remarks.push(document.warning("untested", "", "there are no `tests`").help(help));
    }
    remarks.sort_by_key(|remark| remark.at.start);
    remarks
}

fn verify(document: &Document<'_>, place: &str, step: &Step, remarks: &mut Vec<Diagnostic>) {
    let mut say = |code, place: String, message: &str, help: &str| {
        remarks.push(document.warning(code, &place, message).help(help));
    };
    if step.verify.all.len() < 2 {
        say("one_signal", format!("{place}.all"), "one kind of signal can be wrong", "ask for two");
    }
    if !step.verify.all.iter().any(|signal| signal == ALERT_RESOLVED) {
        let message = "the problem itself is never looked at";
        say("no_alert_signal", format!("{place}.all"), message, "add `alert_resolved`");
    }
    if step.verify.stable_for == SignedDuration::ZERO {
        let message = "a single good reading counts";
        say("unstable", format!("{place}.stable_for"), message, "ask for it to last");
    }
    let lag = step.spec().signals().iter().map(|signal| signal.lag).max().unwrap_or_default();
    if step.verify.fresh_after.is_some_and(|fresh| fresh < lag) {
        let message = "this is shorter than the signal's own lag";
        say(
            "stale",
            format!("{place}.fresh_after"),
            message,
            "old readings may count; make it longer",
        );
    }
}

/// A zero means none, here as everywhere.
fn never_acts(draft: &Draft<'_>, remarks: &mut Vec<Diagnostic>) {
    let (guards, document) = (&draft.runbook.guards, &draft.document);
    for (place, most) in [
        ("guards.attempts.max", guards.attempts.max),
        ("guards.blast_radius.max", guards.blast_radius.max),
        ("guards.concurrency", guards.runs_at_once()),
    ] {
        if most == 0 {
            let help = "allow at least one, or use `mode: shadow`";
            let message = "none is allowed, so this never acts";
            remarks.push(document.warning("never_acts", place, message).help(help));
        }
    }
}

/// What acts by itself and cannot be taken back needs the stricter gates.
fn irreversible(draft: &Draft<'_>, remarks: &mut Vec<Diagnostic>) {
    let (runbook, document) = (&draft.runbook, &draft.document);
    let step =
        runbook.steps.iter().position(|step| step.spec().reversal() == Reversal::Irreversible);
    let Some(step) = step.filter(|_| runbook.mode == Mode::Auto) else { return };
    let guards = &runbook.guards;
    let mut say = |missing: bool, gate: &str| {
        if missing {
            let message = "this acts by itself and cannot be undone";
            let place = format!("steps[{step}].action");
            remarks.push(document.warning("irreversible", &place, message).help(gate));
        }
    };
    say(
        guards.require_tag.is_empty(),
        "ask for an opt-in tag: `guards.require_tag: { firebreak: allow }`",
    );
    say(
        guards.blast_radius.group.is_none(),
        "say of which group: `guards.blast_radius.group: \"tag:service\"`",
    );
    say(
        guards.blast_radius.group.is_some() && guards.blast_radius.max_percent.is_none(),
        "limit it by share too: `guards.blast_radius.max_percent`",
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples;
    use crate::runbook::inspect;

    fn codes(change: &str, to: &str) -> Vec<&'static str> {
        let text = examples::RUNBOOK.replace(change, to);
        lint(&inspect(&text).unwrap()).iter().map(|remark| remark.code).collect()
    }

    #[test]
    fn each_weakness_is_remarked_on() {
        assert_eq!(codes("", ""), ["untested"]);
        for (change, to, code) in [
            ("[alert_resolved, ec2.status_ok]", "[ec2.status_ok]", "one_signal"),
            ("[alert_resolved, ec2.status_ok]", "[ec2.status_ok]", "no_alert_signal"),
            ("stable_for: 1m, ", "", "unstable"),
            ("  require_tag: { firebreak: allow }\n", "", "irreversible"),
            ("group: \"tag:service\", max: 1, max_percent: 50, ", "", "irreversible"),
            ("max: 1, max", "max: 0, max", "never_acts"),
            ("  cooldown: 15m", "  concurrency: 0\n  cooldown: 15m", "never_acts"),
            ("max_percent: 50, ", "", "irreversible"),
            ("alert.labels.instance_id", "alert.title", "target_identity"),
            (
                "alert.source == \"sumologic\" && alert.labels.monitor == \"slow-api-data\"",
                "alert.severity == \"critical\"",
                "broad",
            ),
            (
                "alert.source == \"sumologic\"",
                "alert.severity in [\"critical\", \"fatal\"]",
                "never_holds",
            ),
        ] {
            assert!(codes(change, to).contains(&code), "{change}: {:?}", codes(change, to));
        }
        let slow = examples::RUNBOOK.replace("mode: auto", "mode: approve\napprove_within: 1h");
        assert!(
            lint(&inspect(&slow).unwrap()).iter().any(|remark| remark.code == "approve_within")
        );
    }
}
