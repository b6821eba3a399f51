//! The hash of an event: SHA-256 over its canonical JSON, which anybody can compute again from an export.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::incident::Recorded;

/// Another form of the hash gets another domain and another prefix.
const DOMAIN: &[u8] = b"firebreak:event:1\n";
const PREFIX: &str = "ev1_";

/// Why a text is no hash of an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no hash of an event: it is `ev1_` and 64 hexadecimal digits")]
pub struct InvalidHash(String);

/// `ev1_` and a SHA-256 over an event in its place: incident, number, time, hash of the event before, and content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventHash([u8; 32]);

impl EventHash {
    /// Of an event as a line of an export writes it. Every key of the line counts; order and white space do not.
    pub fn of(line: &Value) -> Self {
        Self(digest_of(DOMAIN, line))
    }
}

impl Recorded {
    /// What the next event of the incident carries.
    pub fn hash(&self) -> EventHash {
        let line = serde_json::to_value(self).expect("records have text keys and finite numbers");
        if has_fraction(&line) {
            // As a reader of the text sees the number, whose last digit may differ.
            let read = serde_json::from_str(&line.to_string());
            return EventHash::of(&read.expect("what was just written is JSON"));
        }
        EventHash::of(&line)
    }
}

/// SHA-256 over a domain and a value in canonical form.
pub(super) fn digest_of(domain: &[u8], value: &Value) -> [u8; 32] {
    let mut text = Vec::with_capacity(2048);
    text.extend_from_slice(domain);
    canonical(value, &mut text);
    Sha256::digest(&text).into()
}

/// Keys in order of their bytes, no white space, strings escaped only where JSON demands it.
fn canonical(value: &Value, text: &mut Vec<u8>) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            text.push(b'{');
            for (index, (key, value)) in members.into_iter().enumerate() {
                if index > 0 {
                    text.push(b',');
                }
                plain(key, text);
                text.push(b':');
                canonical(value, text);
            }
            text.push(b'}');
        }
        Value::Array(items) => {
            text.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(b',');
                }
                canonical(item, text);
            }
            text.push(b']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => plain(value, text),
    }
}

fn plain(value: &(impl Serialize + ?Sized), text: &mut Vec<u8>) {
    serde_json::to_writer(text, value).expect("writing to memory cannot fail");
}

fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Object(members) => members.values().any(has_fraction),
        Value::Array(items) => items.iter().any(has_fraction),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

impl TryFrom<String> for EventHash {
    type Error = InvalidHash;

    fn try_from(text: String) -> Result<Self, InvalidHash> {
        let digits = text.strip_prefix(PREFIX).map(str::as_bytes).unwrap_or_default();
        let mut hash = [0; 32];
        if digits.len() != 64 {
            return Err(InvalidHash(text));
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            for digit in pair {
                let Some(value) = nibble(*digit) else { return Err(InvalidHash(text)) };
                *byte = (*byte << 4) | value;
            }
        }
        Ok(Self(hash))
    }
}

/// Lower case only: one hash has one text.
fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl From<EventHash> for String {
    fn from(hash: EventHash) -> Self {
        hash.to_string()
    }
}

impl std::fmt::Display for EventHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::evidence::Observation;
    use crate::examples::at;
    use crate::ids::IncidentId;
    use crate::incident::Event;
    use crate::target::Target;

    fn noted(text: &str, prev: Option<EventHash>) -> Recorded {
        let incident = IncidentId::try_from("inc_01J".to_owned()).unwrap();
        let event = Event::Noted { by: "ada".to_owned(), text: text.to_owned() };
        Recorded { incident, seq: 2, at: at(0), event, prev }
    }

    #[test]
    fn the_first_version_is_frozen() {
        let first = noted("größer \"now\"\n", None).hash();
        assert_eq!(
            first.to_string(),
            "ev1_74dabb7f33b02468d961d59296f1c1f2e27e42dbaab3c85b088420c1311ed0ce"
        );
        assert_eq!(
            noted("", Some(first)).hash().to_string(),
            "ev1_a1dda3460b81fe0c5b7a8282bffef099385520f6fa38da84b81e4c4b6c80a574"
        );
    }

    #[test]
    fn the_order_of_keys_and_white_space_do_not_count() {
        let one: Value = serde_json::from_str(r#"{"a":1,"b":{"d":[1,2],"c":null}}"#).unwrap();
        let other: Value =
            serde_json::from_str("{ \"b\": {\"c\": null, \"d\": [1, 2]}, \"a\": 1 }").unwrap();
        assert_eq!(EventHash::of(&one), EventHash::of(&other));
        assert_ne!(EventHash::of(&one), EventHash::of(&json!({"a": 1})));
    }

    #[test]
    fn a_hash_is_read_back_and_nothing_else_is() {
        let hash = noted("a", None).hash();
        assert_eq!(EventHash::try_from(hash.to_string()), Ok(hash));
        let text = hash.to_string();
        for bad in ["", "ev1_", text.get(..67).unwrap(), &text.to_uppercase(), &format!("{text}0")]
        {
            assert!(EventHash::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    proptest! {
        /// A number that is read is not always the number that was written, to its last digit.
        #[test]
        fn an_event_hashes_as_its_text_does(number in any::<f64>(), text in ".*") {
            prop_assume!(number.is_finite());
            let seen = Observation {
                target: Target { kind: "ec2.instance".to_owned(), id: text },
                identity: None,
                tags: std::collections::BTreeMap::new(),
                group: None,
                seen_at: at(0),
                circumstances: crate::evidence::Circumstances::default(),
                captured: json!({"n": [number]}),
            };
            let event = Event::Observed { run: 1, observations: vec![seen] };
            let recorded = Recorded { event, ..noted("", None) };
            let line = serde_json::from_str(&serde_json::to_string(&recorded).unwrap()).unwrap();
            prop_assert_eq!(recorded.hash(), EventHash::of(&line));
        }
    }
}
