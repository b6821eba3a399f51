//! Promises about appends: all of it or nothing, and what the conflict says.

use std::sync::Arc;

use firebreak_core::book::{Book, BookKey, BookWrite, Entry, Lock, RunRef};
use firebreak_core::healing::{Healing, Sample};
use firebreak_core::ids::{ActionName, IncidentId, RunbookName};
use firebreak_core::incident::Incident;
use firebreak_core::policy::Trust;
use firebreak_core::runbook::Mode;
use firebreak_core::target::Target;
use firebreak_core::trust::{Lesson, Place, TrustRecord, learn};
use jiff::Timestamp;

use super::record::stored;
use super::{append, find, written};
use crate::contracts::examples::{at, by_fingerprint, firing, note, opening};
use crate::ports::{Append, AppendError, Conflict, SlotKey, SlotWrite, Store};

pub(super) fn target(id: &str) -> Target {
    Target { kind: "ec2.instance".to_owned(), id: id.to_owned() }
}

/// The next state of a book: one more claim for `incident`.
pub(super) fn claim(
    key: &BookKey,
    book: &Book,
    incident: &IncidentId,
    now: Timestamp,
) -> BookWrite {
    let by = RunRef { incident: incident.clone(), run: 1 };
    let action = ActionName::try_from("ec2.reboot".to_owned()).expect("an action name");
    let entry = Entry { target: target("i-0abc1234"), action, by: by.clone(), at: now };
    let lock = Lock { holder: by, until: at(1_000_000) };
    BookWrite { key: key.clone(), book: book.claimed(Some(lock), entry, now) }
}

async fn book(store: &dyn Store, key: &BookKey) -> Option<Book> {
    store.books(std::slice::from_ref(key)).await.expect("books can be read").remove(key)
}

/// An append with a part of every kind that could be written: two slots of its own and a book.
struct Full {
    append: Append,
    own_slots: Vec<SlotKey>,
    own_book: BookKey,
}

impl Full {
    /// On top of `base`, with parts that nobody else uses.
    fn over(base: Append, word: &str) -> Self {
        let id = base.incident.id.clone();
        let own_book = BookKey::target(&target(&format!("own-{word}")));
        let own_slots = vec![
            SlotKey::Group(format!("own {word}")),
            by_fingerprint(&firing("own", word).fingerprint),
        ];
        let mut append = base;
        append.books.push(claim(&own_book, &Book::default(), &id, at(9)));
        for key in own_slots.iter().cloned() {
            append.slots.push(SlotWrite { key, expected: None, incident: id.clone(), seen: None });
        }
        Self { append, own_slots, own_book }
    }

    /// Of its own parts nothing was written, and the incident is as it was.
    async fn left_nothing(&self, store: &dyn Store, before: Option<&Incident>) {
        let id = &self.append.incident.id;
        for key in &self.own_slots {
            assert_eq!(find(store, key).await, None, "{key:?} was written");
        }
        assert_eq!(book(store, &self.own_book).await, None, "the book was written");
        if let Some(incident) = before {
            stored(store, incident).await;
            return;
        }
        assert_eq!(store.load(id).await.expect("load"), None, "the incident was written");
        let events = store.events(id).await.expect("events");
        assert!(events.is_empty(), "events were written: {events:?}");
    }
}

pub(super) async fn stale_version(store: Arc<dyn Store>) {
    let first = opening(&firing("slow-api", "i-1"), at(0));
    written(&*store, &first).await;
    let moved_on = note(&first.incident, "somebody else was first", at(1));
    written(&*store, &moved_on).await;

    let stale = Full::over(note(&first.incident, "too late", at(2)), "stale");
    assert_eq!(append(&*store, &stale.append).await, Err(Conflict::Version));
    stale.left_nothing(&*store, Some(&moved_on.incident)).await;

    let ahead = note(&moved_on.incident, "never written", at(3));
    let ahead = Full::over(note(&ahead.incident, "a gap before it", at(4)), "ahead");
    assert_eq!(append(&*store, &ahead.append).await, Err(Conflict::Version), "with a gap");
    ahead.left_nothing(&*store, Some(&moved_on.incident)).await;
}

pub(super) async fn opened_twice(store: Arc<dyn Store>) {
    let first = opening(&firing("slow-api", "i-1"), at(0));
    written(&*store, &first).await;
    let mut again = opening(&firing("other", "i-2"), at(0));
    again.incident.id = first.incident.id.clone();
    for event in &mut again.events {
        event.incident = first.incident.id.clone();
    }
    again.slots.clear();
    let again = Full::over(again, "again");
    assert_eq!(append(&*store, &again.append).await, Err(Conflict::Version));
    again.left_nothing(&*store, Some(&first.incident)).await;
}

pub(super) async fn slot_taken(store: Arc<dyn Store>) {
    let holder = opening(&firing("slow-api", "i-1"), at(0));
    written(&*store, &holder).await;
    for slot in &holder.slots {
        let late = opening(&firing("other", "i-2"), at(1));
        let mut late = Full::over(Append { slots: Vec::new(), ..late }, "late");
        let id = late.append.incident.id.clone();
        late.append.slots.push(SlotWrite { expected: None, incident: id, ..slot.clone() });
        let expected =
            Conflict::Slot { key: slot.key.clone(), held_by: Some(holder.incident.id.clone()) };
        assert_eq!(append(&*store, &late.append).await, Err(expected));
        late.left_nothing(&*store, None).await;
        assert_eq!(find(&*store, &slot.key).await, Some(holder.incident.id.clone()));
    }
}

pub(super) async fn slot_moved(store: Arc<dyn Store>) {
    let holder = opening(&firing("slow-api", "i-1"), at(0));
    written(&*store, &holder).await;
    let stranger = opening(&firing("stranger", "i-9"), at(0)).incident.id;
    let nowhere = SlotKey::Group("nobody has it".to_owned());
    let cases = holder
        .slots
        .iter()
        .map(|slot| (slot.key.clone(), Some(holder.incident.id.clone())))
        .chain([(nowhere, None)]);
    for (key, held_by) in cases {
        let late = opening(&firing("other", "i-2"), at(1));
        let mut late = Full::over(Append { slots: Vec::new(), ..late }, "moved");
        late.append.slots.push(SlotWrite {
            key: key.clone(),
            expected: Some(stranger.clone()),
            incident: late.append.incident.id.clone(),
            seen: None,
        });
        let expected = Conflict::Slot { key: key.clone(), held_by: held_by.clone() };
        assert_eq!(append(&*store, &late.append).await, Err(expected));
        late.left_nothing(&*store, None).await;
        assert_eq!(find(&*store, &key).await, held_by);
    }
}

pub(super) async fn book_written(store: Arc<dyn Store>) {
    let key = BookKey::group("tag:service=checkout");
    let mut first = opening(&firing("slow-api", "i-1"), at(0));
    first.books.push(claim(&key, &Book::default(), &first.incident.id, at(0)));
    written(&*store, &first).await;
    let there = book(&*store, &key).await.expect("the book exists");
    assert_eq!(there.version, 1);

    let ahead = Book { version: 5, ..there.clone() };
    for read in [Book::default(), ahead] {
        let mut late = Full::over(note(&first.incident, "with an old book", at(1)), "late");
        late.append.books.push(claim(&key, &read, &first.incident.id, at(1)));
        let expected = Conflict::Book { key: key.clone() };
        assert_eq!(append(&*store, &late.append).await, Err(expected));
        late.left_nothing(&*store, Some(&first.incident)).await;
        assert_eq!(book(&*store, &key).await.as_ref(), Some(&there));
    }

    let mut next = note(&first.incident, "with the book as it is", at(2));
    next.books.push(claim(&key, &there, &first.incident.id, at(2)));
    let expected = next.books.first().map(|write| write.book.clone());
    written(&*store, &next).await;
    assert_eq!(book(&*store, &key).await, expected);
}

pub(super) async fn books_alone(store: Arc<dyn Store>) {
    let (checkout, index) = (BookKey::domain("service=checkout"), BookKey::domains());
    let incident = opening(&firing("slow-api", "i-1"), at(0)).incident.id;
    let claim_all = |book: &Book| [&checkout, &index].map(|key| claim(key, book, &incident, at(0)));
    let [first, other] = claim_all(&Book::default());
    store.write_books(&[first.clone(), other.clone()]).await.expect("nobody wrote them");

    let one = claim(&checkout, &first.book, &incident, at(1));
    store.write_books(std::slice::from_ref(&one)).await.expect("the version is right");
    // One of both is stale: neither is written.
    let stale = store.write_books(&claim_all(&first.book)).await;
    assert!(
        matches!(&stale, Err(AppendError::Conflict(Conflict::Book { key })) if *key == checkout),
        "{stale:?}"
    );
    assert_eq!(book(&*store, &index).await, Some(other.book));
    assert_eq!(book(&*store, &checkout).await, Some(one.book));
}

pub(super) async fn learnt(store: Arc<dyn Store>) {
    let runbook = RunbookName::try_from("cure".to_owned()).expect("a name");
    let action = ActionName::try_from("ec2.reboot".to_owned()).expect("a name");
    let place = Place { action, environment: "prod".to_owned() };
    let incident = opening(&firing("slow-api", "i-1"), at(0)).incident.id;
    let harm = (&incident, Lesson::Harmful);
    let (record, lost) =
        learn(&TrustRecord::default(), &place, harm, Mode::Auto, &Trust::default(), at(1));
    assert!(lost.is_some(), "harm costs trust");
    let sample = Sample { at: at(2), seconds: 90, healed: true };
    let books = [
        (BookKey::trust(&runbook), Book { version: 1, trust: Some(record), ..Book::default() }),
        (
            BookKey::cause("sumologic/api/slow api: p99 > 2 s"),
            Book { version: 1, healing: Some(Healing::default().with(sample)), ..Book::default() },
        ),
    ];
    let writes = books.clone().map(|(key, book)| BookWrite { key, book });
    store.write_books(&writes).await.expect("nobody wrote them");
    for (key, expected) in books {
        assert_eq!(book(&*store, &key).await, Some(expected));
    }
}

pub(super) async fn slot_follows(store: Arc<dyn Store>) {
    let old = opening(&firing("slow-api", "i-1"), at(0));
    written(&*store, &old).await;
    let mut new = opening(&firing("slow-api", "i-1"), at(1));
    for slot in &mut new.slots {
        slot.expected = Some(old.incident.id.clone());
    }
    written(&*store, &new).await;
    for slot in &new.slots {
        assert_eq!(find(&*store, &slot.key).await.as_ref(), Some(&new.incident.id));
    }
    stored(&*store, &old.incident).await;
    stored(&*store, &new.incident).await;
}

pub(super) async fn the_same_again(store: Arc<dyn Store>) {
    let first = opening(&firing("slow-api", "i-1"), at(0));
    let full = Full::over(note(&first.incident, "with all parts", at(1)), "again");
    for what in [&first, &full.append] {
        written(&*store, what).await;
        for _ in 0..3 {
            let again = append(&*store, what).await;
            assert!(matches!(again, Ok(()) | Err(Conflict::Version)), "{again:?}");
            stored(&*store, &what.incident).await;
        }
    }
    let later = note(&full.append.incident, "life goes on", at(2));
    written(&*store, &later).await;
    let again = append(&*store, &full.append).await;
    assert!(matches!(again, Ok(()) | Err(Conflict::Version)), "{again:?}");
    stored(&*store, &later.incident).await;
    let events = store.events(&later.incident.id).await.expect("events");
    assert_eq!(events.len(), 4, "{events:?}");
    let there = book(&*store, &full.own_book).await.expect("the book exists");
    assert_eq!((there.version, there.entries.len()), (1, 1));
}

pub(super) async fn only_existing_books(store: Arc<dyn Store>) {
    let keys: Vec<BookKey> =
        (0..120).map(|n| BookKey::target(&target(&format!("i-{n}")))).collect();
    let mut first = opening(&firing("slow-api", "i-1"), at(0));
    let there: Vec<&BookKey> = keys.iter().step_by(40).collect();
    for key in &there {
        first.books.push(claim(key, &Book::default(), &first.incident.id, at(0)));
    }
    written(&*store, &first).await;
    let found = store.books(&keys).await.expect("books");
    assert_eq!(found.keys().collect::<Vec<_>>(), {
        let mut sorted = there;
        sorted.sort();
        sorted
    });
    let expected: Vec<Book> = first.books.iter().map(|write| write.book.clone()).collect();
    for book in found.values() {
        assert!(expected.contains(book), "{book:?}");
    }
}
