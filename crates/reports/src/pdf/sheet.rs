//! What stands where on the pages, before it becomes PDF: shapes, each belonging to an element of the document.

use super::face::Weight;

pub(super) const WIDTH: f32 = 841.89;
pub(super) const HEIGHT: f32 = 595.28;
pub(super) const MARGIN: f32 = 44.0;
/// Where content begins on pages after the first, below the running title.
const TOP: f32 = MARGIN + 22.0;
const BOTTOM: f32 = HEIGHT - MARGIN - 12.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colour(pub(super) u8, pub(super) u8, pub(super) u8);

pub(super) const INK: Colour = Colour(27, 39, 51);
pub(super) const SOFT: Colour = Colour(84, 100, 116);
pub(super) const LINE: Colour = Colour(214, 221, 228);
pub(super) const STRIPE: Colour = Colour(243, 246, 249);
pub(super) const BLUE: Colour = Colour(31, 95, 153);
pub(super) const GOOD: Colour = Colour(28, 122, 67);
pub(super) const WARN: Colour = Colour(149, 95, 0);
pub(super) const BAD: Colour = Colour(179, 38, 30);
pub(super) const GREEN: Colour = Colour(74, 157, 108);
pub(super) const AMBER: Colour = Colour(214, 158, 66);
pub(super) const PALE_RED: Colour = Colour(226, 146, 140);

/// An element of the document's structure, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Belongs {
    /// To nothing: decoration, page numbers, repeated headers.
    Decoration,
    To(usize),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Style {
    pub(super) weight: Weight,
    pub(super) size: f32,
    pub(super) colour: Colour,
}

impl Style {
    pub(super) const fn regular(size: f32, colour: Colour) -> Self {
        Self { weight: Weight::Regular, size, colour }
    }

    pub(super) const fn bold(size: f32, colour: Colour) -> Self {
        Self { weight: Weight::Bold, size, colour }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) belongs: Belongs,
    pub(super) mark: Mark,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mark {
    /// From its left end, on its base line.
    Text {
        x: f32,
        y: f32,
        style: Style,
        text: String,
    },
    Box {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        colour: Colour,
    },
}

/// What an element is to a reader who does not see the page.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Role {
    /// A heading of this level.
    Heading(u16, String),
    Paragraph,
    /// A picture with what it shows.
    Figure(String),
    Table,
    Row,
    ColumnHeader,
    RowHeader,
    Cell,
}

#[derive(Debug)]
pub(super) struct Element {
    pub(super) role: Role,
    pub(super) children: Vec<usize>,
    pub(super) is_top: bool,
}

/// A heading that is listed in the outline.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) title: String,
    pub(super) page: usize,
    pub(super) y: f32,
}

/// All pages so far, and the place where the next thing goes.
#[derive(Debug)]
pub(super) struct Sheets {
    pub(super) pages: Vec<Vec<Item>>,
    pub(super) elements: Vec<Element>,
    pub(super) outline: Vec<Entry>,
    pub(super) y: f32,
}

impl Sheets {
    pub(super) fn new() -> Self {
        Self { pages: vec![Vec::new()], elements: Vec::new(), outline: Vec::new(), y: MARGIN }
    }

    pub(super) fn next_page(&mut self) {
        self.pages.push(Vec::new());
        self.y = TOP;
    }

    pub(super) fn room(&self) -> f32 {
        BOTTOM - self.y
    }

    /// Goes on to the next page where less than this is left.
    pub(super) fn need(&mut self, height: f32) {
        if self.room() < height && self.y > TOP {
            self.next_page();
        }
    }

    /// A new element; without a parent it stands in the document itself.
    pub(super) fn element(&mut self, role: Role, parent: Option<usize>) -> usize {
        let number = self.elements.len();
        self.elements.push(Element { role, children: Vec::new(), is_top: parent.is_none() });
        if let Some(parent) = parent.and_then(|parent| self.elements.get_mut(parent)) {
            parent.children.push(number);
        }
        number
    }

    pub(super) fn outline(&mut self, title: &str) {
        let entry = Entry { title: title.to_owned(), page: self.pages.len() - 1, y: self.y };
        self.outline.push(entry);
    }

    pub(super) fn text(
        &mut self,
        belongs: Belongs,
        x: f32,
        y: f32,
        style: Style,
        text: impl Into<String>,
    ) {
        let text = text.into();
        if !text.is_empty() {
            self.put(Item { belongs, mark: Mark::Text { x, y, style, text } });
        }
    }

    pub(super) fn fill(
        &mut self,
        belongs: Belongs,
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        colour: Colour,
    ) {
        self.put(Item { belongs, mark: Mark::Box { x, y, width, height, colour } });
    }

    fn put(&mut self, item: Item) {
        if let Some(page) = self.pages.last_mut() {
            page.push(item);
        }
    }
}
