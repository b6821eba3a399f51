//! Reads all logs on all cores: any worker inflates or counts, whichever is waited for.

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::blocks::{Blocks, End, Input};
use crate::entry::Malformed;
use crate::tally::Tally;

/// Each worker has counts of its own; more of them would need more memory and wait for the disk.
const MOST_THREADS: NonZero<usize> = NonZero::new(8).unwrap();

/// How far a scan is, for whoever looks on.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes as they are on disk, before they are inflated.
    pub bytes: AtomicU64,
    pub files: AtomicU64,
}

/// How to scan.
#[derive(Debug, Clone, Copy)]
pub struct Scan {
    pub threads: NonZero<usize>,
    pub interval_minutes: u16,
    /// How many malformed lines are shown.
    pub samples: usize,
}

impl Default for Scan {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        let threads = cores.min(MOST_THREADS);
        Self { threads, interval_minutes: 60, samples: 10 }
    }
}

/// Everything that was read.
pub struct Scanned {
    pub(crate) tally: Tally,
    pub(crate) files: Vec<File>,
    pub(crate) interval_minutes: u16,
    pub(crate) malformed: Vec<Found>,
}

pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) damage: Option<String>,
    /// The lines of each block, to number those that are malformed.
    lines: Vec<u32>,
}

/// A malformed line under its number in the file.
pub(crate) struct Found {
    pub(crate) file: String,
    pub(crate) line: u64,
    pub(crate) reason: Malformed,
}

impl Scanned {
    /// What was read, in one sentence; what is wrong where nothing can be reported.
    pub fn summary(&self) -> String {
        let damaged: Vec<String> = self
            .files
            .iter()
            .filter_map(|file| Some(format!("{}: {}", file.name, file.damage.as_ref()?)))
            .collect();
        let malformed = self.malformed.first().map(|found| {
            format!("the first malformed line is {}:{}: {}", found.file, found.line, found.reason)
        });
        let mut text = format!("{} files with {} lines", self.files.len(), self.tally.lines);
        for part in damaged.into_iter().take(3).chain(malformed) {
            text.push_str("; ");
            text.push_str(&part);
        }
        text
    }
}

/// Reads all of the inputs; what is wrong with one of them is in the result.
pub fn scan(inputs: Vec<Input>, how: &Scan, progress: &Arc<Progress>) -> Scanned {
    let threads = how.threads.get();
    let files = inputs
        .iter()
        .map(|input| File { name: input.name.clone(), damage: None, lines: Vec::new() })
        .collect();
    let state = State {
        waiting: inputs.into_iter().enumerate().collect(),
        idle: VecDeque::new(),
        busy: 0,
        ready: VecDeque::new(),
        free: (0..2 * threads + 2).map(|_| Blocks::buffer()).collect(),
        files,
    };
    let pool = Pool {
        state: Mutex::new(state),
        changed: Condvar::new(),
        threads,
        progress: Arc::clone(progress),
    };
    let mut tally = Tally::new(how.interval_minutes, how.samples);
    std::thread::scope(|scope| {
        let worker = || {
            let mut tally = Tally::new(how.interval_minutes, how.samples);
            pool.work(&mut tally);
            tally
        };
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(worker)).collect();
        pool.work(&mut tally);
        for other in others {
            tally.merge(other.join().expect("a worker does not panic"));
        }
    });
    let state = pool.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    tally.first_samples();
    let malformed = numbered(&state.files, &tally);
    Scanned { tally, files: state.files, interval_minutes: how.interval_minutes, malformed }
}

fn numbered(files: &[File], tally: &Tally) -> Vec<Found> {
    let found = |broken: &crate::tally::Broken| {
        let file = files.get(broken.file)?;
        let before: u64 = file.lines.iter().take(broken.block).map(|lines| u64::from(*lines)).sum();
        Some(Found {
            file: file.name.clone(),
            line: before + u64::from(broken.line),
            reason: broken.reason,
        })
    };
    tally.broken.iter().filter_map(found).collect()
}

struct Pool {
    state: Mutex<State>,
    changed: Condvar,
    threads: usize,
    progress: Arc<Progress>,
}

struct State {
    waiting: VecDeque<(usize, Input)>,
    /// Open logs that nobody reads right now.
    idle: VecDeque<Open>,
    /// How many logs are being read right now.
    busy: usize,
    ready: VecDeque<Block>,
    free: Vec<Vec<u8>>,
    files: Vec<File>,
}

struct Open {
    file: usize,
    /// The number of its next block.
    next: usize,
    blocks: Blocks,
}

struct Block {
    file: usize,
    number: usize,
    bytes: Vec<u8>,
    length: usize,
}

enum Task {
    Open(usize, Input),
    Fill(Open, Vec<u8>),
    Count(Block),
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, tally: &mut Tally) {
        while let Some(task) = self.next() {
            match task {
                Task::Open(file, input) => self.open(file, input),
                Task::Fill(open, buffer) => self.fill(open, buffer),
                Task::Count(block) => {
                    let bytes = block.bytes.get(..block.length).unwrap_or_default();
                    let lines = tally.block(block.file, block.number, bytes);
                    self.counted(block, lines);
                }
            }
        }
    }

    /// Blocks to count come first once there is one for each worker: until then somebody should make more.
    fn next(&self) -> Option<Task> {
        let mut state = self.lock();
        loop {
            if state.ready.len() >= self.threads
                && let Some(block) = state.ready.pop_front()
            {
                return Some(Task::Count(block));
            }
            if !state.idle.is_empty()
                && let Some(buffer) = state.free.pop()
                && let Some(open) = state.idle.pop_front()
            {
                state.busy += 1;
                return Some(Task::Fill(open, buffer));
            }
            if state.busy + state.idle.len() < self.threads
                && let Some((file, input)) = state.waiting.pop_front()
            {
                state.busy += 1;
                return Some(Task::Open(file, input));
            }
            if let Some(block) = state.ready.pop_front() {
                return Some(Task::Count(block));
            }
            if state.busy == 0 && state.idle.is_empty() && state.waiting.is_empty() {
                self.changed.notify_all();
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn open(&self, file: usize, input: Input) {
        let progress = Arc::clone(&self.progress);
        let opened = input.open(move |read| {
            progress.bytes.fetch_add(read, Ordering::Relaxed);
        });
        let mut state = self.lock();
        state.busy -= 1;
        match opened {
            Ok(blocks) => state.idle.push_front(Open { file, next: 0, blocks }),
            Err(error) => self.close(&mut state, file, Some(error.to_string())),
        }
        self.changed.notify_all();
    }

    fn fill(&self, mut open: Open, mut buffer: Vec<u8>) {
        let filled = open.blocks.fill(&mut buffer);
        let (file, number) = (open.file, open.next);
        let mut state = self.lock();
        state.busy -= 1;
        state.ready.push_back(Block { file, number, bytes: buffer, length: filled.length });
        open.next += 1;
        match filled.end {
            None => state.idle.push_front(open),
            Some(End::Whole) => self.close(&mut state, file, None),
            Some(End::Damaged(error)) => self.close(&mut state, file, Some(error.to_string())),
        }
        self.changed.notify_all();
    }

    fn close(&self, state: &mut State, file: usize, damage: Option<String>) {
        self.progress.files.fetch_add(1, Ordering::Relaxed);
        if let Some(file) = state.files.get_mut(file) {
            file.damage = damage;
        }
    }

    fn counted(&self, block: Block, lines: u32) {
        let mut state = self.lock();
        if let Some(file) = state.files.get_mut(block.file) {
            if file.lines.len() <= block.number {
                file.lines.resize(block.number + 1, 0);
            }
            if let Some(known) = file.lines.get_mut(block.number) {
                *known = lines;
            }
        }
        state.free.push(block.bytes);
        self.changed.notify_all();
    }
}
