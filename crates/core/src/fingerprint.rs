//! The canonical, versioned identity of an alert: which deliveries speak of the same thing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A field that takes part in an identity. Missing, null and empty are three different things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", content = "value", rename_all = "snake_case")]
pub enum Field {
    Missing,
    Null,
    Text(String),
}

impl Field {
    fn tag(&self) -> u8 {
        match self {
            Field::Missing => 0,
            Field::Null => 1,
            Field::Text(_) => 2,
        }
    }

    fn text(&self) -> &str {
        match self {
            Field::Missing | Field::Null => "",
            Field::Text(text) => text,
        }
    }

    /// Whether the field says anything that could tell two alerts apart.
    pub fn is_meaningful(&self) -> bool {
        matches!(self, Field::Text(text) if !text.is_empty())
    }
}

impl From<&str> for Field {
    fn from(text: &str) -> Self {
        Field::Text(text.to_owned())
    }
}

/// The fields that make an identity, by path, in sorted order.
pub type IdentityInputs = BTreeMap<String, Field>;

/// `fp1_` and 32 hexadecimal digits of a SHA-256 over the source and the identity inputs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Every part is written with its length, so no two different inputs share a byte sequence.
    pub fn of(source: &str, inputs: &IdentityInputs) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"fp:v1");
        update(&mut hash, source);
        for (path, field) in inputs {
            update(&mut hash, path);
            hash.update([field.tag()]);
            update(&mut hash, field.text());
        }
        Self(format!("fp1_{}", hex_prefix(hash)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A digest of ordered texts, for contents and plans: equal only when every text is equal.
pub fn digest<'a>(domain: &str, texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    update(&mut hash, domain);
    for text in texts {
        update(&mut hash, text);
    }
    hex_prefix(hash)
}

fn update(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_be_bytes());
    hash.update(text.as_bytes());
}

fn hex_prefix(hash: Sha256) -> String {
    hash.finalize().iter().take(16).fold(String::with_capacity(32), |mut hex, byte| {
        use std::fmt::Write as _;
        write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
        hex
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn inputs(pairs: &[(&str, Field)]) -> IdentityInputs {
        pairs.iter().map(|(path, field)| ((*path).to_owned(), field.clone())).collect()
    }

    #[test]
    fn missing_null_and_empty_differ() {
        let of = |field: Field| Fingerprint::of("s", &inputs(&[("a", field)]));
        let all = [
            of(Field::Missing),
            of(Field::Null),
            of(Field::Text(String::new())),
            of("null".into()),
        ];
        for (i, one) in all.iter().enumerate() {
            for other in all.iter().skip(i + 1) {
                assert_ne!(one, other);
            }
        }
    }

    #[test]
    fn the_first_version_is_frozen() {
        let fingerprint = Fingerprint::of("sumologic", &inputs(&[("monitor_id", "00A".into())]));
        assert_eq!(fingerprint.as_str(), "fp1_289f0e6f0bc550c23a90e9b71b6a386b");
    }

    proptest! {
        #[test]
        fn moving_a_character_between_fields_changes_the_fingerprint(a in "[a-z]{1,8}", b in "[a-z]{1,8}") {
            let one = Fingerprint::of("s", &inputs(&[("x", a.as_str().into()), ("y", b.as_str().into())]));
            let joined = format!("{a}{b}");
            let other = Fingerprint::of("s", &inputs(&[("x", joined.as_str().into()), ("y", "".into())]));
            prop_assert_ne!(one, other);
        }
    }
}
