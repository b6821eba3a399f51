//! Promises about many writers at once.

use std::sync::Arc;

use firebreak_core::book::BookKey;
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::Incident;
use tokio::task::JoinSet;

use super::atomic::claim;
use super::record::stored;
use super::{append, find, written};
use crate::contracts::examples::{at, firing, note, opening};
use crate::ports::{Conflict, Store};

pub(super) async fn openings(store: Arc<dyn Store>) {
    let alert = firing("slow-api", "i-1");
    let mut tasks = JoinSet::new();
    for n in 0..30 {
        let (store, opening) = (Arc::clone(&store), opening(&alert, at(n)));
        tasks.spawn(async move { (opening.clone(), append(&*store, &opening).await) });
    }
    let mut winners: Vec<Incident> = Vec::new();
    let mut learnt: Vec<IncidentId> = Vec::new();
    while let Some(done) = tasks.join_next().await {
        match done.expect("the task ends") {
            (opening, Ok(())) => winners.push(opening.incident),
            (opening, Err(Conflict::Slot { held_by: Some(winner), .. })) => {
                let lost = store.load(&opening.incident.id).await.expect("load");
                assert_eq!(lost, None, "a loser was written");
                learnt.push(winner);
            }
            (_, Err(other)) => unreachable!("a loser learnt nothing: {other:?}"),
        }
    }
    assert_eq!((winners.len(), learnt.len()), (1, 29));
    let winner = winners.first().expect("one winner");
    assert!(learnt.iter().all(|id| *id == winner.id), "losers learnt different winners");
    stored(&*store, winner).await;
    for slot in opening(&alert, at(0)).slots {
        assert_eq!(find(&*store, &slot.key).await.as_ref(), Some(&winner.id));
    }
}

pub(super) async fn the_same_at_once(store: Arc<dyn Store>) {
    let opening = opening(&firing("slow-api", "i-1"), at(0));
    let mut tasks = JoinSet::new();
    for _ in 0..10 {
        let (store, opening) = (Arc::clone(&store), opening.clone());
        tasks.spawn(async move { append(&*store, &opening).await });
    }
    let mut successes = 0;
    while let Some(done) = tasks.join_next().await {
        match done.expect("the task ends") {
            Ok(()) => successes += 1,
            Err(Conflict::Version) => {}
            Err(other) => unreachable!("the same opening conflicts with itself: {other:?}"),
        }
    }
    assert!(successes >= 1, "nobody wrote it");
    stored(&*store, &opening.incident).await;
    let events = store.events(&opening.incident.id).await.expect("events");
    assert_eq!(events, opening.events);
}

pub(super) async fn claims(store: Arc<dyn Store>) {
    let key = BookKey::group("tag:service=checkout");
    let mut tasks = JoinSet::new();
    for n in 0..20 {
        let first = opening(&firing(&format!("rule-{n}"), "i-1"), at(n));
        written(&*store, &first).await;
        let (store, key) = (Arc::clone(&store), key.clone());
        tasks.spawn(async move {
            loop {
                let mut books =
                    store.books(std::slice::from_ref(&key)).await.expect("books can be read");
                let read = books.remove(&key).unwrap_or_default();
                let mut claiming = note(&first.incident, "claims", at(n));
                claiming.books.push(claim(&key, &read, &first.incident.id, at(n)));
                match append(&*store, &claiming).await {
                    Ok(()) => return claiming.incident,
                    Err(Conflict::Book { key: conflicting }) => assert_eq!(conflicting, key),
                    Err(other) => unreachable!("only the book can conflict: {other:?}"),
                }
            }
        });
    }
    let incidents = tasks.join_all().await;
    let books = store.books(std::slice::from_ref(&key)).await.expect("books can be read");
    let book = books.get(&key).expect("the book exists");
    assert_eq!((book.version, book.entries.len()), (20, 20));
    let mut claimed: Vec<&IncidentId> =
        book.entries.iter().map(|entry| &entry.by.incident).collect();
    let mut expected: Vec<&IncidentId> = incidents.iter().map(|incident| &incident.id).collect();
    claimed.sort();
    expected.sort();
    assert_eq!(claimed, expected);
    for incident in &incidents {
        stored(&*store, incident).await;
    }
}

pub(super) async fn writers(store: Arc<dyn Store>) {
    let first = opening(&firing("slow-api", "i-1"), at(0));
    written(&*store, &first).await;
    let mut tasks = JoinSet::new();
    for writer in 0..8 {
        let (store, id) = (Arc::clone(&store), first.incident.id.clone());
        tasks.spawn(async move {
            for n in 0..3 {
                loop {
                    let read = store.load(&id).await.expect("load").expect("it exists");
                    let noted = note(&read, &format!("{writer}.{n}"), at(1));
                    match append(&*store, &noted).await {
                        Ok(()) => break,
                        Err(Conflict::Version) => {}
                        Err(other) => unreachable!("only the version can conflict: {other:?}"),
                    }
                }
            }
        });
    }
    tasks.join_all().await;
    let events = store.events(&first.incident.id).await.expect("events");
    assert_eq!(events.len(), 2 + 24);
    let latest = store.load(&first.incident.id).await.expect("load").expect("it exists");
    assert_eq!(latest.version, 26);
    stored(&*store, &latest).await;
}
