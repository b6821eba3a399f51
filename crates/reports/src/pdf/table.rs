//! Sets a table: columns as wide as they need, words wrapped, numbers to the right, every other row shaded, and the header
//! again at the top of each page.

use super::face::{Faces, Weight};
use super::sheet::{
    BAD, BLUE, Belongs, Colour, GOOD, INK, LINE, MARGIN, Role, SOFT, STRIPE, Sheets, Style, WARN,
    WIDTH,
};
use crate::tables::{Column, Row, Side, Table, Tone};

const FULL: f32 = WIDTH - 2.0 * MARGIN;
const PADDING: f32 = 5.0;
const SIZES: [f32; 4] = [8.6, 7.8, 7.0, 6.2];
/// Narrower, words are not worth reading.
const NARROWEST_WORDS: f32 = 90.0;

pub(super) fn set(sheets: &mut Sheets, faces: &Faces, table: &Table) {
    let layout = Layout::of(faces, table);
    let note = faces.wrapped(Weight::Regular, 8.2, &table.note, FULL);
    let above = 24.0 + 11.0 * lines(&note) + layout.line() + 6.0;
    sheets.need(above + 3.0 * layout.line());
    sheets.y += 8.0;
    let heading = sheets.element(Role::Heading(2, table.title.to_owned()), None);
    sheets.outline(table.title);
    sheets.y += 13.0;
    sheets.text(Belongs::To(heading), MARGIN, sheets.y, Style::bold(12.5, BLUE), table.title);
    sheets.y += 5.0;
    if !table.note.is_empty() {
        let paragraph = sheets.element(Role::Paragraph, None);
        for line in note {
            sheets.y += 10.5;
            sheets.text(Belongs::To(paragraph), MARGIN, sheets.y, Style::regular(8.2, SOFT), line);
        }
    }
    sheets.y += 7.0;
    let element = sheets.element(Role::Table, None);
    layout.header(sheets, faces, &table.columns, Some(element));
    for (number, row) in table.rows.iter().enumerate() {
        layout.row(sheets, faces, table, row, number, element);
    }
    sheets.y += 8.0;
}

#[expect(clippy::cast_precision_loss, reason = "there are a few lines")]
fn lines<T>(lines: &[T]) -> f32 {
    lines.len() as f32
}

struct Layout {
    size: f32,
    widths: Vec<f32>,
}

impl Layout {
    /// The largest text at which numbers have room and words enough of it.
    fn of(faces: &Faces, table: &Table) -> Self {
        let mut layout = Self { size: 0.0, widths: Vec::new() };
        for size in SIZES {
            layout = Self { size, widths: natural(faces, table, size) };
            if layout.fits(&table.columns) {
                break;
            }
        }
        layout.spread(&table.columns);
        layout
    }

    fn fits(&self, columns: &[Column]) -> bool {
        let least = |(width, column): (&f32, &Column)| match column.side {
            Side::Left => width.min(NARROWEST_WORDS),
            Side::Right => *width,
        };
        self.widths.iter().zip(columns).map(least).sum::<f32>() <= FULL
    }

    /// Words get what is left, or give up what is missing.
    fn spread(&mut self, columns: &[Column]) {
        let sum: f32 = self.widths.iter().sum();
        let words: f32 = self
            .widths
            .iter()
            .zip(columns)
            .filter(|(_, column)| column.side == Side::Left)
            .map(|(width, _)| width)
            .sum();
        if sum > FULL && words > 0.0 {
            let numbers = sum - words;
            let factor = ((FULL - numbers) / words).max(0.05);
            for (width, column) in self.widths.iter_mut().zip(columns) {
                if column.side == Side::Left {
                    *width *= factor;
                }
            }
        } else if sum > 0.5 * FULL {
            let factor = FULL / sum;
            for width in &mut self.widths {
                *width *= factor;
            }
        }
    }

    fn line(&self) -> f32 {
        self.size + 6.4
    }

    fn total(&self) -> f32 {
        self.widths.iter().sum()
    }

    /// The first one belongs to the table, its repetitions are decoration.
    fn header(&self, sheets: &mut Sheets, faces: &Faces, columns: &[Column], table: Option<usize>) {
        let style = Style::bold(self.size, INK);
        let row = table.map(|table| sheets.element(Role::Row, Some(table)));
        let mut x = MARGIN;
        for (column, width) in columns.iter().zip(&self.widths) {
            let belongs = row.map_or(Belongs::Decoration, |row| {
                Belongs::To(sheets.element(Role::ColumnHeader, Some(row)))
            });
            let at = match column.side {
                Side::Left => x + PADDING,
                Side::Right => {
                    x + width - PADDING - faces.width(style.weight, style.size, column.name)
                }
            };
            sheets.text(belongs, at, sheets.y + self.size + 1.5, style, column.name);
            x += width;
        }
        sheets.y += self.line();
        sheets.fill(Belongs::Decoration, MARGIN, sheets.y - 1.4, self.total(), 1.2, BLUE);
    }

    fn row(
        &self,
        sheets: &mut Sheets,
        faces: &Faces,
        table: &Table,
        row: &Row,
        number: usize,
        element: usize,
    ) {
        let weight = if row.is_total { Weight::Bold } else { Weight::Regular };
        let cells: Vec<Vec<String>> = row
            .cells
            .iter()
            .zip(&self.widths)
            .zip(&table.columns)
            .map(|((cell, width), column)| match column.side {
                Side::Left => faces.wrapped(weight, self.size, &cell.text, width - 2.0 * PADDING),
                Side::Right => vec![cell.text.clone()],
            })
            .collect();
        let most = cells.iter().map(|cell| lines(cell)).fold(1.0, f32::max);
        let height = self.line() + (most - 1.0) * (self.size + 2.2);
        if sheets.room() < height {
            sheets.next_page();
            self.header(sheets, faces, &table.columns, None);
        }
        if number % 2 == 1 {
            sheets.fill(Belongs::Decoration, MARGIN, sheets.y, self.total(), height, STRIPE);
        }
        if row.is_total {
            sheets.fill(Belongs::Decoration, MARGIN, sheets.y, self.total(), 0.8, LINE);
        }
        let parent = sheets.element(Role::Row, Some(element));
        let mut x = MARGIN;
        for (place, (((text, cell), width), column)) in
            cells.iter().zip(&row.cells).zip(&self.widths).zip(&table.columns).enumerate()
        {
            let role = if place == 0 { Role::RowHeader } else { Role::Cell };
            let belongs = Belongs::To(sheets.element(role, Some(parent)));
            let style = Style {
                weight: if cell.tone == Tone::Bad { Weight::Bold } else { weight },
                size: self.size,
                colour: colour(cell.tone),
            };
            let mut y = sheets.y + self.size + 2.4;
            for line in text {
                let at = match column.side {
                    Side::Left => x + PADDING,
                    Side::Right => {
                        x + width - PADDING - faces.width(style.weight, style.size, line)
                    }
                };
                sheets.text(belongs, at, y, style, line.as_str());
                y += self.size + 2.2;
            }
            x += width;
        }
        sheets.y += height;
    }
}

fn colour(tone: Tone) -> Colour {
    match tone {
        Tone::Plain => INK,
        Tone::Good => GOOD,
        Tone::Warn => WARN,
        Tone::Bad => BAD,
    }
}

/// What each column would take by itself.
fn natural(faces: &Faces, table: &Table, size: f32) -> Vec<f32> {
    let width = |(place, column): (usize, &Column)| {
        let cells = table.rows.iter().filter_map(|row| row.cells.get(place));
        // In either weight: a total or a mark must fit too.
        let widest = |text: &str| {
            faces.width(Weight::Bold, size, text).max(faces.width(Weight::Regular, size, text))
        };
        cells.map(|cell| widest(&cell.text)).fold(widest(column.name), f32::max)
            + 2.0 * PADDING
            + 0.5
    };
    table.columns.iter().enumerate().map(width).collect()
}
