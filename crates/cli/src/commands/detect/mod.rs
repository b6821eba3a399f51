//! `firebreak detect`: lines of logs in, alerts out, by the rules of a file.

mod args;
mod input;
mod lint;
mod outlet;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use firebreak_detection::rules::{self, Rules};
use firebreak_detection::{Detector, Tally};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde_json::json;

use crate::args::Server;
use crate::output::{BAD, DIM, WARN, paint, say};

pub(crate) use args::{Detect, DetectWhat};
use input::Input;
use outlet::Outlet;

/// How often time goes on while no line comes.
const TICK: Duration = Duration::from_millis(500);
/// How often what was learned is written while following.
const SAVE_EVERY: Duration = Duration::from_mins(1);

pub(crate) async fn detect(server: &Server, asked: Detect, json: bool) -> anyhow::Result<ExitCode> {
    match &asked.what {
        Some(DetectWhat::Lint { files }) => return lint::lint(files, json),
        Some(DetectWhat::Example) => {
            say(rules::EXAMPLE.trim_end());
            return Ok(ExitCode::SUCCESS);
        }
        None => {}
    }
    let path = asked.rules.as_deref().context(
        "name the rules with --rules; `firebreak detect example` prints some to begin with",
    )?;
    let Some(rules) = read_rules(path)? else { return Ok(ExitCode::FAILURE) };
    let mut detector = Detector::new(rules);
    if let Some(model) = &asked.model {
        restore(&mut detector, model)?;
    }
    let mut outlet = Outlet::new(server, asked.to.as_deref(), json)?;
    run(&mut detector, &mut outlet, &asked).await?;
    outlet.send_all().await?;
    if let Some(model) = &asked.model {
        save(&detector, model)?;
    }
    summary(&detector, json)?;
    Ok(ExitCode::SUCCESS)
}

/// `None` after what is wrong with them was printed.
fn read_rules(path: &Path) -> anyhow::Result<Option<Rules>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    match rules::read(&text) {
        Ok(rules) => Ok(Some(rules)),
        Err(wrong) => {
            lint::show(path, &text, &wrong.0);
            Ok(None)
        }
    }
}

async fn run(detector: &mut Detector, outlet: &mut Outlet, asked: &Detect) -> anyhow::Result<()> {
    let mut input = Input::open(&asked.files, asked.follow, detector)?;
    let mut ticks = tokio::time::interval(TICK);
    let mut saves = tokio::time::interval(SAVE_EVERY);
    saves.reset();
    let status = status();
    loop {
        tokio::select! {
            lines = input.lines() => match lines {
                Some(lines) => {
                    let now = Timestamp::now();
                    for line in lines? {
                        if let Err(why) = detector.read(&line, now) {
                            tracing::debug!(%why, "a line is no event");
                        }
                    }
                }
                None => break,
            },
            _ = ticks.tick() => {
                if asked.follow {
                    detector.tick(Timestamp::now());
                }
                status.set_message(line_of(detector));
                status.tick();
            },
            _ = saves.tick(), if asked.follow => {
                if let Some(model) = &asked.model {
                    save(detector, model)?;
                }
            },
            end = tokio::signal::ctrl_c() => {
                end?;
                break;
            }
        }
        let notices = detector.take();
        if !notices.is_empty() {
            status.suspend(|| outlet.take(&notices))?;
            outlet.send_all().await?;
        }
    }
    status.finish_and_clear();
    if !asked.follow {
        detector.finish();
    }
    outlet.take(&detector.take())
}

/// What was learned before, where there is something.
fn restore(detector: &mut Detector, path: &Path) -> anyhow::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let state =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let restored = detector.restore(&state).with_context(|| {
        format!("{} is not taken up; move it away to begin anew", path.display())
    })?;
    for rule in restored.anew {
        tracing::warn!(rule, "the rule was changed since, or is new: it begins anew");
    }
    Ok(())
}

/// In one step, so that a crash leaves the old file or the new one; it names users and hosts, so it is the owner's alone.
fn save(detector: &Detector, path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    std::fs::write(file.path(), detector.save())?;
    file.persist(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}

/// Nothing is drawn where nobody watches.
fn status() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}

fn line_of(detector: &Detector) -> String {
    let tally = detector.tally();
    let at = detector.newest().map(|at| format!("{at:.0}")).unwrap_or_default();
    format!(
        "{} lines up to {at}, {} keys, {} firing, {} malformed, {} late",
        tally.lines,
        detector.keys(),
        detector.firing(),
        tally.malformed,
        tally.late
    )
}

/// What was read and what was left out; to standard error where the alerts are JSON.
fn summary(detector: &Detector, as_json: bool) -> anyhow::Result<()> {
    let (tally, unmet) = (detector.tally(), detector.unmet());
    if as_json {
        let told = json!({"tally": tally, "firing": detector.firing(), "unmet": unmet});
        anstream::eprintln!("{}", serde_json::to_string(&told)?);
        return Ok(());
    }
    say(&paint(
        DIM,
        &format!(
            "{} lines, {} events; {} alerts fired, {} resolved, {} still fire",
            tally.lines,
            tally.events,
            tally.fired,
            tally.resolved,
            detector.firing()
        ),
    ));
    for (count, what) in left_out(tally) {
        if count > 0 {
            say(&paint(WARN, &format!("{count} {what}")));
        }
    }
    for sample in &tally.samples {
        say(&format!(
            "  {} {}: {}",
            paint(BAD, &format!("line {}", sample.line)),
            sample.why,
            sample.text
        ));
    }
    if tally.events > 0 {
        for field in unmet {
            say(&paint(WARN, &format!("no event had `event.{field}`, which the rules ask for")));
        }
    }
    Ok(())
}

fn left_out(tally: &Tally) -> [(u64, &'static str); 6] {
    [
        (tally.malformed, "lines were no events; the first of them:"),
        (tally.late, "events came too late; a longer `lateness` would count them"),
        (tally.incomplete, "events lacked a field of a rule's key or a number that it looks at"),
        (tally.evicted, "keys were forgotten to make room; a larger `keys` would keep them"),
        (tally.refused, "events of new keys had no room, because every key fires"),
        (tally.hurried, "times so many events waited that the oldest were let go early"),
    ]
}
