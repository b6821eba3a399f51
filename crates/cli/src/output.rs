//! How things look: colours that respect `NO_COLOR`, tables that fit, JSON when asked for.

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const BOLD: Style = Style::new().bold();

/// The text in a style, where the terminal takes it.
pub(crate) fn paint(style: Style, text: &str) -> String {
    format!("{}{text}{}", style.render(), style.render_reset())
}

pub(crate) fn say(text: &str) {
    anstream::println!("{text}");
}

pub(crate) fn say_json(value: &serde_json::Value) -> anyhow::Result<()> {
    say(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// A table without frames that wraps to the width of the terminal.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header);
    table.add_rows(rows);
    table.to_string()
}

/// The colour of a status or an outcome.
pub(crate) fn of_status(status: &str) -> Style {
    match status {
        "resolved" | "closed" | "helped" => GOOD,
        "open" | "escalated" => BAD,
        _ => WARN,
    }
}
