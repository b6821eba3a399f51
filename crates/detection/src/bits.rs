//! Floating numbers in the saved state, bit by bit, so that what is restored is what was saved.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number that is written as its bits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Exact(pub(crate) f64);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0.to_bits())
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(f64::from_bits(u64::deserialize(deserializer)?)))
    }
}
