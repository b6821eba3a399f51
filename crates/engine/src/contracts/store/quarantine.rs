//! Promises about the quarantine: whole bodies, lists in order, changes on condition.

use std::sync::Arc;

use crate::contracts::examples::at;
use crate::delivery::PackedBody;
use crate::ids::sortable;
use crate::ports::{KeptProblem, QuarantineQuery, Quarantined, Replayed, Store};

fn quarantined(source: &str, seconds: i64) -> Quarantined {
    let problem = |index| KeptProblem {
        index,
        code: "json".to_owned(),
        message: "line 1, column 2: größer".to_owned(),
        excerpt: "{\u{0}\u{fffd}\"".to_owned(),
        replayed: None,
    };
    Quarantined {
        id: sortable(at(seconds)),
        version: 1,
        source: source.to_owned(),
        received_at: at(seconds),
        content_type: (seconds % 2 == 0).then(|| "application/json".to_owned()),
        headers: vec![("ce-type".to_owned(), "alert".to_owned())],
        problems: vec![problem(None), problem(Some(3))],
    }
}

/// Bytes that no packing makes smaller.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

pub(super) async fn whole_bodies(store: Arc<dyn Store>) {
    let control_characters: Vec<u8> = (0..1024 * 1024).map(|n: u32| (n % 31) as u8).collect();
    let bodies = [Vec::new(), b"{\"a\":\"\xff\"}".to_vec(), control_characters, noise(1024 * 1024)];
    for (second, body) in (0..).zip(bodies) {
        let (kept, packed) = (quarantined("sumologic", second), PackedBody::of(&body));
        store.keep(&kept, &packed).await.expect("it can be kept");
        store.keep(&kept, &packed).await.expect("keeping it again is harmless");
        let (found, whole) =
            store.quarantined(&kept.id).await.expect("it can be read").expect("it is there");
        assert_eq!(found, kept);
        assert_eq!(whole.unpack().expect("it unpacks"), body);
    }
    let absent = store.quarantined("01ABSENT").await.expect("it can be read");
    assert!(absent.is_none());
}

pub(super) async fn lists(store: Arc<dyn Store>) {
    let of = ["sumologic", "alertmanager", "sumologic", "sumologic", "firebreak"];
    let mut all: Vec<Quarantined> =
        (0..).zip(of).map(|(second, source)| quarantined(source, second)).collect();
    for kept in [3, 0, 4, 1, 2].into_iter().filter_map(|index: usize| all.get(index)) {
        store.keep(kept, &PackedBody::of(b"{}")).await.expect("it can be kept");
    }
    all.reverse();
    for source in [None, Some("sumologic"), Some("alertmanager"), Some("nobody")] {
        let expected: Vec<&Quarantined> =
            all.iter().filter(|kept| source.is_none_or(|source| kept.source == source)).collect();
        for limit in [1, 2, 200] {
            let mut query = QuarantineQuery {
                source: source.map(str::to_owned),
                limit,
                ..QuarantineQuery::default()
            };
            let mut seen = Vec::new();
            loop {
                let page = store.kept(&query).await.expect("it can be read");
                assert!(page.len() <= limit, "a page of {limit} is too long");
                let Some(last) = page.last() else { break };
                query.before = Some(last.id.clone());
                seen.extend(page);
            }
            assert_eq!(seen.iter().collect::<Vec<_>>(), expected, "{source:?} by {limit}");
        }
    }
}

pub(super) async fn amended(store: Arc<dyn Store>) {
    let kept = quarantined("sumologic", 1);
    let body = PackedBody::of(b"{");
    assert!(!store.amend(&kept).await.expect("it can be tried"), "nothing is there to change");
    store.keep(&kept, &body).await.expect("it can be kept");
    let mut next = Quarantined { version: 2, ..kept.clone() };
    for problem in &mut next.problems {
        problem.replayed = Some(Replayed { at: at(5), by: "ada".to_owned() });
    }
    assert!(store.amend(&next).await.expect("it can be changed"));
    assert!(!store.amend(&next).await.expect("it can be tried"), "the version has moved on");
    store.keep(&kept, &body).await.expect("keeping it again is harmless");
    let (found, whole) =
        store.quarantined(&kept.id).await.expect("it can be read").expect("it is there");
    assert_eq!((found, whole), (next.clone(), body));
    let query = QuarantineQuery { limit: 9, ..QuarantineQuery::default() };
    assert_eq!(store.kept(&query).await.expect("it can be read"), [next]);
}
