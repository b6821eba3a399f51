//! Turns the laid out pages into the bytes of a PDF.

use std::num::NonZero;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use krilla::Document;
use krilla::SerializeSettings;
use krilla::color::rgb;
use krilla::configure::{Accessibility, Archival, Configuration, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, ContentTag, Identifier, SpanTag, TableHeaderScope, Tag, TagGroup,
    TagKind, TagTree,
};

use super::PdfError;
use super::face::Faces;
use super::sheet::{Belongs, Element, HEIGHT, Item, Mark, Role, Sheets, WIDTH};
use crate::report::Report;
use crate::tables::period;

pub(super) fn paint(
    sheets: &Sheets,
    faces: &Faces,
    report: &Report,
    made_at: Timestamp,
) -> Result<Vec<u8>, PdfError> {
    let settings =
        SerializeSettings { configuration: configuration()?, ..SerializeSettings::default() };
    let mut document = Document::new_with(settings);
    let mut content: Vec<Vec<Identifier>> = sheets.elements.iter().map(|_| Vec::new()).collect();
    for items in &sheets.pages {
        let size = PageSettings::from_wh(WIDTH, HEIGHT)
            .ok_or_else(|| PdfError::Document("page size".to_owned()))?;
        let mut page = document.start_page_with(size);
        let mut surface = page.surface();
        for together in items.chunk_by(|one, two| one.belongs == two.belongs) {
            let Some(first) = together.first() else { continue };
            let identifier = surface.start_tagged(tag_of(first));
            for item in together {
                draw(&mut surface, faces, item);
            }
            surface.end_tagged();
            if let Belongs::To(element) = first.belongs
                && let Some(content) = content.get_mut(element)
            {
                content.push(identifier);
            }
        }
        surface.finish();
        page.finish();
    }
    document.set_outline(outline(sheets));
    document.set_tag_tree(tree(&sheets.elements, content));
    document.set_metadata(metadata(report, made_at));
    document.finish().map_err(|error| PdfError::Document(format!("{error:?}")))
}

/// The typeface has all that it shows, colours are those of sRGB, and everything is tagged: both standards hold.
fn configuration() -> Result<Configuration, PdfError> {
    ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|error| PdfError::Document(format!("{error:?}")))
}

fn tag_of(item: &Item) -> ContentTag<'static> {
    match (&item.belongs, &item.mark) {
        (Belongs::Decoration, _) => ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)),
        (Belongs::To(_), Mark::Text { .. }) => ContentTag::Span(SpanTag::empty()),
        (Belongs::To(_), Mark::Box { .. }) => ContentTag::Other,
    }
}

fn draw(surface: &mut Surface<'_>, faces: &Faces, item: &Item) {
    let colour = match &item.mark {
        Mark::Text { style, .. } => style.colour,
        Mark::Box { colour, .. } => *colour,
    };
    let paint = rgb::Color::new(colour.0, colour.1, colour.2).into();
    surface.set_fill(Some(Fill { paint, ..Fill::default() }));
    match &item.mark {
        Mark::Text { x, y, style, text } => {
            let face = faces.of(style.weight);
            let shown = face.shown(text);
            let glyphs = face.glyphs(&shown);
            surface.draw_glyphs(
                Point::from_xy(*x, *y),
                &glyphs,
                face.font.clone(),
                &shown,
                style.size,
                false,
            );
        }
        Mark::Box { x, y, width, height, .. } => {
            let mut path = PathBuilder::new();
            if let Some(rect) = Rect::from_xywh(*x, *y, *width, *height) {
                path.push_rect(rect);
            }
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
        }
    }
}

fn outline(sheets: &Sheets) -> Outline {
    let mut outline = Outline::new();
    for entry in &sheets.outline {
        let place = XyzDestination::new(entry.page, Point::from_xy(0.0, (entry.y - 20.0).max(0.0)));
        outline.push_child(OutlineNode::new(entry.title.clone(), place));
    }
    outline
}

fn tree(elements: &[Element], mut content: Vec<Vec<Identifier>>) -> TagTree {
    let mut tree = TagTree::new().with_lang(Some("en".to_owned()));
    for (number, element) in elements.iter().enumerate() {
        if element.is_top {
            tree.push(group(elements, number, &mut content));
        }
    }
    tree
}

fn group(elements: &[Element], number: usize, content: &mut [Vec<Identifier>]) -> TagGroup {
    let Some(element) = elements.get(number) else { return TagGroup::new(Tag::P) };
    let mut group = TagGroup::new(tag(&element.role));
    for identifier in content.get_mut(number).map(std::mem::take).unwrap_or_default() {
        group.push(identifier);
    }
    for child in &element.children {
        group.push(self::group(elements, *child, content));
    }
    group
}

fn tag(role: &Role) -> TagKind {
    match role {
        Role::Heading(level, title) => {
            let level = NonZero::new(*level).unwrap_or(NonZero::<u16>::MIN);
            Tag::Hn(level, Some(title.clone())).into()
        }
        Role::Paragraph => Tag::P.into(),
        Role::Figure(shows) => Tag::Figure(Some(shows.clone())).into(),
        Role::Table => Tag::Table.into(),
        Role::Row => Tag::TR.into(),
        Role::ColumnHeader => Tag::TH(TableHeaderScope::Column).into(),
        Role::RowHeader => Tag::TH(TableHeaderScope::Row).into(),
        Role::Cell => Tag::TD.into(),
    }
}

fn metadata(report: &Report, made_at: Timestamp) -> Metadata {
    Metadata::new()
        .title(report.title.clone())
        .description(format!("Status of the APIs behind the load balancer, {}", period(report)))
        .keywords(vec!["load balancer".to_owned(), "status report".to_owned()])
        .language("en".to_owned())
        .creator("Firebreak".to_owned())
        .authors(vec!["Firebreak".to_owned()])
        .creation_date(date(made_at))
}

fn date(at: Timestamp) -> DateTime {
    let at = at.to_zoned(TimeZone::UTC);
    let small = |number: i8| u8::try_from(number).unwrap_or_default();
    DateTime::new(u16::try_from(at.year()).unwrap_or_default())
        .month(small(at.month()))
        .day(small(at.day()))
        .hour(small(at.hour()))
        .minute(small(at.minute()))
        .second(small(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}
