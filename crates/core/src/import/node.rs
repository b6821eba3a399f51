//! YAML as a tree of texts that knows its lines, so that what cannot be carried over is named by its place.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_saphyr::Spanned;

use crate::yaml::Index;

/// A value; what it holds is never shown, it may be a secret.
pub(super) enum Node {
    Null,
    /// A text, a number or a truth value, as it is written.
    Scalar(String),
    List(Vec<(u64, Node)>),
    Map(Vec<Entry>),
}

/// A key of a map with its value.
pub(super) struct Entry {
    pub(super) line: u64,
    pub(super) key: String,
    pub(super) value: Node,
}

/// Where a text is no YAML. What stands there is not repeated.
pub(super) struct NotYaml {
    pub(super) line: u64,
    pub(super) column: u64,
}

/// No danger to the stack. Of routes, which take two each, fewer may stand in one another than a policy takes.
pub(super) const DEEPEST: usize = 48;

impl Node {
    pub(super) fn read(text: &str) -> Result<Self, NotYaml> {
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! { max_depth: DEEPEST },
        };
        let root: Result<Option<Spanned<Raw>>, _> =
            serde_saphyr::from_str_with_options(text, options);
        let root = root.map_err(|error| {
            let at = error.location();
            NotYaml { line: at.map_or(1, |at| at.line()), column: at.map_or(1, |at| at.column()) }
        })?;
        let index = Index::of(text);
        Ok(root.map_or(Node::Null, |root| Node::of(root, text, &index)))
    }

    fn of(raw: Spanned<Raw>, text: &str, index: &Index) -> Self {
        let written = index.range(raw.defined.span());
        match raw.value {
            Raw::Null => Node::Null,
            Raw::Text(text) => Node::Scalar(text),
            // `1.10` is not 1.1, and `on` is not `true`, where a text is meant.
            Raw::Typed(read) => match text.get(written).map(str::trim) {
                Some(written) if !written.is_empty() => Node::Scalar(written.to_owned()),
                _ => Node::Scalar(read),
            },
            Raw::List(items) => {
                let items = items.into_iter();
                Node::List(
                    items
                        .map(|item| (item.referenced.line(), Node::of(item, text, index)))
                        .collect(),
                )
            }
            Raw::Map(entries) => {
                let entries = entries.into_iter().map(|(key, value)| Entry {
                    line: key.referenced.line(),
                    key: key.value,
                    value: Node::of(value, text, index),
                });
                Node::Map(entries.collect())
            }
        }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        match self {
            Node::Map(entries) => entries,
            Node::Null | Node::Scalar(_) | Node::List(_) => &[],
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Node::Scalar(text) => Some(text),
            Node::Null | Node::List(_) | Node::Map(_) => None,
        }
    }

    pub(super) fn items(&self) -> &[(u64, Node)] {
        match self {
            Node::List(items) => items,
            Node::Null | Node::Scalar(_) | Node::Map(_) => &[],
        }
    }

    /// The texts of a list, or the one text that stands for it. `None` where something else stands there.
    pub(super) fn texts(&self) -> Option<Vec<String>> {
        match self {
            Node::Null => Some(Vec::new()),
            Node::Scalar(text) => Some(vec![text.clone()]),
            Node::List(items) => {
                items.iter().map(|(_, item)| item.text().map(str::to_owned)).collect()
            }
            Node::Map(_) => None,
        }
    }

    /// As YAML of any age writes it.
    pub(super) fn truth(&self) -> Option<bool> {
        let text = self.text()?.to_ascii_lowercase();
        match text.as_str() {
            "true" | "yes" | "on" | "y" => Some(true),
            "false" | "no" | "off" | "n" => Some(false),
            _ => None,
        }
    }

    /// Whether nothing is said by it.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Node::Null => true,
            Node::Scalar(text) => text.is_empty(),
            Node::List(items) => items.is_empty(),
            Node::Map(entries) => entries.is_empty(),
        }
    }

    /// The same value without its lines; every scalar is a text.
    pub(super) fn plain(&self) -> Value {
        match self {
            Node::Null => Value::Null,
            Node::Scalar(text) => Value::String(text.clone()),
            Node::List(items) => items.iter().map(|(_, item)| item.plain()).collect(),
            Node::Map(entries) => entries
                .iter()
                .map(|entry| (entry.key.clone(), entry.value.plain()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

/// A value as the reader gives it.
enum Raw {
    Null,
    Text(String),
    /// What YAML takes for a number or a truth value.
    Typed(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}
