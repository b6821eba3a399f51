//! `firebreak simulate`: thousands of made-up worlds, each from one number, and the promises that must hold in all.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use firebreak_core::runbook::RunbookSet;
use firebreak_simulator::{
    Mutant, Played, Promise, SCENARIOS, Scenario, Trace, noticed, play, simulate,
};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::args::Simulate;
use crate::diagnostics::render;
use crate::output::{BAD, BOLD, DIM, GOOD, paint, say, say_json, table};

/// The most lines of a trace that are printed.
const MOST_LINES: usize = 100_000;

pub(crate) fn run(asked: &Simulate, as_json: bool) -> anyhow::Result<ExitCode> {
    let scenarios = scenarios(&asked.scenarios)?;
    let mutant = asked.mutant.as_deref().map(mutant).transpose()?;
    if let Some(seed) = asked.seed {
        return Ok(one(&scenarios, seed, mutant));
    }
    if asked.mutants {
        return all_mutants(&scenarios, asked, as_json);
    }
    let mut report = Vec::new();
    let mut broken = 0;
    for (scenario, runbooks) in &scenarios {
        let bar = bar(&scenario.scenario, asked.seeds);
        let seeds = asked.first..asked.first + asked.seeds;
        let began = std::time::Instant::now();
        let summary = simulate(scenario, runbooks, seeds, mutant, &|done| bar.set_position(done));
        bar.finish_and_clear();
        broken += summary.failed.len();
        let failed: Vec<_> = summary.failed.iter().map(|played| played.seed).collect();
        report.push(json!({
            "scenario": scenario.scenario, "seeds": summary.seeds, "steps": summary.steps,
            "incidents": summary.incidents, "runs": summary.runs, "calls": summary.calls,
            "seconds": began.elapsed().as_secs_f64(), "failed": failed,
        }));
        if !as_json {
            let outcome =
                if failed.is_empty() { paint(GOOD, "kept") } else { paint(BAD, "broken") };
            say(&format!(
                "{outcome:8} {:12} {} seeds, {} steps, {} incidents, {} runs, {} calls in {:.1} s",
                scenario.scenario,
                summary.seeds,
                summary.steps,
                summary.incidents,
                summary.runs,
                summary.calls,
                began.elapsed().as_secs_f64()
            ));
            for played in &summary.failed {
                tell(&scenario.scenario, played, mutant);
            }
        }
    }
    if as_json {
        say_json(&json!({"scenarios": report}))?;
    } else {
        say(&paint(DIM, "the promises:"));
        for (_, words) in Promise::ALL {
            say(&paint(DIM, &format!("  {words}")));
        }
    }
    Ok(if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell(scenario: &str, played: &Played, mutant: Option<Mutant>) {
    for broken in &played.broken {
        say(&format!(
            "  {} seed {}: {}: {}",
            paint(BAD, "broken"),
            played.seed,
            broken.promise.words(),
            broken.how
        ));
    }
    let mutant = mutant.map(|mutant| format!(" --mutant {}", mutant.name())).unwrap_or_default();
    say(&format!("  play it again: firebreak simulate {scenario} --seed {}{mutant}", played.seed));
}

fn one(scenarios: &[(Scenario, RunbookSet)], seed: u64, mutant: Option<Mutant>) -> ExitCode {
    let mut broken = false;
    for (scenario, runbooks) in scenarios {
        say(&paint(BOLD, &format!("{}: {}", scenario.scenario, scenario.about)));
        let played = play(scenario, runbooks, seed, mutant, Trace::Last(MOST_LINES));
        for line in &played.trace {
            say(line);
        }
        for one in &played.broken {
            say(&format!("{}: {}: {}", paint(BAD, "broken"), one.promise.words(), one.how));
        }
        broken |= !played.broken.is_empty();
    }
    if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Each bug is looked for in growing numbers of seeds until a promise notices it.
fn all_mutants(
    scenarios: &[(Scenario, RunbookSet)],
    asked: &Simulate,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let mut rows = Vec::new();
    let mut unnoticed = 0;
    let bar = bar("mutants", Mutant::ALL.len() as u64);
    for mutant in Mutant::ALL {
        let killer = noticed(scenarios, *mutant, asked.first..asked.first + asked.seeds);
        unnoticed += usize::from(killer.is_none());
        rows.push((mutant.name(), killer));
        bar.inc(1);
    }
    bar.finish_and_clear();
    if as_json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(name, killer)| {
                let words = killer.as_ref().map(|(_, _, promise)| promise.words());
                json!({"mutant": name, "noticed": words})
            })
            .collect();
        say_json(&json!({"mutants": rows}))?;
    } else {
        let rows = rows
            .iter()
            .map(|(name, killer)| match killer {
                Some((scenario, seed, promise)) => {
                    vec![
                        (*name).to_owned(),
                        promise.words().to_owned(),
                        format!("{scenario} seed {seed}"),
                    ]
                }
                None => vec![(*name).to_owned(), paint(BAD, "nobody noticed"), String::new()],
            })
            .collect();
        say(&table(&["mutant", "noticed by", "in"], rows));
    }
    Ok(if unnoticed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn scenarios(names: &[String]) -> anyhow::Result<Vec<(Scenario, RunbookSet)>> {
    if names.is_empty() {
        let all: Vec<String> = SCENARIOS.iter().map(|(name, _)| (*name).to_owned()).collect();
        return scenarios(&all);
    }
    names.iter().map(|name| scenario(name)).collect()
}

fn scenario(name: &str) -> anyhow::Result<(Scenario, RunbookSet)> {
    let shipped = SCENARIOS.iter().find(|(known, _)| *known == name);
    let text = if let Some((_, text)) = shipped {
        (*text).to_owned()
    } else {
        let known: Vec<&str> = SCENARIOS.iter().map(|(known, _)| *known).collect();
        let known = known.join(", ");
        std::fs::read_to_string(name).with_context(|| {
            format!("`{name}` is no scenario that ships ({known}) and no file that can be read")
        })?
    };
    Scenario::read(&text).map_err(|wrong| {
        let shown: Vec<String> =
            wrong.iter().map(|one| render(Path::new(name), &text, one)).collect();
        anyhow::anyhow!("{}", shown.join("\n"))
    })
}

fn mutant(name: &str) -> anyhow::Result<Mutant> {
    let known: Vec<&str> = Mutant::ALL.iter().map(|mutant| mutant.name()).collect();
    let Some(mutant) = Mutant::named(name) else {
        bail!("there is no mutant `{name}`; there are {}", known.join(", "));
    };
    Ok(mutant)
}

/// Nothing is drawn where nobody watches.
fn bar(name: &str, length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:12} {wide_bar} {pos}/{len} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style).with_message(name.to_owned())
}
