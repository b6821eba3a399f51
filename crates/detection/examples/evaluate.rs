//! Evaluates the models on labelled series: ours, and those whose scores were made elsewhere (`evaluation/run.sh`).
#![expect(clippy::print_stdout, reason = "a program that prints a table")]

use std::fmt::Write as _;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

use firebreak_detection::evaluation::{
    Judged, Kind, SEEDS, Series, WARM_UP, figures, own, series, table,
};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["export", folder] => export(Path::new(folder)),
        ["table", folder, methods @ ..] => {
            let mut rows = own();
            for method in methods {
                let figures = figures(|series| made_elsewhere(Path::new(folder), method, series))?;
                rows.push((method.replacen("learn-", "learn ", 1), figures));
            }
            println!("{}", table(&rows));
            Ok(())
        }
        [] => {
            println!("{}", table(&own()));
            Ok(())
        }
        _ => Err(Error::other("usage: evaluate [export DIR | table DIR METHOD...]")),
    }
}

fn file(folder: &Path, series: &Series, what: &str) -> PathBuf {
    let kind = series.kind.name().replace(' ', "-");
    folder.join(format!("{kind}.{}.{what}.csv", series.seed))
}

/// The points of each series; the labels stay here.
fn export(folder: &Path) -> Result<()> {
    for kind in Kind::ALL {
        for seed in SEEDS {
            let series = series(*kind, seed);
            let mut text = String::new();
            for [rate, latency, errors, cpu, ..] in &series.points {
                writeln!(text, "{rate},{latency},{errors},{cpu}").map_err(Error::other)?;
            }
            std::fs::write(file(folder, &series, "points"), text)?;
        }
    }
    println!("{WARM_UP}");
    Ok(())
}

/// A score and 1 for an alarm, a line for each point after the warm-up.
fn made_elsewhere(folder: &Path, method: &str, series: &Series) -> Result<Vec<Judged>> {
    let path = file(folder, series, method);
    let text = std::fs::read_to_string(&path)?;
    text.lines()
        .map(|line| {
            let (score, alarm) = line.split_once(',').ok_or_else(|| Error::other("no comma"))?;
            let score = score.parse().map_err(Error::other)?;
            Ok(Judged { score, is_alarm: alarm == "1" })
        })
        .collect()
}
