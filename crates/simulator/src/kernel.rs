//! The kernel of a simulation: one clock, one source of chance, and tasks that run one await point at a time.
//!
//! Nothing here knows real time or threads. Which task goes on next, how long things take and who dies where
//! all come from the seed, so a seed is a whole run and can be played again.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use fastrand::Rng;
use firebreak_engine::ports::Clock;
use jiff::{SignedDuration, Timestamp};

/// Clock and chance, shared by everything in one simulated world.
#[derive(Clone)]
pub struct Kernel(Arc<Mutex<State>>);

struct State {
    now: Timestamp,
    rng: Rng,
    /// What the task that runs now asked for when it last stopped.
    asked: Wake,
    /// Steps so far: a bound on every run.
    steps: u64,
    log: Log,
}

/// When a stopped task may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Whenever its turn comes; next it touches this.
    Soon(Touch),
    At(Timestamp),
}

/// What a task touches after an await point. Two that touch different things may as well go in either order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Touch {
    /// Nothing that another task of the same world changes.
    Aside,
    ReadsIncident,
    ReadsBooks,
    Writes,
    Provider,
}

/// What happened, for the trace of a failing seed. Only the end is kept.
struct Log {
    lines: std::collections::VecDeque<String>,
    most: usize,
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Something that goes on until it is done or dies.
pub(crate) struct Task {
    pub name: String,
    /// Whether the scenario may kill it at an await point.
    pub mortal: bool,
    work: Work,
    wake: Wake,
}

/// How a run of the tasks ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// Nothing is left to do before the horizon.
    Quiet,
    /// The horizon was reached.
    Horizon,
    /// More steps than any sane run takes: something spins.
    Spinning,
}

/// No run of a scenario comes near.
const MOST_STEPS: u64 = 2_000_000;

impl Kernel {
    pub fn new(seed: u64, start: Timestamp, most_lines: usize) -> Self {
        let log = Log { lines: std::collections::VecDeque::new(), most: most_lines };
        Self(Arc::new(Mutex::new(State {
            now: start,
            rng: Rng::with_seed(seed),
            asked: Wake::Soon(Touch::Aside),
            steps: 0,
            log,
        })))
    }

    /// One thread runs a world; a panic in a task is a finding, not a reason to lose the rest.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True this often; `per_mille` of 1000.
    pub fn often(&self, per_mille: u32) -> bool {
        per_mille > 0 && self.state().rng.u32(0..1000) < per_mille
    }

    /// A number below `limit`; 0 where there is none.
    pub fn below(&self, limit: usize) -> usize {
        if limit == 0 { 0 } else { self.state().rng.usize(0..limit) }
    }

    /// Up to so long.
    pub fn up_to(&self, longest: SignedDuration) -> SignedDuration {
        let millis = i64::try_from(longest.as_millis()).unwrap_or(i64::MAX).max(1);
        SignedDuration::from_millis(self.state().rng.i64(0..millis))
    }

    pub fn say(&self, line: impl FnOnce() -> String) {
        let mut state = self.state();
        if state.log.most == 0 {
            return;
        }
        let line = format!("{} {}", state.now, line());
        if state.log.lines.len() >= state.log.most {
            state.log.lines.pop_front();
        }
        state.log.lines.push_back(line);
    }

    pub fn trace(&self) -> Vec<String> {
        self.state().log.lines.iter().cloned().collect()
    }

    pub fn steps(&self) -> u64 {
        self.state().steps
    }

    /// An await point: others may go on, and a mortal task may die here.
    pub async fn step(&self, touch: Touch) {
        Stop { kernel: self, wake: Some(Wake::Soon(touch)) }.await;
    }

    /// What the task that stopped last asked for.
    pub fn asked(&self) -> Wake {
        self.state().asked
    }

    /// For whoever leads the tasks by hand.
    pub fn set_now(&self, now: Timestamp) {
        self.state().now = now;
    }

    pub async fn sleep(&self, duration: SignedDuration) {
        let until = self.now() + duration.max(SignedDuration::ZERO);
        Stop { kernel: self, wake: Some(Wake::At(until)) }.await;
    }
}

impl Task {
    pub(crate) fn new(
        name: impl Into<String>,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            mortal: false,
            work: Box::pin(work),
            wake: Wake::Soon(Touch::Aside),
        }
    }

    #[must_use]
    pub(crate) fn mortal(mut self) -> Self {
        self.mortal = true;
        self
    }
}

#[async_trait]
impl Clock for Kernel {
    fn now(&self) -> Timestamp {
        self.state().now
    }

    fn chance(&self) -> u128 {
        self.state().rng.u128(..)
    }

    async fn rest(&self, duration: Duration) {
        self.sleep(SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)).await;
    }
}

/// Stops its task once.
struct Stop<'a> {
    kernel: &'a Kernel,
    wake: Option<Wake>,
}

impl Future for Stop<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match self.wake.take() {
            Some(wake) => {
                self.kernel.state().asked = wake;
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

/// The tasks of a world. `more` is asked after each step for tasks that came up meanwhile.
pub(crate) struct Tasks {
    kernel: Kernel,
    running: Vec<Task>,
    /// How often, of 1000 steps of a mortal task, it dies.
    deadly: u32,
}

impl Tasks {
    pub(crate) fn new(kernel: Kernel, deadly: u32) -> Self {
        Self { kernel, running: Vec::new(), deadly }
    }

    pub(crate) fn start(&mut self, task: Task) {
        self.running.push(task);
    }

    /// Runs until nothing is left or the horizon. `after` sees each death by name and may start tasks.
    pub(crate) fn run(
        &mut self,
        horizon: Timestamp,
        mut after: impl FnMut(&mut Self, Option<&str>),
    ) -> Stopped {
        loop {
            let now = self.kernel.now();
            let ready: Vec<usize> = self
                .running
                .iter()
                .enumerate()
                .filter(|(_, task)| task.is_ready(now))
                .map(|(at, _)| at)
                .collect();
            if ready.is_empty() {
                match self.next_wake() {
                    None => return Stopped::Quiet,
                    Some(at) if at > horizon => return Stopped::Horizon,
                    Some(at) => self.kernel.state().now = at,
                }
                continue;
            }
            let Some(&at) = ready.get(self.kernel.below(ready.len())) else { continue };
            let died = self.step(at);
            after(self, died.as_deref());
            if self.kernel.steps() > MOST_STEPS {
                return Stopped::Spinning;
            }
        }
    }

    fn next_wake(&self) -> Option<Timestamp> {
        self.running
            .iter()
            .filter_map(|task| match task.wake {
                Wake::At(at) => Some(at),
                Wake::Soon(_) => None,
            })
            .min()
    }

    /// Runs one task to its next await point, or kills it there. Gives the name of one that died.
    fn step(&mut self, at: usize) -> Option<String> {
        self.kernel.state().steps += 1;
        let mortal = self.running.get(at).is_some_and(|task| task.mortal);
        if mortal && self.kernel.often(self.deadly) {
            let task = self.running.swap_remove(at);
            self.kernel.say(|| format!("{} dies", task.name));
            return Some(task.name);
        }
        let task = self.running.get_mut(at)?;
        let mut context = Context::from_waker(Waker::noop());
        match task.work.as_mut().poll(&mut context) {
            Poll::Ready(()) => {
                self.running.swap_remove(at);
            }
            Poll::Pending => task.wake = self.kernel.state().asked,
        }
        None
    }
}

impl Task {
    fn is_ready(&self, now: Timestamp) -> bool {
        match self.wake {
            Wake::Soon(_) => true,
            Wake::At(at) => at <= now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn play(seed: u64) -> (Vec<String>, Stopped) {
        let kernel = Kernel::new(seed, Timestamp::UNIX_EPOCH, 1000);
        let mut tasks = Tasks::new(kernel.clone(), 100);
        for name in ["a", "b", "c"] {
            let own = kernel.clone();
            let work = async move {
                for _ in 0..5 {
                    own.step(Touch::Aside).await;
                    own.say(|| name.to_owned());
                    own.sleep(own.up_to(SignedDuration::from_secs(5))).await;
                }
            };
            tasks.start(Task::new(name, work).mortal());
        }
        let stopped = tasks.run(kernel.now() + SignedDuration::from_mins(1), |_, _| {});
        (kernel.trace(), stopped)
    }

    #[test]
    fn a_seed_is_a_whole_run() {
        assert_eq!(play(7), play(7));
        assert_ne!(play(7).0, play(8).0);
        assert_eq!(play(7).1, Stopped::Quiet);
    }

    #[test]
    fn tasks_die_at_await_points() {
        let deaths = |seed| play(seed).0.iter().filter(|line| line.ends_with("dies")).count();
        assert!((0..20).map(deaths).sum::<usize>() > 0);
    }
}
