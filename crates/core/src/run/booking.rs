//! What a run writes into books: the claim of a row, and once more when its call is about to go out.

use jiff::{SignedDuration, Timestamp};

use super::Run;
use crate::book::{BookKey, BookWrite, Books, Entry, Lock};
use crate::incident::Incident;
use crate::target::Target;

/// How much longer than its run a lock lasts: the time that a last call, judged before the deadline, may
/// still be under way. Whoever makes calls is stopped before (the time-out of the functions).
pub(super) const HANDOVER: SignedDuration = SignedDuration::from_mins(2);

/// The books of the target and of its group, with the row written in.
pub(super) fn claims(
    incident: &Incident,
    run: &Run,
    index: usize,
    books: &Books,
    now: Timestamp,
) -> Vec<BookWrite> {
    let Some(row) = run.rows.get(index) else { return Vec::new() };
    let Some(step) = run.step(row.planned.step) else { return Vec::new() };
    let by = run.reference(&incident.id);
    let target = &row.planned.target;
    let entry =
        Entry { target: target.clone(), action: step.action.clone(), by: by.clone(), at: now };
    let lock = Lock { holder: by, until: run.deadline + HANDOVER };
    let mut writes = Vec::new();
    let mut write = |key: BookKey, lock: Option<Lock>| {
        let book = books.get(&key).cloned().unwrap_or_default().claimed(lock, entry.clone(), now);
        writes.push(BookWrite { key, book });
    };
    write(BookKey::target(target), Some(lock));
    if let Some(group) = group_of(run, target) {
        write(group, None);
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
    std::iter::once(BookKey::target(target))
        .chain(group_of(run, target))
        .filter_map(|key| {
            let book = books.get(&key)?.sent(&by, target, now);
            Some(BookWrite { key, book })
        })
        .collect()
}

fn group_of(run: &Run, target: &Target) -> Option<BookKey> {
    let seen = run.observations.iter().find(|seen| seen.target == *target)?;
    seen.group.as_ref().map(|group| BookKey::group(&group.key))
}
