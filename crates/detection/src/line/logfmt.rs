//! logfmt: `key=value other="quoted \"value\"" flag`, as many Go services write it.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{Found, Malformed, Part, Reader};
use crate::event::Field;
use crate::paths::Paths;

pub(super) fn read<'a>(
    reader: &Reader,
    line: &'a str,
    paths: &Paths,
    found: &mut Found<'a>,
) -> Result<(), Malformed> {
    let mut has_value = false;
    for (name, value) in Pairs(line) {
        has_value |= value.is_some();
        let field = value.map_or(Field::Bool(true), typed);
        match reader.part(name) {
            Some(Part::Time) => found.time(&field),
            Some(part) => found.set(reader.slot_of(part), field),
            None => {
                if let Some(branch) = paths.next(reader.fields, name) {
                    found.set(paths.slot_of(branch), field);
                }
            }
        }
    }
    if has_value { Ok(()) } else { Err(Malformed::Format) }
}

/// The same as JSON.
pub(super) fn entries(line: &str) -> Map<String, Value> {
    Pairs(line)
        .map(|(name, value)| {
            let value = match value.map_or(Field::Bool(true), typed) {
                Field::Bool(truth) => Value::Bool(truth),
                Field::Number(number) => Value::from(number),
                Field::Text(text) => Value::String(text.into_owned()),
                Field::Null | Field::Map | Field::List => Value::Null,
            };
            (name.to_owned(), value)
        })
        .collect()
}

enum Written<'a> {
    Bare(&'a str),
    Quoted(Cow<'a, str>),
}

/// Only what stands bare is a number or a truth.
fn typed(value: Written<'_>) -> Field<'_> {
    match value {
        Written::Quoted(text) => Field::Text(text),
        Written::Bare("true") => Field::Bool(true),
        Written::Bare("false") => Field::Bool(false),
        Written::Bare(text) => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Field::Number(number),
            _ => Field::Text(Cow::Borrowed(text)),
        },
    }
}

/// Goes through the pairs from left to right; never fails.
struct Pairs<'a>(&'a str);

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, Option<Written<'a>>);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.trim_start();
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        let Some(rest) = rest.strip_prefix('=') else {
            self.0 = rest;
            return (!name.is_empty()).then_some((name, None));
        };
        if let Some(quoted) = rest.strip_prefix('"') {
            let (text, rest) = unquoted(quoted);
            self.0 = rest;
            return Some((name, Some(Written::Quoted(text))));
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (value, rest) = rest.split_at(end);
        self.0 = rest;
        Some((name, Some(Written::Bare(value))))
    }
}

/// The text up to the closing quote, and what comes after it. A quote that is never closed holds the rest.
fn unquoted(quoted: &str) -> (Cow<'_, str>, &str) {
    let mut text = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => {
                let rest = letters.as_str();
                // Without an escape the text is as it stands.
                let plain = quoted.get(..at).filter(|plain| !plain.contains('\\'));
                return (plain.map_or(Cow::Owned(text), Cow::Borrowed), rest);
            }
            '\\' => match letters.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, other)) => text.push(other),
                None => {}
            },
            other => text.push(other),
        }
    }
    (Cow::Owned(text), "")
}
