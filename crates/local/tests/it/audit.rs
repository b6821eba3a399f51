//! The record as evidence: exported beside a running store, checked, anchored, and tampered with.

use std::path::Path;

use firebreak_core::audit::{Copy, Report, Wrong};
use firebreak_core::incident::Incident;
use firebreak_engine::contracts::examples::{at, firing, joining, note, opening};
use firebreak_engine::ports::IncidentStore as _;
use firebreak_local::{AnchorFile, RecordFile, Span, SqliteStore};

/// Two incidents, the first with a remark and two alerts.
async fn filled(store: &SqliteStore) -> (Incident, Incident) {
    let one = opening(&firing("slow-api", "i-1"), at(1));
    let joined = joining(&one.incident, &firing("slow-api", "i-2"), at(2));
    let noted = note(&joined.incident, "looked at it", at(3));
    let other = opening(&firing("disk-full", "größer \"🔥\""), at(86_400));
    for append in [&one, &joined, &noted, &other] {
        store.append(append).await.unwrap();
    }
    (noted.incident, other.incident)
}

fn lines(folder: &Path, span: Span) -> Vec<String> {
    let mut lines = Vec::new();
    let file = RecordFile::open(folder).unwrap();
    let end = file.export(span, at(9), |line| {
        lines.push(line.to_owned());
        Ok(())
    });
    assert_eq!(lines.len() as u64, end.unwrap().events + file.heads().unwrap().len() as u64 + 1);
    lines
}

fn check(folder: &Path) -> Report {
    let mut copy = Copy::default();
    let file = RecordFile::open(folder).unwrap();
    let mut number = 0;
    file.export(Span::default(), at(9), |line| {
        number += 1;
        copy.take(number, line);
        Ok(())
    })
    .unwrap();
    copy.check(Some(&AnchorFile::of_folder(folder).read().unwrap()))
}

fn tamper(folder: &Path, sql: &str) {
    let file = rusqlite::Connection::open(folder.join("firebreak.sqlite")).unwrap();
    assert!(file.execute(sql, []).unwrap() > 0, "{sql}");
}

fn first(report: &Report) -> (String, Option<u64>, Wrong) {
    let broken = report.broken.first().expect("something is broken");
    (broken.incident.as_ref().unwrap().to_string(), broken.seq, broken.wrong)
}

#[tokio::test]
async fn an_export_is_made_beside_an_open_store_and_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    filled(&store).await;
    let all = lines(folder.path(), Span::default());
    assert!(all.iter().all(|line| !line.contains('\n')));
    let report = check(folder.path());
    assert_eq!((report.incidents, &report.broken[..]), (2, &[][..]));
}

#[tokio::test]
async fn a_span_exports_whole_incidents_that_something_happened_to() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let (early, late) = filled(&store).await;
    let ids = |from: Option<i64>, to: Option<i64>| {
        let mut seen = Vec::new();
        let span = Span { from: from.map(at), to: to.map(at) };
        RecordFile::open(folder.path())
            .unwrap()
            .export(span, at(9), |line| {
                seen.extend(
                    [&early, &late]
                        .iter()
                        .filter(|one| line.contains(one.id.as_str()))
                        .map(|one| one.id.clone()),
                );
                Ok(())
            })
            .unwrap();
        seen.dedup();
        seen
    };
    assert_eq!(ids(Some(3), Some(86_400)), std::slice::from_ref(&early.id));
    assert_eq!(ids(Some(4), None), std::slice::from_ref(&late.id));
    assert_eq!(ids(Some(4), Some(86_400)), []);
}

#[tokio::test]
async fn whoever_changes_the_file_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (early, late) = filled(&SqliteStore::open(folder.path()).unwrap()).await;
    let anchors = AnchorFile::of_folder(folder.path());
    assert!(anchors.add_if_due(folder.path(), at(90_000)).unwrap().is_some());
    assert!(anchors.add_if_due(folder.path(), at(90_001)).unwrap().is_none(), "one a day");
    assert_eq!(check(folder.path()).broken, []);

    let copy = std::fs::read(folder.path().join("firebreak.sqlite")).unwrap();
    let restored = || std::fs::write(folder.path().join("firebreak.sqlite"), &copy).unwrap();
    let id = early.id.to_string();

    tamper(folder.path(), "UPDATE events SET body = replace(body, 'looked at it', 'saw nothing')");
    assert_eq!(first(&check(folder.path())), (id.clone(), Some(early.version), Wrong::Altered));
    restored();
    tamper(folder.path(), "DELETE FROM events WHERE seq = 2");
    assert_eq!(first(&check(folder.path())), (id.clone(), Some(2), Wrong::Missing));
    restored();
    // With all that speaks of it: only the anchor knows.
    let late = late.id.to_string();
    tamper(folder.path(), &format!("DELETE FROM events WHERE incident = '{late}'"));
    tamper(folder.path(), &format!("DELETE FROM incidents WHERE id = '{late}'"));
    assert_eq!(first(&check(folder.path())), (late, Some(1), Wrong::Missing));
}

#[tokio::test]
async fn days_are_chained_and_a_line_that_was_cut_off_stays_apart() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let (early, _) = filled(&store).await;
    let anchors = AnchorFile::of_folder(folder.path());
    let first = anchors.add_if_due(folder.path(), at(100_000)).unwrap().unwrap();
    store.append(&note(&early, "and again", at(180_000))).await.unwrap();
    let second = anchors.add_if_due(folder.path(), at(180_001)).unwrap().unwrap();
    assert_eq!(second.prev, Some(first.hash()));
    assert_eq!(second.changed.keys().collect::<Vec<_>>(), [&early.id]);
    assert_eq!(check(folder.path()).broken, []);

    let text = std::fs::read_to_string(anchors.path()).unwrap();
    std::fs::write(anchors.path(), text.trim_end_matches("}\n")).unwrap();
    let third = anchors.add_now(folder.path(), at(180_002)).unwrap().unwrap();
    assert_eq!(third.prev, Some(first.hash()), "it follows the last that is whole");
    let report = check(folder.path());
    assert!(report.broken[0].detail.starts_with("anchor 2 "), "{:?}", report.broken);
}

#[test]
fn a_folder_without_a_record_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = RecordFile::open(folder.path()).err().unwrap().to_string();
    assert!(error.contains("firebreak.sqlite") && error.contains("--data"), "{error}");
}
