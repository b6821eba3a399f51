//! How a run begins: which runbook is for the incident, and which targets it means.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Facts;
use crate::actions;
use crate::alert::Alert;
use crate::book::BookKey;
use crate::cel::Alternative;
use crate::incident::{Event, Incident};
use crate::muting;
use crate::runbook::{Mode, Runbook, RunbookSet, field};
use crate::target::{BadTargets, Target, Targets};
use crate::trace::{Trace, Tried, Would};
use crate::trust::{Allowed, Place, allowed, environments};

/// A trace lists this many runbooks; of the others it says how many there are.
const MOST_TRIED: usize = 32;

/// Of runbooks that are not for an alert, this many are shown.
const MOST_CLOSEST: usize = 5;

/// Asks the runbooks that may be for the firing alerts; the first that is, in their order, is taken.
pub(crate) fn choose<'a>(
    incident: &Incident,
    runbooks: &'a RunbookSet,
) -> (Option<&'a Runbook>, Vec<Tried>, usize) {
    let asked = asked(incident, runbooks);
    let others = runbooks.len() - asked.len();
    let mut chosen: Option<&Runbook> = None;
    let mut tried = Vec::new();
    for at in asked {
        let Some(runbook) = runbooks.get(at) else { continue };
        let (matched, because) = matches(incident, runbook, runbooks.ways(at));
        let because = match (matched, chosen) {
            (true, Some(first)) => format!("matches too, but `{}` comes first", first.runbook),
            _ => because,
        };
        if matched && chosen.is_none() {
            chosen = Some(runbook);
        }
        tried.push(Tried { runbook: runbook.runbook.clone(), matched, because });
    }
    // What matched must be seen; of what did not, the first tell enough.
    tried.sort_by_key(|tried| !tried.matched);
    let surplus = tried.len().saturating_sub(MOST_TRIED);
    tried.truncate(MOST_TRIED);
    (chosen, tried, others + surplus)
}

/// How close each runbook came to being for a firing alert, the closest first.
pub(crate) fn asked_first(incident: &Incident, runbooks: &RunbookSet) -> Vec<Tried> {
    let mut tried: Vec<(usize, Tried)> = Vec::with_capacity(runbooks.len());
    for (at, runbook) in runbooks.iter().enumerate() {
        let ways = runbooks.ways(at);
        let (matched, because) = matches(incident, runbook, ways);
        let missed = incident.firing().map(|alert| misses(ways, alert).len().max(1)).min();
        // Of what cannot be told apart by plain demands nothing is known.
        let far = if ways.is_empty() { usize::MAX } else { missed.unwrap_or(usize::MAX) };
        tried.push((far, Tried { runbook: runbook.runbook.clone(), matched, because }));
    }
    tried.sort_by_key(|(far, tried)| (!tried.matched, *far));
    tried.into_iter().map(|(_, tried)| tried).take(MOST_CLOSEST).collect()
}

/// The positions of all of a few; of many, of those whose plain demands a firing alert meets.
fn asked(incident: &Incident, runbooks: &RunbookSet) -> Vec<usize> {
    if runbooks.len() <= MOST_TRIED {
        return (0..runbooks.len()).collect();
    }
    let mut asked: Vec<usize> =
        incident.firing().flat_map(|alert| runbooks.candidates(alert)).collect();
    asked.sort_unstable();
    asked.dedup();
    asked
}

fn matches(incident: &Incident, runbook: &Runbook, ways: &[Alternative]) -> (bool, String) {
    let mut because = "no alert is firing".to_owned();
    for alert in incident.firing() {
        match runbook.when.holds(alert) {
            Ok(true) => return (true, format!("`when` is true for {}", alert.title)),
            Ok(false) => {
                let unmet = unmet(ways, alert);
                because = format!("`when` is false for {}{unmet}", alert.title);
            }
            Err(no_value) => {
                because = format!("`when` has no value for {}: {no_value}", alert.title);
            }
        }
    }
    (false, because)
}

/// The demand that came closest: `: labels.monitor is "a", not "b"`.
fn unmet(ways: &[Alternative], alert: &Alert) -> String {
    let closest = misses(ways, alert);
    if closest.is_empty() { String::new() } else { format!(": {}", closest.join(", ")) }
}

/// What the alternative that came closest demands and the alert does not have.
fn misses(ways: &[Alternative], alert: &Alert) -> Vec<String> {
    let misses = |alternative: &Alternative| -> Vec<String> {
        let is = alternative.is.iter().filter_map(|(path, values)| {
            let found = field(alert, path);
            let wanted: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
            found.is_none_or(|found| !values.contains(found)).then(|| match found {
                Some(found) => format!("{path} is {found:?}, not {}", wanted.join(" or ")),
                None => format!("there is no {path}, which should be {}", wanted.join(" or ")),
            })
        });
        let is_not = alternative.is_not.iter().filter_map(|(path, values)| {
            let found = field(alert, path)?;
            values.contains(found).then(|| format!("{path} is {found:?}"))
        });
        is.chain(is_not).collect()
    };
    ways.iter().map(misses).min_by_key(Vec::len).unwrap_or_default()
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
pub(super) fn begin(incident: &Incident, facts: &Facts<'_>, now: Timestamp) -> Begun {
    let (chosen, tried, others) = choose(incident, facts.runbooks);
    let traced =
        |decision: String| Trace { tried: tried.clone(), others, decision, ..Trace::default() };
    let Some(runbook) = chosen else {
        return Begun::Not(traced(format!(
            "none of {} runbooks is for this",
            facts.runbooks.len()
        )));
    };
    let trusted = trusted(incident, runbook, facts);
    if matches!(trusted.mode, Mode::Shadow | Mode::Suggest) {
        let decision = would(incident, runbook, &trusted);
        return Begun::Not(Trace { would: watched(runbook), ..traced(decision) });
    }
    let meant = |alert: &Alert| runbook.when.holds(alert).unwrap_or(false);
    if let Some(muted) = muting::at_rest(incident, meant, facts.mutes, now) {
        let decision = format!("`{}` is for this and waits: {}", runbook.runbook, muted.reason);
        return Begun::Not(Trace { muted: Some(muted), ..traced(decision) });
    }
    let decision = format!("`{}` runs for this", runbook.runbook);
    Begun::Run(Event::RunStarted {
        run: u32::try_from(incident.runs.len()).unwrap_or(u32::MAX).saturating_add(1),
        runbook: Box::new(runbook.clone()),
        driver: facts.driver.to_owned(),
        settle_until: now + runbook.settle,
        deadline: now + runbook.longest(trusted.mode),
        trace: traced(decision),
        requested_by: None,
        mode: Some(trusted.mode),
    })
}

pub(super) enum Begun {
    Run(Event),
    Not(Trace),
}

/// How far the runbook may go with its first action; each later one is asked for when its turn comes.
fn trusted(incident: &Incident, runbook: &Runbook, facts: &Facts<'_>) -> Allowed {
    let rules = &facts.mutes.policy.trust;
    let first = runbook.steps.first().into_iter();
    let places: Vec<Place> = first
        .flat_map(|step| {
            let place = |environment| Place { action: step.action.clone(), environment };
            environments(incident, rules).into_iter().map(place)
        })
        .collect();
    let book = facts.books.get(&BookKey::trust(&runbook.runbook));
    allowed(book.and_then(|book| book.trust.as_ref()), runbook.mode, &places, rules)
}

/// What is watched of a runbook that may not act.
fn watched(runbook: &Runbook) -> Option<Would> {
    let first = runbook.steps.first()?;
    Some(Would {
        runbook: runbook.runbook.clone(),
        action: first.action.clone(),
        ceiling: runbook.mode,
        within: runbook.settle + first.verify.within + first.verify.stable_for,
    })
}

/// What a shadow or suggesting runbook would do, in words.
fn would(incident: &Incident, runbook: &Runbook, trusted: &Allowed) -> String {
    let mode = trusted.mode.as_str();
    let because =
        if trusted.mode < runbook.mode { format!(" ({})", trusted.because) } else { String::new() };
    match targets_of(incident, runbook) {
        Ok(targets) => {
            let ids: Vec<&str> = targets.iter().map(|target| target.id.as_str()).collect();
            let actions: BTreeMap<usize, &str> =
                runbook.steps.iter().map(|step| step.action.as_str()).enumerate().collect();
            let actions: Vec<&str> = actions.into_values().collect();
            format!(
                "{mode}: `{}` would do {} to {}{because}",
                runbook.runbook,
                actions.join(", then "),
                ids.join(", ")
            )
        }
        Err(problem) => format!("{mode}: `{}` matches, but {problem}{because}", runbook.runbook),
    }
}
