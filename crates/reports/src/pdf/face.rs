//! The typeface of the PDF: how wide a text is, and the glyphs that show it.

use dejavu::sans_condensed;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::MetadataProvider as _;
use skrifa::instance::{LocationRef, Size};

use super::PdfError;

/// Both weights.
pub(super) struct Faces {
    regular: Face,
    bold: Face,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

pub(super) struct Face {
    pub(super) font: Font,
    parsed: skrifa::FontRef<'static>,
    units: f32,
}

impl Faces {
    pub(super) fn load() -> Result<Self, PdfError> {
        let regular = Face::load(sans_condensed::regular())?;
        Ok(Self { regular, bold: Face::load(sans_condensed::bold())? })
    }

    pub(super) fn of(&self, weight: Weight) -> &Face {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }

    pub(super) fn width(&self, weight: Weight, size: f32, text: &str) -> f32 {
        let face = self.of(weight);
        face.glyphs(text).iter().map(|glyph| glyph.x_advance * size).sum()
    }

    /// Lines that fit into the width, broken at spaces, and within a word only where it is too long for a line.
    pub(super) fn wrapped(&self, weight: Weight, size: f32, text: &str, width: f32) -> Vec<String> {
        let mut lines = vec![String::new()];
        for word in text.split(' ') {
            let line = lines.last_mut().expect("there is a line");
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if self.width(weight, size, &longer) <= width {
                *line = longer;
                continue;
            }
            if !line.is_empty() {
                lines.push(String::new());
            }
            let mut rest = word;
            while self.width(weight, size, rest) > width {
                let at = self.fitting(weight, size, rest, width);
                let Some((head, tail)) = rest.split_at_checked(at) else { break };
                lines.last_mut().expect("there is a line").push_str(head);
                lines.push(String::new());
                rest = tail;
            }
            lines.last_mut().expect("there is a line").push_str(rest);
        }
        lines
    }

    /// How many bytes of a word fit; one letter at least.
    fn fitting(&self, weight: Weight, size: f32, word: &str, width: f32) -> usize {
        let mut used = 0.0;
        let face = self.of(weight);
        let mut end = word.chars().next().map_or(0, char::len_utf8);
        for (at, letter) in word.char_indices() {
            used += face.advance(letter) * size;
            if used > width {
                break;
            }
            end = end.max(at + letter.len_utf8());
        }
        end
    }
}

impl Face {
    fn load(data: &'static [u8]) -> Result<Self, PdfError> {
        let font = Font::new(data.into(), 0).ok_or(PdfError::Font)?;
        let parsed = skrifa::FontRef::new(data).map_err(|_| PdfError::Font)?;
        let units = font.units_per_em();
        Ok(Self { font, parsed, units })
    }

    fn glyph(&self, letter: char) -> Option<skrifa::GlyphId> {
        self.parsed.charmap().map(letter).filter(|glyph| glyph.to_u32() > 0)
    }

    fn advance(&self, letter: char) -> f32 {
        let metrics = self.parsed.glyph_metrics(Size::unscaled(), LocationRef::default());
        let glyph = self.glyph(letter).or_else(|| self.glyph('?'));
        glyph.and_then(|glyph| metrics.advance_width(glyph)).unwrap_or_default() / self.units
    }

    /// The text with `?` for what the typeface lacks.
    pub(super) fn shown(&self, text: &str) -> String {
        text.chars().map(|letter| if self.glyph(letter).is_some() { letter } else { '?' }).collect()
    }

    /// One glyph for each letter of a text that [`Face::shown`] has been over.
    pub(super) fn glyphs(&self, text: &str) -> Vec<KrillaGlyph> {
        let metrics = self.parsed.glyph_metrics(Size::unscaled(), LocationRef::default());
        let glyph = |(at, letter): (usize, char)| {
            let glyph = self.glyph(letter).or_else(|| self.glyph('?'))?;
            let advance = metrics.advance_width(glyph).unwrap_or_default() / self.units;
            let range = at..at + letter.len_utf8();
            Some(KrillaGlyph::new(
                GlyphId::new(glyph.to_u32()),
                advance,
                0.0,
                0.0,
                0.0,
                range,
                None,
            ))
        };
        text.char_indices().filter_map(glyph).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_equally_wide_so_that_numbers_stand_in_columns() {
        let faces = Faces::load().unwrap();
        for weight in [Weight::Regular, Weight::Bold] {
            let widths: Vec<f32> = "0123456789"
                .chars()
                .map(|digit| faces.width(weight, 10.0, &digit.to_string()))
                .collect();
            assert!(widths.iter().all(|width| (width - widths[0]).abs() < 0.001), "{widths:?}");
        }
    }

    #[test]
    fn lines_fit_and_nothing_is_lost() {
        let faces = Faces::load().unwrap();
        let text = "server errors 5.00 %, objective 0.50 % and/averyveryverylongpathwithoutanyspacesinside";
        let lines = faces.wrapped(Weight::Regular, 8.0, text, 60.0);
        assert!(
            lines.iter().all(|line| faces.width(Weight::Regular, 8.0, line) <= 60.0),
            "{lines:?}"
        );
        assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
    }

    #[test]
    fn what_the_typeface_lacks_is_a_question_mark() {
        let faces = Faces::load().unwrap();
        assert_eq!(
            faces.of(Weight::Regular).shown("Zahlung ≥ 支払い Оплата"),
            "Zahlung ≥ ??? Оплата"
        );
    }
}
