//! Mutes and telling: quiet while one holds, told when it ends, resolves always, and doubt is no reason for silence.

use std::sync::Arc;

use firebreak_core::incident::Event;
use firebreak_core::matcher::Matchers;
use firebreak_core::muting::{Silence, SilenceDraft};

use super::world::{HOOK, OTHER, TOPIC, World, at, lock, resolved};

fn silence(until: i64) -> Silence {
    let draft = SilenceDraft {
        owner: "ana".to_owned(),
        reason: "known".to_owned(),
        matchers: Matchers::read("service=shop").unwrap(),
        starts_at: None,
        ends_at: at(until),
        replaces: None,
    };
    Silence::new(draft, "sil_1".to_owned().try_into().unwrap(), at(0)).unwrap()
}

#[tokio::test]
async fn a_silenced_alert_is_told_when_its_silence_ends() {
    let world = World::new();
    *lock(&world.silences) = Some(vec![silence(40)]);
    world.opens();
    let report = world.tell().await.unwrap();
    assert!(report.delivered.is_empty());
    assert_eq!(report.next_at, Some(at(40)), "somebody looks again when the silence ends");
    world.wait(40);
    assert_eq!(world.told().await, ["hook", "oncall", "other"]);
}

#[tokio::test]
async fn the_resolve_of_a_page_is_told_whatever_is_silenced_by_then() {
    let world = World::new();
    world.opens();
    assert_eq!(world.told().await.len(), 3);
    *lock(&world.silences) = Some(vec![silence(3600)]);
    world.wait(300);
    for event in resolved() {
        world.happens(event);
    }
    assert_eq!(world.told().await.len(), 3);
    let resolves = lock(&world.sent).iter().filter(|(_, id)| id.ends_with(".resolved")).count();
    assert_eq!(resolves, 3);
}

#[tokio::test]
async fn what_was_never_told_is_never_resolved() {
    let world = World::new();
    *lock(&world.silences) = Some(vec![silence(3600)]);
    world.opens();
    assert_eq!(world.told().await, Vec::<String>::new());
    for event in resolved() {
        world.happens(event);
    }
    assert_eq!(world.told().await, Vec::<String>::new());
}

#[tokio::test]
async fn silences_that_cannot_be_read_keep_nobody_from_being_told() {
    let world = World::new();
    *lock(&world.silences) = None;
    world.opens();
    assert_eq!(world.told().await.len(), 3);
}

#[tokio::test]
async fn flapping_is_said_once_and_its_changes_are_not() {
    let world = World::new();
    let alert = world.alert();
    world.opens();
    assert_eq!(world.told().await.len(), 3);
    for _ in 0..3 {
        world.wait(10);
        world.happens(Event::AlertResolved {
            fingerprint: alert.fingerprint.clone(),
            ends_at: at(0),
        });
        world.wait(10);
        let again = world.alert();
        world.happens(Event::AlertFired { alert: Arc::new(again) });
    }
    let until = at(3600 + 30);
    let said = Event::AlertFlapping { fingerprint: alert.fingerprint.clone(), changes: 7, until };
    let number = world.happens(said).seq.to_string();
    assert_eq!(world.told().await.len(), 3);
    assert_eq!(world.arrived(&number), World::once(&[HOOK, TOPIC, OTHER]));
    let before = lock(&world.sent).len();
    for _ in 0..6 {
        world.wait(300);
        assert_eq!(world.told().await, Vec::<String>::new());
    }
    assert_eq!(lock(&world.sent).len(), before);
    for event in resolved() {
        world.happens(event);
    }
    world.wait(300);
    assert_eq!(world.told().await.len(), 3, "who heard of it hears its end");
}
