//! Replay: how far a proof's time may be from ours, and what makes a delivery known when it comes again.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::Denied;

/// A signed time may be this far from the clock here, in either direction.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// One delivery, to be remembered once it was taken in.
///
/// It holds the body: a sender that uses an id twice for two messages loses none of them, and a replay, which can
/// change nothing that is signed, is always the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Nonce {
    /// 64 hexadecimal digits.
    pub key: String,
    /// From then on a repeat is refused for its age.
    pub until: Timestamp,
}

impl Nonce {
    /// `parts` are what the proof covers apart from the body.
    pub(super) fn of(source: &str, parts: &[&str], body: &[u8], until: Timestamp) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"nonce:v1");
        for part in std::iter::once(&source).chain(parts).map(|part| part.as_bytes()).chain([body])
        {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self { key: hex(&hash.finalize()), until }
    }
}

/// Until when a proof of this time is good; an error when it no longer is, or not yet.
pub(super) fn window(stamped: Timestamp, now: Timestamp) -> Result<Timestamp, Denied> {
    if now.duration_since(stamped).abs() > TOLERANCE {
        return Err(Denied::Stale);
    }
    // A moment more than the window, so that nothing is forgotten while it would still pass.
    stamped.checked_add(TOLERANCE + SignedDuration::from_secs(1)).map_err(|_| Denied::Stale)
}

/// Seconds since 1970 in plain digits.
pub(super) fn seconds(text: &str) -> Result<Timestamp, Denied> {
    let plain =
        !text.is_empty() && text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = if plain { text.parse().ok() } else { None };
    seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()).ok_or(Denied::Malformed)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_five_minutes_both_ways() {
        let now = Timestamp::from_second(1_795_224_030).unwrap();
        for (seconds, fits) in [(0, true), (300, true), (-300, true), (301, false), (-301, false)] {
            let stamped = now + SignedDuration::from_secs(seconds);
            let until = window(stamped, now);
            assert_eq!(until.is_ok(), fits, "{seconds}");
            if let Ok(until) = until {
                // Whenever it is forgotten, it is too old.
                assert_eq!(window(stamped, until), Err(Denied::Stale));
            }
        }
        assert_eq!(window(Timestamp::MAX, now), Err(Denied::Stale));
        assert_eq!(window(Timestamp::MIN, now), Err(Denied::Stale));
        assert_eq!(window(Timestamp::MAX, Timestamp::MAX), Err(Denied::Stale));
    }

    #[test]
    fn times_are_plain_digits() {
        assert_eq!(seconds("1795224030"), Ok(Timestamp::from_second(1_795_224_030).unwrap()));
        for bad in
            ["", "+1795224030", "-1", " 1795224030", "1795224030.0", "1e9", "9999999999999", "١٢"]
        {
            assert_eq!(seconds(bad), Err(Denied::Malformed), "{bad}");
        }
    }

    #[test]
    fn no_two_deliveries_share_a_nonce() {
        let of = |source, parts: &[&str], body: &[u8]| {
            Nonce::of(source, parts, body, Timestamp::UNIX_EPOCH).key
        };
        let all = [
            of("a", &["b"], b"c"),
            of("a", &["bc"], b""),
            of("a", &[], b"bc"),
            of("ab", &[], b"c"),
            of("a", &["b", ""], b"c"),
        ];
        for (at, one) in all.iter().enumerate() {
            assert_eq!(one.len(), 64);
            assert!(!all[at + 1..].contains(one));
        }
        assert_eq!(of("a", &["b"], b"c"), all[0]);
    }
}
