//! What people get: the text formats as golden files, and the PDF as real viewers show and read it.
#![expect(clippy::unwrap_used, reason = "a failing helper should panic")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use firebreak_reports::{Input, Progress, Report, Scan, Settings, csv, html, markdown, pdf, scan};

#[path = "../examples/alb_log/traffic.rs"]
mod traffic;

const SETTINGS: &str = "
title: Shop <production>
interval: 2h
objectives: { p95_ms: 500 }
apis:
  - { name: Checkout & payment, target_groups: [checkout], success: [2xx, 3xx] }
  - { name: Catalogue, target_groups: [storefront, search, 'image*'], success: [2xx, 3xx] }
  - { name: Orders, target_groups: [orders], objectives: { server_errors_percent: 0.1 } }
  - { name: Accounts, target_groups: [accounts] }
";

fn report(lines: u64, settings: &str) -> Report {
    let settings = Settings::read(settings).unwrap();
    let mut log = Vec::new();
    let wanted = traffic::Wanted { lines, seed: 3, fields: 34, broken_every: 400, ids: 1000 };
    traffic::write(&wanted, &mut log).unwrap();
    let earlier = log.iter().take(log.len() / 2).copied().collect();
    let made = |log: Vec<u8>| {
        let how =
            Scan { interval_minutes: settings.interval_minutes(), samples: 3, ..Scan::default() };
        let scanned =
            scan(vec![Input::of_bytes("alb.log", log)], &how, &Arc::new(Progress::default()));
        Report::of(scanned, &settings).unwrap()
    };
    let mut report = made(log);
    report.compare("the day before", &made(earlier));
    report
}

/// `make bless` writes the file anew.
fn same(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    #[expect(clippy::disallowed_methods, reason = "`make bless` asks for the files to be written")]
    if std::env::var("FIREBREAK_BLESS").is_ok() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap() == text,
        "{file} differs: run `make bless` and look at the change"
    );
}

#[test]
fn every_text_format_is_as_it_was() {
    let report = report(4_000, SETTINGS);
    same("report.md", &markdown::markdown(&report));
    same("report.csv", &csv::csv(&report));
    same("report.html", &html::html(&report));
    same("report.json", &(serde_json::to_string_pretty(&report).unwrap() + "\n"));
}

#[test]
fn the_page_loads_nothing_and_lets_no_name_become_markup() {
    let page = html::html(&report(500, SETTINGS));
    assert!(page.contains("Shop &lt;production&gt;") && page.contains("Checkout &amp; payment"));
    for part in ["http://", "https://", "<script", "src=", "url("] {
        assert!(!page.contains(part), "{part}");
    }
    assert_eq!(page.matches("role=\"img\"").count(), 4, "a chart for each class");
}

#[test]
fn the_pdf_is_the_same_for_the_same_report() {
    let report = report(500, SETTINGS);
    let made = || pdf::pdf(&report, report.period.to).unwrap();
    let (first, second) = (made(), made());
    assert!(first == second && first.starts_with(b"%PDF-1.7"));
}

#[test]
fn odd_names_and_many_apis_make_a_pdf_too() {
    use std::fmt::Write as _;
    let mut settings = "title: ''\napis:\n".to_owned();
    for number in 0..45 {
        let name = "支払い Оплата and a very long name without an end ".repeat(1 + number % 4);
        writeln!(settings, "  - {{ name: '{name}{number}', target_groups: ['group-{number}'] }}")
            .unwrap();
    }
    let mut report = report(2_000, &settings);
    let one = report.apis.first().unwrap().clone();
    for number in 0..80 {
        let mut more = one.clone();
        more.name = format!("{}\u{202e}\u{0}{}", "x".repeat(300), number);
        report.apis.push(more);
    }
    assert!(pdf::pdf(&report, report.period.to).unwrap().len() > 10_000);
}

/// Written once into a folder of its own, for the programs that look at it.
fn written(name: &str, report: &Report) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, pdf::pdf(report, report.period.to).unwrap()).unwrap();
    path
}

fn output(program: &str, words: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(words).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn text(file: &Path) -> Vec<String> {
    let text =
        String::from_utf8(output("pdftotext", &["-layout", &file.to_string_lossy(), "-"])).unwrap();
    text.trim_end_matches('\u{c}').split('\u{c}').map(str::to_owned).collect()
}

#[test]
#[ignore = "needs poppler: run by crates/reports/tests/viewer.sh"]
fn a_viewer_reads_every_number_and_every_page() {
    let report = report(4_000, SETTINGS);
    let pages = text(&written("numbers.pdf", &report));
    let all = pages.concat();
    for api in &report.apis {
        let requests = firebreak_reports::thousands(api.figures.requests);
        let row = all
            .lines()
            .find(|line| line.trim_start().starts_with(&api.name) && line.contains(&requests));
        assert!(row.is_some(), "{} with {requests} is not in the text", api.name);
    }
    for part in [
        "Status by API",
        "Anomalies",
        "Against the day before",
        "Every status",
        "malformed",
        "Malformed lines",
    ] {
        assert!(all.contains(part), "{part}");
    }
    for (number, page) in pages.iter().enumerate() {
        let of = format!("Page {} of {}", number + 1, pages.len());
        assert!(page.contains(&of), "{of}");
    }
    assert!(
        pages.iter().skip(1).all(|page| page.contains("Shop <production>")),
        "the running title"
    );
}

#[test]
#[ignore = "needs poppler: run by crates/reports/tests/viewer.sh"]
fn a_long_table_repeats_its_header_on_every_page() {
    let mut report = report(1_000, SETTINGS);
    let one = report.apis.first().unwrap().clone();
    for number in 0..100 {
        report
            .apis
            .push(firebreak_reports::Api { name: format!("api-{number:03}"), ..one.clone() });
    }
    let pages = text(&written("long.pdf", &report));
    let with_rows = pages.iter().filter(|page| {
        page.lines().any(|line| line.trim_start().starts_with("api-") && line.contains('%'))
    });
    let mut seen = 0;
    for page in with_rows {
        let header = page.lines().any(|line| {
            line.contains("API") && (line.contains("Requests") || line.contains("No answer"))
        });
        assert!(header, "{page}");
        seen += 1;
    }
    assert!(seen >= 4, "{seen}");
}

#[test]
#[ignore = "needs poppler: run by crates/reports/tests/viewer.sh"]
fn a_viewer_draws_the_charts_the_stripes_and_the_marked_hour() {
    let file = written("drawn.pdf", &report(40_000, SETTINGS));
    let page = |number: &str| {
        let words = ["-r", "50", "-f", number, "-l", number, &file.to_string_lossy()];
        Picture::of(&output("pdftoppm", &words))
    };
    let (first, second) = (page("1"), page("2"));
    assert_eq!((first.width, first.height), (585, 414), "A4 across");
    for (name, colour, least) in [
        ("2xx", [74, 157, 108], 500),
        ("3xx", [31, 95, 153], 500),
        ("4xx", [214, 158, 66], 500),
        ("5xx", [226, 146, 140], 100),
        ("the marked hour", [179, 38, 30], 50),
    ] {
        let found = first.count(colour);
        assert!(found >= least, "{name}: {found} points");
    }
    assert!(second.count([243, 246, 249]) > 5_000, "every other row is shaded");
    for page in [&first, &second] {
        let edges = page.edges();
        assert_eq!(edges, 0, "nothing runs off the page");
    }
}

#[test]
#[ignore = "needs poppler: run by crates/reports/tests/viewer.sh"]
fn a_viewer_finds_title_tags_and_embedded_type() {
    let file = written("facts.pdf", &report(500, SETTINGS));
    let facts =
        String::from_utf8(Command::new("pdfinfo").arg(&file).output().unwrap().stdout).unwrap();
    for part in [
        "Title:           Shop <production>",
        "Creator:         Firebreak",
        "Tagged:          yes",
        "2026 UTC",
        "A4",
    ] {
        assert!(facts.contains(part), "{part}: {facts}");
    }
    let fonts =
        String::from_utf8(Command::new("pdffonts").arg(&file).output().unwrap().stdout).unwrap();
    let rows: Vec<&str> = fonts.lines().skip(2).collect();
    assert_eq!(rows.len(), 2, "{fonts}");
    assert!(
        rows.iter().all(|row| row.contains("yes yes yes")),
        "embedded, cut down, with Unicode: {fonts}"
    );
}

/// A picture in the format that `pdftoppm` writes.
struct Picture {
    width: usize,
    height: usize,
    points: Vec<[u8; 3]>,
}

impl Picture {
    fn of(bytes: &[u8]) -> Self {
        let mut words = bytes.splitn(4, u8::is_ascii_whitespace);
        let mut word = || std::str::from_utf8(words.next().unwrap()).unwrap();
        assert_eq!(word(), "P6");
        let (width, height) = (word().parse().unwrap(), word().parse().unwrap());
        let points = words.next().unwrap().split_at(4).1.as_chunks::<3>().0.to_vec();
        assert_eq!(points.len(), width * height);
        Self { width, height, points }
    }

    /// Points of about this colour.
    fn count(&self, colour: [u8; 3]) -> usize {
        let near =
            |point: &&[u8; 3]| point.iter().zip(colour).all(|(one, two)| one.abs_diff(two) <= 4);
        self.points.iter().filter(near).count()
    }

    /// Points at the edges of the page that are not white.
    fn edges(&self) -> usize {
        let is_edge = |place: usize| {
            let (x, y) = (place % self.width, place / self.width);
            x < 20 || y < 15 || x + 20 > self.width || y + 15 > self.height
        };
        self.points
            .iter()
            .enumerate()
            .filter(|(place, point)| is_edge(*place) && **point != [255; 3])
            .count()
    }
}
