//! `firebreak audit`: the record as evidence. Exports, checks and anchors; none of it needs a running platform.

use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use firebreak_core::audit::{Anchors, Broken, Copy, Report};
use firebreak_local::{AnchorFile, RecordFile, Span};
use jiff::Timestamp;
use serde_json::json;

use crate::output::{BAD, DIM, GOOD, WARN, paint, say, say_json};

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Write the record of the data folder, one event a line; also while `serve` runs on it.
    #[command(after_help = "\
Examples:
  firebreak audit export > audit.jsonl
  firebreak audit export --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z > november.jsonl
  firebreak replay --from audit.jsonl --runbooks new")]
    Export(Export),
    /// Check that no event was altered, taken out, moved or added; exit 1 and name the first place otherwise.
    #[command(after_help = "\
Examples:
  firebreak audit verify audit.jsonl
  firebreak audit verify audit.jsonl --anchor /mnt/other/anchors.jsonl   also finds whole incidents that are gone
  firebreak audit verify                                                 the record of --data, and its anchors
  zcat export/data/*.json.gz | firebreak audit verify -                  an export of the DynamoDB table")]
    Verify(Verify),
    /// Write down how all incidents stand now, chained to the anchor before; `serve` does so once a day.
    Anchor {
        /// The file to add to; else `anchors.jsonl` of the data folder. Another disk is a better place.
        #[arg(long)]
        file: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Only incidents that something happened to at or after this moment, such as 2026-11-01T00:00:00Z.
    #[arg(long)]
    from: Option<Timestamp>,
    /// Only incidents that were opened before this moment.
    #[arg(long)]
    to: Option<Timestamp>,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// An export, ours or in DynamoDB JSON; `-` reads standard input. Without it, the record of the data folder.
    file: Option<PathBuf>,
    /// Anchors to hold it against. For a data folder: its own, where there are some.
    #[arg(long)]
    anchor: Option<PathBuf>,
}

/// More places are counted and not printed.
const MOST_LISTED: usize = 20;

pub(crate) fn audit(data: &Path, what: &Audit, as_json: bool) -> anyhow::Result<ExitCode> {
    match what {
        Audit::Export(asked) => export(data, asked),
        Audit::Verify(asked) => verify(data, asked, as_json),
        Audit::Anchor { file } => anchor(data, file.as_deref(), as_json),
    }
}

fn export(data: &Path, asked: &Export) -> anyhow::Result<ExitCode> {
    let span = Span { from: asked.from, to: asked.to };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    RecordFile::open(data)?.export(span, Timestamp::now(), |line| {
        out.write_all(line.as_bytes())?;
        out.write_all(b"\n")
    })?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn verify(data: &Path, asked: &Verify, as_json: bool) -> anyhow::Result<ExitCode> {
    let copy = match asked.file.as_deref() {
        None => of_folder(data)?,
        Some(file) if file.as_os_str() == "-" => read(std::io::stdin().lock())?,
        Some(file) => {
            let opened = std::fs::File::open(file);
            let opened = opened.with_context(|| {
                format!(
                    "cannot read {}; `firebreak audit export` writes such a file",
                    file.display()
                )
            })?;
            read(BufReader::new(opened))
                .with_context(|| format!("cannot read {}", file.display()))?
        }
    };
    let anchors = anchors(data, asked)?;
    let report = copy.check(anchors.as_ref());
    if report.incidents == 0
        && report.broken.is_empty()
        && report.anchors == 0
        && asked.file.is_some()
    {
        bail!(
            "there is no event in it: is it an export of `firebreak audit export` or of the DynamoDB table?"
        );
    }
    if as_json {
        say_json(&serde_json::to_value(&report)?)?;
    } else {
        tell(&report);
    }
    Ok(if report.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn of_folder(data: &Path) -> anyhow::Result<Copy> {
    let mut copy = Copy::default();
    let mut number = 0;
    RecordFile::open(data)?.export(Span::default(), Timestamp::now(), |line| {
        number += 1;
        copy.take(number, line);
        Ok(())
    })?;
    Ok(copy)
}

fn read(lines: impl std::io::BufRead) -> anyhow::Result<Copy> {
    let mut copy = Copy::default();
    for (index, line) in lines.lines().enumerate() {
        copy.take(index + 1, &line?);
    }
    Ok(copy)
}

/// Those that were named must be there; those of the folder may be.
fn anchors(data: &Path, asked: &Verify) -> anyhow::Result<Option<Anchors>> {
    let file = match (&asked.anchor, &asked.file) {
        (Some(file), _) => AnchorFile::at(file.clone()),
        (None, None) => AnchorFile::of_folder(data),
        (None, Some(_)) => return Ok(None),
    };
    let anchors = file.read().with_context(|| format!("cannot read {}", file.path().display()))?;
    match &asked.anchor {
        Some(file) if anchors.is_empty() => {
            bail!("{} holds no anchors; `firebreak audit anchor` makes one", file.display())
        }
        _ => Ok((!anchors.is_empty()).then_some(anchors)),
    }
}

fn tell(report: &Report) {
    for broken in report.broken.iter().take(MOST_LISTED) {
        say(&line(broken));
    }
    if let Some(more) = report.broken.len().checked_sub(MOST_LISTED).filter(|more| *more > 0) {
        say(&paint(DIM, &format!("and {more} more")));
    }
    let seen = format!("{} events of {} incidents", report.events, report.incidents);
    if report.broken.is_empty() {
        say(&format!("{} {seen}: each follows from the one before", paint(GOOD, "whole:")));
    } else {
        say(&format!("{} {seen}: {} places differ", paint(BAD, "not whole:"), report.broken.len()));
    }
    if report.partial {
        say(&paint(WARN, "a part of the record: incidents that are not in it are not missed"));
    }
    match report.anchors {
        0 => say(&paint(
            WARN,
            "without an anchor: an incident or an end that is gone altogether is not seen",
        )),
        anchors => say(&format!("held against {anchors} anchors")),
    }
}

/// `altered inc_01J... event 4 (line 12): its hash is ...`
fn line(broken: &Broken) -> String {
    let incident = broken.incident.as_ref().map(ToString::to_string);
    let event = broken.seq.map(|seq| format!("event {seq}"));
    let line = broken.line.map(|line| format!("(line {line})"));
    let place = [incident, event, line].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let wrong = paint(BAD, broken.wrong.as_str());
    let place = if place.is_empty() { wrong } else { format!("{wrong} {place}") };
    format!("{place}: {}", broken.detail)
}

fn anchor(data: &Path, file: Option<&Path>, as_json: bool) -> anyhow::Result<ExitCode> {
    let file =
        file.map_or_else(|| AnchorFile::of_folder(data), |file| AnchorFile::at(file.to_owned()));
    let Some(anchor) = file.add_now(data, Timestamp::now())? else {
        return Ok(ExitCode::SUCCESS);
    };
    if as_json {
        say_json(&json!({"file": file.path(), "anchor": anchor}))?;
    } else {
        say(&format!(
            "{} incidents with {} events, digest {}, in {}",
            anchor.incidents,
            anchor.events,
            anchor.root,
            file.path().display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}
