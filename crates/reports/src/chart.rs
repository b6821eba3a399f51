//! A bar chart of one status class over time, as plain shapes that a page of any kind can draw.

use jiff::Timestamp;

use crate::numbers::{float, thousands};
use crate::report::{Interval, Measure, Report};

/// More bars than this are too thin to be seen; neighbours are then added up.
const MOST_BARS: usize = 96;
const LINES: u32 = 3;

/// The requests of one class in an interval.
type Count = fn(&Interval) -> u64;

/// One class of the whole report.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chart {
    /// `5xx`
    pub(crate) class: &'static str,
    /// What a reader who cannot see it should know.
    pub(crate) summary: String,
    bars: Vec<Bar>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Bar {
    start: Timestamp,
    count: u64,
    is_marked: bool,
}

/// A shape in points, from the upper left corner.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Bar {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        is_marked: bool,
    },
    /// From `x` to `to` at this height.
    Line {
        x: f32,
        to: f32,
        y: f32,
    },
    Label {
        x: f32,
        y: f32,
        anchor: Anchor,
        text: String,
    },
}

/// Which part of a label stands at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    End,
}

/// How large a chart is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) width: f32,
    pub(crate) height: f32,
    pub(crate) text: f32,
}

/// One chart for each class that the report counts.
pub(crate) fn charts(report: &Report) -> Vec<Chart> {
    let classes: [(&'static str, Count, Option<Measure>); 4] = [
        ("2xx", |interval| interval.successful, None),
        ("3xx", |interval| interval.redirection, None),
        ("4xx", |interval| interval.client_error, Some(Measure::ClientErrors)),
        ("5xx", |interval| interval.server_error, Some(Measure::ServerErrors)),
    ];
    classes
        .into_iter()
        .map(|(class, count, measure)| chart(report, class, count, measure))
        .collect()
}

fn chart(report: &Report, class: &'static str, count: Count, measure: Option<Measure>) -> Chart {
    let Some(first) = report.apis.first() else {
        return Chart { class, summary: String::new(), bars: Vec::new() };
    };
    let mut bars: Vec<Bar> = first
        .intervals
        .iter()
        .map(|interval| Bar { start: interval.start, count: 0, is_marked: false })
        .collect();
    for api in &report.apis {
        for (bar, interval) in bars.iter_mut().zip(&api.intervals) {
            bar.count += count(interval);
        }
    }
    for anomaly in report.anomalies.iter().filter(|anomaly| Some(anomaly.measure) == measure) {
        for bar in bars.iter_mut().filter(|bar| bar.start == anomaly.start) {
            bar.is_marked = true;
        }
    }
    let together = bars.len().div_ceil(MOST_BARS).max(1);
    let bars: Vec<Bar> = bars.chunks(together).filter_map(joined).collect();
    let minutes = together * usize::from(report.interval_minutes);
    Chart { class, summary: summary(class, minutes, &bars), bars }
}

fn joined(bars: &[Bar]) -> Option<Bar> {
    let first = bars.first()?;
    Some(Bar {
        start: first.start,
        count: bars.iter().map(|bar| bar.count).sum(),
        is_marked: bars.iter().any(|bar| bar.is_marked),
    })
}

fn summary(class: &str, minutes: usize, bars: &[Bar]) -> String {
    let Some(highest) = bars.iter().max_by_key(|bar| bar.count) else { return String::new() };
    let total: u64 = bars.iter().map(|bar| bar.count).sum();
    let marked = bars.iter().filter(|bar| bar.is_marked).count();
    let unusual = if marked > 0 { format!("; {marked} unusual") } else { String::new() };
    format!(
        "{class} answers in intervals of {minutes} minutes: {} in all, at most {} from {} UTC{unusual}.",
        thousands(total),
        thousands(highest.count),
        highest.start.strftime("%Y-%m-%d %H:%M"),
    )
}

impl Chart {
    /// Its shapes: lines behind, then bars, then labels.
    pub(crate) fn shapes(&self, size: Size) -> Vec<Shape> {
        let top = round_up(self.bars.iter().map(|bar| bar.count).max().unwrap_or(0));
        let labels: Vec<String> =
            (0..=LINES).map(|line| short(top * u64::from(line) / u64::from(LINES))).collect();
        let longest = labels.iter().map(String::len).max().unwrap_or(0);
        let left = size.text * (0.6 * narrow(longest) + 0.6);
        let bottom = size.height - 1.6 * size.text;
        let above = 0.6 * size.text;
        let mut shapes = Vec::new();
        for (line, text) in labels.into_iter().enumerate() {
            let y = bottom - (bottom - above) * narrow(line) / narrow(LINES as usize);
            shapes.push(Shape::Line { x: left, to: size.width, y });
            shapes.push(Shape::Label {
                x: left - 0.4 * size.text,
                y: y + 0.35 * size.text,
                anchor: Anchor::End,
                text,
            });
        }
        let step = (size.width - left) / narrow(self.bars.len().max(1));
        for (place, bar) in self.bars.iter().enumerate() {
            let height = (bottom - above) * part(bar.count, top);
            if bar.count > 0 {
                let height = height.max(0.6);
                let x = left + step * (narrow(place) + 0.12);
                shapes.push(Shape::Bar {
                    x,
                    y: bottom - height,
                    width: step * 0.76,
                    height,
                    is_marked: bar.is_marked,
                });
            }
        }
        self.label_times(&mut shapes, size, left, step);
        shapes
    }

    fn label_times(&self, shapes: &mut Vec<Shape>, size: Size, left: f32, step: f32) {
        let (Some(first), Some(last)) = (self.bars.first(), self.bars.last()) else { return };
        let is_long = last.start.as_second() - first.start.as_second() > 36 * 3600;
        let format = if is_long { "%m-%d" } else { "%H:%M" };
        let every = self.bars.len().div_ceil(6).max(1);
        for (place, bar) in self.bars.iter().enumerate().step_by(every) {
            let x = left + step * narrow(place);
            let text = bar.start.strftime(format).to_string();
            shapes.push(Shape::Label {
                x,
                y: size.height - 0.3 * size.text,
                anchor: Anchor::Start,
                text,
            });
        }
    }
}

/// A number not much higher whose thirds are round enough for an axis.
fn round_up(count: u64) -> u64 {
    let mut scale = 1;
    loop {
        for step in [3, 6, 9, 12, 15, 18, 21, 24, 27, 36, 45, 54, 66, 78, 90] {
            if count <= step * scale {
                return step * scale;
            }
        }
        scale *= 10;
    }
}

/// `1.2M`, `30k`, `950`
fn short(count: u64) -> String {
    let scaled = |divisor: u64, unit: &str| {
        let text = format!("{:.1}", float(count) / float(divisor));
        format!("{}{unit}", text.strip_suffix(".0").unwrap_or(&text))
    };
    match count {
        0..1_000 => count.to_string(),
        1_000..1_000_000 => scaled(1_000, "k"),
        1_000_000..1_000_000_000 => scaled(1_000_000, "M"),
        _ => scaled(1_000_000_000, "G"),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a place on a page needs no more digits")]
fn part(count: u64, whole: u64) -> f32 {
    (float(count) / float(whole.max(1))) as f32
}

#[expect(clippy::cast_precision_loss, reason = "there are less than a hundred")]
fn narrow(count: usize) -> f32 {
    count as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_ends_at_a_round_number_above_the_highest_bar() {
        for (count, top) in [
            (0, 3),
            (3, 3),
            (4, 6),
            (100, 120),
            (28_000, 36_000),
            (63_368, 66_000),
            (1_000_000, 1_200_000),
        ] {
            assert_eq!(round_up(count), top);
            assert_eq!(top % 3, 0);
        }
    }

    #[test]
    fn bars_stay_within_their_chart() {
        let start = Timestamp::UNIX_EPOCH;
        let bars =
            (0..24).map(|hour| Bar { start, count: hour * 37, is_marked: hour == 3 }).collect();
        let chart = Chart { class: "2xx", summary: String::new(), bars };
        let size = Size { width: 200.0, height: 100.0, text: 7.0 };
        let shapes = chart.shapes(size);
        let mut seen = 0;
        for shape in &shapes {
            if let Shape::Bar { x, y, width, height, .. } = shape {
                assert!(
                    *x >= 0.0 && x + width <= size.width && *y >= 0.0 && y + height <= size.height
                );
                seen += 1;
            }
        }
        assert_eq!(seen, 23, "an empty interval has no bar");
        assert!(shapes.iter().any(|shape| matches!(shape, Shape::Bar { is_marked: true, .. })));
    }

    #[test]
    fn counts_are_short_on_the_axis() {
        for (count, text) in [(950, "950"), (1_000, "1k"), (1_500, "1.5k"), (2_400_000, "2.4M")] {
            assert_eq!(short(count), text);
        }
    }
}
