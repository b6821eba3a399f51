//! Reading moments in the forms that senders write them in; what is no certain moment is not guessed.

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::Value;

use super::fields::{is_absent, text};

/// What a time field says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    At(Timestamp),
    /// Not there, or one of the zero times.
    Absent,
    /// Something is there, but it is no moment: above all a local time, whose zone is not guessed.
    Unreadable,
}

/// Digits of a number of seconds, milliseconds, microseconds and nanoseconds since 1970, and what one of each is in nanoseconds.
///
/// From 1973 on the four cannot be mistaken for each other.
const UNITS: [(std::ops::RangeInclusive<usize>, i128); 4] =
    [(9..=11, 1_000_000_000), (12..=14, 1_000_000), (15..=17, 1_000), (18..=20, 1)];

/// Reads RFC 3339 (also with an offset like `+0000`), RFC 2822 with a numeric offset or GMT, and epoch numbers of any unit.
pub(super) fn time(value: Option<&Value>) -> Time {
    let Some(value) = value else { return Time::Absent };
    let Some(text) = text(value) else {
        return if value.is_null() { Time::Absent } else { Time::Unreadable };
    };
    let text = text.trim();
    if is_absent(text) {
        return Time::Absent;
    }
    let at = if text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        if text.trim_matches(['0', '.']).is_empty() {
            return Time::Absent;
        }
        epoch(text)
    } else {
        written(text)
    };
    match at {
        Some(at) if at <= Timestamp::UNIX_EPOCH => Time::Absent,
        Some(at) => Time::At(at),
        None => Time::Unreadable,
    }
}

fn epoch(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let (_, unit) = UNITS.iter().find(|(digits, _)| digits.contains(&whole.len()))?;
    let fraction = fraction.get(..fraction.len().min(9))?;
    let below: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let nanoseconds = whole.parse::<i128>().ok()? * unit + below * unit / scale;
    Timestamp::from_nanosecond(nanoseconds).ok()
}

fn written(text: &str) -> Option<Timestamp> {
    // The only zones with a name that means one offset everywhere.
    let universal = [" UTC", " GMT", " Z"].iter().find_map(|zone| text.strip_suffix(zone));
    if let Some(at) = universal.and_then(|local| format!("{}Z", local.trim()).parse().ok()) {
        return Some(at);
    }
    if let Some((local, offset)) = text.rsplit_once(' ')
        && offset.starts_with(['+', '-'])
        && let Ok(at) = format!("{}{offset}", local.trim()).parse()
    {
        return Some(at);
    }
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let zone = text.rsplit(' ').next()?;
    let is_certain = zone.starts_with(['+', '-']) || matches!(zone, "GMT" | "UT" | "UTC" | "Z");
    let text = text.strip_suffix(" UTC").map_or(text.to_owned(), |local| format!("{local} GMT"));
    is_certain.then(|| rfc2822::DateTimeParser::new().parse_timestamp(text.as_str()).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(value: &Value, expected: Time) {
        assert_eq!(time(Some(value)), expected, "{value}");
    }

    fn at(text: &str) -> Time {
        Time::At(text.parse().unwrap())
    }

    #[test]
    fn moments_are_read_in_every_usual_form() {
        for (written, expected) in [
            ("2026-03-01T10:00:00.123456789Z", "2026-03-01T10:00:00.123456789Z"),
            ("2026-03-01T10:00:00+02:00", "2026-03-01T08:00:00Z"),
            ("2026-03-01T10:00:00.000+0000", "2026-03-01T10:00:00Z"),
            ("2026-03-01 10:00:00+00:00", "2026-03-01T10:00:00Z"),
            ("2026-03-01 10:00:00 +0100", "2026-03-01T09:00:00Z"),
            ("2026-03-01 10:00:00 UTC", "2026-03-01T10:00:00Z"),
            ("Sun, 01 Mar 2026 10:00:00 GMT", "2026-03-01T10:00:00Z"),
            ("Sun, 01 Mar 2026 10:00:00 UTC", "2026-03-01T10:00:00Z"),
            ("Sun, 1 Mar 2026 10:00:00 -0500", "2026-03-01T15:00:00Z"),
            ("1772359200000", "2026-03-01T10:00:00Z"),
            ("1772359200", "2026-03-01T10:00:00Z"),
            ("1772359200.25", "2026-03-01T10:00:00.25Z"),
            ("1772359200000000", "2026-03-01T10:00:00Z"),
            ("1772359200000000001", "2026-03-01T10:00:00.000000001Z"),
        ] {
            check(&json!(written), at(expected));
        }
        check(&json!(1_772_359_200_000_i64), at("2026-03-01T10:00:00Z"));
        check(&json!(1_772_359_200.5), at("2026-03-01T10:00:00.5Z"));
        check(&json!(1_420_452_374_669_001_603_i64), at("2015-01-05T10:06:14.669001603Z"));
    }

    #[test]
    fn zero_times_and_words_for_nothing_are_absent() {
        for nothing in [
            json!("0001-01-01T00:00:00Z"),
            json!("1970-01-01T00:00:00Z"),
            json!("0"),
            json!(0),
            json!(0.0),
            json!(""),
            json!("N/A"),
            json!("$DATE"),
            json!(null),
        ] {
            check(&nothing, Time::Absent);
        }
        assert_eq!(time(None), Time::Absent);
    }

    #[test]
    fn what_is_no_certain_moment_is_not_guessed() {
        for unreadable in [
            json!("17723592"),
            json!(-5),
            json!("999999999999999999999"),
            json!("05/01/2024 02:08:46 PM CDT"),
            json!("2022-03-12 16:03:00 AEDT"),
            json!("Sun, 01 Mar 2026 10:00:00 EST"),
            json!("2022-03-12T16:03:00"),
            json!("2022-03-12"),
            json!("1.2.3"),
            json!([1]),
            json!(true),
        ] {
            check(&unreadable, Time::Unreadable);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_panic(text in ".{0,40}") {
            time(Some(&json!(text)));
        }

        #[test]
        fn a_moment_is_the_same_in_every_unit(seconds in 1_000_000_000_i64..4_000_000_000) {
            let expected = Time::At(Timestamp::from_second(seconds).unwrap());
            for zeros in [0, 3, 6, 9] {
                let text = format!("{seconds}{}", "0".repeat(zeros));
                prop_assert_eq!(time(Some(&json!(text))), expected);
            }
        }
    }
}
