//! A line of JSON, read in one pass: fields that nobody asks for are passed over without being built.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Found, Malformed, Part, Reader};
use crate::event::Field;
use crate::paths::{Branch, Paths};

pub(super) fn read<'a>(
    reader: &Reader,
    line: &'a str,
    paths: &Paths,
    found: &mut Found<'a>,
) -> Result<(), Malformed> {
    let mut deserializer = serde_json::Deserializer::from_str(line);
    deserializer
        .deserialize_map(Line { reader, paths, found })
        .and_then(|()| deserializer.end())
        .map_err(|_| Malformed::Json)
}

/// The whole line.
struct Line<'r, 'a> {
    reader: &'r Reader,
    paths: &'r Paths,
    found: &'r mut Found<'a>,
}

/// What the value behind a key is for.
enum Use {
    Part(Part),
    /// An object of this name at the top holds fields too.
    Fields,
    Field(Option<Branch>),
}

impl<'a> Visitor<'a> for Line<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { reader, paths, found } = self;
        let top = |name: &str| match reader.part(name) {
            Some(part) => Use::Part(part),
            None if name == "fields" => Use::Fields,
            None => Use::Field(paths.next(reader.fields, name)),
        };
        while let Some(used) = map.next_key_seed(Name(top))? {
            match used {
                Use::Part(part) => {
                    let field = map.next_value_seed(Plain)?;
                    if part == Part::Time {
                        found.time(&field);
                    } else {
                        found.set(reader.slot_of(part), field);
                    }
                }
                Use::Fields => map.next_value_seed(Below { at: reader.fields, paths, found })?,
                Use::Field(Some(at)) => map.next_value_seed(Below { at, paths, found })?,
                Use::Field(None) => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// A key, turned into its use without being kept.
struct Name<F>(F);

impl<'a, U, F: FnOnce(&str) -> U> DeserializeSeed<'a> for Name<F> {
    type Value = U;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<U, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<U, F: FnOnce(&str) -> U> Visitor<'_> for Name<F> {
    type Value = U;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, name: &str) -> Result<U, E> {
        Ok((self.0)(name))
    }
}

/// A value somewhere in the tree of paths.
struct Below<'r, 'a> {
    at: Branch,
    paths: &'r Paths,
    found: &'r mut Found<'a>,
}

impl<'a> Below<'_, 'a> {
    fn is(self, field: Field<'a>) {
        self.found.set(self.paths.slot_of(self.at), field);
    }
}

impl<'a> DeserializeSeed<'a> for Below<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of events are floating")]
impl<'a> Visitor<'a> for Below<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.is(Field::Null);
        Ok(())
    }

    fn visit_bool<E>(self, truth: bool) -> Result<(), E> {
        self.is(Field::Bool(truth));
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.is(Field::Number(number as f64));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.is(Field::Number(number as f64));
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.is(Field::Number(number));
        Ok(())
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<(), E> {
        self.is(Field::Text(Cow::Borrowed(text)));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.is(Field::Text(Cow::Owned(text.to_owned())));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        self.is(Field::List);
        Ok(())
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { at, paths, found } = self;
        found.set(paths.slot_of(at), Field::Map);
        if paths.is_end(at) {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let next = |name: &str| paths.next(at, name);
        while let Some(below) = map.next_key_seed(Name(next))? {
            match below {
                Some(at) => map.next_value_seed(Below { at, paths, found })?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// A value on its own.
struct Plain;

impl<'a> DeserializeSeed<'a> for Plain {
    type Value = Field<'a>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Field<'a>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of events are floating")]
impl<'a> Visitor<'a> for Plain {
    type Value = Field<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Field<'a>, E> {
        Ok(Field::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Field<'a>, E> {
        Ok(Field::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Field<'a>, E> {
        Ok(Field::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Field<'a>, E> {
        Ok(Field::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Field<'a>, E> {
        Ok(Field::Number(number))
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Field<'a>, E> {
        Ok(Field::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Field<'a>, E> {
        Ok(Field::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<Field<'a>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field::List)
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Field<'a>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::Map)
    }
}
