//! Writes a sample of every format into a folder: `alb_pages FOLDER LOG...`.
#![expect(clippy::print_stderr, reason = "a tool to look at the formats")]

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use firebreak_reports::{Input, Progress, Report, Scan, Settings, csv, html, markdown, pdf, scan};

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let Some(folder) = words.next() else {
        eprintln!("alb_pages FOLDER LOG...");
        return ExitCode::from(2);
    };
    let inputs =
        words.map(|path| Input::new(path.clone(), move || Ok(Box::new(File::open(path)?))));
    match write(Path::new(&folder), inputs.collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn write(folder: &Path, inputs: Vec<Input>) -> Result<(), Box<dyn std::error::Error>> {
    let settings = Settings::read(
        "title: Shop, production\napis: [{name: Checkout, target_groups: [checkout], success: [2xx, 3xx]}]",
    )?;
    let scanned = scan(inputs, &Scan::default(), &Arc::new(Progress::default()));
    let mut report = Report::of(scanned, &settings).ok_or("there is no request in these files")?;
    let before = report.clone();
    report.compare("the day before", &before);
    std::fs::write(folder.join("report.csv"), csv::csv(&report))?;
    std::fs::write(folder.join("report.md"), markdown::markdown(&report))?;
    std::fs::write(folder.join("report.html"), html::html(&report))?;
    std::fs::write(folder.join("report.json"), serde_json::to_vec_pretty(&report)?)?;
    std::fs::write(folder.join("report.pdf"), pdf::pdf(&report, report.period.to)?)?;
    Ok(())
}
