//! Writing the log back into the file, beside the thread that writes: no append waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;

/// Long enough that much is written over in the log before it costs a second write.
const EVERY: Duration = Duration::from_secs(5);

/// Checkpoints until it is dropped.
pub(super) struct Checkpoints {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// `commits` says whether anything was written since the last one.
    pub(super) fn start(connection: Connection, commits: Arc<AtomicU64>) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("record-checkpoint".to_owned())
            .spawn(move || again_and_again(&connection, &commits, &stopped))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that writes the log back ended badly");
        }
    }
}

fn again_and_again(connection: &Connection, commits: &AtomicU64, stopped: &mpsc::Receiver<()>) {
    let mut seen = 0;
    while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
        let now = commits.load(Ordering::Relaxed);
        if now == seen {
            continue;
        }
        seen = now;
        // What readers and the writer are at stays for the next time.
        let done = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        if let Err(error) = done {
            tracing::warn!(%error, "the log could not be written back");
        }
    }
}
