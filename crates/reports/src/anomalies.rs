//! Intervals in which an API was not as it usually is: robust z-scores around the median of all intervals.

use jiff::Timestamp;

use crate::numbers::{float, share};
use crate::report::{Anomaly, Interval, Measure};

/// How many robust deviations from the median an interval must be.
const FAR: f64 = 6.0;
/// Fewer intervals say nothing about what is usual.
const FEWEST_INTERVALS: usize = 6;
/// Fewer requests say nothing about a share.
const FEWEST_REQUESTS: u64 = 20;
/// How many intervals before and after one say what traffic is usual there.
const AROUND: usize = 3;
/// Makes the median of absolute deviations comparable with a standard deviation.
const MAD_TO_SIGMA: f64 = 1.4826;

/// One interval of one measure.
struct Point {
    start: Timestamp,
    value: f64,
    usual: f64,
    /// What chance alone makes of it.
    noise: f64,
}

/// The intervals must be in order and without gaps; the first and the last may have begun late or ended early.
pub(crate) fn find(api: &str, intervals: &[Interval]) -> Vec<Anomaly> {
    let mut found = Vec::new();
    let mut mark = |measure, points: &[Point], matters: fn(f64, f64) -> bool| {
        found.extend(unusual(points, matters).map(|(point, score)| Anomaly {
            api: api.to_owned(),
            measure,
            start: point.start,
            value: point.value,
            usual: point.usual,
            score,
        }));
    };
    let server_errors = shares(intervals, |interval| interval.server_error);
    mark(Measure::ServerErrors, &server_errors, |value, usual| value >= usual + 1.0);
    let client_errors = shares(intervals, |interval| interval.client_error);
    mark(Measure::ClientErrors, &client_errors, |value, usual| value >= usual + 5.0);
    mark(Measure::Latency, &latencies(intervals), |value, usual| value >= 1.5 * usual);
    mark(Measure::Traffic, &traffic(intervals), |value, usual| {
        value >= 2.0 * usual || 2.0 * value <= usual
    });
    found.sort_by(|one, two| one.start.cmp(&two.start).then_with(|| one.measure.cmp(&two.measure)));
    found
}

fn shares(intervals: &[Interval], part: fn(&Interval) -> u64) -> Vec<Point> {
    let all: Vec<_> =
        intervals.iter().filter(|interval| interval.requests >= FEWEST_REQUESTS).collect();
    let usual = median(all.iter().map(|interval| share(part(interval), interval.requests)));
    let point = |interval: &&Interval| {
        let requests = float(interval.requests);
        // Even where nothing ever failed, one failure is chance.
        let expected = usual.max(100.0 / requests);
        let noise = (expected * (100.0 - expected).max(0.0) / requests).sqrt();
        Point {
            start: interval.start,
            value: share(part(interval), interval.requests),
            usual,
            noise,
        }
    };
    all.iter().map(point).collect()
}

fn latencies(intervals: &[Interval]) -> Vec<Point> {
    let enough = intervals.iter().filter(|interval| interval.requests >= FEWEST_REQUESTS);
    let all: Vec<_> = enough.filter_map(|interval| Some((interval, interval.mean_ms?))).collect();
    let usual = median(all.iter().map(|(_, mean)| *mean));
    let point = |(interval, mean): &(&Interval, f64)| {
        // Latencies have long tails: their deviation is taken as twice their mean.
        let noise = (2.0 * usual / float(interval.requests).sqrt()).max(0.1 * usual).max(2.0);
        Point { start: interval.start, value: *mean, usual, noise }
    };
    all.iter().map(point).collect()
}

/// Traffic swings with the day: what is usual is said by the intervals around.
fn traffic(intervals: &[Interval]) -> Vec<Point> {
    let inner = intervals.get(1..intervals.len().saturating_sub(1)).unwrap_or_default();
    let point = |(place, interval): (usize, &Interval)| {
        let around = place.saturating_sub(AROUND)..(place + AROUND + 1).min(inner.len());
        let others = around.filter(|other| *other != place).filter_map(|other| inner.get(other));
        let usual = median(others.map(|other| float(other.requests)));
        Point {
            start: interval.start,
            value: float(interval.requests),
            usual,
            noise: usual.sqrt().max(0.1 * usual),
        }
    };
    let is_busy = |point: &Point| point.usual >= float(FEWEST_REQUESTS);
    inner.iter().enumerate().map(point).filter(is_busy).collect()
}

/// The points that are far from what is usual and differ by enough to matter, with their score.
fn unusual(points: &[Point], matters: fn(f64, f64) -> bool) -> impl Iterator<Item = (&Point, f64)> {
    let deviation =
        MAD_TO_SIGMA * median(points.iter().map(|point| (point.value - point.usual).abs()));
    let enough = points.len() >= FEWEST_INTERVALS;
    points.iter().filter(move |_| enough).filter_map(move |point| {
        let score = (point.value - point.usual) / deviation.max(point.noise).max(f64::MIN_POSITIVE);
        (score.abs() >= FAR && matters(point.value, point.usual)).then_some((point, score))
    })
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), middle.checked_sub(1).and_then(|before| values.get(before))) {
        (Some(upper), Some(lower)) if values.len().is_multiple_of(2) => {
            f64::midpoint(*lower, *upper)
        }
        (Some(upper), _) => *upper,
        (None, _) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A day of hours with some noise in it, always the same.
    fn day(change: impl Fn(usize, &mut Interval)) -> Vec<Interval> {
        (0_u32..24)
            .map(|hour| {
                let wobble = (hour * 7919) % 13;
                let mut interval = Interval {
                    start: Timestamp::from_second(1_763_596_800 + i64::from(hour) * 3600).unwrap(),
                    requests: u64::from(1000 + 10 * wobble),
                    successful: 0,
                    redirection: 0,
                    client_error: u64::from(20 + wobble),
                    server_error: u64::from(2 + wobble % 3),
                    mean_ms: Some(40.0 + f64::from(wobble) / 2.0),
                };
                change(usize::try_from(hour).unwrap(), &mut interval);
                interval
            })
            .collect()
    }

    fn found(intervals: &[Interval]) -> Vec<(Measure, i64)> {
        let hours = |anomaly: &Anomaly| (anomaly.start.as_second() - 1_763_596_800) / 3600;
        find("x", intervals).iter().map(|anomaly| (anomaly.measure, hours(anomaly))).collect()
    }

    #[test]
    fn a_usual_day_has_no_anomaly() {
        assert_eq!(found(&day(|_, _| ())), []);
    }

    #[test]
    fn each_kind_of_trouble_is_marked_in_its_hour() {
        let marked = found(&day(|hour, interval| match hour {
            5 => interval.server_error = 60,
            7 => interval.client_error = 300,
            9 => interval.mean_ms = Some(300.0),
            12 => interval.requests = 40,
            13 => interval.requests = 0,
            18 => interval.requests = 9000,
            _ => {}
        }));
        assert!(marked.contains(&(Measure::ServerErrors, 5)), "{marked:?}");
        assert!(marked.contains(&(Measure::ClientErrors, 7)), "{marked:?}");
        assert!(marked.contains(&(Measure::Latency, 9)), "{marked:?}");
        for hour in [12, 13, 18] {
            assert!(marked.contains(&(Measure::Traffic, hour)), "{hour}: {marked:?}");
        }
    }

    #[test]
    fn a_quiet_api_with_one_failure_is_no_anomaly() {
        let quiet = day(|hour, interval| {
            interval.requests = 25;
            interval.client_error = 0;
            interval.server_error = u64::from(hour == 8);
        });
        assert_eq!(found(&quiet), []);
    }

    #[test]
    fn the_cut_hours_at_both_ends_are_not_called_a_drop() {
        let cut = day(|hour, interval| {
            if hour == 0 || hour == 23 {
                interval.requests = 30;
            }
        });
        assert!(found(&cut).iter().all(|(measure, _)| *measure != Measure::Traffic));
    }

    #[test]
    fn a_few_hours_say_nothing_about_what_is_usual() {
        let mut short =
            day(|hour, interval| interval.server_error = if hour == 2 { 500 } else { 2 });
        short.truncate(5);
        assert_eq!(found(&short), []);
    }
}
