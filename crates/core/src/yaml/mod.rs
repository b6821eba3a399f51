//! Reading what a person wrote in YAML, and saying what is wrong with it at the very place.

mod places;

use std::ops::Range;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use places::Index;
use places::Places;

/// Whether it must be mended before use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Warning,
    Error,
}

/// One thing to mend, with its place and its remedy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    pub level: Level,
    /// A stable word, such as `unknown_key` or `never_holds`.
    pub code: &'static str,
    /// The path of the key, such as `steps[0].verify.all`; empty for the whole text.
    pub place: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What to underline, in bytes of the text.
    #[serde(skip)]
    pub at: Range<usize>,
    pub message: String,
    pub help: Option<String>,
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {} column {}: ", self.line, self.column)?;
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

/// A text with the places of its keys and values.
#[derive(Debug, Clone)]
pub struct Document<'a> {
    text: &'a str,
    places: Places,
}

impl Document<'static> {
    /// For a value that came from elsewhere: everything stands at the beginning of an empty text.
    pub fn unwritten() -> Self {
        Self { text: "", places: Places::default() }
    }
}

impl<'a> Document<'a> {
    /// Reads the text as `T`. The error underlines the place and, for a key that is not known, suggests one.
    pub fn read<T: DeserializeOwned>(text: &'a str) -> Result<(T, Self), Box<Diagnostic>> {
        match serde_saphyr::from_str(text) {
            Ok(value) => Ok((value, Self { text, places: Places::of(text) })),
            Err(error) => Err(Box::new(unreadable(text, &error))),
        }
    }

    pub fn error(&self, code: &'static str, place: &str, message: impl Into<String>) -> Diagnostic {
        self.diagnostic(Level::Error, code, place, self.places.nearest(place), message.into())
    }

    pub fn warning(
        &self,
        code: &'static str,
        place: &str,
        message: impl Into<String>,
    ) -> Diagnostic {
        self.diagnostic(Level::Warning, code, place, self.places.nearest(place), message.into())
    }

    /// An error in a part of a value, such as one name in an expression. `part` is in bytes of `value`.
    pub fn error_within(
        &self,
        code: &'static str,
        place: &str,
        (value, part): (&str, &Range<usize>),
        message: impl Into<String>,
    ) -> Diagnostic {
        let whole = self.places.nearest(place);
        let raw = self.text.get(whole.clone()).unwrap_or_default();
        let word = value.get(part.clone()).unwrap_or_default();
        let at = match (raw.find(value), raw.find(word)) {
            (Some(begin), _) => whole.start + begin + part.start..whole.start + begin + part.end,
            // Folded or quoted: the word itself still stands there.
            (None, Some(begin)) if !word.is_empty() => {
                whole.start + begin..whole.start + begin + word.len()
            }
            _ => whole,
        };
        self.diagnostic(Level::Error, code, place, at, message.into())
    }

    fn diagnostic(
        &self,
        level: Level,
        code: &'static str,
        place: &str,
        at: Range<usize>,
        message: String,
    ) -> Diagnostic {
        let (line, column) = line_and_column(self.text, at.start);
        Diagnostic { level, code, place: place.to_owned(), line, column, at, message, help: None }
    }
}

impl Diagnostic {
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub fn help_if(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }
}

/// The one of `known` that a person may have meant by `word`, where one is close enough.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .filter(|(distance, name)| *distance * 3 <= name.chars().count().max(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The reader says what it found; the place of an unknown key is the key itself, and a close one is suggested.
fn unreadable(text: &str, error: &serde_saphyr::Error) -> Diagnostic {
    let plain = error.without_snippet().to_string();
    let place = error.location();
    let (line, column) = place.map_or((1, 1), |place| {
        (usize::try_from(place.line()).unwrap_or(1), usize::try_from(place.column()).unwrap_or(1))
    });
    let begin = offset(text, line, column);
    let message = plain.lines().next().unwrap_or_default();
    let message = without_place(message.trim_start_matches("error: ")).to_owned();
    let unknown = message.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`'));
    let mut at = begin..text.len().min(begin + 1);
    let mut code = "unreadable";
    let mut shown = message.clone();
    let mut help = None;
    if let Some((key, rest)) = unknown {
        code = "unknown_key";
        at = begin..text.len().min(begin + key.len());
        let known: Vec<&str> = rest
            .trim_start_matches(", expected one of ")
            .split(", ")
            .map(|name| name.trim_matches('`'))
            .collect();
        shown = format!("there is no key `{key}` here");
        help = nearest(key, known.iter().copied())
            .map(|near| format!("did you mean `{near}`?"))
            .or_else(|| Some(format!("there are {}", known.join(", "))));
    } else if let Some(field) =
        message.strip_prefix("missing field `").and_then(|rest| rest.split_once('`'))
    {
        code = "missing_key";
        shown = format!("`{}` is missing", field.0);
    }
    let at = text.floor_char_boundary(at.start)..text.ceil_char_boundary(at.end);
    Diagnostic {
        level: Level::Error,
        code,
        place: String::new(),
        line,
        column,
        at,
        message: shown,
        help,
    }
}

/// `line 6 column 3: what` and `what at line 6, column 3` are `what`.
fn without_place(message: &str) -> &str {
    let message = match message.split_once(": ") {
        Some((place, rest)) if place.starts_with("line ") => rest,
        _ => message,
    };
    match message.rsplit_once(" at line ") {
        Some((said, place))
            if place.chars().all(|c| c.is_ascii_digit() || ", column".contains(c)) =>
        {
            said
        }
        _ => message,
    }
}

fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = text.get(before..).unwrap_or_default();
    before + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at)
}

fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..text.floor_char_boundary(at)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Sample {
        cooldown: String,
        #[serde(default)]
        steps: Vec<BTreeMap<String, String>>,
    }

    fn wrong(text: &str) -> Diagnostic {
        *Document::read::<Sample>(text).unwrap_err()
    }

    #[test]
    fn an_unknown_key_is_underlined_and_a_close_one_suggested() {
        let text = "steps: []\ncooldwn: 5m\n";
        let found = wrong(text);
        assert_eq!((found.code, found.line, found.column), ("unknown_key", 2, 1));
        assert_eq!(text.get(found.at), Some("cooldwn"));
        assert_eq!(found.help.as_deref(), Some("did you mean `cooldown`?"));
        assert_eq!(
            wrong("cooldown: 5m\nzzz: 1\n").help.as_deref(),
            Some("there are cooldown, steps")
        );
    }

    #[test]
    fn a_missing_key_and_bad_yaml_are_named() {
        assert_eq!(wrong("steps: []\n").message, "`cooldown` is missing");
        assert_eq!(wrong("cooldown: [\n").code, "unreadable");
    }

    #[test]
    fn places_are_found_by_path() {
        let text = "cooldown: 5m\nsteps:\n  - action: reboot\n    when: >-\n      a &&\n      bcd\n  - { action: \"stop\" }\n";
        let (_, document) = Document::read::<Sample>(text).unwrap();
        let at = |place: &str| {
            let found = document.error("x", place, "y");
            (found.line, text.get(found.at).unwrap().to_owned())
        };
        assert_eq!(at("cooldown"), (1, "5m".to_owned()));
        assert_eq!(at("steps[0].action"), (3, "reboot".to_owned()));
        assert_eq!(at("steps[1].action").0, 7);
        assert_eq!(at("steps[1].nothing").0, 7, "the nearest that exists");
        let part = document.error_within("x", "steps[0].when", ("a && bcd", &(5..8)), "y");
        assert_eq!((part.line, text.get(part.at)), (6, Some("bcd")));
        let part = document.error_within("x", "steps[0].action", ("reboot", &(2..4)), "y");
        assert_eq!((part.column, text.get(part.at)), (15, Some("bo")));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-z:\\-\\[\\]{}'\"#>| \n\tä]{0,60}") {
            if let Err(found) = Document::read::<Sample>(&text) {
                prop_assert!(text.get(found.at).is_some());
            }
        }
    }
}
