//! The driver: from the alert to the end of the run, many at once, stopped and started in between.

use std::sync::atomic::Ordering;
use std::time::Duration;

use firebreak_core::incident::{Incident, Outcome, Status};
use firebreak_engine::ports::{HandsSet, IncidentStore};
use firebreak_local::SqliteStore;
use jiff::SignedDuration;

use crate::world::{
    CURED, CURED_BUT_NO_ANSWER, NO_USE, REFUSED, World, alert, all, deliver, over, start_driver,
    start_with, thing, until,
};

/// What happened, without what comes at its own time: the looks, and the resolve of the alert.
async fn names(store: &SqliteStore, incident: &Incident) -> Vec<&'static str> {
    let events = store.events(&incident.id).await.unwrap();
    let names = events.iter().map(|event| event.event.name());
    names.filter(|name| !matches!(*name, "step.checked" | "alert.resolved")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_fires_settles_acts_once_is_verified_resolved_and_closed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, world) = (SqliteStore::open(folder.path()).unwrap(), World::new(folder.path()));
    let driver = start_with(&store, world.hands(), &[], SignedDuration::from_millis(300));
    deliver(&store, &alert("reboot", &thing(CURED, 1))).await;

    until(&store, &world, |incident| incident.status == Status::Closed).await;
    driver.stop().await;
    let incident = all(&store).await.remove(0);
    let expected = [
        "incident.opened",
        "alert.fired",
        "run.started",
        "run.observed",
        "run.planned",
        "step.claimed",
        "step.sent",
        "step.confirmed",
        "step.verified",
        "incident.resolved",
        "run.ended",
        "incident.closed",
    ];
    assert_eq!(names(&store, &incident).await, expected);
    assert_eq!(world.count("call", &thing(CURED, 1)), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_of_the_world_ends_as_it_should() {
    let folder = tempfile::tempdir().unwrap();
    let (store, world) = (SqliteStore::open(folder.path()).unwrap(), World::new(folder.path()));
    let driver = start_driver(&store, world.hands(), &[]);
    let cases = [
        (CURED, Outcome::Helped, Status::Resolved),
        (CURED_BUT_NO_ANSWER, Outcome::Helped, Status::Resolved),
        (REFUSED, Outcome::Held, Status::Escalated),
        (NO_USE, Outcome::Useless, Status::Escalated),
    ];
    for monitor in ["reboot", "flag"] {
        for (number, (kind, ..)) in cases.iter().enumerate() {
            deliver(&store, &alert(monitor, &thing(*kind, number + monitor.len() * 10))).await;
        }
    }
    until(&store, &world, over).await;
    driver.stop().await;

    let incidents = all(&store).await;
    assert_eq!(incidents.len(), 8);
    for incident in incidents {
        let name = incident.title.rsplit(' ').next().unwrap();
        let kind = name.chars().nth(2).unwrap();
        let (_, outcome, status) = cases.iter().find(|case| case.0 == kind).unwrap();
        assert_eq!(incident.runs[0].outcome(), Some(*outcome), "{}", incident.title);
        assert_eq!(incident.status, *status, "{}", incident.title);
        assert_eq!(world.count("call", name), 1, "{}", incident.title);
        let put_back = usize::from(incident.title.starts_with("flag") && kind != REFUSED);
        assert_eq!(world.count("undo", name), put_back, "{}", incident.title);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_incidents_are_driven_side_by_side_and_each_acts_once() {
    let folder = tempfile::tempdir().unwrap();
    let (store, world) = (SqliteStore::open(folder.path()).unwrap(), World::new(folder.path()));
    let driver = start_driver(&store, world.hands(), &[]);
    world.held.store(true, Ordering::SeqCst);
    for number in 0..40 {
        deliver(&store, &alert("reboot", &thing(CURED, number))).await;
    }
    while world.at_once.load(Ordering::SeqCst) < 16 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Time for a driver without a limit to begin a call too many.
    tokio::time::sleep(Duration::from_millis(300)).await;
    world.held.store(false, Ordering::SeqCst);
    until(&store, &world, |incident| incident.status == Status::Resolved).await;
    driver.stop().await;
    for number in 0..40 {
        assert_eq!(world.count("call", &thing(CURED, number)), 1);
    }
    assert_eq!(world.most_at_once.load(Ordering::SeqCst), 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_and_starting_again_and_again_loses_nothing_and_repeats_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, world) = (SqliteStore::open(folder.path()).unwrap(), World::new(folder.path()));
    for number in 0..6 {
        deliver(&store, &alert("flag", &thing(CURED, number))).await;
    }
    for _ in 0..12 {
        let driver = start_driver(&store, world.hands(), &[]);
        tokio::time::sleep(Duration::from_millis(40)).await;
        driver.stop().await;
    }
    let driver = start_driver(&store, world.hands(), &[]);
    until(&store, &world, over).await;
    driver.stop().await;
    for incident in all(&store).await {
        assert_eq!(incident.status, Status::Resolved, "{incident:#?}");
        let name = incident.title.rsplit(' ').next().unwrap();
        assert_eq!((world.count("call", name), world.count("undo", name)), (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_that_cannot_be_driven_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let (store, world) = (SqliteStore::open(folder.path()).unwrap(), World::new(folder.path()));
    let driver = start_driver(&store, HandsSet::new(vec![world.reboot_only()]), &[]);
    for number in 0..20 {
        deliver(&store, &alert("flag", &thing(CURED, number))).await;
    }
    deliver(&store, &alert("reboot", &thing(CURED, 99))).await;
    until(&store, &world, |incident| {
        incident.title.starts_with("flag") || incident.status == Status::Resolved
    })
    .await;
    driver.stop().await;

    // Nothing was lost either: with the hands there, they go on.
    let driver = start_driver(&store, world.hands(), &[]);
    until(&store, &world, |incident| incident.status == Status::Resolved).await;
    driver.stop().await;
}
