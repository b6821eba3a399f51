//! What every store promises, as a list of named checks; a failure names the promise that was broken.

mod atomic;
mod heartbeats;
mod keep;
mod list;
mod nonces;
mod quarantine;
mod race;
mod record;
mod silences;
mod together;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use firebreak_core::ids::IncidentId;
use tokio::task::JoinError;

use crate::ports::{Append, AppendError, Conflict, SlotKey, Store, StoreError};

/// One promise and how it is tried. Each is tried on an empty store of its own.
pub struct Check {
    pub promise: &'static str,
    pub run: fn(Arc<dyn Store>) -> Trial,
}

/// Ends when the promise was kept, panics with what differed when it was not.
pub type Trial = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Every promise, in reading order.
pub const CHECKS: &[Check] = &[
    Check {
        promise: "what was appended is read back alike by load, events, find and list",
        run: |store| Box::pin(record::reads_agree(store)),
    },
    Check {
        promise: "replaying the events gives the stored incident, after every append",
        run: |store| Box::pin(record::replay_is_the_snapshot(store)),
    },
    Check {
        promise: "each event carries the hash of the one before it, and the incident that of its last",
        run: |store| Box::pin(record::chained(store)),
    },
    Check {
        promise: "what was never written is absent and not an error",
        run: |store| Box::pin(record::absent(store)),
    },
    Check {
        promise: "a hundred events come back in order and without gaps",
        run: |store| Box::pin(record::a_hundred_events(store)),
    },
    Check {
        promise: "any text survives: every script, control characters, quotes, long lines",
        run: |store| Box::pin(record::any_text(store)),
    },
    Check {
        promise: "a full incident, thirty-two alerts of two kilobytes, is kept whole",
        run: |store| Box::pin(record::a_large_incident(store)),
    },
    Check {
        promise: "an append to a stale version is a version conflict and writes nothing",
        run: |store| Box::pin(atomic::stale_version(store)),
    },
    Check {
        promise: "opening an incident that exists is a version conflict and writes nothing",
        run: |store| Box::pin(atomic::opened_twice(store)),
    },
    Check {
        promise: "a slot that must not exist stops the whole append, and the conflict says who holds it",
        run: |store| Box::pin(atomic::slot_taken(store)),
    },
    Check {
        promise: "a slot that must point somewhere stops the whole append where it points elsewhere or nowhere",
        run: |store| Box::pin(atomic::slot_moved(store)),
    },
    Check {
        promise: "a book that somebody wrote stops the whole append, and the conflict names it",
        run: |store| Box::pin(atomic::book_written(store)),
    },
    Check {
        promise: "books are written together or not at all, also without an incident",
        run: |store| Box::pin(atomic::books_alone(store)),
    },
    Check {
        promise: "a book keeps all that was learnt",
        run: |store| Box::pin(atomic::learnt(store)),
    },
    Check {
        promise: "a slot follows when its condition holds",
        run: |store| Box::pin(atomic::slot_follows(store)),
    },
    Check {
        promise: "the very same append again succeeds or is a version conflict, and writes nothing twice",
        run: |store| Box::pin(atomic::the_same_again(store)),
    },
    Check {
        promise: "of thirty concurrent openings of one slot exactly one wins and the others learn who",
        run: |store| Box::pin(race::openings(store)),
    },
    Check {
        promise: "the very same opening sent ten times at once is written once",
        run: |store| Box::pin(race::the_same_at_once(store)),
    },
    Check {
        promise: "of twenty concurrent claims in one book none is lost",
        run: |store| Box::pin(race::claims(store)),
    },
    Check {
        promise: "concurrent writers of one incident never lose or share a number",
        run: |store| Box::pin(race::writers(store)),
    },
    Check {
        promise: "appends sent together are answered one by one, and a conflict of one leaves the others alone",
        run: |store| Box::pin(together::one_by_one(store)),
    },
    Check {
        promise: "many at once come back alike, and those that do not exist are left out",
        run: |store| Box::pin(together::many_at_once(store)),
    },
    Check {
        promise: "a slot says what its incident last heard of the alert",
        run: |store| Box::pin(together::seen_follows(store)),
    },
    Check {
        promise: "the largest append fits into one transaction",
        run: |store| Box::pin(together::the_largest_append(store)),
    },
    Check {
        promise: "books answers with those that exist and no others",
        run: |store| Box::pin(atomic::only_existing_books(store)),
    },
    Check {
        promise: "lists are newest first and filtered by status and service",
        run: |store| Box::pin(list::order_and_filters(store)),
    },
    Check {
        promise: "pages cover everything exactly once, also where times are equal",
        run: |store| Box::pin(list::pages(store)),
    },
    Check {
        promise: "an incident is listed under its latest status alone",
        run: |store| Box::pin(list::moves_with_status(store)),
    },
    Check {
        promise: "repeats are counted, and counting one makes no slot",
        run: |store| Box::pin(keep::repeats(store)),
    },
    Check {
        promise: "the kill switch is off until it is set, and then as it was set last",
        run: |store| Box::pin(keep::kill_switch(store)),
    },
    Check {
        promise: "quarantine keeps whole bodies, also large ones that do not compress",
        run: |store| Box::pin(quarantine::whole_bodies(store)),
    },
    Check {
        promise: "quarantine answers newest first, by source, page after page",
        run: |store| Box::pin(quarantine::lists(store)),
    },
    Check {
        promise: "what is said of a delivery in quarantine changes only on condition of its version",
        run: |store| Box::pin(quarantine::amended(store)),
    },
    Check {
        promise: "of the signs of life of a source the latest counts, in whatever order they are noted",
        run: |store| Box::pin(heartbeats::latest(store)),
    },
    Check {
        promise: "the watch is as it was set last",
        run: |store| Box::pin(heartbeats::watch(store)),
    },
    Check {
        promise: "silences are read back as they were written, and only those that end later than asked",
        run: |store| Box::pin(silences::kept(store)),
    },
    Check {
        promise: "a silence that somebody changed is a conflict and stays as it was changed first",
        run: |store| Box::pin(silences::conditional(store)),
    },
    Check {
        promise: "the live incidents are those that are not over, newest first, and what is left out is said",
        run: |store| Box::pin(silences::live_incidents(store)),
    },
    Check {
        promise: "counters count by name, also at once",
        run: |store| Box::pin(keep::counters(store)),
    },
    Check {
        promise: "a nonce is known from when it was remembered until its time is over",
        run: |store| Box::pin(nonces::known_until_its_time_is_over(store)),
    },
    Check {
        promise: "of thirty that remember one nonce at once exactly one hears that it is fresh",
        run: |store| Box::pin(nonces::one_of_many_at_once_is_fresh(store)),
    },
];

/// Tries every promise; `make` gives a new empty store each time. Panics with all that were broken.
pub async fn store_contract<F, Fut>(make: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = Arc<dyn Store>>,
{
    let mut broken = Vec::new();
    for check in CHECKS {
        let store = make().await;
        if let Err(failure) = tokio::spawn((check.run)(store)).await {
            broken.push(format!("- {}:\n  {}", check.promise, said(failure)));
        }
    }
    let kept = CHECKS.len() - broken.len();
    assert!(broken.is_empty(), "{kept} promises kept, broken:\n{}", broken.join("\n"));
}

fn said(failure: JoinError) -> String {
    let Ok(panic) = failure.try_into_panic() else { return "it was cancelled".to_owned() };
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()))
        .unwrap_or_else(|| "it panicked".to_owned())
}

/// Appends, again where the store says that it is worth trying again.
async fn append(store: &dyn Store, append: &Append) -> Result<(), Conflict> {
    for _ in 0..200 {
        match store.append(append).await {
            Ok(()) => return Ok(()),
            Err(AppendError::Conflict(conflict)) => return Err(conflict),
            Err(AppendError::Store(StoreError::Unavailable(_))) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(AppendError::Store(error @ StoreError::Corrupt(_))) => {
                unreachable!("a valid append was called unreadable: {error}")
            }
        }
    }
    unreachable!("the store stayed unavailable")
}

/// Appends what must not conflict.
async fn written(store: &dyn Store, what: &Append) {
    assert_eq!(
        append(store, what).await,
        Ok(()),
        "{} to {}",
        what.incident.id,
        what.incident.version
    );
}

async fn find(store: &dyn Store, key: &SlotKey) -> Option<IncidentId> {
    store.find(key).await.expect("the slot can be read")
}

/// Asks until the answer is the expected one: for reads that may lag behind.
async fn eventually<T, F, Fut>(expected: T, ask: F)
where
    T: PartialEq + std::fmt::Debug,
    F: Fn() -> Fut,
    Fut: Future<Output = T>,
{
    let mut answer = ask().await;
    for _ in 0..100 {
        if answer == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        answer = ask().await;
    }
    assert_eq!(answer, expected);
}
