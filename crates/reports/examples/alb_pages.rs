//! Writes a report in every format into a folder, against an earlier day if there is one: `alb_pages FOLDER LOG [LOG-BEFORE]`.
#![expect(clippy::print_stderr, reason = "a tool to look at the formats")]

use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use firebreak_reports::{Input, Progress, Report, Scan, Settings, csv, html, markdown, pdf, scan};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (Some(folder), Some(log)) = (words.first(), words.get(1)) else {
        eprintln!("alb_pages FOLDER LOG [LOG-BEFORE]");
        return ExitCode::from(2);
    };
    match write(Path::new(folder), log, words.get(2)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn report(log: &str, settings: &Settings) -> Result<Report, Box<dyn Error>> {
    let path = log.to_owned();
    let input = Input::new(log, move || Ok(Box::new(File::open(path)?)));
    let scanned = scan(vec![input], &Scan::default(), &Arc::new(Progress::default()));
    Report::of(scanned, settings).ok_or_else(|| "there is no request in it".into())
}

fn write(folder: &Path, log: &str, before: Option<&String>) -> Result<(), Box<dyn Error>> {
    let settings = Settings::read(include_str!("alb.yaml"))?;
    let mut report = report(log, &settings)?;
    if let Some(before) = before {
        report.compare("the day before", &self::report(before, &settings)?);
    }
    std::fs::write(folder.join("report.csv"), csv::csv(&report))?;
    std::fs::write(folder.join("report.md"), markdown::markdown(&report))?;
    std::fs::write(folder.join("report.html"), html::html(&report))?;
    std::fs::write(folder.join("report.json"), serde_json::to_vec_pretty(&report)?)?;
    std::fs::write(folder.join("report.pdf"), pdf::pdf(&report, report.period.to)?)?;
    Ok(())
}
