//! A run: so many cases on every processor, each made anew from its number, with all that broke kept by name.

use std::cell::RefCell;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::corpus;
use crate::mutate;
use crate::targets::Target;

/// A reader that takes longer over one input can be used to stop a process.
const SLOW: Duration = Duration::from_secs(10);

/// After so many failures there is enough to look at.
const MOST_FAILURES: usize = 20;

/// What a run does.
#[derive(Debug, Clone)]
pub struct Plan {
    pub cases: u64,
    pub seed: u64,
    pub jobs: usize,
    /// Whether what breaks something is written to the corpus.
    pub keeps: bool,
    /// Where each job notes the case that it is at, for the one that has to explain a crash.
    pub places: Option<PathBuf>,
}

/// One input that broke something.
#[derive(Debug, Clone)]
pub struct Failure {
    pub target: String,
    pub why: String,
    pub input: Vec<u8>,
}

/// What a run found.
#[derive(Debug, Default)]
pub struct Found {
    /// Cases by target, in the order of the targets.
    pub cases: Vec<(String, u64)>,
    pub failures: Vec<Failure>,
    pub took: Duration,
}

impl Found {
    pub fn all_cases(&self) -> u64 {
        self.cases.iter().map(|(_, cases)| cases).sum()
    }
}

/// The target and the input of a case, and the dice as they lie after the input was made.
pub fn case(targets: &[Target], seed: u64, number: u64) -> Option<(&Target, Vec<u8>, Rng)> {
    let place = usize::try_from(number % targets.len().max(1) as u64).ok()?;
    let target = targets.get(place)?;
    let mut dice = Rng::with_seed(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let input = mutate::input(&target.seeds, &mut dice);
    Some((target, input, dice))
}

thread_local! {
    static SAID: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Lets a panic be caught with its words and its place, and nothing be printed.
pub fn listen_to_panics() {
    std::panic::set_hook(Box::new(|panic| {
        SAID.with(|said| *said.borrow_mut() = panic.to_string());
    }));
}

/// Why the check of an input failed, if it did.
pub fn tried(target: &Target, input: &[u8], dice: &mut Rng) -> Option<String> {
    let begin = Instant::now();
    let ended = catch_unwind(AssertUnwindSafe(|| target.check(input, dice)));
    let took = begin.elapsed();
    match ended {
        Err(_) => Some(SAID.with(|said| said.borrow().clone())),
        Ok(()) if took > SLOW => Some(format!("slow: {took:?}")),
        Ok(()) => None,
    }
}

/// Every seed as it is, then the cases of the plan.
pub fn run(targets: &[Target], plan: &Plan) -> anyhow::Result<Found> {
    let begin = Instant::now();
    let counts: Vec<AtomicU64> = targets.iter().map(|_| AtomicU64::new(0)).collect();
    let failures = Mutex::new(Vec::new());
    let failed = |target: &Target, why: String, input: Vec<u8>| {
        // At once: a run of hours may be stopped before its end.
        if plan.keeps
            && let Err(error) = corpus::keep(&target.name, &why, &input)
        {
            writeln!(std::io::stderr(), "an input that broke {} is not kept: {error}", target.name)
                .ok();
        }
        let mut failures = failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        failures.push(Failure { target: target.name.clone(), why, input });
        failures.len() >= MOST_FAILURES
    };
    for (target, count) in targets.iter().zip(&counts) {
        for seed in &target.seeds {
            count.fetch_add(1, Ordering::Relaxed);
            if let Some(why) = tried(target, seed, &mut Rng::with_seed(plan.seed)) {
                failed(target, why, seed.clone());
            }
        }
    }
    let places =
        plan.places.as_ref().map(|path| File::options().write(true).open(path)).transpose()?;
    std::thread::scope(|scope| {
        for job in 0..plan.jobs as u64 {
            let (counts, failed, places) = (&counts, &failed, &places);
            scope.spawn(move || {
                for number in (job..plan.cases).step_by(plan.jobs) {
                    if let Some(places) = places {
                        places.write_all_at(&(number + 1).to_le_bytes(), job * 8).ok();
                    }
                    let Some((target, input, mut dice)) = case(targets, plan.seed, number) else {
                        return;
                    };
                    let place = usize::try_from(number).unwrap_or(0) % targets.len();
                    if let Some(count) = counts.get(place) {
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                    if let Some(why) = tried(target, &input, &mut dice)
                        && failed(target, why, input)
                    {
                        return;
                    }
                }
            });
        }
    });
    let counted = counts.iter().map(|count| count.load(Ordering::Relaxed));
    Ok(Found {
        cases: targets.iter().map(|target| target.name.clone()).zip(counted).collect(),
        failures: failures.into_inner().unwrap_or_default(),
        took: begin.elapsed(),
    })
}

/// Keeps every failing input and says where, and what each broke.
pub fn report(found: &Found, to: &mut dyn std::io::Write) -> anyhow::Result<()> {
    for (target, cases) in &found.cases {
        writeln!(to, "{target:<20} {cases:>12}")?;
    }
    let seconds = found.took.as_secs_f64().max(0.001);
    let cases = found.all_cases();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = cases as f64 / seconds;
    writeln!(to, "{:<20} {cases:>12} in {seconds:.1} s, {rate:.0} a second", "all")?;
    for failure in &found.failures {
        writeln!(
            to,
            "\nFAILED {}: {}\n  kept under crates/fuzz/corpus",
            failure.target, failure.why
        )?;
    }
    to.flush()?;
    Ok(())
}
