//! Counts entries per target group. Each worker has one; merged, they are what the report is built from.

use hdrhistogram::Histogram;
use memchr::memchr;
use rustc_hash::FxHashMap;

use crate::entry::{Entry, Malformed, Minutes};
use crate::heavy::Heavy;
use crate::intervals::{Counts, Slots};
use crate::names::Names;
use crate::paths;

/// Rows of their own; the requests of further target groups are counted in one row together.
const MOST_GROUPS: usize = 200;
/// Latencies are kept to one percent.
const DIGITS: u8 = 2;

/// One malformed line: where it is, as file, block and line in the block, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Broken {
    pub(crate) file: usize,
    pub(crate) block: usize,
    pub(crate) line: u32,
    pub(crate) reason: Malformed,
}

/// Everything that was counted.
pub(crate) struct Tally {
    groups: FxHashMap<Box<[u8]>, usize>,
    rows: Vec<Row>,
    /// Where the requests of too many target groups go.
    further: Option<usize>,
    last: (Vec<u8>, usize),
    slots: Slots,
    minutes: Minutes,
    pub(crate) lines: u64,
    pub(crate) malformed: u64,
    pub(crate) beyond_intervals: u64,
    samples: usize,
    pub(crate) broken: Vec<Broken>,
    pub(crate) span: Option<(i64, i64)>,
    pub(crate) tls: Names,
    pub(crate) classifications: Names,
}

/// What was counted of one target group.
pub(crate) struct Row {
    pub(crate) target_group: String,
    pub(crate) requests: u64,
    pub(crate) elb_codes: Codes,
    pub(crate) target_codes: Codes,
    pub(crate) latency: Histogram<u64>,
    pub(crate) received: u64,
    pub(crate) sent: u64,
    pub(crate) server_failures: Heavy,
    pub(crate) client_failures: Heavy,
    pub(crate) intervals: Vec<Counts>,
}

/// How often each status was seen; there are few, and the frequent ones come first.
#[derive(Debug, Default)]
pub(crate) struct Codes(Vec<(u16, u64)>);

impl Codes {
    #[inline]
    fn add(&mut self, code: u16, count: u64) {
        if let Some((_, known)) = self.0.iter_mut().find(|(known, _)| *known == code) {
            *known += count;
        } else {
            self.0.push((code, count));
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u16, u64)> + '_ {
        self.0.iter().copied()
    }
}

impl Row {
    fn new(target_group: String) -> Self {
        let mut latency = Histogram::new(DIGITS).expect("two digits are allowed");
        latency.auto(true);
        Self {
            target_group,
            requests: 0,
            elb_codes: Codes::default(),
            target_codes: Codes::default(),
            latency,
            received: 0,
            sent: 0,
            server_failures: Heavy::default(),
            client_failures: Heavy::default(),
            intervals: Vec::new(),
        }
    }

    fn add(&mut self, entry: &Entry<'_>, slot: Option<usize>) {
        self.requests += 1;
        self.elb_codes.add(entry.elb_status, 1);
        self.target_codes.add(entry.target_status, 1);
        self.received += entry.received;
        self.sent += entry.sent;
        if let Some(milliseconds) = entry.milliseconds {
            self.latency.record(u64::from(milliseconds)).expect("it grows by itself");
        }
        match entry.elb_status {
            500..=599 => self.server_failures.add(&failure(entry)),
            400..=499 => self.client_failures.add(&failure(entry)),
            _ => {}
        }
        if let Some(slot) = slot {
            self.interval(slot).add(entry.elb_status, entry.milliseconds);
        }
    }

    fn interval(&mut self, slot: usize) -> &mut Counts {
        if self.intervals.len() <= slot {
            self.intervals.resize(slot + 1, Counts::default());
        }
        self.intervals.get_mut(slot).expect("it was made long enough")
    }

    /// Takes over another row; `slots` says where its intervals belong here.
    fn merge(&mut self, other: Self, slots: &[Option<usize>]) {
        self.requests += other.requests;
        self.received += other.received;
        self.sent += other.sent;
        for (code, count) in other.elb_codes.iter() {
            self.elb_codes.add(code, count);
        }
        for (code, count) in other.target_codes.iter() {
            self.target_codes.add(code, count);
        }
        self.latency.add(&other.latency).expect("it grows by itself");
        self.server_failures.merge(other.server_failures);
        self.client_failures.merge(other.client_failures);
        for (counts, slot) in other.intervals.iter().zip(slots) {
            if let Some(slot) = slot {
                self.interval(*slot).merge(counts);
            }
        }
    }
}

/// `502 GET /orders/{}`
fn failure(entry: &Entry<'_>) -> String {
    format!("{} {}", entry.elb_status, paths::template(entry.request))
}

impl Tally {
    /// With intervals of so many minutes, and so many malformed lines kept as samples.
    pub(crate) fn new(interval_minutes: u16, samples: usize) -> Self {
        Self {
            groups: FxHashMap::default(),
            rows: Vec::new(),
            further: None,
            last: (Vec::new(), usize::MAX),
            slots: Slots::of(interval_minutes),
            minutes: Minutes::default(),
            lines: 0,
            malformed: 0,
            beyond_intervals: 0,
            samples,
            broken: Vec::new(),
            span: None,
            tls: Names::default(),
            classifications: Names::default(),
        }
    }

    /// Counts the lines of a block, and says how many there were.
    pub(crate) fn block(&mut self, file: usize, block: usize, bytes: &[u8]) -> u32 {
        let mut rest = bytes;
        let mut line_number = 0;
        while !rest.is_empty() {
            let (line, after) = match memchr(b'\n', rest).and_then(|end| rest.split_at_checked(end))
            {
                Some((line, after)) => (line, after.get(1..).unwrap_or_default()),
                None => (rest, &b""[..]),
            };
            rest = after;
            line_number += 1;
            if line.is_empty() || line == b"\r" {
                continue;
            }
            self.lines += 1;
            match Entry::read(line, &mut self.minutes) {
                Ok(entry) => self.entry(&entry),
                Err(reason) => self.broken(Broken { file, block, line: line_number, reason }),
            }
        }
        line_number
    }

    fn entry(&mut self, entry: &Entry<'_>) {
        let span = self.span.get_or_insert((entry.minute, entry.minute));
        *span = (span.0.min(entry.minute), span.1.max(entry.minute));
        self.tls.add(entry.tls);
        self.classifications.add(entry.classification);
        let slot = self.slots.slot(entry.minute);
        if slot.is_none() {
            self.beyond_intervals += 1;
        }
        let row = self.row(entry.target_group);
        if let Some(row) = self.rows.get_mut(row) {
            row.add(entry, slot);
        }
    }

    fn broken(&mut self, broken: Broken) {
        self.malformed += 1;
        self.broken.push(broken);
        if self.broken.len() > 4 * self.samples {
            self.first_samples();
        }
    }

    /// Keeps the first of the malformed lines.
    pub(crate) fn first_samples(&mut self) {
        self.broken.sort_unstable();
        self.broken.truncate(self.samples);
    }

    fn row(&mut self, target_group: &[u8]) -> usize {
        if self.last.0 == target_group {
            return self.last.1;
        }
        let row = match self.groups.get(target_group) {
            Some(row) => *row,
            None => self.new_row(target_group),
        };
        self.last.0.clear();
        self.last.0.extend_from_slice(target_group);
        self.last.1 = row;
        row
    }

    fn new_row(&mut self, target_group: &[u8]) -> usize {
        let next = self.rows.len();
        if self.groups.len() >= MOST_GROUPS {
            if self.further.is_none() {
                self.rows.push(Row::new(FURTHER.to_owned()));
            }
            return *self.further.get_or_insert(next);
        }
        let name = String::from_utf8_lossy(target_group)
            .chars()
            .filter(|letter| !letter.is_control())
            .collect();
        self.rows.push(Row::new(name));
        self.groups.insert(target_group.into(), next);
        next
    }

    /// Takes over what another worker counted.
    pub(crate) fn merge(&mut self, other: Self) {
        self.lines += other.lines;
        self.malformed += other.malformed;
        self.beyond_intervals += other.beyond_intervals;
        self.tls.merge(&other.tls);
        self.classifications.merge(&other.classifications);
        self.broken.extend(other.broken);
        self.first_samples();
        if let Some((from, to)) = other.span {
            let span = self.span.get_or_insert((from, to));
            *span = (span.0.min(from), span.1.max(to));
        }
        let slots: Vec<_> =
            other.slots.starts().iter().map(|start| self.slots.slot(*start)).collect();
        for row in other.rows {
            let into = if row.target_group == FURTHER && other.further.is_some() {
                *self.further.get_or_insert_with(|| {
                    self.rows.push(Row::new(FURTHER.to_owned()));
                    self.rows.len() - 1
                })
            } else {
                self.row(row.target_group.as_bytes())
            };
            if let Some(known) = self.rows.get_mut(into) {
                known.merge(row, &slots);
            }
        }
    }

    /// What is left when all is counted: the rows, and where each interval begins.
    pub(crate) fn into_parts(self) -> (Vec<Row>, Vec<i64>) {
        (self.rows, self.slots.starts().to_vec())
    }
}

/// The name of the row for target groups beyond those that have one.
pub(crate) const FURTHER: &str = "(further target groups)";

#[cfg(test)]
mod tests {
    use super::*;

    fn line(group: &str, status: &str, minute: u32) -> String {
        format!(
            "h2 2026-11-20T{:02}:{:02}:00.1Z app/x 192.0.2.1:1 - 0.001 0.020 0.001 {status} {status} 10 20 \
             \"GET https://a:443/orders/{minute} HTTP/2.0\" \"-\" - - {group} \"-\" \"-\" \"-\" 0 - \"-\" \"-\" \"-\" \"-\" \"-\" \"-\" \"-\"\n",
            minute / 60,
            minute % 60,
        )
    }

    fn tally(text: &str) -> Tally {
        let mut tally = Tally::new(60, 3);
        tally.block(0, 0, text.as_bytes());
        tally
    }

    #[test]
    fn merging_two_halves_counts_as_one() {
        let lines: Vec<String> = (0..1200)
            .map(|n| {
                line(
                    ["a", "b", "-"][n as usize % 3],
                    ["200", "404", "502", "460"][n as usize % 4],
                    n,
                )
            })
            .collect();
        let whole = tally(&lines.concat());
        let (left, right) = lines.split_at(500);
        let mut merged = tally(&right.concat());
        merged.merge(tally(&left.concat()));
        assert_eq!((merged.lines, merged.span), (whole.lines, whole.span));
        let sorted = |tally: Tally| {
            let (mut rows, starts) = tally.into_parts();
            rows.sort_by(|one, two| one.target_group.cmp(&two.target_group));
            let shown: Vec<String> = rows
                .iter()
                .map(|row| {
                    let mut codes: Vec<_> = row.elb_codes.iter().collect();
                    codes.sort_unstable();
                    let mut intervals: Vec<_> = starts.iter().zip(&row.intervals).collect();
                    intervals.sort_unstable_by_key(|(start, _)| **start);
                    let paths = row.server_failures.sorted();
                    format!(
                        "{} {} {codes:?} {intervals:?} {paths:?} {}",
                        row.target_group,
                        row.requests,
                        row.latency.len()
                    )
                })
                .collect();
            shown
        };
        assert_eq!(sorted(merged), sorted(whole));
    }

    #[test]
    fn only_the_first_malformed_lines_are_kept() {
        let mut tally = tally(&format!("{}x\n\ny\n{}", line("a", "200", 1), "z\n".repeat(100)));
        assert_eq!((tally.lines, tally.malformed), (103, 102));
        tally.first_samples();
        assert_eq!(tally.broken.iter().map(|broken| broken.line).collect::<Vec<_>>(), [2, 4, 5]);
    }

    #[test]
    fn no_target_group_is_dropped_when_there_are_too_many() {
        let many: String = (0..300).map(|n| line(&format!("group-{n}"), "200", 0)).collect();
        let mut merged = tally(&many);
        let other: String = (200..900).map(|n| line(&format!("group-{n}"), "200", 0)).collect();
        merged.merge(tally(&other));
        let (rows, _) = merged.into_parts();
        assert_eq!(rows.len(), MOST_GROUPS + 1);
        assert_eq!(rows.iter().map(|row| row.requests).sum::<u64>(), 1000);
        assert!(rows.iter().any(|row| row.target_group == FURTHER));
    }
}
