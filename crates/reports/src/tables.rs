//! The report as tables of text, once for every way of showing it.

use jiff::Timestamp;

use crate::compare::{Change, Comparison};
use crate::numbers::{bytes, milliseconds, percent, signed, thousands};
use crate::report::{Anomaly, Api, FailingPath, Figures, Health, Report};

/// Rows that a list of paths has at most.
const MOST_PATHS: usize = 15;

/// A heading, a sentence and rows of cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub title: &'static str,
    /// What to know before reading it; may be empty.
    pub note: String,
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub side: Side,
}

/// Words stand left, numbers right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    pub cells: Vec<Cell>,
    /// The sum of the others.
    pub is_total: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub text: String,
    pub tone: Tone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Good,
    Warn,
    Bad,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, tone: Tone::Plain }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// The few numbers that come first.
pub fn headline(report: &Report) -> Vec<(&'static str, Cell)> {
    let total = &report.total;
    let latency =
        total.latency.map_or_else(|| "–".to_owned(), |latency| milliseconds_of(latency.p95_ms));
    vec![
        ("Requests", thousands(total.requests).into()),
        ("Success", percent(total.success_percent).into()),
        ("Server errors (5xx)", server_errors(total)),
        ("Client errors (4xx)", percent(total.client_errors_percent).into()),
        ("p95 latency", latency.into()),
        ("Data sent", bytes(total.sent_bytes).into()),
    ]
}

/// `2026-11-20 00:00 to 23:59 UTC`
pub fn period(report: &Report) -> String {
    let (from, to) = (report.period.from, report.period.to);
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    let end =
        if day(from) == day(to) { to.strftime("%H:%M") } else { to.strftime("%Y-%m-%d %H:%M") };
    format!("{} to {end} UTC", from.strftime("%Y-%m-%d %H:%M"))
}

/// What a reader must know before trusting the numbers; nothing when all was read.
pub fn warnings(report: &Report) -> Vec<String> {
    let read = &report.read;
    let mut warnings = Vec::new();
    for damage in &read.damaged {
        warnings.push(format!(
            "Incomplete: {} could not be read to its end ({}).",
            damage.file, damage.reason
        ));
    }
    if read.malformed > 0 {
        warnings.push(format!(
            "{} of {} lines are malformed and not counted.",
            thousands(read.malformed),
            thousands(read.lines)
        ));
    }
    if !report.unmatched.is_empty() {
        warnings.push(format!(
            "{} target groups belong to no API of the settings; they are counted under their own names.",
            report.unmatched.len()
        ));
    }
    if read.beyond_intervals > 0 {
        warnings.push(format!(
            "{} requests lie beyond the intervals that are kept; anomalies are not looked for among them.",
            thousands(read.beyond_intervals)
        ));
    }
    warnings
}

/// All tables that have something to say, in the order in which they are read.
pub fn tables(report: &Report) -> Vec<Table> {
    let mut tables = vec![apis(report), anomalies(report), health(report)];
    tables.extend(report.comparisons.iter().map(comparison));
    tables.push(targets(report));
    tables.push(paths(report, "Failing paths: server errors", |api| &api.server_failures));
    tables.push(paths(report, "Failing paths: client errors", |api| &api.client_failures));
    tables.push(codes(report));
    tables.push(connections(report));
    tables.push(unmatched(report));
    tables.push(malformed(report));
    tables.retain(|table| !table.rows.is_empty());
    tables
}

const fn left(name: &'static str) -> Column {
    Column { name, side: Side::Left }
}

const fn right(name: &'static str) -> Column {
    Column { name, side: Side::Right }
}

fn milliseconds_of(value: u64) -> String {
    milliseconds(crate::numbers::float(value))
}

fn server_errors(figures: &Figures) -> Cell {
    let tone = if figures.server_errors_percent >= 1.0 { Tone::Bad } else { Tone::Plain };
    Cell { text: percent(figures.server_errors_percent), tone }
}

fn score(health: Option<&Health>) -> Cell {
    let Some(health) = health else { return "–".into() };
    let tone = match health.score {
        90.. => Tone::Good,
        70..90 => Tone::Warn,
        _ => Tone::Bad,
    };
    Cell { text: health.score.to_string(), tone }
}

fn apis(report: &Report) -> Table {
    let row = |name: Cell, score: Cell, figures: &Figures| {
        let elb = &figures.elb;
        let other = elb.informational + elb.none + elb.other;
        let bad = |count: u64, tone: Tone| Cell { text: thousands(count), tone };
        let latency = |of: fn(&crate::report::Latency) -> u64| {
            Cell::from(
                figures
                    .latency
                    .as_ref()
                    .map_or_else(|| "–".to_owned(), |latency| milliseconds_of(of(latency))),
            )
        };
        let tone = server_errors(figures).tone;
        vec![
            name,
            score,
            thousands(figures.requests).into(),
            thousands(elb.successful).into(),
            thousands(elb.redirection).into(),
            thousands(elb.client_error).into(),
            bad(elb.server_error, tone),
            thousands(other).into(),
            percent(figures.success_percent).into(),
            latency(|latency| latency.p50_ms),
            latency(|latency| latency.p95_ms),
            latency(|latency| latency.p99_ms),
            bytes(figures.sent_bytes).into(),
        ]
    };
    let mut rows: Vec<Row> = report
        .apis
        .iter()
        .map(|api| Row {
            cells: row(api.name.as_str().into(), score(api.health.as_ref()), &api.figures),
            is_total: false,
        })
        .collect();
    rows.push(Row { cells: row("All".into(), "".into(), &report.total), is_total: true });
    Table {
        title: "Status by API",
        note: "Classes of what the load balancer answered (elb_status_code); 460, 463, 499 count as 4xx and 561 as 5xx. \
               Latency is the time that the targets took."
            .to_owned(),
        columns: vec![
            left("API"),
            right("Score"),
            right("Requests"),
            right("2xx"),
            right("3xx"),
            right("4xx"),
            right("5xx"),
            right("Other"),
            right("Success"),
            right("p50"),
            right("p95"),
            right("p99"),
            right("Sent"),
        ],
        rows,
    }
}

fn anomalies(report: &Report) -> Table {
    let row = |anomaly: &Anomaly| Row {
        cells: vec![
            anomaly.start.strftime("%Y-%m-%d %H:%M").to_string().into(),
            anomaly.api.as_str().into(),
            anomaly.measure.name().into(),
            Cell { text: anomaly.measure.shown(anomaly.value), tone: Tone::Bad },
            anomaly.measure.shown(anomaly.usual).into(),
            signed(anomaly.score, 1).into(),
        ],
        is_total: false,
    };
    Table {
        title: "Anomalies",
        note: format!(
            "Intervals of {} minutes (UTC) that are far from the median: 6 robust deviations or more.",
            report.interval_minutes
        ),
        columns: vec![
            left("From"),
            left("API"),
            left("What"),
            right("Value"),
            right("Usual"),
            right("Deviations"),
        ],
        rows: report.anomalies.iter().map(row).collect(),
    }
}

fn health(report: &Report) -> Table {
    let row = |api: &Api| {
        let health = api.health.as_ref().filter(|health| !health.reasons.is_empty())?;
        let cells =
            vec![api.name.as_str().into(), score(Some(health)), health.reasons.join("; ").into()];
        Some(Row { cells, is_total: false })
    };
    Table {
        title: "What the scores lost",
        note: "100 less what is worse than its objective: server errors cost up to 60, p95 latency 25, client errors 15; \
               all of it at ten times the objective."
            .to_owned(),
        columns: vec![left("API"), right("Score"), left("Lost")],
        rows: report.apis.iter().filter_map(row).collect(),
    }
}

fn comparison(comparison: &Comparison) -> Table {
    let row = |change: &Change| {
        let count = |count: Option<u64>| count.map_or_else(|| "–".to_owned(), thousands);
        let change_of = |value: Option<f64>, unit: &str, decimals: usize| {
            value.map_or_else(
                || "–".to_owned(),
                |value| format!("{} {unit}", signed(value, decimals)),
            )
        };
        let worse = change.server_errors_points.is_some_and(|points| points >= 1.0);
        let cells = vec![
            change.api.as_str().into(),
            count(change.requests_before).into(),
            count(change.requests).into(),
            change_of(change.requests_percent, "%", 1).into(),
            change_of(change.success_points, "pp", 2).into(),
            Cell {
                text: change_of(change.server_errors_points, "pp", 2),
                tone: if worse { Tone::Bad } else { Tone::Plain },
            },
            change.p95_before_ms.map_or_else(|| "–".to_owned(), milliseconds_of).into(),
            change.p95_ms.map_or_else(|| "–".to_owned(), milliseconds_of).into(),
            change_of(change.p95_percent(), "%", 0).into(),
        ];
        Row { cells, is_total: false }
    };
    let title = match comparison.with.as_str() {
        "the day before" => "Against the day before",
        "the same weekday" => "Against the same weekday",
        _ => "Against an earlier report",
    };
    Table {
        title,
        note: format!(
            "That report is of {} to {} UTC; pp are percentage points.",
            comparison.period.from.strftime("%Y-%m-%d %H:%M"),
            comparison.period.to.strftime("%Y-%m-%d %H:%M"),
        ),
        columns: vec![
            left("API"),
            right("Before"),
            right("Now"),
            right("Requests"),
            right("Success"),
            right("5xx"),
            right("p95 before"),
            right("p95 now"),
            right("p95"),
        ],
        rows: comparison.changes.iter().map(row).collect(),
    }
}

fn targets(report: &Report) -> Table {
    let row = |name: &str, figures: &Figures, is_total: bool| {
        let target = &figures.target;
        let counts = [
            target.successful,
            target.redirection,
            target.client_error,
            target.server_error,
            target.none,
            target.informational + target.other,
            figures.elb.server_error.saturating_sub(target.server_error),
        ];
        let cells = std::iter::once(name.into())
            .chain(counts.iter().map(|count| thousands(*count).into()))
            .collect();
        Row { cells, is_total }
    };
    let mut rows: Vec<Row> =
        report.apis.iter().map(|api| row(&api.name, &api.figures, false)).collect();
    rows.push(row("All", &report.total, true));
    Table {
        title: "What the targets answered",
        note: "By target_status_code. No answer: the load balancer answered alone, or the target did not answer in time; \
               5xx of the balancer are those that no target sent."
            .to_owned(),
        columns: vec![
            left("API"),
            right("2xx"),
            right("3xx"),
            right("4xx"),
            right("5xx"),
            right("No answer"),
            right("Other"),
            right("5xx of the balancer"),
        ],
        rows,
    }
}

fn paths(report: &Report, title: &'static str, of: fn(&Api) -> &Vec<FailingPath>) -> Table {
    let mut all: Vec<(&Api, &FailingPath)> =
        report.apis.iter().flat_map(|api| of(api).iter().map(move |path| (api, path))).collect();
    all.sort_by(|one, two| two.1.count.cmp(&one.1.count).then_with(|| one.1.path.cmp(&two.1.path)));
    let row = |(api, path): &(&Api, &FailingPath)| {
        let count = if path.error > 0 {
            format!("≤ {}", thousands(path.count))
        } else {
            thousands(path.count)
        };
        let cells = vec![
            path.status.to_string().into(),
            path.path.as_str().into(),
            api.name.as_str().into(),
            count.into(),
        ];
        Row { cells, is_total: false }
    };
    Table {
        title,
        note: "Ids in paths are written {}, and what follows ? is left out.".to_owned(),
        columns: vec![left("Status"), left("Path"), left("API"), right("Requests")],
        rows: all.iter().take(MOST_PATHS).map(row).collect(),
    }
}

fn codes(report: &Report) -> Table {
    let (elb, target) = (&report.total.elb_codes, &report.total.target_codes);
    let mut codes: Vec<u16> = elb.keys().chain(target.keys()).copied().collect();
    codes.sort_unstable();
    codes.dedup();
    let count = |count: Option<&u64>| Cell::from(thousands(count.copied().unwrap_or(0)));
    let row = |code: &u16| {
        let name = if *code == 0 { "-".to_owned() } else { code.to_string() };
        Row {
            cells: vec![name.into(), count(elb.get(code)), count(target.get(code))],
            is_total: false,
        }
    };
    Table {
        title: "Every status",
        note: "- stands for no answer.".to_owned(),
        columns: vec![left("Status"), right("Load balancer"), right("Targets")],
        rows: codes.iter().map(row).collect(),
    }
}

fn connections(report: &Report) -> Table {
    let row = |what: &str, value: &str, count: u64| {
        let cells = vec![
            what.into(),
            value.into(),
            thousands(count).into(),
            percent(crate::numbers::share(count, report.total.requests)).into(),
        ];
        Row { cells, is_total: false }
    };
    let tls = report.tls.iter().map(|(version, count)| match version.as_str() {
        "-" => row("TLS", "none", *count),
        version => row("TLS", version, *count),
    });
    let odd = report.classifications.iter().filter(|(class, _)| class.as_str() != "-");
    let odd = odd.map(|(class, count)| row("Request form", class, *count));
    Table {
        title: "TLS and form of the requests",
        note: "The load balancer classifies requests that do not keep to RFC 7230: Acceptable, Ambiguous or Severe."
            .to_owned(),
        columns: vec![left("What"), left("Value"), right("Requests"), right("Share")],
        rows: tls.chain(odd).collect(),
    }
}

fn unmatched(report: &Report) -> Table {
    let rows = report.unmatched.iter().map(|group| Row {
        cells: vec![group.target_group.as_str().into(), thousands(group.requests).into()],
        is_total: false,
    });
    Table {
        title: "Target groups without an API",
        note: "The settings name APIs, and none of them has these target groups.".to_owned(),
        columns: vec![left("Target group"), right("Requests")],
        rows: rows.collect(),
    }
}

fn malformed(report: &Report) -> Table {
    let rows = report.read.samples.iter().map(|sample| Row {
        cells: vec![
            sample.file.as_str().into(),
            thousands(sample.line).into(),
            sample.reason.as_str().into(),
        ],
        is_total: false,
    });
    Table {
        title: "Malformed lines",
        note: format!("The first of {}; they are not counted.", thousands(report.read.malformed)),
        columns: vec![left("File"), right("Line"), left("Reason")],
        rows: rows.collect(),
    }
}
