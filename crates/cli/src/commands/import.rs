//! `firebreak import`: an Alertmanager configuration as ours, with what could not be carried over.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use firebreak_core::import::{Remark, alertmanager};
use serde_json::json;

use crate::args::Import;
use crate::output::{BOLD, DIM, GOOD, WARN, paint, say, say_json};
use crate::settings;

pub(crate) fn import(asked: &Import, as_json: bool) -> anyhow::Result<ExitCode> {
    let text = read(&asked.file)?;
    let imported = alertmanager(&text)
        .with_context(|| format!("{} could not be imported", asked.file.display()))?;
    settings::parse(&imported.yaml).context("the result is not valid, and is not written")?;
    if let Some(out) = &asked.out {
        write_new(out, &imported.yaml)?;
    }
    let remarks = &imported.remarks;
    if as_json {
        let yaml = asked.out.is_none().then_some(&imported.yaml);
        say_json(&json!({"yaml": yaml, "out": asked.out, "remarks": remarks}))?;
    } else {
        match &asked.out {
            // What was not carried over stands in it, as comments.
            None => say(imported.yaml.trim_end()),
            Some(out) => {
                remarks.iter().for_each(tell);
                say(&format!("{} {} is written", paint(GOOD, "ok"), out.display()));
                let out = out.display();
                say(&format!("try it: firebreak routes test --config {out} severity=critical"));
            }
        }
        anstream::eprintln!("{}", count(remarks.len()));
    }
    Ok(if asked.strict && !remarks.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// On standard error, so that the result can be piped.
fn count(remarks: usize) -> String {
    match remarks {
        0 => paint(GOOD, "everything was carried over"),
        1 => paint(WARN, "1 remark: what is not as it was, and what to do"),
        many => paint(WARN, &format!("{many} remarks: what is not as it was, and what to do")),
    }
}

fn tell(remark: &Remark) {
    let Remark { line, place, what, remedy } = remark;
    say(&format!("{} line {line}: {}", paint(WARN, "remark"), paint(BOLD, place)));
    say(&format!("       {what}"));
    say(&paint(DIM, &format!("       {remedy}")));
}

fn read(path: &Path) -> anyhow::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("standard input cannot be read")?;
        return Ok(text);
    }
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// A file that somebody may have edited is not written over.
fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let opened = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = match opened {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{} is there already; remove it or name another with --out", path.display())
        }
        opened => opened.with_context(|| format!("cannot write {}", path.display()))?,
    };
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}
