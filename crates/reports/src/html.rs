//! The report as one HTML page without anything from elsewhere: readable on paper, in the dark and by a screen reader.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::chart::{Anchor, Chart, Shape, Size, charts};
use crate::report::Report;
use crate::tables::{Cell, Side, Table, Tone, headline, period, tables, warnings};

const STYLE: &str = include_str!("report.css");
/// Nothing is loaded and nothing runs, whatever a name or a path says.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";
const CHART: Size = Size { width: 460.0, height: 150.0, text: 10.0 };

/// The whole page.
pub fn html(report: &Report) -> String {
    let warnings = warnings(report);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (report.title) ", " (period(report)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (report.title) }
                    p.period { "Status report, " (period(report)) }
                }
                main {
                    @if !warnings.is_empty() {
                        ul.warnings role="note" { @for warning in &warnings { li { (warning) } } }
                    }
                    dl.headline {
                        @for (name, value) in headline(report) {
                            div { dt { (name) } dd.(tone(value.tone)) { (value.text) } }
                        }
                    }
                    section.charts aria-label="Answers over time" {
                        @for chart in charts(report) { (figure(&chart)) }
                    }
                    @for table in tables(report) { (section(&table)) }
                }
                footer { "Made by Firebreak from " (crate::thousands(report.read.lines)) " lines of " (report.read.files) " files." }
            }
        }
    };
    page.into_string()
}

fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "plain",
        Tone::Good => "good",
        Tone::Warn => "warn",
        Tone::Bad => "bad",
    }
}

fn section(table: &Table) -> Markup {
    let side = |side: Side| if side == Side::Right { "number" } else { "words" };
    html! {
        section {
            h2 { (table.title) }
            @if !table.note.is_empty() { p.note { (table.note) } }
            div.wide tabindex="0" role="region" aria-label=(table.title) {
                table {
                    thead { tr { @for column in &table.columns { th scope="col" class=(side(column.side)) { (column.name) } } } }
                    tbody {
                        @for row in &table.rows {
                            tr.total[row.is_total] {
                                @for (place, (cell, column)) in row.cells.iter().zip(&table.columns).enumerate() {
                                    (self::cell(cell, side(column.side), place == 0))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cell(cell: &Cell, side: &str, is_first: bool) -> Markup {
    html! {
        @if is_first {
            th scope="row" class=(side) { (cell.text) }
        } @else {
            td class={ (side) " " (tone(cell.tone)) } { (cell.text) }
        }
    }
}

fn figure(chart: &Chart) -> Markup {
    html! {
        figure class={ "of" (chart.class) } {
            figcaption { (chart.class) }
            svg viewBox={ "0 0 " (CHART.width) " " (CHART.height) } role="img" aria-label=(chart.summary) {
                title { (chart.summary) }
                @for shape in chart.shapes(CHART) { (drawn(&shape)) }
            }
        }
    }
}

fn drawn(shape: &Shape) -> Markup {
    html! {
        @match shape {
            Shape::Bar { x, y, width, height, is_marked } => {
                rect.marked[*is_marked] x=(short(*x)) y=(short(*y)) width=(short(*width)) height=(short(*height)) {}
            }
            Shape::Line { x, to, y } => { line x1=(short(*x)) x2=(short(*to)) y1=(short(*y)) y2=(short(*y)) {} }
            Shape::Label { x, y, anchor, text } => {
                text x=(short(*x)) y=(short(*y)) text-anchor=(match anchor { Anchor::Start => "start", Anchor::End => "end" }) { (text) }
            }
        }
    }
}

fn short(value: f32) -> String {
    format!("{value:.1}")
}
