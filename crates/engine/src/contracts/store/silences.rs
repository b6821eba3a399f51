//! Promises about silences, and about the live incidents that mutes are decided from.

use std::sync::Arc;

use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Event, Incident};
use firebreak_core::matcher::Matchers;
use firebreak_core::muting::{Silence, SilenceDraft, SilenceId};

use super::{eventually, written};
use crate::contracts::examples::{at, firing, next, opening};
use crate::ports::{PutError, Store};

fn id(name: &str) -> SilenceId {
    SilenceId::try_from(format!("sil_{name}")).expect("letters and digits")
}

fn silence(name: &str, ends_at: i64) -> Silence {
    let draft = SilenceDraft {
        owner: "größer 🔥".to_owned(),
        reason: "\"known\"\n".to_owned(),
        matchers: Matchers::read(r#"service="api", "na me"=~"x|y\\d""#).expect("they are valid"),
        starts_at: None,
        ends_at: at(ends_at),
        replaces: None,
    };
    Silence::new(draft, id(name), at(0)).expect("it is a silence")
}

async fn put(store: &dyn Store, silence: &Silence) {
    store.put_silence(silence).await.expect("it can be written");
}

pub(super) async fn kept(store: Arc<dyn Store>) {
    let store = &*store;
    assert_eq!(store.silences(at(0)).await.expect("they can be read"), []);
    assert_eq!(store.silence(&id("1")).await.expect("it can be read"), None);
    let (first, second) = (silence("1", 600), silence("2", 300));
    put(store, &first).await;
    put(store, &second).await;
    assert_eq!(store.silence(&first.id).await.expect("it can be read"), Some(first.clone()));
    for (since, expected) in [
        (0, vec![second.clone(), first.clone()]),
        (299, vec![second.clone(), first.clone()]),
        (300, vec![first.clone()]),
        (600, vec![]),
    ] {
        let found = store.silences(at(since)).await.expect("they can be read");
        assert_eq!(found, expected, "since {since}");
    }
    let over = first.expire("bob", at(60)).expect("it is active");
    put(store, &over).await;
    assert_eq!(store.silence(&first.id).await.expect("it can be read"), Some(over.clone()));
    assert_eq!(store.silences(at(59)).await.expect("they can be read"), [second.clone(), over]);
    assert_eq!(store.silences(at(60)).await.expect("they can be read"), [second]);
}

pub(super) async fn conditional(store: Arc<dyn Store>) {
    let store = &*store;
    let first = silence("1", 600);
    let over = first.expire("bob", at(60)).expect("it is active");
    let refused = store.put_silence(&over).await;
    assert!(matches!(refused, Err(PutError::Conflict)), "nothing is there to change: {refused:?}");
    put(store, &first).await;
    let again = store.put_silence(&first).await;
    assert!(matches!(again, Ok(()) | Err(PutError::Conflict)), "{again:?}");
    put(store, &over).await;
    let stale = first.expire("eve", at(61)).expect("it is active");
    let refused = store.put_silence(&stale).await;
    assert!(matches!(refused, Err(PutError::Conflict)), "bob was first: {refused:?}");
    assert_eq!(store.silence(&first.id).await.expect("it can be read"), Some(over));
}

async fn live(store: &dyn Store, most: usize) -> (Vec<IncidentId>, Option<usize>) {
    let live = store.live(most).await.expect("they can be read");
    (live.incidents.into_iter().map(|incident| incident.id).collect(), live.more_than)
}

pub(super) async fn live_incidents(store: Arc<dyn Store>) {
    let store = &*store;
    let mut opened: Vec<Incident> = Vec::new();
    for n in 0..4 {
        let append = opening(&firing(&format!("rule-{n}"), "i-1"), at(n));
        written(store, &append).await;
        opened.push(append.incident);
    }
    let ids = |which: &[usize]| -> Vec<IncidentId> {
        which.iter().filter_map(|index| Some(opened.get(*index)?.id.clone())).collect()
    };
    let escalated = Event::Escalated { reason: "nothing helped".to_owned() };
    let resolved = Event::Resolved { reason: "over".to_owned() };
    for (index, event) in [(1, escalated), (2, resolved)] {
        if let Some(incident) = opened.get(index) {
            written(store, &next(incident, vec![event], at(9))).await;
        }
    }
    eventually((ids(&[3, 1, 0]), None), || live(store, 3)).await;
    eventually((ids(&[3, 1]), Some(2)), || live(store, 2)).await;
    eventually((Vec::new(), Some(0)), || live(store, 0)).await;
}
