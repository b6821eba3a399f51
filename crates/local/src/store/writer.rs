//! The one thread that writes: whatever waits is written in one transaction and answered when that is durable.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use firebreak_engine::ports::StoreError;
use rusqlite::{Connection, Savepoint, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::failed;

/// What may wait; who comes later waits for a place.
const MOST_WAITING: usize = 1024;
/// What one transaction takes, so that the first does not wait for too many others.
const MOST_TOGETHER: usize = 256;

/// Hands work to the thread. When it is dropped, what waits is still written, and then the file is closed.
pub(super) struct Writer {
    work: Option<mpsc::Sender<Box<dyn Work>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    commits: Arc<AtomicU64>,
}

impl Writer {
    /// `held` is let go of when the connection is closed.
    pub(super) fn start(
        connection: Connection,
        held: impl Send + 'static,
    ) -> std::io::Result<Self> {
        let (work, waiting) = mpsc::channel(MOST_WAITING);
        let commits = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&commits);
        let thread = thread::Builder::new().name("record-writer".to_owned()).spawn(move || {
            write_what_comes(connection, waiting, &counted);
            drop(held);
        })?;
        Ok(Self { work: Some(work), thread: Mutex::new(Some(thread)), commits })
    }

    /// Transactions since the start.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// As [`commits`](Self::commits), for who asks again and again.
    pub(super) fn commit_count(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.commits)
    }

    /// Has the work done in a transaction that it may share with others: an error undoes this work alone.
    pub(super) async fn begin<T, E>(
        &self,
        work: impl FnOnce(&mut Savepoint<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<Writing<T, E>, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let one = One { work: Some(work), result: None, reply };
        let waiting = self.work.as_ref().ok_or_else(closed)?;
        waiting.send(Box::new(one)).await.map_err(|_| closed())?;
        Ok(Writing(answer))
    }
}

/// Work that waits for the thread, or is being done by it.
pub(super) struct Writing<T, E>(oneshot::Receiver<Result<T, E>>);

impl<T, E: From<StoreError>> Writing<T, E> {
    /// Completes when what was done is durable.
    pub(super) async fn done(self) -> Result<T, E> {
        self.0.await.map_err(|_| E::from(closed()))?
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the record is closed".to_owned())
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.work.take());
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that writes the record ended badly");
        }
    }
}

/// One piece of work on its way through the thread.
trait Work: Send {
    /// Whether what it did is to be kept.
    fn done(&mut self, savepoint: &mut Savepoint<'_>) -> bool;
    /// `failed`: it is not durable although it was done.
    fn answer(self: Box<Self>, failed: Option<&StoreError>);
}

struct One<W, T, E> {
    work: Option<W>,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<W, T, E> Work for One<W, T, E>
where
    W: FnOnce(&mut Savepoint<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn done(&mut self, savepoint: &mut Savepoint<'_>) -> bool {
        let Some(work) = self.work.take() else { return false };
        // A panic is this work's own: the others are written.
        self.result = catch_unwind(AssertUnwindSafe(|| work(savepoint))).ok();
        matches!(self.result, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, failed: Option<&StoreError>) {
        let result = match (self.result, failed) {
            (Some(Err(own)), _) => Err(own),
            (Some(Ok(_)) | None, Some(failed)) => Err(failed.clone().into()),
            (Some(Ok(done)), None) => Ok(done),
            (None, None) => Err(StoreError::Unavailable("the write broke off".to_owned()).into()),
        };
        // Whoever asked may have gone.
        drop(self.reply.send(result));
    }
}

fn write_what_comes(
    mut connection: Connection,
    mut waiting: mpsc::Receiver<Box<dyn Work>>,
    commits: &AtomicU64,
) {
    while let Some(first) = waiting.blocking_recv() {
        let mut together = vec![first];
        while together.len() < MOST_TOGETHER
            && let Ok(next) = waiting.try_recv()
        {
            together.push(next);
        }
        let failed = write(&mut connection, &mut together).err().map(|error| failed(&error));
        commits.fetch_add(1, Ordering::Relaxed);
        for work in together {
            work.answer(failed.as_ref());
        }
    }
}

fn write(
    connection: &mut Connection,
    together: &mut [Box<dyn Work>],
) -> Result<(), rusqlite::Error> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for work in together {
        let mut savepoint = transaction.savepoint()?;
        if work.done(&mut savepoint) {
            savepoint.commit()?;
        }
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer(folder: &std::path::Path) -> (Arc<Writer>, Connection) {
        let open = || Connection::open(folder.join("numbers")).unwrap();
        let (writing, reading) = (open(), open());
        writing.execute_batch("CREATE TABLE numbers (n INTEGER UNIQUE)").unwrap();
        (Arc::new(Writer::start(writing, ()).unwrap()), reading)
    }

    async fn add(writer: &Writer, n: i64, then: fn()) -> Result<(), StoreError> {
        let writing: Writing<(), StoreError> = writer
            .begin(move |savepoint| {
                savepoint
                    .execute("INSERT INTO numbers VALUES (?1)", [n])
                    .map_err(|e| failed(&e))?;
                then();
                Ok(())
            })
            .await?;
        writing.done().await
    }

    #[tokio::test]
    async fn an_error_or_a_panic_undoes_one_work_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, reading) = writer(folder.path());
        let works = (0..60).map(|n| {
            let writer = Arc::clone(&writer);
            tokio::spawn(async move {
                let then: fn() = if n % 5 == 4 { || panic!("on purpose") } else { || () };
                // Every third number is taken already when it comes again.
                add(&writer, if n % 3 == 2 { n - 1 } else { n }, then).await.is_ok()
            })
        });
        let mut kept = 0;
        for work in works.collect::<Vec<_>>() {
            kept += i64::from(work.await.unwrap());
        }
        let stored: i64 =
            reading.query_row("SELECT count(*) FROM numbers", [], |row| row.get(0)).unwrap();
        assert_eq!(stored, kept);
        assert_eq!(kept, 36, "of 60, 12 panicked and 12 of the others came too late");
    }
}
