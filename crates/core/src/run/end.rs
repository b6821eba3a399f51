//! How a run ends: the record of it, the locks it lets go, and what becomes of the incident.

use jiff::Timestamp;

use super::Run;
use super::booking::HANDOVER;
use crate::book::{BookKey, BookWrite, Books, Lock};
use crate::incident::{Event, Incident, Outcome};

/// The events that close a run and settle its incident.
pub(super) fn end(incident: &Incident, run: &Run, outcome: Outcome, reason: &str) -> Vec<Event> {
    let mut events = vec![Event::RunEnded { run: run.number, outcome, reason: reason.to_owned() }];
    let firing = incident.is_firing();
    let harmed = matches!(outcome, Outcome::Harmful | Outcome::Abandoned);
    // A mute held it before anything was done: it is asked again when that ends, and calls nobody.
    let muted = incident.resting.is_some() && outcome == Outcome::Held && !run.may_have_acted();
    // Whoever asked for it sees what became of it; the incident stands as it stood before.
    let refused = run.requested_by.is_some() && outcome == Outcome::Held && !run.may_have_acted();
    let failed = matches!(outcome, Outcome::Useless | Outcome::Held) && !muted && !refused;
    if harmed || (failed && firing) {
        events.push(Event::Escalated { reason: format!("{}: {reason}", words(outcome)) });
    } else if !firing && incident.status.is_live() {
        events.push(Event::Resolved { reason: format!("{}: {reason}", words(outcome)) });
    }
    events
}

fn words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Helped => "the action helped",
        Outcome::Useless => "no action helped",
        Outcome::Harmful => "an action did harm",
        Outcome::Held => "nothing was done",
        Outcome::Moot => "it went away by itself",
        Outcome::Abandoned => "the run was cut short",
    }
}

/// The books without the locks of the run. A call that nobody answered may still be on its way: its target stays
/// locked until it can be no more.
pub(super) fn release(incident: &Incident, run: &Run, books: &Books) -> Vec<BookWrite> {
    let reference = run.reference(&incident.id);
    let targets = run.observations.iter().map(|seen| BookKey::target(&seen.target));
    let groups = run.rows.iter().flat_map(|row| &row.groups).map(|group| BookKey::group(group));
    let mut keys: Vec<BookKey> = targets.chain(groups).collect();
    keys.sort();
    keys.dedup();
    keys.into_iter()
        .filter_map(|key| {
            let mut book = books.get(&key)?.released(&reference)?;
            if let Some(sent_at) = unanswered(run, &key) {
                book.lock = Some(Lock { holder: reference.clone(), until: sent_at + HANDOVER });
            }
            Some(BookWrite { key, book })
        })
        .collect()
}

fn unanswered(run: &Run, target: &BookKey) -> Option<Timestamp> {
    let rows = run.rows.iter().filter(|row| BookKey::target(&row.planned.target) == *target);
    rows.filter(|row| !row.answered).filter_map(|row| row.sent_at).max()
}
