//! `firebreak detect lint`: what is wrong with rules, where, and what to do about it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use firebreak_core::yaml::Diagnostic;
use firebreak_detection::rules;
use serde_json::json;

use crate::diagnostics::render;
use crate::output::{GOOD, paint, say, say_json};

pub(super) fn lint(files: &[PathBuf], as_json: bool) -> anyhow::Result<ExitCode> {
    let mut report = Vec::new();
    let mut errors = 0;
    for path in files {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let wrong = rules::read(&text).err().map(|wrong| wrong.0).unwrap_or_default();
        errors += wrong.len();
        report.push(json!({"file": path, "ok": wrong.is_empty(), "diagnostics": wrong}));
        if as_json {
            continue;
        }
        if wrong.is_empty() {
            say(&format!("{} {}", paint(GOOD, "ok"), path.display()));
        }
        show(path, &text, &wrong);
    }
    if as_json {
        say_json(&json!(report))?;
    }
    Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(super) fn show(path: &Path, text: &str, wrong: &[Diagnostic]) {
    for one in wrong {
        say(&format!("{}\n", render(path, text, one)));
    }
}
