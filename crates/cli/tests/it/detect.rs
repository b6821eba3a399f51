//! `firebreak detect` and `firebreak simulate logs` as a person runs them.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn firebreak(folder: &Path, args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_firebreak"))
        .args(args)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    let (out, error) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(error))
}

const RULES: &str = "\
rules:
  - rule: slow-api-data
    owner: platform
    service: api
    when: event.fields.path == \"/api/data\" && event.fields.latency_ms > 3000
    count: { more_than: 5, within: 10m }
";

fn slow(minute: usize) -> String {
    format!(
        "{{\"time\":\"2026-11-20T10:{minute:02}:00Z\",\"path\":\"/api/data\",\"latency_ms\":4000}}\n"
    )
}

#[test]
fn alerts_of_files_and_of_standard_input_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rules.yaml"), RULES).unwrap();
    let (even, odd): (Vec<usize>, Vec<usize>) = (0..7).partition(|minute| minute % 2 == 0);
    let text = |minutes: &[usize]| minutes.iter().map(|minute| slow(*minute)).collect::<String>();
    std::fs::write(folder.path().join("even.log"), text(&even)).unwrap();
    std::fs::write(folder.path().join("odd.log"), text(&odd)).unwrap();
    let files = ["detect", "even.log", "odd.log", "--rules", "rules.yaml", "--json"];
    let files = firebreak(folder.path(), &files, "");
    assert!(files.status.success(), "{}", said(&files));
    let all = text(&(0..7).collect::<Vec<_>>());
    let stdin = firebreak(folder.path(), &["detect", "--rules", "rules.yaml", "--json"], &all);
    assert_eq!(files.stdout, stdin.stdout);
    let alert: Value = serde_json::from_slice(&files.stdout).unwrap();
    assert_eq!(alert["schema"], "firebreak.alert.v1");
    assert_eq!((&alert["name"], &alert["status"]), (&"slow-api-data".into(), &"firing".into()));
    assert_eq!(alert["starts_at"], "2026-11-20T10:05:00Z");

    let odd_lines = format!("{all}no event\n");
    let shown = firebreak(folder.path(), &["detect", "-", "--rules", "rules.yaml"], &odd_lines);
    let shown = said(&shown);
    assert!(shown.contains("slow-api-data: more than 5 within 10m"), "{shown}");
    assert!(shown.contains("line 8 it is neither a JSON object nor logfmt"), "{shown}");
}

#[test]
fn what_was_learned_and_seen_is_taken_up_the_next_time() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rules.yaml"), RULES).unwrap();
    let args = ["detect", "-", "--rules", "rules.yaml", "--model", "model.json", "--json"];
    let first: String = (0..4).map(slow).collect();
    let second: String = (4..7).map(slow).collect();
    let first = firebreak(folder.path(), &args, &first);
    assert!(first.status.success() && first.stdout.is_empty(), "{}", said(&first));
    let second = firebreak(folder.path(), &args, &second);
    let alert: Value = serde_json::from_slice(&second.stdout).unwrap();
    assert_eq!(alert["status"], "firing");
    std::fs::write(folder.path().join("model.json"), "{\"version\":9}").unwrap();
    let newer = firebreak(folder.path(), &args, "");
    assert!(!newer.status.success() && said(&newer).contains("move it away"), "{}", said(&newer));
}

#[test]
fn lint_shows_the_place_and_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let example = firebreak(folder.path(), &["detect", "example"], "");
    std::fs::write(folder.path().join("good.yaml"), &example.stdout).unwrap();
    let good = firebreak(folder.path(), &["detect", "lint", "good.yaml"], "");
    assert!(good.status.success(), "{}", said(&good));
    let bad = RULES.replace("event.fields.path", "event.path");
    std::fs::write(folder.path().join("bad.yaml"), bad).unwrap();
    for args in [["detect", "lint", "bad.yaml"].as_slice(), &["detect", "-", "--rules", "bad.yaml"]]
    {
        let shown = firebreak(folder.path(), args, "");
        assert_eq!(shown.status.code(), Some(1));
        let shown = said(&shown);
        assert!(shown.contains("bad.yaml:5:17") && shown.contains("^^^^"), "{shown}");
        assert!(shown.contains("write `event.fields.path`"), "{shown}");
    }
}

#[test]
fn the_loop_from_a_line_of_a_log_to_the_verdict_closes() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["simulate", "logs", "--listen", "127.0.0.1:0", "--seed", "3"];
    let output = firebreak(folder.path(), &args, "");
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    for stage in [
        "detector firing      checkout-errors",
        "alert.fired",
        "step.sent",
        "detector resolved    checkout-errors",
        "step.verified",
        "incident.resolved",
        "step.undone",
        "failed-logins",
    ] {
        assert!(text.contains(stage), "{stage} is missing:\n{text}");
    }
}
