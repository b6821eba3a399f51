//! The report of a made-up log equals what its generator counted, in every layout, plain and gzip.
#![expect(clippy::unwrap_used, reason = "a failing helper should panic")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::num::NonZero;
use std::sync::Arc;

use firebreak_reports::{Classes, Input, Measure, Progress, Report, Scan, Settings, scan};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

#[path = "../examples/alb_log/traffic.rs"]
mod traffic;

use traffic::{Truth, Wanted};

fn made(fields: usize, broken_every: u64, lines: u64) -> (Vec<u8>, Truth) {
    let mut log = Vec::new();
    let wanted = Wanted { lines, seed: 11, fields, broken_every, ids: 100_000 };
    let truth = traffic::write(&wanted, &mut log).unwrap();
    (log, truth)
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn report(inputs: Vec<Input>, threads: usize) -> Report {
    let how = Scan { threads: NonZero::new(threads).unwrap(), interval_minutes: 15, samples: 5 };
    let scanned = scan(inputs, &how, &Arc::new(Progress::default()));
    Report::of(scanned, &Settings::default()).unwrap()
}

fn by_class(
    report: &Report,
    classes: impl Fn(&firebreak_reports::Figures) -> Classes,
) -> BTreeMap<String, u64> {
    let named = report.apis.iter().flat_map(|api| {
        classes(&api.figures).named().map(|(class, count)| (format!("{} {class}", api.name), count))
    });
    named.filter(|(_, count)| *count > 0).collect()
}

fn holds(report: &Report, truth: &Truth) {
    assert_eq!(report.read.lines, truth.lines);
    assert_eq!(report.read.malformed, truth.malformed);
    assert_eq!(report.read.requests, truth.requests);
    assert_eq!(report.total.requests, truth.requests);
    assert_eq!(report.total.sent_bytes, truth.sent_bytes);
    assert_eq!(report.total.elb_codes, truth.elb_codes);
    assert_eq!(by_class(report, |figures| figures.elb), truth.elb_classes);
    assert_eq!(by_class(report, |figures| figures.target), truth.target_classes);
    for api in &report.apis {
        let Some(exact) = truth.latency_ms.get(&api.name) else { continue };
        let latency = api.figures.latency.unwrap();
        for (found, exact) in [latency.p50_ms, latency.p95_ms, latency.p99_ms].iter().zip(exact) {
            let off = found.abs_diff(u64::from(*exact));
            assert!(off * 100 <= u64::from(*exact) + 100, "{}: {found} for {exact}", api.name);
        }
        for path in api.server_failures.iter().chain(&api.client_failures) {
            let key = format!("{} {} {}", api.name, path.status, path.path);
            assert_eq!(
                (path.count, path.error),
                (truth.failing_paths.get(&key).copied().unwrap_or(0), 0),
                "{key}"
            );
        }
    }
}

#[test]
fn every_layout_is_counted_exactly() {
    for fields in [18, 20, 21, 24, 25, 27, 29, 30, 33, 34] {
        let (log, truth) = made(fields, 50, 1_500);
        assert!(truth.malformed > 0);
        holds(&report(vec![Input::of_bytes("alb.log", log)], 2), &truth);
    }
}

#[test]
fn plain_and_gzip_and_any_number_of_workers_give_the_same_report() {
    let (log, truth) = made(33, 100, 8_000);
    let cut = log.len() / 2;
    let middle = cut + log[cut..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let (first, second) = log.split_at(middle);
    let plain = report(vec![Input::of_bytes("alb.log", log.clone())], 1);
    holds(&plain, &truth);
    let members = [gz(first), gz(second)].concat();
    for threads in [1, 2, 5] {
        assert!(report(vec![Input::of_bytes("alb.log", log.clone())], threads) == plain);
        assert!(report(vec![Input::of_bytes("alb.log", members.clone())], threads) == plain);
        let two = vec![Input::of_bytes("one", gz(first)), Input::of_bytes("two", second.to_vec())];
        let two = report(two, threads);
        holds(&two, &truth);
        assert!(two.apis == plain.apis && two.anomalies == plain.anomalies);
    }
}

#[test]
fn malformed_lines_are_named_by_their_number_in_the_file() {
    let (log, truth) = made(33, 200, 6_000);
    let report = report(vec![Input::of_bytes("alb.log", gz(&log))], 2);
    let text = String::from_utf8(log).unwrap();
    assert_eq!(report.read.samples.len(), 5);
    assert!(truth.malformed > 5);
    for sample in &report.read.samples {
        let line = text.lines().nth(usize::try_from(sample.line).unwrap() - 1).unwrap();
        assert!(!line.ends_with("203.0.113.11") && line.len() < 200, "{}: {line}", sample.line);
        assert!(!sample.reason.is_empty());
    }
}

#[test]
fn the_incidents_of_the_day_are_found_and_nothing_else() {
    let (log, _) = made(33, 0, 40_000);
    let report = report(vec![Input::of_bytes("alb.log", log)], 2);
    let found: Vec<_> =
        report.anomalies.iter().map(|anomaly| (anomaly.api.as_str(), anomaly.measure)).collect();
    assert!(found.contains(&("checkout", Measure::ServerErrors)), "{found:?}");
    assert!(found.contains(&("search", Measure::Latency)), "{found:?}");
    let planted = |(api, measure): &(&str, Measure)| {
        matches!(
            (*api, measure),
            ("checkout", Measure::ServerErrors) | ("search", Measure::Latency)
        )
    };
    assert!(found.iter().all(planted), "{:#?}", report.anomalies);
    let alerts = firebreak_reports::alerts::of(&report);
    assert_eq!(alerts.len(), 2, "{alerts:#?}");
    let checkout = alerts.iter().find(|alert| alert["service"] == "checkout").unwrap();
    assert_eq!(
        (&checkout["severity"], &checkout["name"]),
        (&json!("critical"), &json!("alb-server-errors"))
    );
}

#[test]
fn a_damaged_file_is_named_and_the_others_are_read() {
    let (log, truth) = made(33, 0, 2_000);
    let mut cut = gz(&log);
    cut.truncate(cut.len() / 2);
    let missing = Input::new("missing", || Err(std::io::Error::from(std::io::ErrorKind::NotFound)));
    let inputs = vec![Input::of_bytes("cut.gz", cut), missing, Input::of_bytes("whole", log)];
    let report = report(inputs, 2);
    let damaged: Vec<_> = report.read.damaged.iter().map(|damage| damage.file.as_str()).collect();
    assert_eq!(damaged, ["cut.gz", "missing"]);
    assert!(report.read.requests > truth.requests && report.read.requests < 2 * truth.requests);
}

#[test]
fn nothing_makes_no_report() {
    let how = Scan::default();
    for bytes in [Vec::new(), b"not a log\n".to_vec(), gz(b"")] {
        let scanned = scan(vec![Input::of_bytes("x", bytes)], &how, &Arc::new(Progress::default()));
        assert!(Report::of(scanned, &Settings::default()).is_none());
    }
}

#[test]
fn the_json_is_read_back_and_compared() {
    let (log, _) = made(33, 0, 5_000);
    let mut now = report(vec![Input::of_bytes("alb.log", log.clone())], 2);
    let half = log[..log.len() / 2].to_vec();
    let before = report(vec![Input::of_bytes("alb.log", half)], 2);
    let read = Report::read(&serde_json::to_vec(&before).unwrap()).unwrap();
    assert!(read.read == before.read && read.period == before.period);
    assert_eq!(by_class(&read, |figures| figures.elb), by_class(&before, |figures| figures.elb));
    now.compare("the day before", &read);
    let changes = &now.comparisons[0].changes;
    let storefront = changes.iter().find(|change| change.api == "storefront").unwrap();
    assert!((80.0..120.0).contains(&storefront.requests_percent.unwrap()), "{storefront:?}");
    let error = Report::read(br#"{"schema": "something.else"}"#).unwrap_err().to_string();
    assert!(error.contains("something.else"), "{error}");
}
