//! The stable faces: answers of the webhooks, the API and the command line.

use std::process::{Command, Output};

use firebreak_checkout::Knobs;
use serde_json::{Value, json};

use crate::platform::{Platform, answer, client, count, folder, webhook};

const FLAG: &str = "http://127.0.0.1:9/admin/flags/degraded_mode";

#[tokio::test]
async fn webhooks_answer_as_documented() {
    let folder = folder("shadow");
    let platform = Platform::start(folder.path(), "http://127.0.0.1:9");

    let (status, report) = platform.deliver("alertmanager", webhook("firing", FLAG)).await;
    assert_eq!(status, 202);
    assert_eq!(report["accepted"][0]["outcome"], "opened");
    assert!(report["accepted"][0]["incident_id"].as_str().unwrap().starts_with("inc_"));
    let (_, again) = platform.deliver("alertmanager", webhook("firing", FLAG)).await;
    assert_eq!(again["accepted"][0]["outcome"], "duplicate");
    assert_eq!(again["accepted"][0]["incident_id"], report["accepted"][0]["incident_id"]);
    let (_, over) = platform.deliver("alertmanager", webhook("resolved", FLAG)).await;
    assert_eq!(over["accepted"][0]["outcome"], "resolved");

    let (status, broken) = platform.deliver("alertmanager", "{\"alerts\": [").await;
    assert_eq!(status, 202, "an authenticated body is kept: {broken}");
    assert_eq!(broken["quarantined"][0]["error"]["code"], "json");
    let (_, second) = platform.deliver("alertmanager", "{\"alerts\": ]").await;
    assert_eq!(second["quarantined"].as_array().unwrap().len(), 1);
    let (_, kept) = platform.get("/api/quarantine?source=alertmanager").await;
    assert_eq!(kept["quarantined"].as_array().unwrap().len(), 2);
    let id = second["quarantined"][0]["id"].as_str().unwrap();
    assert_eq!(kept["quarantined"][0]["id"], id, "newest first");
    let (_, shown) = platform.get(&format!("/api/quarantine/{id}")).await;
    assert_eq!(shown["raw"], "{\"alerts\": ]");
    let again = format!("/api/quarantine/{id}/replay");
    assert_eq!(platform.post(&again, json!({"by": " "})).await.0, 400);
    let (status, replay) = platform.post(&again, json!({"by": "ada"})).await;
    assert_eq!((status, &replay["still"][0]["error"]["code"]), (200, &json!("json")));
    assert_eq!(platform.get("/api/quarantine/01NOTHERE").await.0, 404);
    let told: Vec<Value> = platform
        .incidents()
        .await
        .into_iter()
        .filter(|one| one["service"] == "firebreak")
        .collect();
    assert_eq!(told.len(), 1, "people are told once per source");

    let (status, unknown) = platform.deliver("nagios", "{}").await;
    assert_eq!((status, &unknown["error"]["code"]), (404, &json!("not_found")));
    let (status, large) = platform.deliver("alertmanager", vec![b' '; 2 * 1024 * 1024]).await;
    assert_eq!((status, &large["error"]["code"]), (413, &json!("too_large")));

    let before = platform.incidents().await.len();
    for wrong in [None, Some("Bearer wrong"), Some("Basic !"), Some("Bearer ")] {
        let mut request = client().post(format!("{}/webhooks/sumologic", platform.url)).body("{}");
        if let Some(wrong) = wrong {
            request = request.header("authorization", wrong);
        }
        let (status, body) = answer(request).await;
        assert_eq!((status, &body["error"]["code"]), (401, &json!("unauthorized")));
    }
    assert_eq!(platform.incidents().await.len(), before);
    let metrics = client()
        .get(format!("{}/metrics", platform.url))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(
        metrics.contains("firebreak_denied_total{source=\"sumologic\",reason=\"missing\"} 1"),
        "{metrics}"
    );
    assert_eq!(platform.stop(), Some(0));
}

#[tokio::test]
async fn an_approval_is_for_one_plan_and_works_once() {
    let checkout =
        firebreak_checkout::start("127.0.0.1:0".parse().unwrap(), Knobs::default()).await.unwrap();
    let origin = format!("http://{}", checkout.addr());
    let flag = format!("{origin}/admin/flags/degraded_mode");
    let folder = folder("approve");
    let platform = Platform::start(folder.path(), &origin);
    platform.deliver("alertmanager", webhook("firing", &flag)).await;
    let shown = platform
        .until("an approval is asked for", |shown| count(shown, "approval.requested") == 1)
        .await;
    let id = shown["incident"]["id"].as_str().unwrap();
    let hash = shown["runs"][0]["plan"]["hash"].as_str().unwrap();
    let approve = json!({"decision": "approve", "by": "ana"});

    let (status, _) = platform
        .post(&format!("/api/approvals/{id}.1.plan1_{}", "0".repeat(32)), approve.clone())
        .await;
    assert_eq!(status, 409, "another plan is not approved by this");
    let token = format!("/api/approvals/{id}.1.{hash}");
    assert_eq!(
        platform.post(&token, json!({"decision": "approve"})).await.0,
        400,
        "somebody must answer for it"
    );
    assert_eq!(platform.post(&token, approve.clone()).await.0, 200);
    assert_eq!(platform.post(&token, approve).await.0, 409, "it works once");
    platform.until("the call was made", |shown| count(shown, "step.sent") == 1).await;
    assert_eq!(platform.stop(), Some(0));
    checkout.stop().await.unwrap();
}

fn firebreak(platform: &Platform, data: &std::path::Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_firebreak"))
        .args(args)
        .args(["--url", &platform.url, "--data"])
        .arg(data)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_does_what_its_help_says() {
    let folder = folder("shadow");
    let data = folder.path().join("data");
    let platform = Platform::start(folder.path(), "http://127.0.0.1:9");
    let body = folder.path().join("alert.json");
    std::fs::write(&body, webhook("firing", FLAG)).unwrap();

    let sent =
        text(&firebreak(&platform, &data, &["send", "alertmanager", body.to_str().unwrap()]));
    let id = sent.split_whitespace().find(|word| word.starts_with("inc_")).unwrap().to_owned();
    platform.until("it was considered", |shown| count(shown, "incident.considered") == 1).await;

    let listed = text(&firebreak(&platform, &data, &["incidents", "list", "--status", "open"]));
    assert!(listed.contains(&id) && listed.contains("checkout fails"), "{listed}");
    let why = text(&firebreak(&platform, &data, &["why", &id]));
    assert!(why.contains("shadow: `degrade-checkout` would do http.set_flag"), "{why}");
    assert!(why.contains("fingerprint = \"00000000000000aa\""), "{why}");
    assert!(
        why.contains("shadow mode") || why.contains("runbook degrade-checkout: matches"),
        "{why}"
    );
    let fingerprint = why.split_whitespace().find(|word| word.starts_with("fp1_")).unwrap();
    let prefix: String = fingerprint.chars().take(12).collect();
    let known = text(&firebreak(&platform, &data, &["why", &prefix]));
    assert!(known.contains("would: nothing: the runbook is in shadow mode"), "{known}");
    assert!(known.contains("pass cooldown: ") && known.contains(&id), "{known}");
    let other = folder.path().join("other.json");
    let renamed = webhook("firing", FLAG).replace("CheckoutHighErrorRate", "CheckoutSlow");
    std::fs::write(&other, renamed).unwrap();
    let other = ["why", "--source", "alertmanager", other.to_str().unwrap()];
    let never = text(&firebreak(&platform, &data, &other));
    assert!(never.contains("none of 1 runbooks is for it"), "{never}");
    assert!(never.contains("name is \"CheckoutSlow\", not \"CheckoutHighErrorRate\""), "{never}");
    let page: Value = serde_json::from_str(&text(&firebreak(
        &platform,
        &data,
        &[&other[..], &["--json"]].concat(),
    )))
    .unwrap();
    assert_eq!(page["alerts"][0]["runbook"], Value::Null);
    assert_eq!(platform.incidents().await.len(), 1, "explaining delivers nothing");
    let show = text(&firebreak(&platform, &data, &["incidents", "show", &id]));
    assert!(show.contains("alert.fired"), "{show}");

    text(&firebreak(&platform, &data, &["kill-switch", "on", "--by", "ana", "--reason", "drill"]));
    let status = text(&firebreak(&platform, &data, &["kill-switch", "status"]));
    assert!(status.contains("engaged by ana") && status.contains("drill"), "{status}");
    text(&firebreak(&platform, &data, &["kill-switch", "off", "--by", "ana"]));

    text(&firebreak(&platform, &data, &["incidents", "ack", &id, "--by", "ana"]));
    text(&firebreak(
        &platform,
        &data,
        &["incidents", "resolve", &id, "--by", "ana", "--reason", "drill"],
    ));
    let json = text(&firebreak(&platform, &data, &["incidents", "list", "--json"]));
    let page: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(page["incidents"][0]["status"], "resolved");

    assert!(text(&firebreak(&platform, &data, &["quarantine", "list"])).contains("nothing waits"));
    platform.deliver("alertmanager", "not understood").await;
    let listed = text(&firebreak(&platform, &data, &["quarantine", "list"]));
    let kept = listed.lines().nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let shown = text(&firebreak(&platform, &data, &["quarantine", "show", &kept]));
    assert!(shown.contains("not understood") && shown.contains("0 alerts understood"), "{shown}");
    let again = ["quarantine", "replay", "--source", "alertmanager", "--by", "ana"];
    let stays = firebreak(&platform, &data, &again);
    assert_eq!(stays.status.code(), Some(1), "what stays is not success");
    assert!(String::from_utf8_lossy(&stays.stdout).contains("1 parts stay"));

    let missing = firebreak(&platform, &data, &["incidents", "show", "inc_0"]);
    assert_eq!(missing.status.code(), Some(1));
    assert_eq!(firebreak(&platform, &data, &["incidents", "lst"]).status.code(), Some(2));
    assert_eq!(platform.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_sent_as_its_sender_signs_it() {
    let folder = folder("shadow");
    let data = folder.path().join("data");
    let platform = Platform::start(folder.path(), "http://127.0.0.1:9");
    let body = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/grafana/firing.json");
    let token = std::fs::read_to_string(data.join("webhook-token")).unwrap();

    let sent = text(&firebreak(&platform, &data, &["send", "grafana", body, "--sign"]));
    assert!(sent.contains("x-grafana-alerting-signature: ") && sent.contains("opened"), "{sent}");
    assert!(!sent.contains(token.trim()), "the secret is not shown");
    let json = text(&firebreak(&platform, &data, &["send", "grafana", body, "--sign", "--json"]));
    let report: Value = serde_json::from_str(&json).unwrap();
    assert!(report["sent"]["headers"]["x-grafana-alerting-timestamp"].is_string(), "{report}");

    let other = folder.path().join("other-secret");
    std::fs::write(&other, "another-secret-of-ours\n").unwrap();
    let args = ["send", "grafana", body, "--sign-with", other.to_str().unwrap()];
    let refused = firebreak(&platform, &data, &args);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("401"), "{refused:?}");
    let none = firebreak(&platform, &data, &["send", "sumologic", body, "--sign"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&none.stderr).contains("--config"), "{none:?}");

    // With settings that say so, any source may be signed, and with its own secret.
    let config = folder.path().join("signed.yaml");
    std::fs::write(&config, "sources: { sumologic: { proof: [standard_webhooks] } }\n").unwrap();
    let config = config.to_str().unwrap();
    let args = ["send", "sumologic", body, "--sign", "--config", config];
    let refused = firebreak(&platform, &data, &args);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("401"), "the platform has others");
    assert_eq!(platform.stop(), Some(0));
}
