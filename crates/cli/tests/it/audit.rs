//! `firebreak audit` beside a running platform: exported, checked, and found out.

use std::path::Path;
use std::process::{Command, Output};

use crate::platform::{Platform, folder, webhook};

fn audit(data: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_firebreak"));
    command.arg("--data").arg(data).arg("audit").args(words).env("NO_COLOR", "1").output().unwrap()
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[tokio::test]
async fn a_record_is_exported_checked_and_a_change_is_named() {
    let folder = folder("shadow");
    let data = folder.path().join("data");
    let platform = Platform::start(folder.path(), "http://127.0.0.1:9");
    let flag = "http://127.0.0.1:9/admin/flags/degraded_mode";
    platform.deliver("alertmanager", webhook("firing", flag)).await;
    let shown =
        platform.until("decided", |shown| shown["events"].as_array().unwrap().len() > 2).await;
    let id = shown["incident"]["id"].as_str().unwrap();

    // A platform that starts anchors its record; this one while it runs and holds the folder.
    let anchored = audit(&data, &["anchor"]);
    assert!(anchored.status.success(), "{}", said(&anchored));
    let whole = audit(&data, &["verify"]);
    assert!(whole.status.success() && said(&whole).contains("held against"), "{}", said(&whole));

    let export = audit(&data, &["export"]);
    let file = folder.path().join("audit.jsonl");
    std::fs::write(&file, &export.stdout).unwrap();
    let path = file.to_str().unwrap();
    let alone = audit(&data, &["verify", path]);
    assert!(
        alone.status.success() && said(&alone).contains("without an anchor"),
        "{}",
        said(&alone)
    );

    let text = String::from_utf8(export.stdout).unwrap();
    std::fs::write(&file, text.replace("checkout fails", "checkout works")).unwrap();
    let found = audit(&data, &["verify", path]);
    assert_eq!(found.status.code(), Some(1));
    assert!(said(&found).contains(&format!("altered {id} event ")), "{}", said(&found));

    let kept: Vec<&str> = text.lines().filter(|line| !line.contains(id)).collect();
    std::fs::write(&file, format!("{}\n", kept.join("\n"))).unwrap();
    let anchors = data.join("anchors.jsonl");
    let gone = audit(&data, &["verify", path, "--anchor", anchors.to_str().unwrap()]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(
        said(&gone).contains(&format!("missing {id} event 1: the whole incident")),
        "{}",
        said(&gone)
    );
    assert_eq!(audit(&data, &["verify", "nowhere.jsonl"]).status.code(), Some(1));
    assert_eq!(platform.stop(), Some(0));
}
