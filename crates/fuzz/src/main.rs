//! `fuzz`: runs so many cases in a process of its own, and explains what happened if that process dies.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Context as _;
use clap::Parser;
use firebreak_fuzz::run::{Plan, case, listen_to_panics, report, run};
use firebreak_fuzz::{corpus, targets};

/// Throws odd inputs at everything that reads what others wrote.
#[derive(Debug, Parser)]
struct Args {
    /// How many inputs, over all targets together.
    #[arg(long, default_value_t = 200_000)]
    cases: u64,
    /// Another seed makes other inputs; the same makes the same.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many at once; the processors of this machine if left out.
    #[arg(long)]
    jobs: Option<usize>,
    /// Only targets whose name contains this.
    #[arg(long, default_value = "")]
    target: String,
    /// Where the jobs note their cases: for the process that this one starts.
    #[arg(long, hide = true)]
    places: Option<PathBuf>,
    /// Runs this one case: for the process that this one starts.
    #[arg(long, hide = true)]
    only: Option<u64>,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let jobs =
        args.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    if args.places.is_none() && args.only.is_none() {
        return supervise(&args, jobs);
    }
    listen_to_panics();
    let mut targets = targets::all();
    targets.retain(|target| target.name.contains(&args.target));
    if let Some(number) = args.only {
        // On a thread like those of a run, whose stack is smaller than this one's.
        std::thread::scope(|scope| {
            scope.spawn(|| {
                if let Some((target, input, mut dice)) = case(&targets, args.seed, number) {
                    drop(firebreak_fuzz::run::tried(target, &input, &mut dice));
                }
            });
        });
        return Ok(ExitCode::SUCCESS);
    }
    let plan = Plan { cases: args.cases, seed: args.seed, jobs, keeps: true, places: args.places };
    let found = run(&targets, &plan)?;
    report(&found, &mut std::io::stdout().lock())?;
    Ok(if found.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A stack that overflows, or memory that runs out, ends a process without a panic: then the cases that were under
/// way are tried one by one, and the one that ends its process again is kept.
fn supervise(args: &Args, jobs: usize) -> anyhow::Result<ExitCode> {
    let places = tempfile::NamedTempFile::new()?;
    let worker = || -> anyhow::Result<Command> {
        let mut worker = Command::new(std::env::current_exe()?);
        worker.args(["--cases", &args.cases.to_string(), "--seed", &args.seed.to_string()]);
        worker.args(["--jobs", &jobs.to_string(), "--target", &args.target]);
        Ok(worker)
    };
    let ended =
        worker()?.arg("--places").arg(places.path()).status().context("cannot start the worker")?;
    if let Some(code) = ended.code() {
        return Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)));
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "FAILED: the process died ({ended})")?;
    let mut targets = targets::all();
    targets.retain(|target| target.name.contains(&args.target));
    for place in std::fs::read(places.path())?.chunks_exact(8) {
        let number = u64::from_le_bytes(place.try_into()?);
        let Some(number) = number.checked_sub(1) else { continue };
        let again = worker()?.args(["--only", &number.to_string()]).status()?;
        if again.code().is_none()
            && let Some((target, input, _)) = case(&targets, args.seed, number)
        {
            let kept = corpus::keep(&target.name, "killed the process", &input)?;
            writeln!(out, "case {number} of {} kills it; kept as {}", target.name, kept.display())?;
        }
    }
    Ok(ExitCode::FAILURE)
}
