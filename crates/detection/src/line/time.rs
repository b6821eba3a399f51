//! Times as logs write them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// RFC 3339, a date and time without a zone (read as UTC, also with a decimal comma), or a number as text.
pub(super) fn of_text(text: &str) -> Option<i64> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.as_millisecond());
    }
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return of_number(text.parse().ok()?);
    }
    let civil: DateTime = text.replace(',', ".").parse().ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, by their size.
#[expect(clippy::cast_possible_truncation, reason = "within the years 1973 to 5138")]
pub(super) fn of_number(number: f64) -> Option<i64> {
    let milliseconds = match number {
        n if (1e8..1e11).contains(&n) => n * 1e3,
        n if (1e11..1e14).contains(&n) => n,
        n if (1e14..1e17).contains(&n) => n / 1e3,
        n if (1e17..1e20).contains(&n) => n / 1e6,
        _ => return None,
    };
    Some(milliseconds.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_moment_in_many_forms() {
        let moment = 1_795_521_600_250;
        for text in [
            "2026-11-24T12:00:00.250Z",
            "2026-11-24T13:00:00.250+01:00",
            "2026-11-24 12:00:00,250",
            "1795521600.250",
            "1795521600250",
            "1795521600250000",
            "1795521600250000000",
        ] {
            assert_eq!(of_text(text), Some(moment), "{text}");
        }
        for text in ["", "yesterday", "12", "2026-13-01T00:00:00Z"] {
            assert_eq!(of_text(text), None, "{text}");
        }
    }
}
