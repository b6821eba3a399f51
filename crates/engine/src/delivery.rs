//! A delivery that is kept to be taken in later: whole, compressed, and without what proved its sender.

use std::io::{Read as _, Write as _};

use firebreak_core::sources::Delivery;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A delivery of an authenticated sender, as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptDelivery {
    /// The registry name of its source.
    pub source: String,
    /// When it reached us, whenever it is taken in.
    pub received_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The headers that are a part of the message, by lower-case name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    pub body: PackedBody,
}

impl KeptDelivery {
    pub fn of(source: &str, delivery: &Delivery<'_>) -> Self {
        Self {
            source: source.to_owned(),
            received_at: delivery.received_at,
            content_type: delivery.content_type.map(str::to_owned),
            headers: delivery.headers.to_vec(),
            body: PackedBody::of(delivery.body),
        }
    }

    /// The delivery that a parser reads; `body` is what [`PackedBody::unpack`] gave.
    pub fn delivery<'a>(&'a self, body: &'a [u8]) -> Delivery<'a> {
        Delivery {
            body,
            content_type: self.content_type.as_deref(),
            headers: &self.headers,
            received_at: self.received_at,
        }
    }
}

/// A body in compressed form; in JSON it is base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PackedBody(Vec<u8>);

/// A kept body that does not unpack: it was damaged where it was kept.
#[derive(Debug, thiserror::Error)]
#[error("the kept body cannot be read: {0}")]
pub struct DamagedBody(String);

/// No body that was accepted unpacks to more; a damaged one may claim to.
const MOST_UNPACKED: u64 = 16 * 1024 * 1024;

impl PackedBody {
    pub fn of(body: &[u8]) -> Self {
        let mut packer = DeflateEncoder::new(Vec::new(), Compression::fast());
        packer
            .write_all(body)
            .and_then(|()| packer.finish())
            .map(Self)
            .expect("writing to memory cannot fail")
    }

    /// From bytes that [`PackedBody::bytes`] gave.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn unpack(&self) -> Result<Vec<u8>, DamagedBody> {
        let mut body = Vec::new();
        let mut unpacker = DeflateDecoder::new(self.0.as_slice()).take(MOST_UNPACKED + 1);
        unpacker.read_to_end(&mut body).map_err(|error| DamagedBody(error.to_string()))?;
        if body.len() as u64 > MOST_UNPACKED {
            return Err(DamagedBody(format!("it unpacks to more than {MOST_UNPACKED} bytes")));
        }
        Ok(body)
    }
}

impl From<PackedBody> for String {
    fn from(body: PackedBody) -> Self {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(body.0)
    }
}

impl TryFrom<String> for PackedBody {
    type Error = base64::DecodeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.decode(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_body_comes_back_as_it_was(body in proptest::collection::vec(any::<u8>(), 0..4096)) {
            let packed = PackedBody::of(&body);
            prop_assert_eq!(packed.unpack().unwrap(), body);
            let text = serde_json::to_string(&packed).unwrap();
            prop_assert_eq!(serde_json::from_str::<PackedBody>(&text).unwrap(), packed);
        }

        #[test]
        fn damage_is_an_error_and_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            drop(PackedBody::from_bytes(bytes).unpack());
        }
    }

    #[test]
    fn a_small_body_cannot_unpack_without_bound() {
        let mut packer = DeflateEncoder::new(Vec::new(), Compression::best());
        packer.write_all(&vec![b'x'; 20 * 1024 * 1024]).unwrap();
        let bomb = PackedBody::from_bytes(packer.finish().unwrap());
        assert!(bomb.bytes().len() < 200_000);
        assert!(bomb.unpack().unwrap_err().to_string().contains("more than"));
    }
}
