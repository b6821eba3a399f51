//! `expiry`: an alert whose resolve never comes is over after a while.

use std::fmt;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// How long an alert fires without being heard of again before it counts as over. A source may say otherwise
/// under `sources`. Where the sender itself gives an end, that end holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expiry {
    pub after: Lifetime,
}

/// A time such as `24h`, or `never`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Lifetime {
    Never,
    After(SignedDuration),
}

impl Default for Lifetime {
    fn default() -> Self {
        Lifetime::After(SignedDuration::from_hours(7 * 24))
    }
}

impl Lifetime {
    pub fn limit(self) -> Option<SignedDuration> {
        match self {
            Lifetime::Never => None,
            Lifetime::After(limit) => Some(limit),
        }
    }
}

/// Shorter, and a sender's own repeat would come too late.
const SHORTEST: SignedDuration = SignedDuration::from_mins(1);

impl TryFrom<String> for Lifetime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "never" {
            return Ok(Lifetime::Never);
        }
        let limit: SignedDuration = text.parse().map_err(|error| {
            format!("`{text}` is neither `never` nor a time such as `24h`: {error}")
        })?;
        if limit < SHORTEST {
            return Err(format!("`{text}` is too short: a minute is the least"));
        }
        Ok(Lifetime::After(limit))
    }
}

impl From<Lifetime> for String {
    fn from(lifetime: Lifetime) -> String {
        lifetime.to_string()
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lifetime::Never => f.write_str("never"),
            Lifetime::After(limit) => write!(f, "{limit:#}"),
        }
    }
}
