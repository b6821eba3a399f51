//! JSON in which no field can be said twice.
//!
//! A template that pastes text without escaping it lets that text add fields of its own, and most parsers silently
//! take the last one. Here a field that occurs twice with different values becomes null, and is named.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads a whole text; the second part names the fields that were said twice.
pub(super) fn read(text: &[u8]) -> Result<(Value, Vec<String>), serde_json::Error> {
    let disputed = RefCell::new(BTreeSet::new());
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Unique(&disputed).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok((value, disputed.into_inner().into_iter().collect()))
}

#[derive(Clone, Copy)]
struct Unique<'a>(&'a RefCell<BTreeSet<String>>);

impl<'de> DeserializeSeed<'de> for Unique<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(self)?;
            if map.get(&key).is_some_and(|earlier| *earlier != value) {
                self.0.borrow_mut().insert(key.clone());
                map.insert(key, Value::Null);
            } else {
                map.insert(key, value);
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_said_twice_is_null_and_named() {
        let text = br#"{"a":1,"b":{"c":"x","c":"y","c":"x"},"a":1}"#;
        assert_eq!(read(text).unwrap(), (json!({"a": 1, "b": {"c": null}}), vec!["c".to_owned()]));
        assert!(read(b"{} x").is_err());
    }

    proptest! {
        #[test]
        fn what_it_accepts_is_what_serde_json_accepts(text in r#"[\[{]{0,2}("[ab]":|[\[{\]}0-9,.eE-]|null|true|"\\u00e9"){0,12}"#) {
            let usual = serde_json::from_str::<Value>(&text).ok();
            let unique = read(text.as_bytes()).ok();
            prop_assert_eq!(usual.is_some(), unique.is_some());
            if let (Some(usual), Some((unique, disputed))) = (usual, unique) && disputed.is_empty() {
                prop_assert_eq!(usual, unique);
            }
        }
    }
}
