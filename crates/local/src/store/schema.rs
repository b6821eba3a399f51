//! The tables, their version, and how the file is opened.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

/// Why the record cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the data folder {folder} cannot be used: {error}")]
    Folder { folder: PathBuf, error: std::io::Error },
    #[error(
        "the data folder {folder} is in use by another process; stop it or choose another folder"
    )]
    InUse { folder: PathBuf },
    #[error(
        "{file} was written by a newer version ({found}, this one knows {known}); use that version"
    )]
    Newer { file: PathBuf, found: i64, known: i64 },
    #[error("{file} cannot be opened: {error}")]
    File { file: PathBuf, error: rusqlite::Error },
}

const VERSION: i64 = 1;

const TABLES: &str = "
CREATE TABLE incidents (
  id TEXT PRIMARY KEY, version INTEGER NOT NULL, status TEXT NOT NULL, service TEXT NOT NULL,
  active INTEGER NOT NULL, head TEXT, opened_at TEXT NOT NULL, updated_at TEXT NOT NULL, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX incidents_by_status ON incidents (status, id);
CREATE TABLE events (
  position INTEGER PRIMARY KEY AUTOINCREMENT, incident TEXT NOT NULL, seq INTEGER NOT NULL,
  name TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (incident, seq)) STRICT;
CREATE TABLE slots (key TEXT PRIMARY KEY, incident TEXT NOT NULL, seen TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE repeats (fingerprint TEXT PRIMARY KEY, count INTEGER NOT NULL, last TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE books (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE settings (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE silences (id TEXT PRIMARY KEY, version INTEGER NOT NULL, ends_at TEXT NOT NULL, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE quarantine (
  id TEXT PRIMARY KEY, source TEXT NOT NULL, version INTEGER NOT NULL, received_at TEXT NOT NULL,
  head TEXT NOT NULL, body BLOB NOT NULL) STRICT;
CREATE INDEX quarantine_by_source ON quarantine (source, id);
CREATE INDEX quarantine_by_time ON quarantine (received_at);
CREATE TABLE heartbeats (
  source TEXT NOT NULL, name TEXT NOT NULL, last TEXT NOT NULL, PRIMARY KEY (source, name)) STRICT, WITHOUT ROWID;
CREATE TABLE counters (name TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE nonces (key TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX nonces_by_end ON nonces (until);
CREATE TABLE cursors (name TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE timers (
  owner TEXT NOT NULL, incident TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (owner, incident)) STRICT, WITHOUT ROWID;
CREATE INDEX timers_by_time ON timers (owner, at);
";

/// Lookups of intake, of those who act and tell, and of people who list at the same time.
const READERS: usize = 3;

/// The file, opened as often as it is used at the same time.
pub(super) struct Opened {
    /// Of the folder; let go of when it is dropped.
    pub(super) lock: File,
    pub(super) writer: Connection,
    pub(super) readers: Vec<Connection>,
    pub(super) checkpoints: Connection,
}

pub(super) fn open(folder: &Path) -> Result<Opened, OpenError> {
    let in_folder = |error| OpenError::Folder { folder: folder.to_owned(), error };
    private_folder(folder).map_err(in_folder)?;
    // A file of its own: closing the record's file would drop the locks that SQLite has on it.
    let lock = private_file(&folder.join("lock")).map_err(in_folder)?;
    lock.try_lock().map_err(|refused| match refused {
        TryLockError::WouldBlock => OpenError::InUse { folder: folder.to_owned() },
        TryLockError::Error(error) => in_folder(error),
    })?;
    let file = folder.join("firebreak.sqlite");
    private_file(&file).map_err(in_folder)?;
    let in_file = |error| OpenError::File { file: file.clone(), error };
    let writer = connect(&file).map_err(in_file)?;
    let found: i64 =
        writer.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(in_file)?;
    match found {
        0 => create(&writer).map_err(in_file)?,
        VERSION => {}
        found => return Err(OpenError::Newer { file, found, known: VERSION }),
    }
    let readers =
        (0..READERS).map(|_| connect(&file)).collect::<Result<_, _>>().map_err(in_file)?;
    let checkpoints = connect(&file).map_err(in_file)?;
    Ok(Opened { lock, writer, readers, checkpoints })
}

/// What a connection keeps of the file.
const CACHE_KIB: i64 = 8 * 1024;

/// A log of more pages, 128 MB, is written back by who commits; else a thread of its own does that in good time.
const MOST_LOG_PAGES: i64 = 32 * 1024;

/// What the log keeps of its room on disk when it was written back.
const KEPT_LOG_BYTES: i64 = 16 * 1024 * 1024;

fn connect(file: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // An answer to a sender promises that the alert survives a loss of power.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // What one transaction changes stays in memory until it is committed, and so does what undoes a part of it.
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "cache_spill", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "wal_autocheckpoint", MOST_LOG_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", KEPT_LOG_BYTES)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn create(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"
    ))
}

#[cfg(unix)]
pub(crate) fn private_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    if folder.is_dir() {
        Ok(())
    } else {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
    }
}

#[cfg(not(unix))]
pub(crate) fn private_folder(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}

/// The file exists before SQLite opens it, so that it and its log are private from the first byte.
pub(crate) fn private_file(file: &Path) -> std::io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}
