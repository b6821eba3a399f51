//! Makes the report out of what was counted.

use std::collections::{BTreeMap, btree_map};

use hdrhistogram::Histogram;
use jiff::Timestamp;

use crate::apis::{Objectives, Settings};
use crate::heavy::Heavy;
use crate::intervals::Counts;
use crate::names::Names;
use crate::numbers::{float, share};
use crate::report::{
    Api, Classes, Damage, FailingPath, Figures, Interval, Kind, Latency, Period, Read, Report,
    SCHEMA, Sample, Success, Unmatched,
};
use crate::scan::Scanned;
use crate::tally::{Codes, FURTHER, Row};
use crate::{anomalies, health};

/// Paths that are listed of each API and kind of failure.
const PATHS: usize = 10;
const BALANCER: &str = "(no target group)";

impl Report {
    /// None when there is not one request in it: such a report would look as if all were well.
    pub fn of(scanned: Scanned, settings: &Settings) -> Option<Self> {
        let Scanned { tally, files, interval_minutes, malformed } = scanned;
        let (from, to) = tally.span?;
        let mut read = Read {
            files: files.len() as u64,
            lines: tally.lines,
            requests: tally.lines - tally.malformed,
            malformed: tally.malformed,
            samples: Vec::new(),
            damaged: Vec::new(),
            beyond_intervals: tally.beyond_intervals,
        };
        for found in malformed {
            let reason = found.reason.to_string();
            read.samples.push(Sample { file: found.file, line: found.line, reason });
        }
        for file in files {
            read.damaged.extend(file.damage.map(|reason| Damage { file: file.name, reason }));
        }
        let counted =
            |names: &Names| names.iter().map(|(name, count)| (name.to_owned(), count)).collect();
        let (tls, classifications) = (counted(&tally.tls), counted(&tally.classifications));
        let (mut rows, starts) = tally.into_parts();
        // Which worker met a target group first must not be seen.
        rows.sort_unstable_by(|one, two| one.target_group.cmp(&two.target_group));
        let timeline = Timeline::of(&starts, interval_minutes);
        let unmatched = unmatched(&rows, settings);
        let mut gathered = gather(rows, settings);
        let total = total(&gathered);
        let mut apis: Vec<Api> =
            gathered.iter_mut().map(|gathered| gathered.api(&timeline)).collect();
        apis.sort_by(|one, two| {
            two.figures.requests.cmp(&one.figures.requests).then_with(|| one.name.cmp(&two.name))
        });
        let mut found: Vec<_> =
            apis.iter().flat_map(|api| anomalies::find(&api.name, &api.intervals)).collect();
        found.sort_by_key(|anomaly| anomaly.start);
        Some(Self {
            schema: SCHEMA.to_owned(),
            title: settings
                .title
                .clone()
                .filter(|title| !title.trim().is_empty())
                .unwrap_or_else(|| "Application Load Balancers".to_owned()),
            period: Period { from: at(from), to: at(to) },
            interval_minutes,
            read,
            total,
            apis,
            unmatched,
            anomalies: found,
            tls,
            classifications,
            comparisons: Vec::new(),
        })
    }
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(minute * 60).unwrap_or_default()
}

fn unmatched(rows: &[Row], settings: &Settings) -> Vec<Unmatched> {
    let is_unmatched = |row: &&Row| {
        kind(&row.target_group) == Kind::Unnamed
            && !settings.api_of(&row.target_group).is_configured
    };
    let mut unmatched: Vec<_> = rows
        .iter()
        .filter(|_| settings.has_mapping())
        .filter(is_unmatched)
        .map(|row| Unmatched { target_group: row.target_group.clone(), requests: row.requests })
        .collect();
    unmatched.sort_by(|one, two| {
        two.requests.cmp(&one.requests).then_with(|| one.target_group.cmp(&two.target_group))
    });
    unmatched
}

fn kind(target_group: &str) -> Kind {
    match target_group {
        "-" | "" => Kind::Balancer,
        FURTHER => Kind::Further,
        _ => Kind::Unnamed,
    }
}

/// The rows of one API together.
struct Gathered {
    name: String,
    kind: Kind,
    success: Vec<Success>,
    objectives: Objectives,
    rows: Vec<Row>,
}

fn gather(rows: Vec<Row>, settings: &Settings) -> Vec<Gathered> {
    let mut apis: BTreeMap<String, Gathered> = BTreeMap::new();
    for row in rows {
        let belongs = settings.api_of(&row.target_group);
        let (name, kind) = match kind(&row.target_group) {
            Kind::Unnamed if belongs.is_configured => (belongs.name.to_owned(), Kind::Configured),
            Kind::Unnamed => (belongs.name.to_owned(), Kind::Unnamed),
            Kind::Balancer => (BALANCER.to_owned(), Kind::Balancer),
            other => (row.target_group.clone(), other),
        };
        // Two target groups of one name in two accounts stay apart unless the settings join them.
        let key = if kind == Kind::Configured {
            name.clone()
        } else {
            format!("{name} {}", row.target_group)
        };
        let (success, objectives) = (belongs.success.to_vec(), belongs.objectives);
        match apis.entry(key) {
            btree_map::Entry::Occupied(mut known) => known.get_mut().rows.push(row),
            btree_map::Entry::Vacant(free) => {
                free.insert(Gathered { name, kind, success, objectives, rows: vec![row] });
            }
        }
    }
    let mut gathered: Vec<Gathered> = apis.into_values().collect();
    tell_apart(&mut gathered);
    gathered
}

/// APIs that share a name get the end of their ARN behind it.
fn tell_apart(gathered: &mut [Gathered]) {
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for api in gathered.iter() {
        *names.entry(api.name.clone()).or_default() += 1;
    }
    for api in gathered {
        if names.get(&api.name).is_some_and(|count| *count > 1)
            && api.kind == Kind::Unnamed
            && let Some(group) = api.rows.first().map(|row| row.target_group.as_str())
        {
            api.name = format!("{} ({})", api.name, group.rsplit('/').next().unwrap_or(group));
        }
    }
}

fn total(gathered: &[Gathered]) -> Figures {
    let mut sum = Sum::new();
    let mut successful = 0;
    for api in gathered {
        let mut own = Sum::new();
        for row in &api.rows {
            own.add(row);
            sum.add(row);
        }
        successful += own.successful(&api.success);
    }
    sum.figures(successful)
}

/// Rows added up.
struct Sum {
    requests: u64,
    elb_codes: BTreeMap<u16, u64>,
    target_codes: BTreeMap<u16, u64>,
    latency: Histogram<u64>,
    received: u64,
    sent: u64,
}

impl Sum {
    fn new() -> Self {
        let mut latency = Histogram::new(2).expect("two digits are allowed");
        latency.auto(true);
        Self {
            requests: 0,
            elb_codes: BTreeMap::new(),
            target_codes: BTreeMap::new(),
            latency,
            received: 0,
            sent: 0,
        }
    }

    fn add(&mut self, row: &Row) {
        self.requests += row.requests;
        self.received += row.received;
        self.sent += row.sent;
        add_codes(&mut self.elb_codes, &row.elb_codes);
        add_codes(&mut self.target_codes, &row.target_codes);
        self.latency.add(&row.latency).expect("it grows by itself");
    }

    fn successful(&self, success: &[Success]) -> u64 {
        let elb = Classes::of(&self.elb_codes);
        let class = |class: &Success| match class {
            Success::Successful => elb.informational + elb.successful,
            Success::Redirection => elb.redirection,
            Success::ClientError => elb.client_error,
        };
        success.iter().map(class).sum()
    }

    fn figures(self, successful: u64) -> Figures {
        let elb = Classes::of(&self.elb_codes);
        let latency = (!self.latency.is_empty()).then(|| Latency {
            measured: self.latency.len(),
            mean_ms: (self.latency.mean() * 10.0).round() / 10.0,
            p50_ms: self.latency.value_at_quantile(0.50),
            p95_ms: self.latency.value_at_quantile(0.95),
            p99_ms: self.latency.value_at_quantile(0.99),
            max_ms: self.latency.max(),
        });
        Figures {
            requests: self.requests,
            elb,
            target: Classes::of(&self.target_codes),
            successful,
            success_percent: share(successful, self.requests),
            server_errors_percent: share(elb.server_error, self.requests),
            client_errors_percent: share(elb.client_error, self.requests),
            latency,
            received_bytes: self.received,
            sent_bytes: self.sent,
            elb_codes: self.elb_codes,
            target_codes: self.target_codes,
        }
    }
}

fn add_codes(into: &mut BTreeMap<u16, u64>, codes: &Codes) {
    for (code, count) in codes.iter() {
        *into.entry(code).or_default() += count;
    }
}

impl Gathered {
    fn api(&mut self, timeline: &Timeline) -> Api {
        let mut sum = Sum::new();
        let mut server_failures = Heavy::default();
        let mut client_failures = Heavy::default();
        let mut intervals = Vec::new();
        for row in &mut self.rows {
            sum.add(row);
            server_failures.merge(std::mem::take(&mut row.server_failures));
            client_failures.merge(std::mem::take(&mut row.client_failures));
            timeline.add(&mut intervals, &row.intervals);
        }
        let successful = sum.successful(&self.success);
        let figures = sum.figures(successful);
        let is_judged = matches!(self.kind, Kind::Configured | Kind::Unnamed);
        Api {
            name: self.name.clone(),
            kind: self.kind,
            target_groups: self.rows.iter().map(|row| row.target_group.clone()).collect(),
            success: self.success.clone(),
            health: is_judged.then(|| health::health(&figures, &self.objectives)),
            figures,
            server_failures: paths(&server_failures),
            client_failures: paths(&client_failures),
            intervals: timeline.intervals(&intervals),
        }
    }
}

fn paths(heavy: &Heavy) -> Vec<FailingPath> {
    let listed = heavy.sorted().into_iter().take(PATHS);
    listed
        .filter_map(|(key, count)| {
            let (status, path) = key.split_once(' ')?;
            Some(FailingPath {
                status: status.parse().ok()?,
                path: path.to_owned(),
                count: count.count,
                error: count.error,
            })
        })
        .collect()
}

/// All intervals of the report in order, those without a request among them.
struct Timeline {
    starts: Vec<i64>,
    /// The place in the timeline of each slot.
    places: Vec<usize>,
}

impl Timeline {
    fn of(slots: &[i64], interval_minutes: u16) -> Self {
        let mut starts: Vec<i64> = match (slots.iter().min(), slots.iter().max()) {
            (Some(first), Some(last)) => (*first..=*last)
                .step_by(usize::from(interval_minutes))
                .take(crate::intervals::MOST_SLOTS)
                .collect(),
            _ => Vec::new(),
        };
        // Logs that lie far apart: only what is there, as there is no room for what is not.
        if starts.last() != slots.iter().max() {
            starts = slots.to_vec();
            starts.sort_unstable();
        }
        let places = slots.iter().map(|slot| starts.binary_search(slot).unwrap_or(0)).collect();
        Self { starts, places }
    }

    fn add(&self, into: &mut Vec<Counts>, slots: &[Counts]) {
        into.resize(self.starts.len(), Counts::default());
        for (counts, place) in slots.iter().zip(&self.places) {
            if let Some(known) = into.get_mut(*place) {
                known.merge(counts);
            }
        }
    }

    fn intervals(&self, counts: &[Counts]) -> Vec<Interval> {
        let interval = |(start, counts): (&i64, &Counts)| {
            let [_, successful, redirection, client_error, server_error] =
                counts.classes.map(u64::from);
            Interval {
                start: at(*start),
                requests: u64::from(counts.requests),
                successful,
                redirection,
                client_error,
                server_error,
                mean_ms: (counts.measured > 0).then(|| {
                    let mean = float(counts.milliseconds) / f64::from(counts.measured);
                    (mean * 10.0).round() / 10.0
                }),
            }
        };
        self.starts.iter().zip(counts).map(interval).collect()
    }
}
