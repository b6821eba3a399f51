//! Shared secrets: what they may be made of, two of them live at once, compared so that nothing shows.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// A secret shorter than this can be guessed.
const MINIMUM_LENGTH: usize = 16;

/// Announces the base64 of a key by Standard Webhooks.
const ENCODED: &str = "whsec_";

/// Announces a public key by Standard Webhooks, which is no secret at all.
const PUBLIC: &str = "whpk_";

/// A shared secret; it cannot be printed.
#[derive(Clone)]
pub struct Secret(String);

/// Why a secret is not fit for use; never says what it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnfitSecret {
    #[error(
        "the secret has {length} characters, at least {MINIMUM_LENGTH} are needed; make one with `openssl rand -hex 24`"
    )]
    TooShort { length: usize },
    #[error(
        "the secret holds a space, a line break or a control character; was it copied with its line end?"
    )]
    Unprintable,
    #[error(
        "the secret begins with `{ENCODED}` and is not the base64 of 24 to 64 bytes; \
         make one with `echo {ENCODED}$(openssl rand -base64 32)`"
    )]
    NotAKey,
    #[error("the key begins with `{PUBLIC}` and is not the base64 of 32 bytes")]
    NotAPublicKey,
    #[error(
        "{count} secrets are given; give the current one, and while it is changed the previous one too"
    )]
    Count { count: usize },
}

impl Secret {
    pub fn new(text: String) -> Result<Self, UnfitSecret> {
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(UnfitSecret::Unprintable);
        }
        if let Some(key) = text.strip_prefix(ENCODED) {
            return match STANDARD.decode(key) {
                Ok(key) if (24..=64).contains(&key.len()) => Ok(Self(text)),
                _ => Err(UnfitSecret::NotAKey),
            };
        }
        if let Some(key) = text.strip_prefix(PUBLIC) {
            return match STANDARD.decode(key) {
                Ok(key) if key.len() == 32 => Ok(Self(text)),
                _ => Err(UnfitSecret::NotAPublicKey),
            };
        }
        match text.chars().count() {
            length if length < MINIMUM_LENGTH => Err(UnfitSecret::TooShort { length }),
            _ => Ok(Self(text)),
        }
    }

    /// For the one place that must send or store it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The key of a signature over the text as it is written; none for a public key.
    pub(super) fn key(&self) -> Option<&[u8]> {
        (!self.0.starts_with(PUBLIC)).then_some(self.0.as_bytes())
    }

    /// The key by Standard Webhooks: what `whsec_` announces, else the text as it is written.
    pub(super) fn decoded_key(&self) -> Option<Vec<u8>> {
        match self.0.strip_prefix(ENCODED) {
            Some(encoded) => STANDARD.decode(encoded).ok(),
            None => self.key().map(<[u8]>::to_vec),
        }
    }

    /// The public key that `whpk_` announces.
    pub(super) fn public_key(&self) -> Option<Vec<u8>> {
        STANDARD.decode(self.0.strip_prefix(PUBLIC)?).ok()
    }

    /// Compares hashes, so that neither content nor length shows in the time that it takes.
    /// A public key is known to others and matches nothing.
    fn matches(&self, candidate: &[u8]) -> Choice {
        let alike = Sha256::digest(&self.0).as_slice().ct_eq(Sha256::digest(candidate).as_slice());
        alike & Choice::from(u8::from(self.key().is_some()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The secrets that are valid now: two while one is being replaced by the other.
///
/// Reads from JSON: `["current", "previous"]`, or one text.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Written")]
pub struct Secrets {
    pub current: Secret,
    pub previous: Option<Secret>,
}

impl Secrets {
    /// Always compares with both, so that the time does not tell which one it was.
    pub(super) fn accept(&self, candidate: &[u8]) -> bool {
        let current = self.current.matches(candidate);
        let previous = self.previous.as_ref().unwrap_or(&self.current).matches(candidate);
        (current | previous).into()
    }

    pub(super) fn live(&self) -> impl Iterator<Item = &Secret> {
        std::iter::once(&self.current).chain(self.previous.as_ref())
    }
}

impl From<Secret> for Secrets {
    fn from(current: Secret) -> Self {
        Self { current, previous: None }
    }
}

/// How secrets stand in JSON. Untagged, because the error of that does not repeat what it found.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    One(String),
    List(Vec<String>),
}

impl TryFrom<Written> for Secrets {
    type Error = UnfitSecret;

    fn try_from(written: Written) -> Result<Self, UnfitSecret> {
        let list = match written {
            Written::One(one) => vec![one],
            Written::List(list) => list,
        };
        let count = list.len();
        let mut secrets = list.into_iter().map(Secret::new);
        match (secrets.next().transpose()?, secrets.next().transpose()?, secrets.next()) {
            (Some(current), previous, None) => Ok(Self { current, previous }),
            _ => Err(UnfitSecret::Count { count }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURRENT: &str = "a-current-secret-0123";

    fn refuse(text: &str) -> Option<UnfitSecret> {
        Secret::new(text.to_owned()).err()
    }

    #[test]
    fn unfit_secrets_are_refused_without_showing_them() {
        assert_eq!(refuse("fifteen-letters"), Some(UnfitSecret::TooShort { length: 15 }));
        assert_eq!(refuse("sixteen--letters"), None);
        assert_eq!(refuse("a-current-secret-0123\n"), Some(UnfitSecret::Unprintable));
        for list in [vec![], vec![CURRENT; 3]] {
            let error =
                serde_json::from_value::<Secrets>(serde_json::json!(list)).unwrap_err().to_string();
            assert!(error.contains("secrets are given") && !error.contains(CURRENT), "{error}");
        }
        for (json, says) in [
            (r#"["hunter2"]"#, "at least 16"),
            (r#""hunter2""#, "at least 16"),
            ("[7777777]", "match"),
        ] {
            let error = serde_json::from_str::<Secrets>(json).unwrap_err().to_string();
            assert!(
                error.contains(says) && !error.contains("hunter2") && !error.contains("777"),
                "{error}"
            );
        }
    }

    #[test]
    fn an_announced_key_must_be_one() {
        let key =
            |prefix: &str, length: usize| format!("{prefix}{}", STANDARD.encode(vec![7; length]));
        assert_eq!(refuse(&key(ENCODED, 24)), None);
        assert_eq!(refuse(&key(ENCODED, 64)), None);
        for bad in
            [key(ENCODED, 23), key(ENCODED, 65), format!("{ENCODED}a-long-text-that-is-no-base64")]
        {
            assert_eq!(refuse(&bad), Some(UnfitSecret::NotAKey), "{bad}");
        }
        assert_eq!(refuse(&key(PUBLIC, 32)), None);
        assert_eq!(refuse(&key(PUBLIC, 31)), Some(UnfitSecret::NotAPublicKey));
    }

    #[test]
    fn a_public_key_never_passes_for_a_secret() {
        let text = format!("{PUBLIC}{}", STANDARD.encode([9; 32]));
        let secrets = Secrets::from(Secret::new(text.clone()).unwrap());
        assert!(!secrets.accept(text.as_bytes()));
        assert!(secrets.current.key().is_none() && secrets.current.decoded_key().is_none());
        assert_eq!(secrets.current.public_key(), Some(vec![9; 32]));
    }

    #[test]
    fn debug_shows_nothing() {
        let secrets: Secrets =
            serde_json::from_str(r#"["a-current-secret-0123", "the-previous-secret-9"]"#).unwrap();
        assert_eq!(format!("{secrets:?}"), "Secrets { current: ***, previous: Some(***) }");
    }
}
