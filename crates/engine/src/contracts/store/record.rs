//! Promises about reading back what was written.

use std::sync::Arc;

use firebreak_core::book::BookKey;
use firebreak_core::incident::{Event, Incident, replay};

use super::{eventually, find, written};
use crate::contracts::examples::{
    at, by_fingerprint, draft, firing, joining, next, note, opening, resolved,
};
use crate::ids::incident_id;
use crate::ports::{ListQuery, QuarantineQuery, SlotKey, Store};

/// The stored incident is `expected`, and its events fold into it.
pub(super) async fn stored(store: &dyn Store, expected: &Incident) {
    let loaded = store.load(&expected.id).await.expect("the incident can be read");
    assert_eq!(loaded.as_ref(), Some(expected), "load");
    let events = store.events(&expected.id).await.expect("the events can be read");
    let replayed = replay(&events).expect("the stored events fit each other");
    assert_eq!(replayed.as_ref(), Some(expected), "replay of the events");
}

pub(super) async fn reads_agree(store: Arc<dyn Store>) {
    let alert = firing("slow-api", "i-1");
    let append = opening(&alert, at(1));
    written(&*store, &append).await;

    stored(&*store, &append.incident).await;
    let id = &append.incident.id;
    let events = store.events(id).await.expect("the events can be read");
    assert_eq!(events, append.events, "events");
    for key in [by_fingerprint(&alert.fingerprint), SlotKey::Group(alert.group_key())] {
        assert_eq!(find(&*store, &key).await.as_ref(), Some(id), "find {key:?}");
    }
    let query = ListQuery { limit: 10, ..ListQuery::default() };
    eventually(vec![append.incident.clone()], || async {
        store.list(&query).await.expect("incidents can be listed").incidents
    })
    .await;
}

pub(super) async fn replay_is_the_snapshot(store: Arc<dyn Store>) {
    let first = opening(&firing("slow-api", "i-1"), at(1));
    written(&*store, &first).await;
    stored(&*store, &first.incident).await;
    let joined = joining(&first.incident, &firing("slow-api", "i-2"), at(2));
    written(&*store, &joined).await;
    stored(&*store, &joined.incident).await;
    let taken = next(&joined.incident, vec![Event::Acknowledged { by: "ada".to_owned() }], at(3));
    written(&*store, &taken).await;
    stored(&*store, &taken.incident).await;
    let one_over = joining(&taken.incident, &resolved("slow-api", "i-1", at(4)), at(4));
    written(&*store, &one_over).await;
    stored(&*store, &one_over.incident).await;
    let all_over = joining(&one_over.incident, &resolved("slow-api", "i-2", at(5)), at(5));
    written(&*store, &all_over).await;
    stored(&*store, &all_over.incident).await;
    assert!(all_over.events.len() > 1, "the last resolve also resolves the incident");
}

pub(super) async fn chained(store: Arc<dyn Store>) {
    let opened = opening(&firing("slow-api", "größer \"i-1\"\n"), at(1));
    written(&*store, &opened).await;
    let noted = note(&opened.incident, "\u{7f}\u{1}🔥", at(2));
    written(&*store, &noted).await;
    let events = store.events(&noted.incident.id).await.expect("the events can be read");
    let mut head = None;
    for recorded in &events {
        assert_eq!(recorded.prev, head, "what event {} carries", recorded.seq);
        head = Some(recorded.hash());
    }
    assert!(events.len() > 2, "an opening and a remark are several events");
    let stored = store.load(&noted.incident.id).await.expect("the incident can be read");
    assert_eq!(stored.expect("it was written").head, head, "the head of the incident");
}

pub(super) async fn absent(store: Arc<dyn Store>) {
    let id = incident_id(at(0));
    assert_eq!(store.load(&id).await.expect("load"), None);
    assert_eq!(store.events(&id).await.expect("events"), Vec::new());
    let alert = firing("slow-api", "i-1");
    assert_eq!(find(&*store, &by_fingerprint(&alert.fingerprint)).await, None);
    assert_eq!(find(&*store, &SlotKey::Group(alert.group_key())).await, None);
    let none = store.books(&[BookKey::group("shop")]).await.expect("books");
    assert!(none.is_empty(), "{none:?}");
    assert!(store.books(&[]).await.expect("no books").is_empty());
    let page = store.list(&ListQuery { limit: 5, ..ListQuery::default() }).await.expect("list");
    assert!(page.incidents.is_empty() && page.cursor.is_none(), "{page:?}");
    assert_eq!(store.repeats(&alert.fingerprint).await.expect("repeats"), (0, None));
    assert!(
        store
            .kept(&QuarantineQuery { limit: 5, ..QuarantineQuery::default() })
            .await
            .expect("kept")
            .is_empty()
    );
    assert!(store.counts().await.expect("counts").is_empty());
}

pub(super) async fn a_hundred_events(store: Arc<dyn Store>) {
    let first = opening(&firing("slow-api", "i-1"), at(0));
    written(&*store, &first).await;
    let mut incident = first.incident;
    for batch in 0..7_i64 {
        let notes =
            (0..14).map(|n| Event::Noted { by: "ada".to_owned(), text: format!("{batch}.{n}") });
        let append = next(&incident, notes.collect(), at(batch));
        written(&*store, &append).await;
        incident = append.incident;
    }
    let events = store.events(&incident.id).await.expect("the events can be read");
    let numbers: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=100).collect::<Vec<u64>>());
    stored(&*store, &incident).await;
}

/// Texts that break careless escaping, comparing or cutting.
const TEXTS: &[&str] = &[
    "Zahlung langsam – Größe überschritten",
    "支払いが遅い",
    "الدفع بطيء",
    "🔥👩‍🚒 e\u{301} \u{200d} \u{feff}",
    "\u{0} \u{1} \u{7f} \r\n\t",
    r#"'; DROP TABLE incidents; -- "quoted" \u0041 \"#,
    "#/BOARD#open%2F&=?",
    " ",
];

pub(super) async fn any_text(store: Arc<dyn Store>) {
    for (index, text) in TEXTS.iter().enumerate() {
        let mut draft = draft("texts", &format!("thing {index} {text}"));
        (*text).clone_into(&mut draft.title);
        draft.service = Some(format!("service {text}"));
        draft.labels.insert((*text).to_owned(), text.repeat(40));
        draft.annotations.insert("text".to_owned(), (*text).to_owned());
        draft.name = format!("texts {index}");
        let alert = draft.seal();
        let append = opening(&alert, at(1));
        written(&*store, &append).await;
        stored(&*store, &append.incident).await;
        let found = find(&*store, &by_fingerprint(&alert.fingerprint)).await;
        assert_eq!(found.as_ref(), Some(&append.incident.id), "{text:?}");
        let noted = note(&append.incident, text, at(2));
        written(&*store, &noted).await;
        stored(&*store, &noted.incident).await;
    }
}

pub(super) async fn a_large_incident(store: Arc<dyn Store>) {
    let large = |index: usize| {
        let mut draft = draft("large", &format!("thing-{index}"));
        draft.annotations.insert("log".to_owned(), "größer ".repeat(256));
        draft.seal()
    };
    let first = opening(&large(0), at(0));
    written(&*store, &first).await;
    let mut incident = first.incident;
    for index in 1..32 {
        let append = joining(&incident, &large(index), at(1));
        written(&*store, &append).await;
        incident = append.incident;
    }
    assert_eq!(incident.alerts.len(), 32);
    stored(&*store, &incident).await;
}
