//! Reading a runbook from YAML: everything that can be wrong is found here and named with its place.

use jiff::SignedDuration;

use super::{ALERT_RESOLVED, Runbook, Step};
use crate::actions;
use crate::book::MEMORY;

/// More looks than this would fill the history of an execution.
const MOST_LOOKS: f64 = 500.0;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRunbook {
    /// The text already says line, column and field.
    #[error("{0}")]
    Yaml(String),
    #[error("{place}: {problem}")]
    Rule { place: String, problem: String },
}

fn rule(place: impl Into<String>, problem: impl Into<String>) -> BadRunbook {
    BadRunbook::Rule { place: place.into(), problem: problem.into() }
}

/// Reads one runbook. What it returns can be run; nothing about it has to be checked again.
pub fn read(yaml: &str) -> Result<Runbook, BadRunbook> {
    let runbook: Runbook =
        serde_saphyr::from_str(yaml).map_err(|error| BadRunbook::Yaml(error.to_string()))?;
    check(&runbook)?;
    Ok(runbook)
}

fn check(runbook: &Runbook) -> Result<(), BadRunbook> {
    if runbook.owner.trim().is_empty() {
        return Err(rule("owner", "name who answers for this runbook"));
    }
    if runbook.targets.len() != 1 {
        return Err(rule(
            "targets",
            "give exactly one target kind, such as `ec2.instance: alert.labels.instance_id`",
        ));
    }
    runbook.when.check().map_err(|bad| rule("when", bad.to_string()))?;
    for (kind, ids) in &runbook.targets {
        ids.check().map_err(|bad| rule(format!("targets.{kind}"), bad.to_string()))?;
    }
    if runbook.steps.is_empty() {
        return Err(rule("steps", "give at least one step"));
    }
    not_negative("max_age", runbook.max_age)?;
    not_negative("settle", runbook.settle)?;
    not_negative("approve_within", runbook.approve_within)?;
    check_guards(runbook)?;
    for (index, step) in runbook.steps.iter().enumerate() {
        check_step(runbook, step).map_err(|bad| match bad {
            BadRunbook::Rule { place, problem } => rule(format!("steps[{index}].{place}"), problem),
            yaml @ BadRunbook::Yaml(_) => yaml,
        })?;
    }
    Ok(())
}

fn check_guards(runbook: &Runbook) -> Result<(), BadRunbook> {
    let guards = &runbook.guards;
    for (place, window) in [
        ("guards.cooldown", guards.cooldown),
        ("guards.attempts.per", guards.attempts.per),
        ("guards.blast_radius.window", guards.blast_radius.window),
    ] {
        not_negative(place, window)?;
        if window > MEMORY {
            return Err(rule(place, "actions are remembered for 7 days; use a shorter time"));
        }
    }
    if guards.blast_radius.max_percent.is_some_and(|percent| percent > 100) {
        return Err(rule("guards.blast_radius.max_percent", "a percentage is at most 100"));
    }
    match guards.blast_radius.group.as_deref() {
        None => Ok(()),
        Some(group) if group.strip_prefix("tag:").is_some_and(|tag| !tag.is_empty()) => Ok(()),
        Some(other) => {
            Err(rule("guards.blast_radius.group", format!("`{other}` is not `tag:<name>`")))
        }
    }
}

fn check_step(runbook: &Runbook, step: &Step) -> Result<(), BadRunbook> {
    let Some(action) = actions::find(step.action.as_str()) else {
        let known: Vec<_> = actions::ACTIONS.iter().map(|action| action.name()).collect();
        return Err(rule(
            "action",
            format!("there is no `{}`; there are {}", step.action, known.join(", ")),
        ));
    };
    if action.target_kind() != runbook.target_kind() {
        let problem = format!(
            "{} acts on {}, the runbook targets {}",
            action.name(),
            action.target_kind(),
            runbook.target_kind()
        );
        return Err(rule("action", problem));
    }
    action.check_parameters(&step.with).map_err(|problem| rule("with", problem))?;
    if step.verify.all.is_empty() {
        return Err(rule(
            "verify.all",
            "name at least one signal; an action that cannot be verified is not taken",
        ));
    }
    for signal in &step.verify.all {
        let known =
            signal == ALERT_RESOLVED || action.signals().iter().any(|known| known.name == signal);
        if !known {
            let names: Vec<_> = action.signals().iter().map(|signal| signal.name).collect();
            let problem = format!(
                "{} has no signal `{signal}`; use {ALERT_RESOLVED}, {}",
                action.name(),
                names.join(", ")
            );
            return Err(rule("verify.all", problem));
        }
    }
    if step.verify.within <= SignedDuration::ZERO {
        return Err(rule("verify.within", "give the signals some time"));
    }
    let blind = step.verify.all.iter().map(|signal| step.verify.fresh_from(action, signal)).max();
    if let Some(blind) = blind.filter(|blind| *blind >= step.verify.within) {
        let problem = format!(
            "readings count from {blind:#} after the action, so this can never succeed; allow more time"
        );
        return Err(rule("verify.within", problem));
    }
    not_negative("verify.stable_for", step.verify.stable_for)?;
    if step.verify.every.is_some_and(|every| every < SignedDuration::from_millis(100)) {
        return Err(rule("verify.every", "look at most ten times a second"));
    }
    let looks = (step.verify.within + step.verify.stable_for).as_secs_f64()
        / step.verify.interval().as_secs_f64();
    if looks > MOST_LOOKS {
        return Err(rule(
            "verify.every",
            format!("that is {looks:.0} looks, at most {MOST_LOOKS} fit; look less often"),
        ));
    }
    if step.undo_after.is_some() && action.reversal() == actions::Reversal::Irreversible {
        return Err(rule("undo_after", format!("{} cannot be undone", action.name())));
    }
    step.undo_after.map_or(Ok(()), |after| not_negative("undo_after", after))
}

fn not_negative(place: &str, duration: SignedDuration) -> Result<(), BadRunbook> {
    if duration.is_negative() { Err(rule(place, "a duration cannot be negative")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::examples;

    fn problem(change: &str, to: &str) -> String {
        assert!(examples::RUNBOOK.contains(change), "{change}");
        read(&examples::RUNBOOK.replace(change, to)).unwrap_err().to_string()
    }

    #[test]
    fn the_example_reads_with_units() {
        let runbook = read(examples::RUNBOOK).unwrap();
        assert_eq!(runbook.max_age, SignedDuration::from_mins(10));
        assert_eq!(runbook.guards.attempts.max, 2);
        assert_eq!(runbook.steps[0].action.as_str(), "ec2.reboot");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn no_text_makes_the_reader_panic(text in "[ -~\\n]{0,200}", cut in 0usize..600, with in "[ -~\\n]{0,8}") {
            drop(read(&text));
            let (head, tail) = examples::RUNBOOK.split_at(cut.min(examples::RUNBOOK.len()));
            drop(read(&format!("{head}{with}{tail}")));
        }
    }

    #[test]
    fn every_mistake_is_named_with_its_place() {
        for (change, to, expected) in [
            ("owner:", "onwer:", "onwer"),
            ("cooldown: 15m", "cooldwn: 15m", "cooldwn"),
            ("cooldown: 15m", "cooldown: soon", "soon"),
            ("cooldown: 15m", "cooldown: 720h", "guards.cooldown"),
            ("ec2.reboot\n", "ec2.rebot\n", "steps[0].action: there is no `ec2.rebot`"),
            ("ec2.status_ok", "ec2.statusok", "steps[0].verify.all"),
            ("ec2.instance:", "http.flag:", "steps[0].action: ec2.reboot acts on ec2.instance"),
            ("group: \"tag:service\"", "group: service", "guards.blast_radius.group"),
            ("alert.labels.monitor", "alert.label.monitor", "alert.label"),
            ("mode: auto", "mode: automatic", "automatic"),
        ] {
            let text = problem(change, to);
            assert!(text.contains(expected), "{change} -> {to} said: {text}");
        }
    }
}
