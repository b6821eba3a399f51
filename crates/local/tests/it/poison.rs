//! A part of the record that cannot be read: it is passed by, loudly, and holds up nothing behind it.

use firebreak_core::incident::Status;
use firebreak_engine::ports::IncidentStore;
use firebreak_local::SqliteStore;

use crate::telling::{Post, Topic, start, until as told};
use crate::world::{CURED, World, alert, deliver, start_driver, thing};

#[tokio::test(flavor = "multi_thread")]
async fn an_event_and_an_incident_that_cannot_be_read_hold_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(folder.path());
    let store = SqliteStore::open(folder.path()).unwrap();
    for number in 0..2 {
        deliver(&store, &alert("reboot", &thing(CURED, number))).await;
    }
    let good = alert("reboot", &thing(CURED, 1));
    let slot = firebreak_engine::contracts::examples::by_fingerprint(&good.fingerprint);
    let good = store.find(&slot).await.unwrap().unwrap();
    drop(store);
    let record = rusqlite::Connection::open(folder.path().join("firebreak.sqlite")).unwrap();
    let unreadable = "UPDATE events SET body = '{' WHERE incident <> ?1";
    assert_eq!(record.execute(unreadable, [good.as_str()]).unwrap(), 2);
    let unreadable = "UPDATE incidents SET body = x'7b' WHERE id <> ?1";
    assert_eq!(record.execute(unreadable, [good.as_str()]).unwrap(), 1);
    drop(record);

    let store = SqliteStore::open(folder.path()).unwrap();
    let post = Post::new(&[("oncall", Topic::Well)]);
    let telling = start(&store, &std::sync::Arc::default(), &post);
    let driver = start_driver(&store, world.hands(), &[]);
    told("the good one is told", || post.tried("oncall").len() == 1).await;
    let name = thing(CURED, 1);
    told("the good one is called for", || world.count("call", &name) == 1).await;
    driver.stop().await;
    telling.stop().await;
    assert_eq!(world.count("call", &thing(CURED, 0)), 0);
    let status = store.load(&good).await.unwrap().unwrap().status;
    assert!(matches!(status, Status::Remediating | Status::Verifying), "{status:?}");
}
