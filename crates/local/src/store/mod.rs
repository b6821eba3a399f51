//! The record in SQLite: one file, write-ahead log, every append durable before it is answered.

mod append;
mod checkpoint;
mod heartbeats;
mod nonces;
mod outbox;
mod packed;
mod quarantine;
mod read;
mod schema;
mod settings;
mod silences;
mod timers;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use firebreak_engine::ports::StoreError;
use rusqlite::{Connection, Savepoint};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use checkpoint::Checkpoints;
pub(crate) use outbox::{Followed, Sleepers};
pub use schema::OpenError;
use schema::Opened;
pub(crate) use schema::{private_file, private_folder};
pub(crate) use timers::Wake;
use writer::{Writer, Writing};

/// A store on one file. Clones share it.
#[derive(Clone)]
pub struct SqliteStore {
    files: Arc<Files>,
}

/// A thread that writes and connections that read, so that a list holds up neither an append nor what it looks for.
struct Files {
    /// Ends before the writer does, which lets go of the folder.
    _checkpoints: Checkpoints,
    writer: Writer,
    readers: Vec<Mutex<Connection>>,
    appended: Notify,
}

impl SqliteStore {
    /// Opens `<folder>/firebreak.sqlite`, making the folder (0700) and the file (0600) where they are missing.
    ///
    /// One process at a time: two drivers on one record would both do what it asks for.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let Opened { lock, writer, readers, checkpoints } = schema::open(folder)?;
        let in_folder = |error| OpenError::Folder { folder: folder.to_owned(), error };
        // The system lets go of the lock when the process dies.
        let writer = Writer::start(writer, lock).map_err(in_folder)?;
        let checkpoints =
            Checkpoints::start(checkpoints, writer.commit_count()).map_err(in_folder)?;
        let readers = readers.into_iter().map(Mutex::new).collect();
        let files = Files { _checkpoints: checkpoints, writer, readers, appended: Notify::new() };
        Ok(Self { files: Arc::new(files) })
    }

    /// Transactions of this process so far: what the disk was asked to make durable.
    pub fn commits(&self) -> u64 {
        self.files.writer.commits()
    }

    /// Completes with the next append after it was enabled or first polled.
    pub(crate) fn appended(&self) -> Notified<'_> {
        self.files.appended.notified()
    }

    pub(crate) fn announce(&self) {
        self.files.appended.notify_waiters();
    }

    /// All or nothing, durable when it completes.
    async fn write<T, E>(
        &self,
        work: impl FnOnce(&mut Savepoint<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.begin(work).await?.done().await
    }

    async fn begin<T, E>(
        &self,
        work: impl FnOnce(&mut Savepoint<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<Writing<T, E>, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.files.writer.begin(work).await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let files = Arc::clone(&self.files);
        blocking(move || work(&*held(&files.readers)?)).await?
    }
}

/// One that nobody uses now, else the first. A panic in another thread changes nothing in a connection that only reads.
fn held(readers: &[Mutex<Connection>]) -> Result<MutexGuard<'_, Connection>, StoreError> {
    for reader in readers {
        match reader.try_lock() {
            Ok(free) => return Ok(free),
            Err(TryLockError::Poisoned(free)) => return Ok(free.into_inner()),
            Err(TryLockError::WouldBlock) => {}
        }
    }
    let none = || StoreError::Unavailable("nothing reads the record".to_owned());
    let first = readers.first().ok_or_else(none)?;
    Ok(first.lock().unwrap_or_else(PoisonError::into_inner))
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
