//! The report as Markdown, for tickets and wikis.

use std::fmt::Write as _;

use crate::report::Report;
use crate::tables::{Side, Table, headline, period, tables, warnings};

/// The whole text.
pub fn markdown(report: &Report) -> String {
    let mut text = format!("# {}\n\nStatus report, {}\n", escaped(&report.title), period(report));
    for warning in warnings(report) {
        line(&mut text, &format!("\n> **Note:** {}", escaped(&warning)));
    }
    text.push('\n');
    for (name, value) in headline(report) {
        line(&mut text, &format!("- **{name}:** {}", value.text));
    }
    for table in tables(report) {
        section(&mut text, &table);
    }
    text
}

fn section(text: &mut String, table: &Table) {
    line(text, &format!("\n## {}\n", table.title));
    if !table.note.is_empty() {
        line(text, &format!("{}\n", escaped(&table.note)));
    }
    row(text, table.columns.iter().map(|column| column.name.to_owned()));
    row(
        text,
        table
            .columns
            .iter()
            .map(|column| if column.side == Side::Left { ":--" } else { "--:" }.to_owned()),
    );
    for cells in &table.rows {
        row(
            text,
            cells.cells.iter().map(|cell| match (cells.is_total, cell.text.is_empty()) {
                (true, false) => format!("**{}**", escaped(&cell.text)),
                _ => escaped(&cell.text),
            }),
        );
    }
}

fn row(text: &mut String, cells: impl Iterator<Item = String>) {
    line(text, &format!("| {} |", cells.collect::<Vec<_>>().join(" | ")));
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("memory takes it");
}

/// Paths and names come from outside: they must not become markup.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '|' | '<' | '>' | '`' | '*' | '_' | '[' | ']' | '\\' | '#' | '&') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_break_out_of_its_cell() {
        assert_eq!(escaped("GET /a|b<script>"), r"GET /a\|b\<script\>");
    }
}
