//! The spill of the local platform: files in the data folder, durable before anything is answered.

mod frame;
mod segments;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use firebreak_engine::ports::{Backlog, Spill, SpillError, Spilled};
use tokio::sync::{Notify, oneshot};

use segments::Segments;
pub use segments::Waiting;

/// How much may wait: room for many hours of alerts, and no way to fill a disk.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// So many deliveries share one wait for the disk at most.
const MOST_TOGETHER: usize = 256;

/// A spill on one folder. Clones share it.
#[derive(Clone)]
pub struct FileSpill {
    wishes: mpsc::Sender<Wish>,
    shared: Arc<Shared>,
}

struct Shared {
    backlog: Mutex<Backlog>,
    added: Notify,
}

type Answer<T, E> = oneshot::Sender<Result<T, E>>;

/// What the thread that owns the files is asked for.
enum Wish {
    Put(Box<Spilled>, Answer<(), SpillError>),
    Oldest(usize, Answer<Vec<Waiting>, io::Error>),
    Taken(Vec<Waiting>, Answer<(), io::Error>),
}

/// Why the spill cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("the spill in {folder} cannot be used: {error}")]
pub struct NoSpill {
    folder: PathBuf,
    error: io::Error,
}

impl FileSpill {
    /// Opens `<data>/spill`, with what an earlier process left there. The caller holds the lock of the data folder.
    pub fn open(data: &Path) -> Result<Self, NoSpill> {
        let folder = data.join("spill");
        let no_spill = |error| NoSpill { folder: folder.clone(), error };
        let segments = Segments::open(&folder, MOST_BYTES).map_err(no_spill)?;
        let shared =
            Arc::new(Shared { backlog: Mutex::new(segments.backlog()), added: Notify::new() });
        let (wishes, asked) = mpsc::channel();
        let told = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("spill".to_owned())
            .spawn(move || own(segments, &asked, &told))
            .map_err(no_spill)?;
        Ok(Self { wishes, shared })
    }

    /// The oldest deliveries that wait, at most `most`; none only when nothing waits.
    pub async fn oldest(&self, most: usize) -> io::Result<Vec<Waiting>> {
        self.ask(|answer| Wish::Oldest(most, answer)).await.unwrap_or_else(|| Err(gone()))
    }

    /// The oldest deliveries that waited were taken in and leave.
    pub async fn taken(&self, oldest: Vec<Waiting>) -> io::Result<()> {
        self.ask(|answer| Wish::Taken(oldest, answer)).await.unwrap_or_else(|| Err(gone()))
    }

    pub fn backlog(&self) -> Backlog {
        *self.shared.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Completes when something was put since the last time.
    pub async fn added(&self) {
        self.shared.added.notified().await;
    }

    async fn ask<T, E>(&self, wish: impl FnOnce(Answer<T, E>) -> Wish) -> Option<Result<T, E>> {
        let (answer, answered) = oneshot::channel();
        self.wishes.send(wish(answer)).ok()?;
        answered.await.ok()
    }
}

fn gone() -> io::Error {
    io::Error::other("the thread that owns the spill ended")
}

#[async_trait]
impl Spill for FileSpill {
    async fn put(&self, spilled: &Spilled) -> Result<(), SpillError> {
        let spilled = Box::new(spilled.clone());
        let put = self.ask(|answer| Wish::Put(spilled, answer)).await;
        put.unwrap_or_else(|| Err(SpillError::Unavailable(gone().to_string())))
    }

    fn backlog(&self) -> Option<Backlog> {
        Some(FileSpill::backlog(self))
    }
}

/// Does what is wished for, one after the other, until the last handle is gone.
fn own(mut segments: Segments, asked: &mpsc::Receiver<Wish>, told: &Shared) {
    let mut next = None;
    while let Some(wish) = next.take().or_else(|| asked.recv().ok()) {
        let tell = |segments: &Segments| {
            *told.backlog.lock().unwrap_or_else(PoisonError::into_inner) = segments.backlog();
        };
        // Who asked and went away meanwhile does not wait for an answer.
        match wish {
            Wish::Put(spilled, answer) => {
                let mut together = vec![(spilled, answer)];
                while together.len() < MOST_TOGETHER {
                    match asked.try_recv() {
                        Ok(Wish::Put(spilled, answer)) => together.push((spilled, answer)),
                        Ok(other) => {
                            next = Some(other);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                put(&mut segments, together);
                tell(&segments);
                told.added.notify_one();
            }
            Wish::Oldest(most, answer) => drop(answer.send(segments.oldest(most))),
            Wish::Taken(oldest, answer) => {
                let taken = segments.taken(&oldest);
                tell(&segments);
                drop(answer.send(taken));
            }
        }
    }
}

/// One wait for the disk for all. Where they do not fit together, each is tried alone.
fn put(segments: &mut Segments, together: Vec<(Box<Spilled>, Answer<(), SpillError>)>) {
    let (spilled, answers): (Vec<Spilled>, Vec<_>) =
        together.into_iter().map(|(spilled, answer)| (*spilled, answer)).unzip();
    if segments.put(&spilled).is_ok() {
        for answer in answers {
            drop(answer.send(Ok(())));
        }
        return;
    }
    for (spilled, answer) in spilled.iter().zip(answers) {
        drop(answer.send(segments.put(std::slice::from_ref(spilled))));
    }
}

#[cfg(test)]
mod tests {
    use firebreak_core::sources::Delivery;
    use jiff::Timestamp;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn what_many_put_at_once_is_all_there_and_the_backlog_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let spill = FileSpill::open(folder.path()).unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..300 {
            let spill = spill.clone();
            tasks.spawn(async move {
                let body = format!("{n}");
                let received_at = Timestamp::from_second(1_795_000_000).unwrap();
                let delivery = Delivery {
                    body: body.as_bytes(),
                    content_type: None,
                    headers: &[],
                    received_at,
                };
                spill.put(&Spilled::of(body.clone(), "alertmanager", &delivery)).await.unwrap();
                n
            });
        }
        let mut put = tasks.join_all().await;
        assert_eq!(spill.backlog().deliveries, 300);
        spill.added().await;

        let mut seen = Vec::new();
        loop {
            let waiting = spill.oldest(16).await.unwrap();
            if waiting.is_empty() {
                break;
            }
            for one in waiting {
                let body = one.spilled.as_ref().unwrap().delivery.body.unpack().unwrap();
                seen.push(String::from_utf8(body).unwrap().parse::<i32>().unwrap());
                spill.taken(vec![one]).await.unwrap();
            }
        }
        seen.sort_unstable();
        put.sort_unstable();
        assert_eq!(seen, put);
        assert_eq!(spill.backlog(), Backlog::default());
    }
}
