//! How a run begins: which runbook is for the incident, and which targets it means.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::actions;
use crate::incident::{Event, Incident};
use crate::runbook::{Mode, Runbook};
use crate::target::{BadTargets, Target, Targets};
use crate::trace::{Trace, Tried};

/// Tries every runbook against the firing alerts; the first that matches, by name, is taken.
pub(super) fn choose<'a>(
    incident: &Incident,
    runbooks: &'a [Runbook],
) -> (Option<&'a Runbook>, Vec<Tried>) {
    let mut chosen: Option<&Runbook> = None;
    let mut ordered: Vec<&Runbook> = runbooks.iter().collect();
    ordered.sort_by(|one, other| one.runbook.cmp(&other.runbook));
    let tried = ordered
        .into_iter()
        .map(|runbook| {
            let (matched, because) = matches(incident, runbook);
            let because = match (matched, chosen) {
                (true, Some(first)) => format!("matches too, but `{}` comes first", first.runbook),
                _ => because,
            };
            if matched && chosen.is_none() {
                chosen = Some(runbook);
            }
            Tried { runbook: runbook.runbook.clone(), matched, because }
        })
        .collect();
    (chosen, tried)
}

fn matches(incident: &Incident, runbook: &Runbook) -> (bool, String) {
    let mut because = "no alert is firing".to_owned();
    for alert in incident.firing() {
        match runbook.when.holds(alert) {
            Ok(true) => return (true, format!("`when` is true for {}", alert.title)),
            Ok(false) => because = format!("`when` is false for {}", alert.title),
            Err(no_value) => {
                because = format!("`when` has no value for {}: {no_value}", alert.title);
            }
        }
    }
    (false, because)
}

/// The targets that the runbook means by the alerts that are firing now.
pub fn targets_of(incident: &Incident, runbook: &Runbook) -> Result<Targets, String> {
    let mut targets = Vec::new();
    for (kind, expression) in &runbook.targets {
        for alert in incident.firing().filter(|alert| runbook.when.holds(alert).unwrap_or(false)) {
            let ids =
                expression.ids(alert).map_err(|no_value| format!("targets.{kind}: {no_value}"))?;
            targets.extend(ids.into_iter().map(|id| Target { kind: kind.clone(), id }));
        }
    }
    for target in &targets {
        check_id(target).map_err(|bad| bad.to_string())?;
    }
    Targets::new(targets).map_err(|bad| bad.to_string())
}

fn check_id(target: &Target) -> Result<(), BadTargets> {
    let Some(action) = actions::ACTIONS.iter().find(|action| action.target_kind() == target.kind)
    else {
        return Ok(());
    };
    action.check_target(&target.id).map_err(|rule| BadTargets::Id {
        kind: target.kind.clone(),
        id: target.id.clone(),
        rule,
    })
}

/// The start of a run, or the record of why there is none.
pub(super) fn begin(
    incident: &Incident,
    runbooks: &[Runbook],
    driver: &str,
    now: Timestamp,
) -> Begun {
    let (chosen, tried) = choose(incident, runbooks);
    let Some(runbook) = chosen else {
        let decision = format!("none of {} runbooks is for this", runbooks.len());
        return Begun::Not(Trace { tried, guards: Vec::new(), decision });
    };
    if matches!(runbook.mode, Mode::Shadow | Mode::Suggest) {
        return Begun::Not(Trace { tried, guards: Vec::new(), decision: would(incident, runbook) });
    }
    let decision = format!("`{}` runs for this", runbook.runbook);
    Begun::Run(Event::RunStarted {
        run: u32::try_from(incident.runs.len()).unwrap_or(u32::MAX).saturating_add(1),
        runbook: Box::new(runbook.clone()),
        driver: driver.to_owned(),
        settle_until: now + runbook.settle,
        deadline: now + runbook.longest(),
        trace: Trace { tried, guards: Vec::new(), decision },
    })
}

pub(super) enum Begun {
    Run(Event),
    Not(Trace),
}

/// What a shadow or suggesting runbook would do, in words.
fn would(incident: &Incident, runbook: &Runbook) -> String {
    let mode = if runbook.mode == Mode::Shadow { "shadow" } else { "suggest" };
    match targets_of(incident, runbook) {
        Ok(targets) => {
            let ids: Vec<&str> = targets.iter().map(|target| target.id.as_str()).collect();
            let actions: BTreeMap<usize, &str> =
                runbook.steps.iter().map(|step| step.action.as_str()).enumerate().collect();
            let actions: Vec<&str> = actions.into_values().collect();
            format!(
                "{mode}: `{}` would do {} to {}",
                runbook.runbook,
                actions.join(", then "),
                ids.join(", ")
            )
        }
        Err(problem) => format!("{mode}: `{}` matches, but {problem}", runbook.runbook),
    }
}
