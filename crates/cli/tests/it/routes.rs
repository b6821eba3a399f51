//! From an alertmanager.yml to routes that answer, as a person does it.

use std::path::Path;
use std::process::{Command, Output};

fn firebreak(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_firebreak"))
        .args(args)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    let (out, error) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(error))
}

const THEIRS: &str = r#"
route:
  receiver: chat
  group_by: [alertname]
  routes:
    - receiver: pager
      matchers: [severity="critical"]
      group_wait: 10s
receivers:
  - name: chat
    webhook_configs: [{url: "https://hooks.example.com/chat"}]
  - name: pager
    webhook_configs: [{url: "https://hooks.example.com/pager?key=s3cr3t"}]
"#;

#[test]
fn an_imported_configuration_answers_which_way_an_alert_takes() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("alertmanager.yml"), THEIRS).unwrap();
    let import = ["import", "alertmanager.yml", "--out", "firebreak.yaml"];
    let imported = firebreak(folder.path(), &import);
    assert!(imported.status.success(), "{}", said(&imported));
    assert!(said(&imported).contains("receivers[1].webhook_configs.url: not copied"));
    assert!(!said(&imported).contains("s3cr3t"));
    let again = firebreak(folder.path(), &import);
    assert_eq!(again.status.code(), Some(1), "a file is not written over");

    let lint = firebreak(folder.path(), &["policy", "lint", "firebreak.yaml"]);
    assert!(lint.status.success(), "{}", said(&lint));

    let ask = |rest: &[&str]| {
        let args = [&["routes", "test", "--config", "firebreak.yaml"][..], rest].concat();
        firebreak(folder.path(), &args)
    };
    let critical = ask(&["alertname=Slow", "severity=critical"]);
    let shown = said(&critical);
    assert!(shown.contains("first after 10s, then every 5m, again after 4h"), "{shown}");
    assert!(
        shown.contains(r#"group     alertname="Slow""#) && shown.contains("told      pager"),
        "{shown}"
    );
    assert!(ask(&["severity=warning", "--expect", "chat"]).status.success());
    let wrong = ask(&["severity=warning", "--expect", "pager"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(said(&wrong).contains("expected pager, but told are chat"), "{}", said(&wrong));
    assert_eq!(ask(&["severity"]).status.code(), Some(2), "a label has a value");
}
