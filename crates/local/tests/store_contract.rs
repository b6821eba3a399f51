//! The SQLite store keeps every promise of the port, is private, and is opened by one process at a time.

use std::sync::Arc;

use firebreak_engine::contracts::store::store_contract;
use firebreak_engine::ports::Store;
use firebreak_local::SqliteStore;

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_keeps_every_promise() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let made = std::sync::atomic::AtomicU32::new(0);
    store_contract(|| {
        let number = made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let store =
            SqliteStore::open(&folder.path().join(number.to_string())).expect("a fresh store");
        async move { Arc::new(store) as Arc<dyn Store> }
    })
    .await;
}

#[test]
fn files_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let store = SqliteStore::open(&data).expect("a fresh store");
    drop(store);
    let mode = |path: &std::path::Path| {
        std::fs::metadata(path).expect("it exists").permissions().mode() & 0o777
    };
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("firebreak.sqlite")), 0o600);
}

#[test]
fn a_record_of_a_newer_version_is_refused_with_the_remedy() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    drop(SqliteStore::open(folder.path()).expect("a fresh store"));
    let connection =
        rusqlite::Connection::open(folder.path().join("firebreak.sqlite")).expect("the file");
    connection.pragma_update(None, "user_version", 99).expect("a pragma");
    drop(connection);
    let error = SqliteStore::open(folder.path()).map(|_| ()).expect_err("it is newer").to_string();
    assert!(error.contains("newer version (99, this one knows 1)"), "{error}");
}

#[test]
fn a_folder_in_use_is_refused_until_it_is_free() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let first = SqliteStore::open(folder.path()).expect("a fresh store");
    let error = SqliteStore::open(folder.path()).map(|_| ()).expect_err("in use").to_string();
    assert!(error.contains("in use by another process"), "{error}");
    drop(first);
    SqliteStore::open(folder.path()).expect("free again");
}
