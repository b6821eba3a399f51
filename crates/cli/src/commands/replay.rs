//! `firebreak replay`: what runbooks would have done with what was recorded; a gate for changes of runbooks.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use firebreak_core::export::Export;
use firebreak_core::replay::{Decision, Difference, Replayed, replay};
use firebreak_engine::runbooks::load_folder;
use jiff::SignedDuration;
use serde_json::json;

use crate::args::Replay;
use crate::output::{BAD, BOLD, DIM, GOOD, WARN, paint, say, say_json, table};

/// More lines of one list are counted and not printed.
const MOST_LISTED: usize = 20;

pub(crate) fn run(asked: &Replay, as_json: bool) -> anyhow::Result<ExitCode> {
    let export = read(&asked.from)?;
    let runbooks = load_folder(&asked.runbooks)?;
    let after = replay(&export.incidents, &runbooks);
    let difference = match &asked.against {
        Some(folder) => Some(after.against(&replay(&export.incidents, &load_folder(folder)?))),
        None => None,
    };
    let past = bounds(asked, &after, difference.as_ref());
    if as_json {
        say_json(&json!({
            "events": export.events(), "unreadable_lines": export.unreadable,
            "replayed": after, "worst": after.worst(), "difference": difference, "past_bounds": past,
        }))?;
    } else {
        say(&format!(
            "{} events of {} incidents; {} lines could not be read",
            export.events(),
            after.incidents,
            export.unreadable.len()
        ));
        for (line, why) in export.unreadable.iter().take(3) {
            say(&format!("  {} line {line}: {why}", paint(WARN, "odd")));
        }
        for (incident, why) in after.unreadable.iter().take(3) {
            say(&format!("  {} {incident}: {why}", paint(WARN, "odd")));
        }
        by_runbook(&after);
        if let Some(difference) = &difference {
            tell(difference);
        }
        for past in &past {
            say(&format!("{} {past}", paint(BAD, "past the bound:")));
        }
    }
    Ok(if past.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(path: &Path) -> anyhow::Result<Export> {
    let file = std::fs::File::open(path).with_context(|| {
        format!("cannot read {}; `firebreak audit export` writes such a file", path.display())
    })?;
    let mut export = Export::default();
    for (index, line) in BufReader::new(file).lines().enumerate() {
        export.take(index + 1, &line.with_context(|| format!("cannot read {}", path.display()))?);
    }
    Ok(export.sorted())
}

/// Everything that goes too far, as sentences.
fn bounds(asked: &Replay, after: &Replayed, difference: Option<&Difference>) -> Vec<String> {
    let mut past = Vec::new();
    if let Some(most) = asked.most_targets {
        for worst in after.worst().iter().filter(|worst| worst.targets.len() > most) {
            past.push(format!(
                "`{}` would touch {} targets within its window at {} ({most} may be): {}",
                worst.runbook,
                worst.targets.len(),
                worst.at,
                worst.targets.join(", ")
            ));
        }
    }
    if let (Some(most), Some(difference)) = (asked.most_added, difference) {
        let added = difference.added.iter().filter(|decision| decision.would_act()).count();
        if added > most {
            past.push(format!("{added} actions are added, {most} may be"));
        }
    }
    past
}

fn by_runbook(replayed: &Replayed) {
    let worst = replayed.worst();
    let mut names: Vec<&str> =
        replayed.decisions.iter().map(|decision| decision.runbook.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        say("no runbook would have done anything");
        return;
    }
    let rows = names
        .into_iter()
        .map(|name| {
            let own: Vec<&Decision> =
                replayed.decisions.iter().filter(|decision| decision.runbook == name).collect();
            let soon = |decision: &&&Decision| {
                decision
                    .healed_itself_after
                    .is_some_and(|after| after <= SignedDuration::from_mins(5))
            };
            let most = worst.iter().find(|worst| worst.runbook == name);
            vec![
                name.to_owned(),
                own.first()
                    .map(|decision| format!("{:?}", decision.mode).to_lowercase())
                    .unwrap_or_default(),
                own.len().to_string(),
                own.iter().filter(soon).count().to_string(),
                own.iter().filter(|decision| decision.problem.is_some()).count().to_string(),
                most.map(|most| most.targets.len().to_string()).unwrap_or_default(),
            ]
        })
        .collect();
    say(&table(
        &[
            "runbook",
            "mode",
            "would act",
            "healed by itself in 5 min",
            "without targets",
            "most targets at once",
        ],
        rows,
    ));
}

fn tell(difference: &Difference) {
    let list = |title: &str, mark: String, decisions: &[Decision]| {
        say(&paint(BOLD, &format!("{} {title}", decisions.len())));
        for decision in decisions.iter().take(MOST_LISTED) {
            say(&format!("  {mark} {}", line(decision)));
        }
        if decisions.len() > MOST_LISTED {
            say(&paint(DIM, &format!("  and {} more", decisions.len() - MOST_LISTED)));
        }
    };
    list("added", paint(GOOD, "+"), &difference.added);
    list("removed", paint(BAD, "-"), &difference.removed);
    say(&paint(BOLD, &format!("{} changed", difference.changed.len())));
    for (before, after) in difference.changed.iter().take(MOST_LISTED) {
        say(&format!("  {} {}", paint(BAD, "-"), line(before)));
        say(&format!("  {} {}", paint(GOOD, "+"), line(after)));
    }
}

fn line(decision: &Decision) -> String {
    let what = decision.problem.clone().unwrap_or_else(|| decision.targets.join(", "));
    format!(
        "{} {} {:?} {} {}: {what}",
        decision.at, decision.incident, decision.mode, decision.runbook, decision.action
    )
}
