//! Proof of the sender: what a request must show before its body is looked at.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// A secret shorter than this can be guessed.
const MINIMUM_LENGTH: usize = 16;

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
        "{count} secrets are given; give the current one, and while it is changed the previous one too"
    )]
    Count { count: usize },
}

impl Secret {
    pub fn new(text: String) -> Result<Self, UnfitSecret> {
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(UnfitSecret::Unprintable);
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

    /// Compares hashes, so that neither content nor length shows in the time that it takes.
    fn matches(&self, candidate: &[u8]) -> Choice {
        Sha256::digest(&self.0).as_slice().ct_eq(Sha256::digest(candidate).as_slice())
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
    fn accept(&self, candidate: &[u8]) -> bool {
        let current = self.current.matches(candidate);
        let previous = self.previous.as_ref().unwrap_or(&self.current).matches(candidate);
        (current | previous).into()
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

/// A way of proving who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `Authorization: Bearer <secret>`.
    Bearer,
    /// `Authorization: Basic <base64 of user:secret, or of the secret alone>`; the user may be anything.
    Basic,
}

/// What every sender can do.
pub const SHARED_TOKEN: &[Scheme] = &[Scheme::Bearer, Scheme::Basic];

/// Why a request is not let in. Callers count it and answer the same 401 to each, so that a guess learns nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("no proof was sent")]
    Missing,
    #[error("the proof is not in a form that this source takes")]
    Malformed,
    #[error("the proof is wrong")]
    Wrong,
}

impl Denied {
    /// The label of the counter.
    pub fn as_str(self) -> &'static str {
        match self {
            Denied::Missing => "missing",
            Denied::Malformed => "malformed",
            Denied::Wrong => "wrong",
        }
    }
}

/// A request as far as a proof may look at it.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Finds a header by its lower-case name.
    pub header: &'a dyn Fn(&str) -> Option<&'a str>,
    /// The bytes as they came, before anything is decoded: what a signature is made over.
    pub body: &'a [u8],
}

/// Lets the request in if any of the schemes accepts it; else the reason that came closest.
pub fn verify(schemes: &[Scheme], request: &Request<'_>, secrets: &Secrets) -> Result<(), Denied> {
    let mut reason = Denied::Missing;
    for scheme in schemes {
        match (scheme.check(request, secrets), reason) {
            (Ok(()), _) => return Ok(()),
            (Err(Denied::Wrong), _) => reason = Denied::Wrong,
            (Err(Denied::Malformed), Denied::Missing) => reason = Denied::Malformed,
            (Err(Denied::Malformed | Denied::Missing), _) => {}
        }
    }
    Err(reason)
}

impl Scheme {
    fn check(self, request: &Request<'_>, secrets: &Secrets) -> Result<(), Denied> {
        let authorization = (request.header)("authorization").ok_or(Denied::Missing)?;
        let (word, credentials) = authorization.trim().split_once(' ').ok_or(Denied::Malformed)?;
        let credentials = credentials.trim();
        match self {
            Scheme::Bearer if word.eq_ignore_ascii_case("bearer") => {
                accept(secrets, credentials.as_bytes())
            }
            Scheme::Basic if word.eq_ignore_ascii_case("basic") => {
                let decoded = STANDARD.decode(credentials).map_err(|_| Denied::Malformed)?;
                let colon = decoded.iter().position(|byte| *byte == b':');
                accept(secrets, colon.and_then(|at| decoded.get(at + 1..)).unwrap_or(&decoded))
            }
            Scheme::Bearer | Scheme::Basic => Err(Denied::Malformed),
        }
    }
}

fn accept(secrets: &Secrets, candidate: &[u8]) -> Result<(), Denied> {
    if candidate.is_empty() {
        return Err(Denied::Malformed);
    }
    if secrets.accept(candidate) { Ok(()) } else { Err(Denied::Wrong) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CURRENT: &str = "a-current-secret-0123";
    const PREVIOUS: &str = "the-previous-secret-9";

    fn secrets(list: &[&str]) -> Secrets {
        serde_json::from_value(serde_json::json!(list)).unwrap()
    }

    fn check(authorization: Option<&str>, secrets: &Secrets) -> Result<(), Denied> {
        let header = |name: &str| authorization.filter(|_| name == "authorization");
        verify(SHARED_TOKEN, &Request { header: &header, body: b"{}" }, secrets)
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn both_live_secrets_open_in_both_forms() {
        let both = secrets(&[CURRENT, PREVIOUS]);
        for secret in [CURRENT, PREVIOUS] {
            for good in [
                format!("Bearer {secret}"),
                format!("bearer  {secret} "),
                basic(secret),
                basic(&format!(":{secret}")),
                basic(&format!("sumo:{secret}")),
            ] {
                assert_eq!(check(Some(&good), &both), Ok(()), "{good}");
            }
        }
    }

    #[test]
    fn a_replaced_secret_no_longer_opens() {
        let one = secrets(&[CURRENT]);
        assert_eq!(check(Some(&format!("Bearer {CURRENT}")), &one), Ok(()));
        assert_eq!(check(Some(&format!("Bearer {PREVIOUS}")), &one), Err(Denied::Wrong));
        assert_eq!(check(Some(&basic(&format!("{CURRENT}:{PREVIOUS}"))), &one), Err(Denied::Wrong));
    }

    #[test]
    fn each_refusal_has_its_reason() {
        let one = secrets(&[CURRENT]);
        assert_eq!(check(None, &one), Err(Denied::Missing));
        assert_eq!(
            verify(&[], &Request { header: &|_| None, body: b"" }, &one),
            Err(Denied::Missing)
        );
        for malformed in
            ["", "Bearer", "Bearer ", CURRENT, "Digest abc", "Basic !!!", "Basic ", "Basic Og=="]
        {
            assert_eq!(check(Some(malformed), &one), Err(Denied::Malformed), "{malformed}");
        }
        let almost = CURRENT.get(1..).unwrap();
        for wrong in [
            format!("Bearer {almost}"),
            format!("Bearer {CURRENT}, Bearer {CURRENT}"),
            basic("a:b"),
        ] {
            assert_eq!(check(Some(&wrong), &one), Err(Denied::Wrong), "{wrong}");
        }
    }

    #[test]
    fn one_scheme_alone_refuses_the_other() {
        let header = format!("Bearer {CURRENT}");
        let lookup = |_: &str| Some(header.as_str());
        let request = Request { header: &lookup, body: b"" };
        assert_eq!(
            verify(&[Scheme::Basic], &request, &secrets(&[CURRENT])),
            Err(Denied::Malformed)
        );
    }

    #[test]
    fn unfit_secrets_are_refused_without_showing_them() {
        let refuse = |text: &str| Secret::new(text.to_owned()).err();
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
    fn debug_shows_nothing() {
        let shown = format!("{:?}", secrets(&[CURRENT, PREVIOUS]));
        assert_eq!(shown, "Secrets { current: ***, previous: Some(***) }");
    }

    proptest! {
        #[test]
        fn only_the_secret_itself_opens(header in ".{0,60}") {
            prop_assume!(!header.contains(CURRENT));
            prop_assert!(check(Some(&header), &secrets(&[CURRENT])).is_err());
        }
    }
}
