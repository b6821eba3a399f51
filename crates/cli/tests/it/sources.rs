//! Who sends, who may, and who is silent: over the API, the command line and the console.

use std::process::Command;

use serde_json::{Value, json};

use crate::platform::{Platform, client, folder, webhook};

const POLICY: &str = "\
sources:
  alertmanager: { limit: { rate: 1, burst: 2 } }
  grafana: { heartbeat: { every: 1h, grace: 0s } }
";
const FLAG: &str = "http://127.0.0.1:9/admin/flags/degraded_mode";
const WATCHDOG: &str = r#"{"version":"4","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"Watchdog"},"startsAt":"2026-11-21T10:00:00Z","fingerprint":"0000000000000001"}]}"#;

fn of<'a>(sources: &'a Value, name: &str) -> &'a Value {
    let all = sources["sources"].as_array().unwrap();
    all.iter().find(|one| one["source"] == name).unwrap()
}

#[tokio::test]
async fn counts_limits_and_signs_of_life_are_shown_by_source() {
    let folder = folder("shadow");
    let platform = Platform::with_policy(folder.path(), POLICY);
    // More than the burst is let in and paid for: what comes within the next minute is refused.
    let alert = |n: u32| json!({"status": "firing", "labels": {"alertname": "Slow", "pod": n.to_string()}, "fingerprint": format!("{n:016x}")});
    let many =
        json!({"version": "4", "alerts": (0..60).map(alert).collect::<Vec<_>>()}).to_string();
    assert_eq!(platform.deliver("alertmanager", many).await.0, 202);
    assert_eq!(platform.deliver("alertmanager", webhook("firing", FLAG)).await.0, 503, "limited");
    assert_eq!(platform.deliver("grafana", WATCHDOG).await.0, 202);
    assert_eq!(platform.deliver("sumologic", "{\"broken\": [").await.0, 202);
    let stranger = client().post(format!("{}/webhooks/datadog", platform.url)).body("{}");
    assert_eq!(stranger.send().await.unwrap().status(), 401);

    let (status, sources) = platform.get("/api/sources").await;
    assert_eq!(status, 200);
    let alertmanager = of(&sources, "alertmanager");
    assert_eq!((&alertmanager["accepted"], &alertmanager["limited"]), (&json!(60), &json!(1)));
    assert_eq!(alertmanager["limit"], json!({"rate": 1, "burst": 2}));
    assert!(alertmanager["rate"].as_f64().unwrap() > 0.0 && alertmanager["last_heard"].is_string());
    assert_eq!(
        (&alertmanager["enabled"], &alertmanager["proof"]),
        (&json!(true), &json!(["bearer", "basic"]))
    );
    let sumologic = of(&sources, "sumologic");
    assert_eq!((&sumologic["quarantined"], &sumologic["waiting"]), (&json!(1), &json!(1)));
    assert_eq!(of(&sources, "datadog")["denied"], 1);
    let expected = &of(&sources, "grafana")["expected"];
    assert_eq!(expected[0]["state"], "alive", "{expected}");
    assert_eq!(of(&sources, "opsgenie")["last_heard"], Value::Null);

    let data = folder.path().join("data");
    let firebreak = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_firebreak"))
            .args(args)
            .args(["--url", &platform.url, "--data", data.to_str().unwrap()])
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let shown = firebreak(&["sources"]);
    for line in shown.lines() {
        assert!(line.chars().count() <= 80, "wider than a terminal: {line:?}");
    }
    assert!(shown.contains("alive grafana: "), "{shown}");
    assert!(
        !shown.contains("opsgenie")
            && firebreak(&["sources", "list", "--all"]).contains("opsgenie")
    );
    let read: Value = serde_json::from_str(&firebreak(&["--json", "sources"])).unwrap();
    assert_eq!(of(&read, "alertmanager")["limited"], 1);

    let name = expected[0]["name"].as_str().unwrap();
    assert!(
        firebreak(&["sources", "forget", "grafana", name, "--by", "ana"]).contains("forgotten")
    );
    let (_, sources) = platform.get("/api/sources").await;
    assert_eq!(of(&sources, "grafana")["expected"][0]["name"], "any heartbeat");

    let page = client().get(format!("{}/sources", platform.url));
    let (status, html) = platform.page(page).await;
    assert_eq!(status, 200);
    for part in
        ["<h1>Sources</h1>", "alertmanager", "limit 1 a second, 2 at once", "source-enabled"]
    {
        assert!(html.contains(part), "{part}: {html}");
    }
}
