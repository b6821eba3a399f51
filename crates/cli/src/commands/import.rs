//! `firebreak import`: an Alertmanager configuration as ours, with what could not be carried over.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail};

use crate::args::Import;
use crate::import::{alertmanager, as_json};
use crate::output::{GOOD, WARN, paint, say, say_json};

pub(crate) fn import(asked: &Import, json: bool) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(&asked.file)
        .with_context(|| format!("cannot read {}", asked.file.display()))?;
    let imported = alertmanager(&text).map_err(|why| anyhow!("{}: {why}", asked.file.display()))?;
    if let Some(out) = &asked.out {
        write_new(out, &imported.yaml)?;
    }
    if json {
        say_json(&as_json(&imported))?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(out) = &asked.out else {
        // What was not carried over stands in it, as remarks.
        say(imported.yaml.trim_end());
        return Ok(ExitCode::SUCCESS);
    };
    for remark in &imported.remarks {
        say(&format!("{} {remark}", paint(WARN, "remark")));
    }
    let remarks = imported.remarks.len();
    say(&format!("{} {} is written, with {remarks} remarks", paint(GOOD, "ok"), out.display()));
    say(&format!("try it: firebreak routes test --config {} severity=critical", out.display()));
    Ok(ExitCode::SUCCESS)
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
