//! Reads access logs and prints the report as JSON, on all cores: what the benchmark measures.
#![expect(clippy::print_stderr, reason = "a tool for the benchmark")]

use std::fs::File;
use std::io::{BufWriter, Read, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use firebreak_reports::{Input, Progress, Report, Scan, Settings, scan};

fn main() -> ExitCode {
    let inputs = std::env::args().skip(1).map(|path| {
        Input::new(path.clone(), move || {
            let reader: Box<dyn Read + Send> =
                if path == "-" { Box::new(std::io::stdin()) } else { Box::new(File::open(path)?) };
            Ok(reader)
        })
    });
    let scanned = scan(inputs.collect(), &Scan::default(), &Arc::new(Progress::default()));
    let Some(report) = Report::of(scanned, &Settings::default()) else {
        eprintln!("there is no request in these files");
        return ExitCode::FAILURE;
    };
    let mut out = BufWriter::new(std::io::stdout());
    match serde_json::to_writer(&mut out, &report).map(|()| out.flush()) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
