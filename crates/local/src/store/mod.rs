//! The record in SQLite: one file, write-ahead log, every append durable before it is answered.

mod append;
mod outbox;
mod read;
mod schema;
mod settings;

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use firebreak_engine::ports::StoreError;
use rusqlite::Connection;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

pub(crate) use outbox::Undelivered;
pub use schema::OpenError;
pub(crate) use schema::{private_file, private_folder};

/// A store on one file. Clones share it.
#[derive(Clone)]
pub struct SqliteStore {
    files: Arc<Files>,
}

/// One connection that writes and one that reads, so that a list does not hold up an append.
struct Files {
    /// Held as long as the store is open; the system lets go of it when the process dies.
    _lock: File,
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
    appended: Notify,
}

impl SqliteStore {
    /// Opens `<folder>/firebreak.sqlite`, making the folder (0700) and the file (0600) where they are missing.
    ///
    /// One process at a time: two drivers on one record would both do what it asks for.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let (lock, writer, reader) = schema::open(folder)?;
        let files = Files {
            _lock: lock,
            writer: Mutex::new(writer),
            reader: Mutex::new(reader),
            appended: Notify::new(),
        };
        Ok(Self { files: Arc::new(files) })
    }

    /// Completes with the next append after it was enabled or first polled.
    pub(crate) fn appended(&self) -> Notified<'_> {
        self.files.appended.notified()
    }

    pub(crate) fn announce(&self) {
        self.files.appended.notify_waiters();
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let files = Arc::clone(&self.files);
        blocking(move || work(&mut held(&files.writer))).await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let files = Arc::clone(&self.files);
        blocking(move || work(&held(&files.reader))).await?
    }
}

/// A panic in another thread leaves SQLite's own transaction rolled back, so the connection is still good.
fn held(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// What SQLite said, as the port says it.
fn failed(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            StoreError::Corrupt(error.to_string())
        }
        _ => StoreError::Unavailable(error.to_string()),
    }
}

fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(error.to_string()))
}

fn text<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}
