//! Where each value of a YAML text stands, by its path.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Span, Spanned};

/// Paths such as `steps[0].verify.all` → bytes of the text.
#[derive(Debug, Clone, Default)]
pub(super) struct Places(BTreeMap<String, Range<usize>>);

impl Places {
    /// A text that cannot be read has no places.
    pub(super) fn of(text: &str) -> Self {
        let mut places = Self::default();
        if let Ok(root) = serde_saphyr::from_str::<Spanned<Node>>(text) {
            let index = Index::of(text);
            places.insert(&index, String::new(), &root);
        }
        places
    }

    fn insert(&mut self, index: &Index, path: String, node: &Spanned<Node>) {
        match &node.value {
            Node::Scalar => {}
            Node::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.insert(index, format!("{path}[{at}]"), item);
                }
            }
            Node::Map(entries) => {
                for (key, value) in entries {
                    let dot = if path.is_empty() { "" } else { "." };
                    self.insert(index, format!("{path}{dot}{}", key.value), value);
                }
            }
        }
        self.0.insert(path, index.range(node.referenced.span()));
    }

    /// The place of the path, or of what encloses it.
    pub(super) fn nearest(&self, path: &str) -> Range<usize> {
        let mut path = path;
        loop {
            if let Some(found) = self.0.get(path) {
                return found.clone();
            }
            let Some(cut) = path.rfind(['.', '[']) else { return 0..0 };
            path = path.get(..cut).unwrap_or_default();
        }
    }
}

/// The byte at which each character begins.
pub(crate) struct Index {
    starts: Vec<usize>,
    length: usize,
}

impl Index {
    pub(crate) fn of(text: &str) -> Self {
        Self { starts: text.char_indices().map(|(at, _)| at).collect(), length: text.len() }
    }

    fn byte(&self, characters: u64) -> usize {
        usize::try_from(characters)
            .ok()
            .and_then(|at| self.starts.get(at).copied())
            .unwrap_or(self.length)
    }

    pub(crate) fn range(&self, span: Span) -> Range<usize> {
        let (start, length) = (span.offset(), span.len().max(1));
        self.byte(start)..self.byte(start + length)
    }
}

/// A value of which only the shape matters.
enum Node {
    Scalar,
    List(Vec<Spanned<Node>>),
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Shape)
    }
}

struct Shape;

impl<'de> Visitor<'de> for Shape {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_str<E>(self, _: &str) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}
