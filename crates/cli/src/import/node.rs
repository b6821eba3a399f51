//! YAML as a tree that knows its lines, so that what cannot be carried over is named by its place.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_saphyr::Spanned;

/// A value; what it holds is never shown, it may be a secret.
pub(super) enum Node {
    Null,
    /// A text, a number or a truth value, as its text.
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

impl Node {
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let root: Option<Node> =
            serde_saphyr::from_str(text).map_err(|error| without_values(&error))?;
        Ok(root.unwrap_or(Node::Null))
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

    /// The texts of a list, or the one text that stands for it.
    pub(super) fn texts(&self) -> Vec<String> {
        match self {
            Node::Scalar(text) => vec![text.clone()],
            Node::Null | Node::List(_) | Node::Map(_) => {
                self.items().iter().filter_map(|(_, item)| item.text().map(str::to_owned)).collect()
            }
        }
    }

    pub(super) fn is_true(&self) -> bool {
        self.text() == Some("true")
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

/// Where the text is no YAML; the snippet that the reader adds would show what stands there.
fn without_values(error: &serde_saphyr::Error) -> String {
    match error.location() {
        Some(place) => {
            format!("line {}, column {}: this is not YAML", place.line(), place.column())
        }
        None => "this is not YAML".to_owned(),
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element::<Spanned<Node>>()? {
            items.push((item.referenced.line(), item.value));
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let line = key.referenced.line();
            entries.push(Entry { line, key: key.value, value: map.next_value()? });
        }
        Ok(Node::Map(entries))
    }
}
