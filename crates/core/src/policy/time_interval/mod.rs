//! `time_intervals`: named stretches of the calendar with Alertmanager's keys and semantics.

mod span;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

pub use span::{MonthDays, Months, Span, TimeRange, Unit, Weekdays, Years};

use super::Problem;

/// The intervals that other sections name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimeIntervals(pub Vec<NamedInterval>);

impl TimeIntervals {
    pub fn get(&self, name: &str) -> Option<&NamedInterval> {
        self.0.iter().find(|interval| interval.name == name)
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (index, named) in self.0.iter().enumerate() {
            let place = format!("time_intervals[{index}]");
            if named.name.trim().is_empty() {
                problems.push((format!("{place}.name"), "is empty".to_owned()));
            }
            if self.0.iter().take(index).any(|earlier| earlier.name == named.name) {
                let problem = format!("`{}` stands here twice; rename one", named.name);
                problems.push((format!("{place}.name"), problem));
            }
            if named.time_intervals.is_empty() {
                let problem = "is empty and would never hold; give at least one".to_owned();
                problems.push((format!("{place}.time_intervals"), problem));
            }
            for (inner, interval) in named.time_intervals.iter().enumerate() {
                let inside = format!("{place}.time_intervals[{inner}]");
                problems.extend(interval.empty_fields().map(|field| {
                    let problem = "is empty and would never hold; take it out".to_owned();
                    (format!("{inside}.{field}"), problem)
                }));
            }
        }
        problems
    }
}

/// A name for one or more intervals; it holds while any of them holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedInterval {
    pub name: String,
    pub time_intervals: Vec<TimeInterval>,
}

/// All fields that are given must hold; within a field any range is enough. Without a field it always holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeInterval {
    /// From the first minute up to, without, the last; never across midnight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<Vec<TimeRange>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weekdays: Option<Vec<Span<Weekdays>>>,
    /// Negative days count from the end of the month: -1 is its last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_of_month: Option<Vec<Span<MonthDays>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub months: Option<Vec<Span<Months>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub years: Option<Vec<Span<Years>>>,
    /// UTC where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

/// A time zone by its IANA name. The names are built in, so that it means the same on every machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Location(TimeZone);

impl TryFrom<String> for Location {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        TimeZoneDatabase::bundled().get(&name).map(Self).map_err(|_| {
            format!("there is no time zone `{name}`; use a name such as `Europe/Vienna` or `UTC`")
        })
    }
}

impl From<Location> for String {
    fn from(location: Location) -> String {
        location.0.iana_name().unwrap_or("UTC").to_owned()
    }
}

/// How far ahead an end is looked for.
const MOST_STEPS: usize = 2_000;

impl NamedInterval {
    pub fn contains(&self, at: Timestamp) -> bool {
        self.time_intervals.iter().any(|interval| interval.contains(at))
    }

    /// When it ceases to hold, where it holds now and ends within the next years.
    pub fn end(&self, now: Timestamp) -> Option<Timestamp> {
        let mut at = now;
        for _ in 0..MOST_STEPS {
            if !self.contains(at) {
                return (at != now).then_some(at);
            }
            at = self.time_intervals.iter().filter_map(|interval| interval.next_edge(at)).min()?;
        }
        None
    }
}

impl TimeInterval {
    fn zone(&self) -> TimeZone {
        self.location.as_ref().map_or(TimeZone::UTC, |location| location.0.clone())
    }

    pub fn contains(&self, at: Timestamp) -> bool {
        let at = at.to_zoned(self.zone());
        any(self.times.as_ref(), |range| range.contains(&at))
            && any(self.days_of_month.as_ref(), |span| span.contains_day(&at))
            && any(self.months.as_ref(), |span| span.contains(i32::from(at.month())))
            && any(self.weekdays.as_ref(), |span| {
                span.contains(i32::from(at.weekday().to_sunday_zero_offset()))
            })
            && any(self.years.as_ref(), |span| span.contains(i32::from(at.year())))
    }

    /// The next moment at which the answer may change: a time of the day, midnight, or a shift of the clock.
    fn next_edge(&self, after: Timestamp) -> Option<Timestamp> {
        let zone = self.zone();
        let local = after.to_zoned(zone.clone());
        let midnight = local.tomorrow().and_then(|day: Zoned| day.start_of_day()).ok()?;
        let times = self.times.iter().flatten().flat_map(TimeRange::edges);
        // When the clock is set back a time of the day is there twice.
        let times = times.flat_map(|time| {
            let moment = zone.to_ambiguous_timestamp(local.date().to_datetime(time));
            [moment.earlier(), moment.later()].into_iter().filter_map(Result::ok)
        });
        let shift = zone.following(after).next().map(|transition| transition.timestamp());
        times.chain([midnight.timestamp()]).chain(shift).filter(|edge| *edge > after).min()
    }

    /// The fields that are given and hold nothing: with one of these it never holds.
    pub fn empty_fields(&self) -> impl Iterator<Item = &'static str> {
        [
            ("times", self.times.as_ref().is_some_and(Vec::is_empty)),
            ("weekdays", self.weekdays.as_ref().is_some_and(Vec::is_empty)),
            ("days_of_month", self.days_of_month.as_ref().is_some_and(Vec::is_empty)),
            ("months", self.months.as_ref().is_some_and(Vec::is_empty)),
            ("years", self.years.as_ref().is_some_and(Vec::is_empty)),
        ]
        .into_iter()
        .filter_map(|(field, empty)| empty.then_some(field))
    }
}

fn any<T>(ranges: Option<&Vec<T>>, holds: impl Fn(&T) -> bool) -> bool {
    ranges.is_none_or(|ranges| ranges.iter().any(holds))
}

#[cfg(test)]
mod tests;
