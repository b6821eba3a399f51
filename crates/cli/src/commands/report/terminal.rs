//! The report as tables on a terminal.

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
/// The columns that a narrow terminal does without, the least needed first.
const LEFT_OUT_FIRST: [&str; 8] =
    ["Other", "Sent", "p50", "p99", "Deviations", "3xx", "2xx", "p95 before"];

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
    lines.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    let columns = fitting(table, lines.width());
    let kept = |place: usize| columns.contains(&place);
    let header = table.columns.iter().enumerate().filter(|(place, _)| kept(*place));
    lines.set_header(header.map(|(_, column)| column.name));
    for row in table.rows.iter().take(MOST_ROWS) {
        let cells = row.cells.iter().enumerate().filter(|(place, _)| kept(*place));
        lines.add_row(cells.map(|(_, cell)| match cell.tone {
            Tone::Plain if row.is_total => paint(BOLD, &cell.text),
            _ => painted(cell),
        }));
    }
    for (place, kept) in columns.iter().enumerate() {
        let side = table.columns.get(*kept).map(|column| column.side);
        if let (Some(Side::Right), Some(column)) = (side, lines.column_mut(place)) {
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

/// The places of the columns that are shown: on a narrow terminal whole columns are left out rather than numbers broken.
fn fitting(table: &Table, width: Option<u16>) -> Vec<usize> {
    let mut places: Vec<usize> = (0..table.columns.len()).collect();
    let Some(width) = width else { return places };
    for name in LEFT_OUT_FIRST {
        if places.iter().map(|place| needed(table, *place)).sum::<usize>() <= usize::from(width) {
            break;
        }
        places.retain(|place| table.columns.get(*place).is_none_or(|column| column.name != name));
    }
    places
}

/// How wide a column is; words may be wrapped.
fn needed(table: &Table, place: usize) -> usize {
    let Some(column) = table.columns.get(place) else { return 0 };
    let cells = table
        .rows
        .iter()
        .filter_map(|row| row.cells.get(place))
        .map(|cell| cell.text.chars().count());
    let widest = cells.chain([column.name.chars().count()]).max().unwrap_or(0) + 2;
    if column.side == Side::Left { widest.min(20) } else { widest }
}

#[cfg(test)]
mod tests {
    use firebreak_reports::tables::{Column, Row};

    use super::*;

    #[test]
    fn on_a_narrow_terminal_columns_are_left_out_and_numbers_stay_whole() {
        let names = ["API", "Score", "Requests", "2xx", "Other", "p50", "p99", "Sent"];
        let columns = names.map(|name| Column {
            name,
            side: if name == "API" { Side::Left } else { Side::Right },
        });
        let cells = columns.map(|column| {
            Cell::from(if column.side == Side::Left { "checkout" } else { "1,234,567" })
        });
        let row = Row { cells: cells.to_vec(), is_total: false };
        let table =
            Table { title: "x", note: String::new(), columns: columns.to_vec(), rows: vec![row] };
        assert_eq!(fitting(&table, None).len(), 8);
        assert_eq!(fitting(&table, Some(200)).len(), 8);
        let narrow = fitting(&table, Some(60));
        assert!(narrow.len() < 8 && narrow.contains(&0) && narrow.contains(&2), "{narrow:?}");
        let width: usize = narrow.iter().map(|place| needed(&table, *place)).sum();
        assert!(width <= 60, "{width}");
    }
}
