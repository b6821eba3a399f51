//! `firebreak policy`: lint, without a running platform.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use firebreak_core::channels;
use firebreak_core::routing::Routes;
use serde_json::json;

use crate::args::Policy as What;
use crate::output::{BAD, GOOD, paint, say, say_json};
use crate::settings;

pub(crate) fn policy(what: What, as_json: bool) -> anyhow::Result<ExitCode> {
    let What::Lint { files } = what;
    lint(&files, as_json)
}

fn lint(files: &[PathBuf], as_json: bool) -> anyhow::Result<ExitCode> {
    let mut report = Vec::new();
    let mut failed = false;
    for path in files {
        let error = check(path).err().map(|error| format!("{error:#}"));
        failed |= error.is_some();
        if as_json {
            report.push(json!({"file": path, "ok": error.is_none(), "error": error}));
        } else if let Some(error) = error {
            say(&format!("{} {}: {error}", paint(BAD, "wrong"), path.display()));
        } else {
            say(&format!("{} {}", paint(GOOD, "ok"), path.display()));
        }
    }
    if as_json {
        say_json(&json!(report))?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A policy of its own is also right as the file behind `--config`.
fn check(path: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path).context("it cannot be read")?;
    let settings = settings::parse(&text)?;
    let mut problems = channels::check(&settings.channels);
    // On AWS the channels stand elsewhere, and the platform checks their names.
    if !settings.channels.is_empty() {
        let unknown = Routes::of(&settings.policy).unknown_channels(&settings.channels);
        problems.extend(unknown.into_iter().map(|(place, problem)| format!("{place}: {problem}")));
    }
    ensure!(problems.is_empty(), problems.join("\n"));
    Ok(())
}
