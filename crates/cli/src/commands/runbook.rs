//! `firebreak runbook`: lint, test, explain, schema; all without a running platform.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use firebreak_core::actions::{ACTIONS, Reversal};
use firebreak_core::cel::functions::FUNCTIONS;
use firebreak_core::guards::GUARDS;
use firebreak_core::runbook::{self, Mode, Tested, Window, inspect, lint, overlaps, test};
use firebreak_core::yaml::{Diagnostic, Level};
use firebreak_engine::runbooks;
use serde_json::json;

use crate::args::Runbook as What;
use crate::diagnostics::render;
use crate::output::{BAD, BOLD, GOOD, paint, say, say_json};

/// Whether remarks make the check fail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strictness {
    Lenient,
    Strict,
}

pub(crate) fn runbook(what: What, as_json: bool) -> anyhow::Result<ExitCode> {
    match what {
        What::Lint { paths, strict } => {
            let strict = if strict { Strictness::Strict } else { Strictness::Lenient };
            check(&files(&paths)?, strict, as_json)
        }
        What::Test { paths } => run_examples(&files(&paths)?),
        What::Explain { path } => explain(&path),
        What::Example => {
            example();
            Ok(ExitCode::SUCCESS)
        }
        What::Schema => {
            say_json(&runbook::schema())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The YAML files among the paths; a folder stands for those in it.
fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let default = [PathBuf::from("runbooks")];
    let paths = if paths.is_empty() { &default[..] } else { paths };
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() { files.extend(runbooks::files(path)?) } else { files.push(path.clone()) }
    }
    if files.is_empty() {
        bail!("there are no runbooks (*.yaml) there");
    }
    Ok(files)
}

/// Every file on its own, then all that can be used against each other.
fn check(files: &[PathBuf], strict: Strictness, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut texts = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        texts.push((path, text));
    }
    let inspected: Vec<_> = texts.iter().map(|(_, text)| inspect(text)).collect();
    let drafts: Vec<_> = inspected.iter().filter_map(|read| read.as_ref().ok().cloned()).collect();
    let mut between = overlaps(&drafts);
    let mut drafts_before = 0;
    let mut found: Vec<Vec<Diagnostic>> = Vec::new();
    for read in &inspected {
        found.push(match read {
            Err(wrong) => wrong.0.clone(),
            Ok(draft) => {
                let here = |(at, _): &mut (usize, Diagnostic)| *at == drafts_before;
                let overlapping = between.extract_if(.., here).map(|(_, remark)| remark);
                let remarks = lint(draft).into_iter().chain(overlapping).collect();
                drafts_before += 1;
                remarks
            }
        });
    }
    let count = |level| found.iter().flatten().filter(|one| one.level == level).count();
    let (errors, warnings) = (count(Level::Error), count(Level::Warning));
    let ok = errors == 0 && (warnings == 0 || strict == Strictness::Lenient);
    if as_json {
        let report: Vec<_> = texts
            .iter()
            .zip(&found)
            .map(|((path, _), found)| {
                let ok = found.iter().all(|one| one.level != Level::Error);
                json!({"file": path, "ok": ok, "diagnostics": found})
            })
            .collect();
        say_json(&json!(report))?;
    } else {
        for ((path, text), found) in texts.iter().zip(&found) {
            if found.is_empty() {
                say(&format!("{} {}", paint(GOOD, "ok"), path.display()));
            }
            for one in found {
                say(&format!("{}\n", render(path, text, one)));
            }
        }
        say(&format!("{} runbooks, {errors} errors, {warnings} warnings", texts.len()));
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_examples(files: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let (mut passed, mut failed) = (0, 0);
    for path in files {
        let runbook = runbooks::load_file(path)?;
        for (index, expectation) in runbook.tests.iter().enumerate() {
            match test(&runbook, expectation) {
                Tested::AsExpected => passed += 1,
                Tested::Otherwise { planned, expected } => {
                    failed += 1;
                    let name = &runbook.runbook;
                    say(&format!(
                        "{} {name} tests[{index}]\n   expected {expected:?}\n   planned  {planned:?}",
                        paint(BAD, "failed")
                    ));
                }
            }
        }
    }
    say(&format!("{passed} passed, {failed} failed"));
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn explain(path: &Path) -> anyhow::Result<ExitCode> {
    let runbook = runbooks::load_file(path)?;
    let guards = &runbook.guards;
    say(&paint(BOLD, runbook.runbook.as_str()));
    say(&format!("Owned by {}. For alerts where {}.", runbook.owner, runbook.when));
    say(match runbook.mode {
        Mode::Shadow => "It only records what it would have done.",
        Mode::Suggest => "It tells people what it would do, and does nothing.",
        Mode::Approve => "It acts after a person approved the exact plan.",
        Mode::Auto => "It acts by itself, within its guards.",
    });
    for (kind, expression) in &runbook.targets {
        say(&format!("It acts on the {kind} that `{expression}` names."));
    }
    say(&format!(
        "Not if the alert is older than {:#}; at most {} runs on a target per {:#}, {:#} apart.",
        runbook.max_age, guards.attempts.max, guards.attempts.per, guards.cooldown
    ));
    let blast = &guards.blast_radius;
    let percent = blast.max_percent.map(|percent| format!(" and {percent} %")).unwrap_or_default();
    let group = blast.group.as_deref().unwrap_or("its kind");
    say(&format!("At most {} targets{percent} of {group} within {:#}.", blast.max, blast.window));
    for (tag, value) in &guards.require_tag {
        say(&format!("Only targets tagged {tag}={value}."));
    }
    for (tag, value) in &guards.forbid_tag {
        say(&format!("No target tagged {tag}={value}."));
    }
    if guards.healthy_to_keep() > 0 {
        let least = guards.healthy_to_keep();
        say(&format!("A healthy target only while {least} others of its group are healthy."));
    }
    if let Some(wait) = guards.hands_off.after_human_change {
        say(&format!("Not within {wait:#} after somebody else changed the target."));
    }
    if guards.hands_off.during_deployment {
        say("Not while something is rolled out to the target.");
    }
    for (words, windows) in [("Only", &guards.only_within), ("Never", &guards.never_within)] {
        if !windows.is_empty() {
            let windows: Vec<String> = windows.iter().map(Window::words).collect();
            say(&format!("{words} within {}.", windows.join(" or ")));
        }
    }
    for (index, step) in runbook.steps.iter().enumerate() {
        let spec = step.spec();
        let undo = match (spec.reversal(), step.undo_after) {
            (Reversal::Irreversible, _) => "It cannot be undone.".to_owned(),
            (Reversal::Undo, Some(after)) => {
                format!("It is undone {after:#} after it helped, or at once if it did not.")
            }
            (Reversal::Undo, None) => {
                "It stays if it helped and is undone if it did not.".to_owned()
            }
        };
        say(&format!(
            "{}. {}: {} It helped when {} within {:#} and stay so for {:#}. {undo}",
            index + 1,
            step.action,
            spec.summary(),
            step.verify.all.join(" and "),
            step.verify.within,
            step.verify.stable_for
        ));
    }
    say("If no step helps, people are told.");
    Ok(ExitCode::SUCCESS)
}

/// Every key with its meaning, as a runbook that can be copied; then functions, actions, signals and guards.
fn example() {
    say(include_str!("example.yaml").trim_end());
    say(
        "\n# Functions of CEL expressions, besides operators, `has`, `all`, `exists`, `map` and `filter`:",
    );
    for function in FUNCTIONS {
        say(&format!("#   {}: {}", function.name, function.summary));
    }
    say("\n# Actions and the signals that they can be verified by:");
    for action in ACTIONS {
        say(&format!("#   {} on {}: {}", action.name(), action.target_kind(), action.summary()));
        for parameter in action.parameters() {
            say(&format!("#     with.{}: {}", parameter.name, parameter.summary));
        }
        for signal in action.signals() {
            say(&format!("#     signal {}: {}", signal.name, signal.summary));
        }
    }
    say("#   any action: signal alert_resolved: every alert of the incident is resolved");
    say("\n# Guards; all of them are asked before every action:");
    for guard in GUARDS {
        say(&format!("#   {}: {}", guard.name(), guard.summary()));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_annotated_runbook_is_a_valid_one() {
        firebreak_core::runbook::read(include_str!("example.yaml")).unwrap();
    }
}
