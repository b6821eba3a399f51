//! What a run writes into books: the claim of a row, once more when its call is about to go out, and its end.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::Run;
use crate::book::{BookKey, BookWrite, Books, Entry, Lock};
use crate::breaker::{Failure, is_bad};
use crate::evidence::Observation;
use crate::incident::{Incident, Outcome};
use crate::policy;
use crate::runbook::RunbookSet;
use crate::self_inflicted::{self, ExpectedEffect};
use crate::target::Target;

/// How much longer than its run a lock lasts: the time that a last call, judged before the deadline, may
/// still be under way. Whoever makes calls is stopped before (the time-out of the functions).
pub(super) const HANDOVER: SignedDuration = SignedDuration::from_mins(2);

/// The groups that a target counts in: those that any runbook counts by, and its kind. So that all of them,
/// and what people run by hand, share one budget.
pub(super) fn groups_of(seen: &Observation, runbooks: &RunbookSet) -> Vec<String> {
    let words = runbooks.iter().filter_map(|runbook| runbook.guards.blast_radius.group.as_deref());
    let by_tag = words.collect::<BTreeSet<_>>().into_iter().filter_map(|word| {
        let value = seen.tags.get(word.strip_prefix("tag:")?)?;
        Some(format!("{word}={value}"))
    });
    let kind = format!("kind:{}", seen.target.kind);
    let own = seen.group.as_ref().map(|group| group.key.clone());
    by_tag.chain([kind]).chain(own).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The books of the target, of its groups and of what is expected of the step, with the row written in.
pub(super) fn claims(
    incident: &Incident,
    run: &Run,
    (index, groups): (usize, &[String]),
    books: &Books,
    now: Timestamp,
) -> Vec<BookWrite> {
    let Some(row) = run.rows.get(index) else { return Vec::new() };
    let Some(step) = run.step(row.planned.step) else { return Vec::new() };
    let by = run.reference(&incident.id);
    let target = &row.planned.target;
    let entry =
        Entry { target: target.clone(), action: step.action.clone(), by: by.clone(), at: now };
    let lock = Lock { holder: by.clone(), until: run.deadline + HANDOVER };
    let book = |key: &BookKey| books.get(key).cloned().unwrap_or_default();
    let own = BookKey::target(target);
    let locked = book(&own).claimed(Some(lock.clone()), entry.clone(), now);
    let mut writes = vec![BookWrite { key: own, book: locked }];
    for key in groups.iter().map(|group| BookKey::group(group)) {
        let book = book(&key).joined(lock.clone(), entry.clone(), now);
        writes.push(BookWrite { key, book });
    }
    if let Some(effect) = ExpectedEffect::of(step, target, &incident.service, &by, now) {
        let key = BookKey::effects();
        let before = book(&key);
        let book = before.expecting(self_inflicted::with(&before.effects, effect, now));
        writes.push(BookWrite { key, book });
    }
    writes
}

/// The same books with the row dated at `now`: an action counts from when it is sent, however long ago it was
/// claimed. To be written with `step.sent`, so that nobody booked anything since the guards were asked.
pub fn sent(
    incident: &Incident,
    run: &Run,
    target: &Target,
    books: &Books,
    now: Timestamp,
) -> Vec<BookWrite> {
    let by = run.reference(&incident.id);
    let rows = run.rows.iter().filter(|row| row.planned.target == *target);
    let groups: BTreeSet<&String> = rows.flat_map(|row| &row.groups).collect();
    let mut writes: Vec<BookWrite> = std::iter::once(BookKey::target(target))
        .chain(groups.into_iter().map(|group| BookKey::group(group)))
        .filter_map(|key| {
            let book = books.get(&key)?.sent(&by, target, now);
            Some(BookWrite { key, book })
        })
        .collect();
    let key = BookKey::effects();
    if let Some(book) = books.get(&key).filter(|book| book.effects.iter().any(|of| of.by == by)) {
        let book = book.expecting(self_inflicted::sent(&book.effects, &by, target, now));
        writes.push(BookWrite { key, book });
    }
    writes
}

/// The book of the breaker, where the end of the run counts for it.
pub(super) fn counted(
    incident: &Incident,
    (number, outcome): (u32, Outcome),
    books: &Books,
    limits: &policy::Breaker,
    now: Timestamp,
) -> Option<BookWrite> {
    let run = incident.runs.iter().find(|run| run.number == number)?;
    let key = BookKey::breaker();
    let book = books.get(&key).cloned().unwrap_or_default();
    if !is_bad(run, outcome) || book.unreadable.is_some() {
        return None;
    }
    let (by, runbook) = (run.reference(&incident.id), run.runbook.runbook.clone());
    let failure = Failure { by, runbook, outcome, at: now };
    let breaker = book.breaker.clone().unwrap_or_default().counted(failure, limits);
    Some(BookWrite { key, book: book.broken(breaker) })
}
