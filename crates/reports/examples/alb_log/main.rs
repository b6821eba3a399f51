//! Writes a made-up access log and the exact counts of what is in it: `alb_log LINES LOG[.gz] TRUTH.json [FIELDS] [BROKEN-EVERY] [SEED]`.
#![expect(clippy::print_stderr, reason = "a tool for the benchmark")]

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::process::ExitCode;

use flate2::Compression;
use flate2::write::GzEncoder;

mod traffic;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |place: usize, otherwise: u64| words.get(place).map_or(Ok(otherwise), |word| word.parse());
    let (Ok(lines), Ok(fields), Ok(broken_every), Ok(seed)) =
        (number(0, 1_000_000), number(3, 33), number(4, 0), number(5, 7))
    else {
        return usage();
    };
    let (Some(log), Some(truth)) = (words.get(1), words.get(2)) else { return usage() };
    let wanted = traffic::Wanted {
        lines,
        seed,
        fields: usize::try_from(fields).unwrap_or(33),
        broken_every,
        ids: 1_000_000,
    };
    match make(&wanted, log, truth) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("alb_log LINES LOG[.gz] TRUTH.json [FIELDS] [BROKEN-EVERY] [SEED]");
    ExitCode::from(2)
}

fn make(wanted: &traffic::Wanted, log: &str, truth: &str) -> std::io::Result<()> {
    let file = BufWriter::with_capacity(1 << 20, File::create(log)?);
    let counted = if std::path::Path::new(log).extension().is_some_and(|ending| ending == "gz") {
        let mut gz = GzEncoder::new(file, Compression::default());
        let counted = traffic::write(wanted, &mut gz)?;
        gz.finish()?.flush()?;
        counted
    } else {
        let mut file = file;
        let counted = traffic::write(wanted, &mut file)?;
        file.flush()?;
        counted
    };
    std::fs::write(truth, serde_json::to_vec_pretty(&counted)?)
}
