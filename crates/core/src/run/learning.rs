//! What is learnt when a run ends and when an incident closes, written in the same transaction.

use jiff::Timestamp;

use super::{Facts, Phase, Run};
use crate::book::{Book, BookKey, BookWrite, Books};
use crate::counterfactual::Likely;
use crate::evidence::Effect;
use crate::healing;
use crate::ids::{ActionName, RunbookName};
use crate::incident::{Event, Incident, Outcome};
use crate::ledger::RowState;
use crate::policy::Trust;
use crate::runbook::Mode;
use crate::trust::{Change, Lesson, Place, environments, learn};

/// Adds what the events teach. Every end of a run and every close passes here, so that none is forgotten.
pub(super) fn with_lessons(
    incident: &Incident,
    (mut events, mut writes): (Vec<Event>, Vec<BookWrite>),
    facts: &Facts<'_>,
    books: &Books,
    now: Timestamp,
) -> (Vec<Event>, Vec<BookWrite>) {
    let ends = events.iter().find_map(|event| {
        if let Event::RunEnded { outcome, .. } = event { Some(*outcome) } else { None }
    });
    if let (Some(outcome), Some(run)) = (ends, incident.active_run()) {
        let lessons = of_run(run, outcome);
        let class = Class { runbook: &run.runbook.runbook, ceiling: run.runbook.mode };
        let (write, lost) = taught(incident, &class, &lessons, facts, books, now);
        writes.extend(write);
        say(incident, run.number, lost, &mut events);
    }
    if events.iter().any(|event| matches!(event, Event::Closed { .. })) {
        writes.extend(of_closed(incident, facts, books, now));
    }
    (events, writes)
}

/// The books that [`with_lessons`] looks at.
pub(super) fn books_needed(incident: &Incident) -> Vec<BookKey> {
    let would = incident.considered.as_ref().and_then(|trace| trace.would.as_ref());
    let watched = would.map(|would| BookKey::trust(&would.runbook));
    let ran = incident.active_run().map(|run| BookKey::trust(&run.runbook.runbook));
    // What fires is neither closed nor, unless it is being verified, judged.
    let judged =
        incident.active_run().is_some_and(|run| matches!(run.phase, Phase::Verifying { .. }));
    let causes = (judged || !incident.is_firing()).then(|| healing::causes(incident));
    let causes = causes.unwrap_or_default();
    causes.iter().map(|cause| BookKey::cause(cause)).chain(watched).chain(ran).collect()
}

struct Class<'a> {
    runbook: &'a RunbookName,
    ceiling: Mode,
}

/// One lesson for each step that acted: its verdict, harm where its undo failed, unclear where it was cut short.
fn of_run(run: &Run, outcome: Outcome) -> Vec<(ActionName, Lesson)> {
    let acted = |step: usize| run.rows_of(step).any(|(_, row)| acted(row.state));
    let steps = run.runbook.steps.iter().enumerate().filter(|(index, _)| acted(*index));
    let lesson = |index: usize| {
        let stuck = run.rows_of(index).any(|(_, row)| row.state == RowState::Stuck);
        let judged = run.judged.iter().rev().find(|judged| judged.step == index);
        match judged.map(|judged| judged.effect) {
            _ if stuck => Lesson::Harmful,
            Some(Effect::Helped) => {
                let likely = judged.and_then(|judged| judged.likely);
                Lesson::Helped { likely: likely.unwrap_or(Likely::Unknown) }
            }
            Some(Effect::Harmful) => Lesson::Harmful,
            None if outcome == Outcome::Harmful => Lesson::Harmful,
            None if outcome == Outcome::Abandoned => Lesson::Unclear,
            Some(Effect::Useless) | None => Lesson::Useless,
        }
    };
    steps.map(|(index, step)| (step.action.clone(), lesson(index))).collect()
}

fn acted(state: RowState) -> bool {
    state.may_have_acted() || matches!(state, RowState::Undone | RowState::Stuck)
}

/// What an action lost by its lessons.
type Lost = (Place, Change);

fn taught(
    incident: &Incident,
    class: &Class<'_>,
    lessons: &[(ActionName, Lesson)],
    facts: &Facts<'_>,
    books: &Books,
    now: Timestamp,
) -> (Option<BookWrite>, Vec<Lost>) {
    if lessons.is_empty() {
        return (None, Vec::new());
    }
    let rules: &Trust = &facts.mutes.policy.trust;
    let key = BookKey::trust(class.runbook);
    let book = books.get(&key).cloned().unwrap_or_default();
    let mut record = book.trust.clone().unwrap_or_default();
    let mut lost = Vec::new();
    for (action, lesson) in lessons {
        for environment in environments(incident, rules) {
            let place = Place { action: action.clone(), environment };
            let lesson = (&incident.id, *lesson);
            let (next, change) = learn(&record, &place, lesson, class.ceiling, rules, now);
            record = next;
            lost.extend(change.map(|change| (place, change)));
        }
    }
    let book = Book { version: book.version + 1, trust: Some(record), ..book };
    (Some(BookWrite { key, book }), lost)
}

/// A loss of trust is on the record, and whoever is told of the end is told of it.
fn say(incident: &Incident, run: u32, lost: Vec<Lost>, events: &mut Vec<Event>) {
    if lost.is_empty() {
        return;
    }
    let mut words = Vec::new();
    for (place, change) in lost {
        words.push(format!(
            "`{}` goes from `{}` to `{}` in {}: {}",
            place.action,
            change.from.as_str(),
            change.to.as_str(),
            place.environment,
            change.reason
        ));
        events.push(Event::TrustLost {
            run,
            action: place.action.to_string(),
            environment: place.environment,
            from: change.from,
            to: change.to,
            reason: change.reason,
        });
    }
    let words = words.join("; ");
    let told = events.iter_mut().find_map(|event| {
        if let Event::Escalated { reason } | Event::Resolved { reason } = event {
            return Some(reason);
        }
        None
    });
    match told {
        Some(reason) => *reason = format!("{reason}; {words}"),
        None if incident.status.is_live() => events.push(Event::Escalated { reason: words }),
        None => {}
    }
}

/// What an incident that is over shows: how long its causes went on untouched, and what became of what a
/// runbook would have acted on.
fn of_closed(
    incident: &Incident,
    facts: &Facts<'_>,
    books: &Books,
    now: Timestamp,
) -> Vec<BookWrite> {
    let samples = healing::lessons(incident, now);
    let mut writes: Vec<BookWrite> = samples
        .iter()
        .map(|(cause, sample)| {
            let key = BookKey::cause(cause);
            let book = books.get(&key).cloned().unwrap_or_default();
            let healing = book.healing.clone().unwrap_or_default().with(*sample);
            let book = Book { version: book.version + 1, healing: Some(healing), ..book };
            BookWrite { key, book }
        })
        .collect();
    let would = incident.considered.as_ref().and_then(|trace| trace.would.as_ref());
    if let Some(would) = would.filter(|_| incident.runs.is_empty() && !samples.is_empty()) {
        let healed = samples
            .values()
            .all(|sample| sample.healed && sample.seconds <= would.within.as_secs());
        let class = Class { runbook: &would.runbook, ceiling: would.ceiling };
        let lessons = [(would.action.clone(), Lesson::WouldAct { healed })];
        writes.extend(taught(incident, &class, &lessons, facts, books, now).0);
    }
    writes
}
