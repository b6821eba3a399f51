//! The report as PDF: a page of figures and charts, then the tables. Tagged for screen readers (PDF/UA-1) and made to be kept (PDF/A-2a).

mod face;
mod paint;
mod sheet;
mod table;

use jiff::Timestamp;

use crate::chart::{Anchor, Chart, Shape, Size, charts};
use crate::report::Report;
use crate::tables::{Tone, headline, period, tables, warnings};
use face::{Faces, Weight};
use sheet::{
    AMBER, BAD, BLUE, Belongs, Colour, GOOD, GREEN, HEIGHT, INK, LINE, MARGIN, PALE_RED, Role,
    SOFT, STRIPE, Sheets, Style, WARN, WIDTH,
};

const FULL: f32 = WIDTH - 2.0 * MARGIN;
const GAP: f32 = 14.0;

/// Why there is no PDF: a defect, never a matter of the report's content.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    #[error("the typeface cannot be read")]
    Font,
    #[error("the document cannot be written: {0}")]
    Document(String),
}

/// The whole file. `made_at` stands in its properties.
pub fn pdf(report: &Report, made_at: Timestamp) -> Result<Vec<u8>, PdfError> {
    let faces = Faces::load()?;
    let mut sheets = Sheets::new();
    title(&mut sheets, &faces, report);
    warned(&mut sheets, &faces, report);
    figures(&mut sheets, &faces, report);
    drawn(&mut sheets, &faces, report);
    for table in tables(report) {
        table::set(&mut sheets, &faces, &table);
    }
    running(&mut sheets, &faces, report, made_at);
    paint::paint(&sheets, &faces, report, made_at)
}

fn title(sheets: &mut Sheets, faces: &Faces, report: &Report) {
    let heading = sheets.element(Role::Heading(1, report.title.clone()), None);
    sheets.outline(&report.title);
    sheets.fill(Belongs::Decoration, MARGIN, sheets.y - 8.0, FULL, 3.0, BLUE);
    sheets.y += 4.0;
    for line in faces.wrapped(Weight::Bold, 21.0, &report.title, FULL) {
        sheets.y += 24.0;
        sheets.text(Belongs::To(heading), MARGIN, sheets.y, Style::bold(21.0, INK), line);
    }
    sheets.y += 17.0;
    let subtitle = format!("Status report, {}", period(report));
    let paragraph = sheets.element(Role::Paragraph, None);
    sheets.text(Belongs::To(paragraph), MARGIN, sheets.y, Style::regular(11.0, SOFT), subtitle);
    sheets.y += 14.0;
}

/// At most a few lines: the tables behind name each of them.
fn warned(sheets: &mut Sheets, faces: &Faces, report: &Report) {
    const MOST: usize = 4;
    let warnings = warnings(report);
    let more = warnings.len().saturating_sub(MOST);
    let mut shown: Vec<String> = warnings.into_iter().take(MOST).collect();
    if more > 0 {
        shown.push(format!("And {more} more."));
    }
    for warning in shown {
        let lines = faces.wrapped(Weight::Regular, 9.0, &warning, FULL - 20.0);
        let paragraph = sheets.element(Role::Paragraph, None);
        for line in lines {
            sheets.fill(Belongs::Decoration, MARGIN, sheets.y, FULL, 14.0, STRIPE);
            sheets.fill(Belongs::Decoration, MARGIN, sheets.y, 3.0, 14.0, WARN);
            sheets.text(
                Belongs::To(paragraph),
                MARGIN + 10.0,
                sheets.y + 10.0,
                Style::regular(9.0, INK),
                line,
            );
            sheets.y += 14.0;
        }
        sheets.y += 3.0;
    }
}

/// The few numbers that come first, in a row of cards.
fn figures(sheets: &mut Sheets, faces: &Faces, report: &Report) {
    const HIGH: f32 = 46.0;
    let cards = headline(report);
    let width = (FULL - 5.0 * 10.0) / 6.0;
    sheets.y += 4.0;
    let mut x = MARGIN;
    for (name, value) in cards {
        let paragraph = Belongs::To(sheets.element(Role::Paragraph, None));
        sheets.fill(Belongs::Decoration, x, sheets.y, width, HIGH, STRIPE);
        sheets.fill(Belongs::Decoration, x, sheets.y, 2.5, HIGH, tone(value.tone, BLUE));
        sheets.text(paragraph, x + 11.0, sheets.y + 15.0, Style::regular(8.6, SOFT), name);
        let mut size = 17.0;
        while size > 9.0 && faces.width(Weight::Bold, size, &value.text) > width - 18.0 {
            size -= 1.0;
        }
        sheets.text(
            paragraph,
            x + 11.0,
            sheets.y + 36.0,
            Style::bold(size, tone(value.tone, INK)),
            value.text,
        );
        x += width + 10.0;
    }
    sheets.y += HIGH + GAP;
}

fn tone(tone: Tone, plain: Colour) -> Colour {
    match tone {
        Tone::Plain => plain,
        Tone::Good => GOOD,
        Tone::Warn => WARN,
        Tone::Bad => BAD,
    }
}

/// The charts of the classes, two beside each other.
fn drawn(sheets: &mut Sheets, faces: &Faces, report: &Report) {
    const ABOVE: f32 = 22.0;
    // As high as the page has room for: a few warnings more make them a little lower.
    let height = (sheets.room() / 2.0 - ABOVE - 2.0).clamp(100.0, 150.0);
    let size = Size { width: (FULL - 24.0) / 2.0, height, text: 7.6 };
    let high = size.height + ABOVE;
    for pair in charts(report).chunks(2) {
        sheets.need(high);
        let mut x = MARGIN;
        for chart in pair {
            figure(sheets, faces, chart, x, size);
            x += size.width + 24.0;
        }
        sheets.y += high;
    }
    sheets.next_page();
}

fn figure(sheets: &mut Sheets, faces: &Faces, chart: &Chart, x: f32, size: Size) {
    let figure =
        Belongs::To(sheets.element(Role::Figure(format!("Bar chart. {}", chart.summary)), None));
    let top = sheets.y + 15.0;
    sheets.text(figure, x, sheets.y + 10.0, Style::bold(10.0, INK), chart.class);
    let label = Style::regular(size.text, SOFT);
    let after = x + faces.width(Weight::Bold, 10.0, chart.class) + 7.0;
    let what = chart.summary.split_once(": ").map_or("", |(_, what)| what).trim_end_matches('.');
    sheets.text(figure, after, sheets.y + 10.0, label, what);
    let usual = match chart.class {
        "2xx" => GREEN,
        "4xx" => AMBER,
        "5xx" => PALE_RED,
        _ => BLUE,
    };
    for shape in chart.shapes(size) {
        match shape {
            Shape::Bar { x: left, y, width, height, is_marked } => {
                let colour = if is_marked { BAD } else { usual };
                sheets.fill(figure, x + left, top + y, width, height, colour);
            }
            Shape::Line { x: left, to, y } => {
                sheets.fill(figure, x + left, top + y - 0.3, to - left, 0.6, LINE);
            }
            Shape::Label { x: left, y, anchor, text } => {
                let shift = match anchor {
                    Anchor::Start => 0.0,
                    Anchor::End => faces.width(Weight::Regular, size.text, &text),
                };
                sheets.text(figure, x + left - shift, top + y, label, text);
            }
        }
    }
}

/// The running title and the page numbers, now that the pages are counted.
fn running(sheets: &mut Sheets, faces: &Faces, report: &Report, made_at: Timestamp) {
    let style = Style::regular(8.0, SOFT);
    let count = sheets.pages.len();
    let made = format!("Made by Firebreak on {} UTC", made_at.strftime("%Y-%m-%d %H:%M"));
    let mut all = std::mem::take(&mut sheets.pages);
    for (number, page) in all.iter_mut().enumerate() {
        sheets.pages.push(Vec::new());
        if number > 0 {
            let right = WIDTH - MARGIN - faces.width(Weight::Regular, 8.0, &period(report));
            let room = right - MARGIN - 20.0;
            let name = faces.wrapped(Weight::Regular, 8.0, &report.title, room).into_iter().next();
            sheets.text(Belongs::Decoration, MARGIN, MARGIN, style, name.unwrap_or_default());
            sheets.text(Belongs::Decoration, right, MARGIN, style, period(report));
            sheets.fill(Belongs::Decoration, MARGIN, MARGIN + 6.0, FULL, 0.6, LINE);
        }
        let of = format!("Page {} of {count}", number + 1);
        let right = WIDTH - MARGIN - faces.width(Weight::Regular, 8.0, &of);
        sheets.fill(Belongs::Decoration, MARGIN, HEIGHT - MARGIN, FULL, 0.6, LINE);
        sheets.text(Belongs::Decoration, MARGIN, HEIGHT - MARGIN + 13.0, style, made.as_str());
        sheets.text(Belongs::Decoration, right, HEIGHT - MARGIN + 13.0, style, of);
        if let Some(last) = sheets.pages.last_mut() {
            std::mem::swap(last, page);
            last.append(page);
        }
    }
}
