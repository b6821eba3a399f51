//! The report as tables on a terminal.

use anstyle::Style;
use comfy_table::{CellAlignment, ContentArrangement, Table as Lines, presets};
use firebreak_reports::tables::{Cell, Side, Table, Tone, headline, period, tables, warnings};
use firebreak_reports::{Report, percent, thousands};

use crate::output::{BAD, BOLD, DIM, GOOD, WARN, paint};

/// What fits on a screen; the files have everything.
const SHOWN: [&str; 7] = [
    "Status by API",
    "Anomalies",
    "What the scores lost",
    "Against the day before",
    "Against the same weekday",
    "Failing paths: server errors",
    "Malformed lines",
];
const MOST_ROWS: usize = 60;

/// One line.
pub(super) fn summary(report: &Report) -> String {
    format!(
        "{} requests, {} server errors, {} anomalies",
        thousands(report.total.requests),
        percent(report.total.server_errors_percent),
        report.anomalies.len(),
    )
}

/// The whole text.
pub(super) fn text(report: &Report) -> String {
    let mut parts =
        vec![format!("{}  {}", paint(BOLD, &report.title), paint(DIM, &period(report)))];
    parts.extend(warnings(report).iter().map(|warning| paint(WARN, warning)));
    let figures = headline(report);
    let figures =
        figures.iter().map(|(name, value)| format!("{} {}", paint(DIM, name), painted(value)));
    parts.push(figures.collect::<Vec<_>>().join("   "));
    for table in tables(report).iter().filter(|table| SHOWN.contains(&table.title)) {
        parts.push(format!("\n{}\n{}", paint(BOLD, table.title), lines(table)));
    }
    parts.join("\n") + "\n"
}

fn painted(cell: &Cell) -> String {
    match cell.tone {
        Tone::Plain => cell.text.clone(),
        Tone::Good => paint(GOOD, &cell.text),
        Tone::Warn => paint(WARN, &cell.text),
        Tone::Bad => paint(BAD, &cell.text),
    }
}

fn lines(table: &Table) -> String {
    let mut lines = Lines::new();
    lines
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(table.columns.iter().map(|column| column.name));
    for row in table.rows.iter().take(MOST_ROWS) {
        let style = if row.is_total { BOLD } else { Style::new() };
        lines.add_row(row.cells.iter().map(|cell| match cell.tone {
            Tone::Plain if row.is_total => paint(style, &cell.text),
            _ => painted(cell),
        }));
    }
    for (place, column) in table.columns.iter().enumerate() {
        if let (Side::Right, Some(column)) = (column.side, lines.column_mut(place)) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let more = table.rows.len().saturating_sub(MOST_ROWS);
    let more = if more > 0 {
        format!("\n{}", paint(DIM, &format!("and {more} more")))
    } else {
        String::new()
    };
    format!("{lines}{more}")
}
