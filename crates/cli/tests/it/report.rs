//! Access logs become reports in every format, and a spike becomes one incident.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::platform::{Platform, folder};

/// A day of one API with an hour in which it fails.
fn log() -> String {
    let mut log = String::new();
    for request in 0..2400 {
        let (hour, minute) = (request / 100, request % 60);
        let status = if hour == 14 && request % 3 == 0 { 502 } else { 200 };
        writeln!(
            log,
            "h2 2026-11-20T{hour:02}:{minute:02}:00.500000Z app/shop/50dc6c495c0c9188 192.0.2.7:2817 10.0.0.1:80 0.000 0.0{:02} \
             0.000 {status} {status} 34 366 \"GET https://shop.example:443/orders/{request} HTTP/2.0\" \"curl/8.14.1\" - - \
             arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/orders/73e2d6bc24d8a067 \"Root=1-1-1\" \"-\" \"-\" 1 \
             2026-11-20T00:00:00.000000Z \"forward\" \"-\" \"-\" \"10.0.0.1:80\" \"{status}\" \"-\" \"-\"",
            20 + request % 40,
        )
        .unwrap();
    }
    log
}

fn firebreak(words: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_firebreak")).args(words).current_dir(folder).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_folder_of_logs_becomes_a_report_in_every_format() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("logs/2026/11");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("a.log"), log()).unwrap();
    std::fs::write(folder.join("notes.txt"), "not a log").unwrap();
    std::fs::write(
        place.path().join("report.yaml"),
        "title: Our shop\napis: [{name: Order desk, target_groups: [orders]}]",
    )
    .unwrap();
    let report = |words: &[&str]| {
        let all = [&["report", "alb", "logs", "--config", "report.yaml"], words].concat();
        let output = firebreak(&all, place.path());
        assert!(output.status.success(), "{words:?}: {}", stderr(&output));
        output
    };
    let table = String::from_utf8(report(&[]).stdout).unwrap();
    for part in ["Our shop", "Order desk", "2,400", "Anomalies", "502", "GET /orders/{}"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    assert!(!table.contains('\u{1b}'), "no colours in a pipe");
    let json: Value = serde_json::from_slice(&report(&["--format", "json"]).stdout).unwrap();
    assert_eq!(json["apis"][0]["figures"]["elb"]["5xx"], 33);
    for (file, begins) in [
        ("out.pdf", "%PDF-1.7"),
        ("out.html", "<!DOCTYPE html>"),
        ("out.csv", "api,kind"),
        ("out.md", "# Our shop"),
        ("out.json", "{"),
    ] {
        let told = report(&["--output", file]);
        assert!(told.stdout.is_empty() && stderr(&told).contains("2,400 requests"));
        let bytes = std::fs::read(place.path().join(file)).unwrap();
        assert!(bytes.starts_with(begins.as_bytes()), "{file}");
    }
    let compared = report(&["--before", "out.json", "--week-before", "out.json"]);
    let compared = String::from_utf8(compared.stdout).unwrap();
    assert!(
        compared.contains("Against the day before")
            && compared.contains("Against the same weekday")
    );
}

#[test]
fn what_cannot_be_reported_says_why_and_fails() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("odd.log"), "hello\n").unwrap();
    std::fs::write(place.path().join("cut.log.gz"), [0x1f, 0x8b, 8, 0, 0]).unwrap();
    std::fs::write(place.path().join("odd.yaml"), "apis: [{name: A}]").unwrap();
    std::fs::write(place.path().join("whole.log"), log()).unwrap();
    std::fs::create_dir(place.path().join("empty")).unwrap();
    let cases: [(&[&str], &str); 6] = [
        (&["odd.log"], "odd.log:1"),
        (&["missing.log"], "missing.log"),
        (&["empty"], "no file ending in"),
        (&["cut.log.gz"], "cut.log.gz"),
        (&["whole.log", "--config", "odd.yaml"], "target_groups"),
        (&["whole.log", "--before", "odd.yaml"], "no report"),
    ];
    for (words, part) in cases {
        let output = firebreak(&[&["report", "alb"], words].concat(), place.path());
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        assert!(output.stdout.is_empty(), "{words:?}: nothing looks like a report");
        assert!(stderr(&output).contains(part), "{words:?}: {}", stderr(&output));
    }
    let partly = firebreak(&["report", "alb", "whole.log", "cut.log.gz"], place.path());
    assert_eq!(
        partly.status.code(),
        Some(1),
        "what was read is shown, and the exit code says that it is not all"
    );
    assert!(String::from_utf8_lossy(&partly.stdout).contains("Incomplete: cut.log.gz"));
}

#[tokio::test]
async fn a_spike_opens_one_incident_however_often_it_is_reported() {
    let place = folder("shadow");
    let platform = Platform::start(place.path(), "http://127.0.0.1:9");
    std::fs::write(place.path().join("a.log"), log()).unwrap();
    let data = place.path().join("data");
    let words = [
        "report",
        "alb",
        "a.log",
        "--alert-to",
        &platform.url,
        "--data",
        data.to_str().unwrap(),
        "--format",
        "csv",
    ];
    for outcome in ["opened", "duplicate"] {
        let output = firebreak(&words, place.path());
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(stderr(&output).contains(outcome), "{}", stderr(&output));
    }
    let incident = platform.until("the incident", |_| true).await;
    let text = incident.to_string();
    for part in ["orders", "alb-server-errors", "server errors", "2026-11-20T14:00:00Z"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(platform.incidents().await.len(), 1);
}
