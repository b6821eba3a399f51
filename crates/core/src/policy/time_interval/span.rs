//! Ranges of the calendar as they are written: `monday:friday`, `-3:-1`, `may`, `2026:2028`, `09:00` to `17:00`.

use std::fmt;
use std::marker::PhantomData;

use jiff::Zoned;
use jiff::civil::Time;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a range counts in.
pub trait Unit {
    /// An example, for the message about what is not one.
    const FORM: &'static str;

    /// The number of a word.
    fn number(word: &str) -> Option<i32>;

    /// The word that stands for a number.
    fn word(number: i32) -> String {
        number.to_string()
    }

    /// Whether the range can ever hold.
    fn check(first: i32, last: i32) -> Result<(), String> {
        if first > last { Err("its end is before its beginning".to_owned()) } else { Ok(()) }
    }
}

/// Sunday is the first day of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weekdays;
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthDays;
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Months;
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Years;

const WEEKDAYS: [&str; 7] =
    ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

fn position(names: &[&str], word: &str) -> Option<i32> {
    let found = names.iter().position(|name| name.eq_ignore_ascii_case(word))?;
    i32::try_from(found).ok()
}

fn name(names: &[&'static str], number: i32) -> String {
    let name = usize::try_from(number).ok().and_then(|index| names.get(index));
    name.copied().unwrap_or_default().to_owned()
}

impl Unit for Weekdays {
    const FORM: &'static str = "weekdays such as `saturday` or `monday:friday`";

    fn number(word: &str) -> Option<i32> {
        position(&WEEKDAYS, word)
    }

    fn word(number: i32) -> String {
        name(&WEEKDAYS, number)
    }
}

impl Unit for Months {
    const FORM: &'static str = "months such as `december`, `5:8` or `may:august`";

    fn number(word: &str) -> Option<i32> {
        let by_number = || word.parse().ok().filter(|month| (1..=12).contains(month));
        position(&MONTHS, word).map(|index| index + 1).or_else(by_number)
    }

    fn word(number: i32) -> String {
        name(&MONTHS, number - 1)
    }
}

impl Unit for Years {
    const FORM: &'static str = "years such as `2026` or `2026:2028`";

    fn number(word: &str) -> Option<i32> {
        word.parse().ok().filter(|year| (0..=9999).contains(year))
    }
}

/// Negative days are seen in the longest month here; a shorter one is met when the time comes.
const LONGEST_MONTH: i32 = 31;

impl Unit for MonthDays {
    const FORM: &'static str = "days such as `15`, `1:7` or `-3:-1` (from the end of the month)";

    fn number(word: &str) -> Option<i32> {
        word.parse().ok().filter(|day: &i32| (1..=LONGEST_MONTH).contains(&day.abs()))
    }

    fn check(first: i32, last: i32) -> Result<(), String> {
        if first < 0 && last > 0 {
            return Err("its end must be negative as its beginning is".to_owned());
        }
        if day_of(first, LONGEST_MONTH) > day_of(last, LONGEST_MONTH) {
            return Err("its end is always before its beginning".to_owned());
        }
        Ok(())
    }
}

fn day_of(day: i32, days_in_month: i32) -> i32 {
    if day < 0 { days_in_month + day + 1 } else { day }
}

/// A range with both ends; one value alone is a range of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span<U> {
    first: i32,
    last: i32,
    unit: PhantomData<U>,
}

impl<U> Span<U> {
    pub fn contains(&self, number: i32) -> bool {
        (self.first..=self.last).contains(&number)
    }
}

impl Span<MonthDays> {
    /// Days that the month does not have are cut off; a range that begins after its end does not hold.
    pub fn contains_day(&self, at: &Zoned) -> bool {
        let days = i32::from(at.days_in_month());
        let (first, last) = (day_of(self.first, days), day_of(self.last, days));
        first <= days && (first..=last.min(days)).contains(&i32::from(at.day()))
    }
}

fn read<U: Unit>(text: &str) -> Result<Span<U>, String> {
    let number = |word: &str| {
        U::number(word.trim()).ok_or_else(|| format!("`{text}` is not right: use {}", U::FORM))
    };
    let (first, last) = match text.split_once(':') {
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(text)?, number(text)?),
    };
    U::check(first, last).map_err(|problem| format!("`{text}`: {problem}"))?;
    Ok(Span { first, last, unit: PhantomData })
}

impl<U: Unit> Serialize for Span<U> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.first == self.last {
            return serializer.serialize_str(&U::word(self.first));
        }
        serializer.collect_str(&format_args!("{}:{}", U::word(self.first), U::word(self.last)))
    }
}

impl<'de, U: Unit> Deserialize<'de> for Span<U> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SpanVisitor(PhantomData))
    }
}

/// YAML reads `15` as a number and `1:7` as a text.
struct SpanVisitor<U>(PhantomData<U>);

impl<U: Unit> Visitor<'_> for SpanVisitor<U> {
    type Value = Span<U>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(U::FORM)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Span<U>, E> {
        read(text).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Span<U>, E> {
        read(&number.to_string()).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Span<U>, E> {
        read(&number.to_string()).map_err(E::custom)
    }
}

/// A stretch of the day by the clock on the wall: from `start_time` up to, without, `end_time`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct TimeRange {
    /// Minutes since midnight.
    first: u16,
    /// The first minute that is not in it; 1440 is the end of the day.
    end: u16,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    start_time: String,
    end_time: String,
}

const DAY: u16 = 24 * 60;

impl TimeRange {
    pub fn contains(&self, at: &Zoned) -> bool {
        (self.first..self.end).contains(&minute_of(at.time()))
    }

    /// Its ends as times of one day; the end of the day is none.
    pub(super) fn edges(&self) -> impl Iterator<Item = Time> + use<> {
        [self.first, self.end].into_iter().filter_map(|minute| {
            let (hour, minute) = (i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?);
            Time::new(hour, minute, 0, 0).ok()
        })
    }
}

fn minute_of(time: Time) -> u16 {
    u16::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).unwrap_or_default()
}

fn minutes(text: &str) -> Result<u16, String> {
    let part = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u16>().ok()).flatten()
    };
    let read = text.split_once(':').and_then(|(hour, minute)| Some((part(hour)?, part(minute)?)));
    match read {
        Some((hour, minute)) if minute < 60 && hour * 60 + minute <= DAY => Ok(hour * 60 + minute),
        _ => Err(format!("`{text}` is not a time of the day; use `00:00` to `24:00`")),
    }
}

impl TryFrom<Written> for TimeRange {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let range = Self { first: minutes(&written.start_time)?, end: minutes(&written.end_time)? };
        if range.first >= range.end {
            return Err(format!(
                "`{}` is not before `{}`; a range across midnight is two: one to `24:00`, one from `00:00`",
                written.start_time, written.end_time
            ));
        }
        Ok(range)
    }
}

impl From<TimeRange> for Written {
    fn from(range: TimeRange) -> Self {
        let text = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        Self { start_time: text(range.first), end_time: text(range.end) }
    }
}
