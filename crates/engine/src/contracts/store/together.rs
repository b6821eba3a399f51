//! Promises about many at once: appends, slots and incidents, and what a slot has seen.

use std::sync::Arc;

use firebreak_core::incident::{Event, Incident, Seen};

use super::record::stored;
use super::{find, written};
use crate::contracts::examples::{
    at, by_fingerprint, draft, firing, joining, next, note, opening, resolved,
};
use crate::ids::incident_id;
use crate::ports::{Append, AppendError, Conflict, SlotKey, Store};

pub(super) async fn one_by_one(store: Arc<dyn Store>) {
    let taken = opening(&firing("taken", "i-0"), at(0));
    written(&*store, &taken).await;
    let moved_on = note(&taken.incident, "somebody else was first", at(1));
    written(&*store, &moved_on).await;

    let stale = note(&taken.incident, "too late", at(2));
    let late = opening(&firing("taken", "i-0"), at(2));
    let good: Vec<Append> =
        (0..40).map(|n| opening(&firing(&format!("rule-{n}"), "i-1"), at(2))).collect();
    let (first, rest) = good.split_first().expect("there are some");
    let together = [std::slice::from_ref(first), &[stale, late], rest].concat();
    let answers = store.append_all(&together).await;
    assert_eq!(answers.len(), together.len());
    for (place, (append, answer)) in together.iter().zip(answers).enumerate() {
        match (place, answer) {
            (1, Err(AppendError::Conflict(Conflict::Version))) => {}
            (2, Err(AppendError::Conflict(Conflict::Slot { held_by, .. }))) => {
                assert_eq!(held_by.as_ref(), Some(&taken.incident.id));
                let id = &append.incident.id;
                assert_eq!(store.load(id).await.expect("load"), None, "a part was written");
            }
            (0 | 3.., Ok(())) => stored(&*store, &append.incident).await,
            (place, answer) => unreachable!("append {place} was answered {answer:?}"),
        }
    }
    stored(&*store, &moved_on.incident).await;
    assert!(store.append_all(&[]).await.is_empty());
}

pub(super) async fn many_at_once(store: Arc<dyn Store>) {
    let appends: Vec<Append> =
        (0..130).map(|n| opening(&firing(&format!("rule-{n}"), "i-1"), at(n))).collect();
    for answer in store.append_all(&appends).await {
        answer.expect("nothing is in the way");
    }
    let mut ids: Vec<_> = appends.iter().map(|append| append.incident.id.clone()).collect();
    ids.push(incident_id(at(0)));
    let mut keys: Vec<SlotKey> =
        appends.iter().flat_map(|append| &append.slots).map(|slot| slot.key.clone()).collect();
    keys.push(SlotKey::Group("nobody has it".to_owned()));
    let loaded = store.load_all(&ids).await.expect("incidents can be read");
    let slots = store.find_all(&keys).await.expect("slots can be read");
    assert_eq!((loaded.len(), slots.len()), (130, 260));
    for append in &appends {
        assert_eq!(loaded.get(&append.incident.id), Some(&append.incident));
        for slot in &append.slots {
            let found = slots.get(&slot.key).expect("the slot was written");
            assert_eq!((&found.incident, &found.seen), (&slot.incident, &slot.seen));
        }
    }
    assert!(store.load_all(&[]).await.expect("no incidents").is_empty());
    assert!(store.find_all(&[]).await.expect("no slots").is_empty());
}

pub(super) async fn seen_follows(store: Arc<dyn Store>) {
    let alert = firing("slow-api", "i-1");
    let (key, group) = (by_fingerprint(&alert.fingerprint), SlotKey::Group(alert.group_key()));
    let seen = async |key: &SlotKey| {
        let slots = store.find_all(std::slice::from_ref(key)).await.expect("slots can be read");
        slots.get(key).and_then(|slot| slot.seen.clone())
    };
    let known = |incident: &Incident| incident.alerts.get(&alert.fingerprint).map(Seen::of);
    let first = opening(&alert, at(0));
    written(&*store, &first).await;
    assert_eq!((seen(&key).await, seen(&group).await), (known(&first.incident), None));

    let mut worse = draft("slow-api", "i-1");
    worse.annotations.insert("p99".to_owned(), "4 s, größer".to_owned());
    let worse = worse.seal();
    let updated = joining(&first.incident, &worse, at(1));
    written(&*store, &updated).await;
    assert_eq!(seen(&key).await, known(&updated.incident));
    assert_ne!(known(&updated.incident), known(&first.incident));

    let over = joining(&updated.incident, &resolved("slow-api", "i-1", at(2)), at(2));
    written(&*store, &over).await;
    let last = seen(&key).await.expect("the slot has seen the resolve");
    assert!(last.is_repeated_by(&worse), "a late repeat is known: {last:?}");
    assert_eq!(find(&*store, &key).await.as_ref(), Some(&first.incident.id));
}

/// Forty-nine changes, each with its slot, a state and the pointer of a group.
pub(super) async fn the_largest_append(store: Arc<dyn Store>) {
    let first = opening(&firing("large", "thing-0"), at(0));
    written(&*store, &first).await;
    let alerts: Vec<_> = (1..50).map(|n| firing("large", &format!("thing-{n}"))).collect();
    let events = alerts.iter().map(|alert| Event::AlertFired { alert: Arc::new(alert.clone()) });
    let mut append = next(&first.incident, events.collect(), at(1));
    for alert in &alerts {
        append.slots.extend(opening(alert, at(1)).slots.into_iter().take(1));
    }
    let group = SlotKey::Group("another".to_owned());
    append.slots.extend(first.slots.iter().take(1).map(|slot| {
        let mut slot = slot.clone();
        (slot.key, slot.seen) = (group.clone(), None);
        slot
    }));
    for slot in &mut append.slots {
        slot.incident = first.incident.id.clone();
    }
    let writes = 1 + append.events.len() + append.slots.len();
    assert_eq!(writes, Append::MOST_WRITES);
    written(&*store, &append).await;
    stored(&*store, &append.incident).await;
    assert_eq!(find(&*store, &group).await, Some(first.incident.id));
}
