//! SIGKILL in the middle of many appends: what was answered is there, and nothing is there in part.

use std::io::{BufRead as _, BufReader};
use std::sync::Arc;
use std::time::Duration;

use firebreak_core::book::{Book, BookKey, BookWrite, Entry, RunRef};
use firebreak_core::ids::{ActionName, IncidentId};
use firebreak_core::incident::replay;
use firebreak_core::target::Target;
use firebreak_engine::contracts::examples::{at, by_fingerprint, firing, joining, note, opening};
use firebreak_engine::ports::{AppendError, Conflict, IncidentStore, ListQuery};
use firebreak_local::SqliteStore;

use crate::process::{self, Moments};

const ROUNDS: u64 = 10;
const WRITERS: usize = 6;

fn book_of(writer: usize) -> BookKey {
    BookKey::group(&format!("writer {writer}"))
}

/// Not a test of its own: the process that is killed. It says what was answered, line by line.
#[tokio::test(flavor = "multi_thread")]
async fn writers() {
    let Some(folder) = process::folder() else { return };
    let store = Arc::new(SqliteStore::open(&folder).unwrap());
    let writers = (0..WRITERS).map(|writer| tokio::spawn(write(Arc::clone(&store), writer)));
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
}

/// Opens incident after incident, each in three appends; the last of them also writes a book.
async fn write(store: Arc<SqliteStore>, writer: usize) {
    let key = book_of(writer);
    loop {
        let book = store.books(std::slice::from_ref(&key)).await.unwrap().remove(&key);
        let book = book.unwrap_or_default();
        let monitor = format!("{writer}-{}", book.version);
        let first = opening(&firing(&monitor, "one"), at(1));
        match store.append(&first).await {
            Ok(()) => {}
            // The kill came between this opening and its book.
            Err(AppendError::Conflict(Conflict::Slot { held_by: Some(id), .. })) => {
                let found = store.load(&id).await.unwrap().unwrap();
                finish(&store, &key, &book, note(&found, "found again", at(3))).await;
                continue;
            }
            Err(other) => panic!("{other}"),
        }
        let second = joining(&first.incident, &firing(&monitor, "two"), at(2));
        store.append(&second).await.unwrap();
        println!("answered {} {}", second.incident.id, second.incident.version);
        finish(&store, &key, &book, note(&second.incident, "done", at(3))).await;
    }
}

async fn finish(
    store: &SqliteStore,
    key: &BookKey,
    book: &Book,
    mut append: firebreak_engine::ports::Append,
) {
    let id = append.incident.id.clone();
    let entry = Entry {
        target: Target { kind: "ec2.instance".to_owned(), id: id.to_string() },
        action: ActionName::try_from("ec2.reboot".to_owned()).unwrap(),
        by: RunRef { incident: id.clone(), run: 1 },
        at: at(3),
    };
    append.books.push(BookWrite { key: key.clone(), book: book.claimed(None, entry, at(3)) });
    store.append(&append).await.unwrap();
    println!("answered {id} {}", append.incident.version);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_tears_no_append_and_loses_none_that_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let mut moments = Moments(4);
    let mut answered: Vec<(IncidentId, u64)> = Vec::new();
    for _ in 0..ROUNDS {
        let mut child = process::start("killed_store::writers", folder.path());
        let said = BufReader::new(child.stdout.take().unwrap());
        let (first, began) = std::sync::mpsc::channel();
        let reading = std::thread::spawn(move || {
            let answer = |line: String| {
                let mut words = line.split_once("answered ")?.1.split(' ');
                let id = IncidentId::try_from(words.next()?.to_owned()).ok()?;
                first.send(()).ok();
                Some((id, words.next()?.parse().ok()?))
            };
            said.lines().map_while(Result::ok).filter_map(answer).collect::<Vec<_>>()
        });
        began.recv_timeout(Duration::from_secs(30)).expect("the child writes");
        tokio::time::sleep(Duration::from_millis(20 + moments.below(150))).await;
        process::kill(child);
        answered.extend(reading.join().unwrap());
        let store = SqliteStore::open(folder.path()).unwrap();
        whole(&store, &answered).await;
    }
    assert!(answered.len() > 100, "only {} appends were answered", answered.len());
}

async fn whole(store: &SqliteStore, answered: &[(IncidentId, u64)]) {
    for (id, version) in answered {
        let stored = store.load(id).await.unwrap().map(|incident| incident.version);
        assert!(stored >= Some(*version), "{id} was answered at {version} and is at {stored:?}");
    }
    let mut query = ListQuery { limit: 200, ..ListQuery::default() };
    let mut finished = 0;
    loop {
        let page = store.list(&query).await.unwrap();
        for incident in page.incidents {
            let events = store.events(&incident.id).await.unwrap();
            assert_eq!(replay(&events).unwrap().as_ref(), Some(&incident));
            for fingerprint in incident.alerts.keys() {
                let held = store.find(&by_fingerprint(fingerprint)).await.unwrap();
                assert_eq!(held.as_ref(), Some(&incident.id), "a slot is missing");
            }
            finished +=
                u64::from(events.iter().any(|event| event.event.name() == "incident.noted"));
        }
        query.cursor = page.cursor;
        if query.cursor.is_none() {
            break;
        }
    }
    let keys: Vec<BookKey> = (0..WRITERS).map(book_of).collect();
    let books = store.books(&keys).await.unwrap();
    let written: u64 = books.values().map(|book| book.version).sum();
    assert_eq!(written, finished, "a note and its book are one append");
}
