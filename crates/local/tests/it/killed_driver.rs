//! SIGKILL at random moments, again and again: every run ends, nothing is lost, nothing is done twice.

use std::time::Duration;

use firebreak_core::incident::{Status, replay};
use firebreak_engine::ports::IncidentStore;
use firebreak_local::SqliteStore;

use crate::process::{self, Moments};
use crate::world::{
    CURED, CURED_BUT_NO_ANSWER, NO_USE, REFUSED, World, alert, all, deliver, over, send_resolves,
    start_driver, thing, until,
};

const ROUNDS: usize = 20;
const KINDS: [char; 6] = [CURED, CURED, CURED_BUT_NO_ANSWER, CURED, REFUSED, NO_USE];

/// Not a test of its own: the process that is killed.
#[tokio::test(flavor = "multi_thread")]
async fn platform() {
    let Some(folder) = process::folder() else { return };
    let (store, world) = (SqliteStore::open(&folder).unwrap(), World::new(&folder));
    let _driver = start_driver(&store, world.hands(), &[]);
    loop {
        send_resolves(&store, &world).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_is_killed_again_and_again_ends_every_run_and_acts_once() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(folder.path());
    let mut moments = Moments(20_261_121);
    let mut delivered = 0;
    for _ in 0..ROUNDS {
        let store = SqliteStore::open(folder.path()).unwrap();
        for monitor in ["reboot", "flag"] {
            let kind = KINDS[delivered % KINDS.len()];
            deliver(&store, &alert(monitor, &thing(kind, delivered))).await;
            delivered += 1;
        }
        drop(store);
        let child = process::start("killed_driver::platform", folder.path());
        tokio::time::sleep(Duration::from_millis(40 + moments.below(320))).await;
        process::kill(child);
    }

    let store = SqliteStore::open(folder.path()).unwrap();
    let driver = start_driver(&store, world.hands(), &[]);
    until(&store, &world, over).await;
    driver.stop().await;
    let incidents = all(&store).await;
    assert_eq!(incidents.len(), delivered, "an incident was lost");
    for incident in &incidents {
        let (title, name) = (&incident.title, incident.title.rsplit(' ').next().unwrap());
        let calls = world.count("call", name);
        assert!(calls <= 1, "{title} was called {calls} times");
        let expected = if world.cured(name) { Status::Resolved } else { Status::Escalated };
        assert_eq!(incident.status, expected, "{title}, called {calls} times");
        if calls == 1 && title.starts_with("flag") && !name.starts_with(&format!("i-{REFUSED}")) {
            assert!(world.count("undo", name) >= 1, "{title} was not put back");
        }
        let events = store.events(&incident.id).await.unwrap();
        assert_eq!(replay(&events).unwrap().as_ref(), Some(incident), "{title}");
    }
    let acted =
        incidents.iter().filter(|incident| world.cured(incident.title.rsplit(' ').next().unwrap()));
    assert!(acted.count() >= delivered / 3, "the kills left nothing to be seen");
}
