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
    assert!(
        said(&imported).contains("line 13: receivers[1].webhook_configs[0].url\n       not copied")
    );
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
    let watchdog = ask(&["alertname=Watchdog"]);
    assert!(said(&watchdog).contains("`Watchdog` is a sign of life"), "{}", said(&watchdog));
}

const WAYS: &str = include_str!("../../../../events/import/ways.yml");

/// Labels, and the receivers to which Alertmanager's documentation leads them.
const TAKEN: &[(&[&str], &[&str])] = &[
    (&["team=x"], &["default"]),
    (&["alertname=Quiet", "severity=critical"], &["nobody"]),
    (&["severity=page"], &["audit"]),
    (&["severity=page", "version=1.10"], &["audit", "release"]),
    (&["version=1.1"], &["default"]),
    (&["team=db", "env=prod-1"], &["db-pager"]),
    (&["team=db", "env=prod", "instance=test-1"], &["db"]),
    (&["team=db", "env=xprod"], &["default"]),
    (&["team=db", "env=prod", "severity=info"], &["db"]),
    (&["team=db", "env=prod", "severity=critical"], &["audit", "db-lead", "db-pager"]),
    (&["team=web"], &["web"]),
    (&["team=web", "region=eu", "severity=critical"], &["audit", "web"]),
    (&["team=web", "service=shop"], &["default"]),
];

#[test]
fn an_alert_reaches_the_receivers_that_alertmanager_names() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ways.yml"), WAYS).unwrap();
    let imported = firebreak(folder.path(), &["import", "ways.yml", "--out", "ours.yaml"]);
    assert!(imported.status.success(), "{}", said(&imported));
    let lint = firebreak(folder.path(), &["policy", "lint", "ours.yaml"]);
    assert!(lint.status.success(), "{}", said(&lint));
    for (labels, receivers) in TAKEN {
        let args = [&["--json", "routes", "test", "--config", "ours.yaml"], *labels].concat();
        let shown = firebreak(folder.path(), &args);
        let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
        let expected: Vec<&str> =
            receivers.iter().copied().filter(|one| *one != "nobody").collect();
        assert_eq!(shown["channels"], serde_json::json!(expected), "{labels:?}");
    }
}

#[test]
fn amtool_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ways.yml"), WAYS).unwrap();
    for (labels, receivers) in TAKEN {
        let mut amtool = Command::new("amtool");
        amtool.args(["config", "routes", "test", "--config.file=ways.yml"]).args(*labels);
        let output = match amtool.current_dir(folder.path()).output() {
            Err(_) if std::env::var_os("CI").is_none() => {
                eprintln!("SKIPPED: there is no amtool; install prometheus-alertmanager");
                return;
            }
            output => output.unwrap(),
        };
        let shown = String::from_utf8_lossy(&output.stdout);
        let mut told: Vec<&str> = shown.trim().split(',').collect();
        told.sort_unstable();
        assert_eq!(told, *receivers, "{labels:?}");
    }
}

#[test]
fn standard_input_is_read_and_strict_fails_on_a_remark() {
    use std::io::Write as _;
    use std::process::Stdio;
    let clean = "route: {receiver: a, group_by: [b]}\nreceivers: [{name: a}]\n";
    for (text, code) in [(clean, 0), (WAYS, 1), ("a: b", 1)] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_firebreak"))
            .args(["import", "-", "--strict"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        let printed = String::from_utf8_lossy(&output.stdout).contains("\nroute:\n");
        assert_eq!(printed, text != "a: b", "{}", said(&output));
    }
}

#[test]
fn lint_names_a_channel_that_nobody_set_up() {
    let folder = tempfile::tempdir().unwrap();
    let ours =
        "channels: {a: {kind: webhook, url: \"https://a.example.com/\"}}\nroute: {channels: [b]}\n";
    std::fs::write(folder.path().join("ours.yaml"), ours).unwrap();
    let lint = firebreak(folder.path(), &["policy", "lint", "ours.yaml"]);
    assert_eq!(lint.status.code(), Some(1));
    assert!(
        said(&lint).contains("route.channels: there is no channel `b`; there are a"),
        "{}",
        said(&lint)
    );
}
