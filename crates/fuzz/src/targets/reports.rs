//! What reports read: access logs, plain and gzip, their settings, and earlier reports.

use std::num::NonZero;
use std::sync::Arc;

use fastrand::Rng;
use firebreak_reports::{Input, Progress, Report, Scan, Settings, csv, html, markdown, pdf, scan};

use super::Target;
use crate::corpus::root;

const LINES: &[u8] = br#"h2 2026-11-20T10:15:30.186641Z app/shop/50dc6c495c0c9188 192.0.2.10:2817 10.0.0.1:80 0.000 0.048 0.000 200 200 34 366 "GET https://www.example.com:443/orders/7?a=b HTTP/2.0" "curl/8.14.1" TLS_AES_128_GCM_SHA256 TLSv1.3 arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/orders/73e2d6bc24d8a067 "Root=1-58337262-36d228ad5d99923122bbe354" "www.example.com" "arn:aws:acm:eu-west-1:123456789012:certificate/1" 1 2026-11-20T10:15:30.085000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-" TID_0123 "-" "-" "-"
http 2026-11-20T23:59:59.999999Z app/shop/50dc6c495c0c9188 [2001:db8::1]:2817 - -1 -1 -1 463 - 0 0 "- http://www.example.com:80- -" "-" - - - "-" "-" "-" - 2026-11-20T10:15:30.085000Z "-" "-" "-" "-" "-" "Severe" "BadMethod"
"#;
/// A document is typeset for one input in so many: it takes as long as a thousand others.
const TYPESET: u32 = 100;

pub(super) fn targets() -> Vec<Target> {
    vec![logs(), settings(), earlier()]
}

fn logs() -> Target {
    let half: Vec<u8> = LINES.iter().take(LINES.len() / 2).copied().collect();
    Target::new("alb_log", vec![LINES.to_vec(), [LINES, &half].concat()], |input, dice| {
        let how = Scan { threads: NonZero::<usize>::MIN, interval_minutes: 60, samples: 3 };
        let inputs =
            vec![Input::of_bytes("a", input.to_vec()), Input::of_bytes("b", LINES.to_vec())];
        let scanned = scan(inputs, &how, &Arc::new(Progress::default()));
        let report =
            Report::of(scanned, &Settings::default()).expect("the second log has requests");
        let read = &report.read;
        assert_eq!(read.requests + read.malformed, read.lines, "a line was lost");
        let of_apis: u64 = report.apis.iter().map(|api| api.figures.requests).sum();
        assert_eq!(of_apis, read.requests, "a request belongs to no API");
        let of_codes: u64 = report.total.elb_codes.values().sum();
        assert_eq!(of_codes, read.requests, "a request has no status");
        show(&report, dice);
        let json = serde_json::to_vec(&report).expect("a report is JSON");
        assert!(Report::read(&json).is_ok(), "its own JSON is not read back");
    })
}

fn show(report: &Report, dice: &mut Rng) {
    let page = html::html(report);
    assert!(!page.contains("<script"), "a name became markup");
    for text in [page, markdown::markdown(report), csv::csv(report)] {
        let obeyed = |letter: char| letter.is_control() && letter != '\n' && letter != '\r';
        assert!(!text.contains(obeyed), "a terminal would obey it");
    }
    if dice.u32(..TYPESET) == 0 {
        assert!(pdf::pdf(report, report.period.to).is_ok(), "no PDF could be made");
    }
}

fn settings() -> Target {
    let seed = "title: Shop\ninterval: 15m\nobjectives: { p95_ms: 500 }\napis:\n  - { name: Pay, target_groups: [pay, 'arn:*:targetgroup/pay-*/*'], success: [2xx, 3xx] }\n";
    Target::new("report_settings", vec![seed.as_bytes().to_vec()], |input, _| {
        let Ok(text) = std::str::from_utf8(input) else { return };
        match Settings::read(text) {
            Ok(settings) => assert!(settings.interval_minutes() > 0),
            Err(wrong) => assert!(!wrong.to_string().is_empty(), "it is refused without a word"),
        }
    })
}

fn earlier() -> Target {
    let golden = root().join("crates/reports/tests/golden/report.json");
    let seeds = std::fs::read(golden).into_iter().collect();
    Target::new("report_json", seeds, |input, dice| {
        let Ok(mut report) = Report::read(input) else { return };
        let same = report.clone();
        report.compare("the day before", &same);
        drop(firebreak_reports::alerts::of(&report));
        drop(markdown::markdown(&report));
        if dice.u32(..TYPESET) == 0 {
            drop(pdf::pdf(&report, report.period.to));
        }
    })
}
