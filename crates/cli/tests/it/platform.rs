//! A `firebreak serve` process on a folder of its own, and a client for it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

pub(crate) const RUNBOOK: &str = r#"
runbook: degrade-checkout
owner: shop
when: alert.name == "CheckoutHighErrorRate"
mode: MODE
settle: 200ms
targets: { http.flag: alert.annotations.degraded_mode_flag }
steps:
  - action: http.set_flag
    with: { value: true }
    verify: { within: 20s, stable_for: 1s, every: 200ms, all: [alert_resolved, http.flag_set] }
    undo_after: 500ms
"#;

pub(crate) struct Platform {
    child: Child,
    pub(crate) url: String,
    webhook_token: String,
    api_token: String,
    http: reqwest::Client,
}

impl Platform {
    /// Starts the binary on the folder; a second start on the same folder goes on where the first stopped.
    pub(crate) fn start(folder: &Path, flag_origin: &str) -> Self {
        Self::with_policy(folder, &format!("flag_origins: [\"{flag_origin}\"]\n"))
    }

    pub(crate) fn with_policy(folder: &Path, settings: &str) -> Self {
        let config = folder.join("firebreak.yaml");
        std::fs::write(&config, settings).unwrap();
        let data = folder.join("data");
        let mut child = Command::new(env!("CARGO_BIN_EXE_firebreak"))
            .args(["serve", "--listen", "127.0.0.1:0", "--runbooks"])
            .arg(folder.join("runbooks"))
            .arg("--config")
            .arg(config)
            .arg("--data")
            .arg(&data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line
            .trim()
            .strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("{line:?}"))
            .to_owned();
        let token =
            |file: &str| std::fs::read_to_string(data.join(file)).unwrap().trim().to_owned();
        Self {
            child,
            url,
            webhook_token: token("webhook-token"),
            api_token: token("api-token"),
            http: client(),
        }
    }

    /// SIGKILL: no goodbye, nothing flushed.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and the exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        self.child.wait().unwrap().code()
    }

    pub(crate) async fn deliver(
        &self,
        source: &str,
        body: impl Into<reqwest::Body>,
    ) -> (u16, Value) {
        let request = self.http.post(format!("{}/webhooks/{source}", self.url)).body(body);
        // The server hangs up on a body that is too large, and the next request must not meet that.
        let request = request.header("connection", "close");
        answer(request.bearer_auth(&self.webhook_token)).await
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.api_token)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", self.url)).json(&body);
        answer(request.bearer_auth(&self.api_token)).await
    }

    /// A page of the console, as it is written.
    pub(crate) async fn page(&self, request: reqwest::RequestBuilder) -> (u16, String) {
        let response = request.bearer_auth(&self.api_token).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    pub(crate) async fn incidents(&self) -> Vec<Value> {
        let (status, page) = self.get("/api/incidents").await;
        assert_eq!(status, 200, "{page}");
        page["incidents"].as_array().unwrap().clone()
    }

    /// The only incident with its events, once there is one.
    pub(crate) async fn incident(&self) -> Option<Value> {
        let incidents = self.incidents().await;
        assert!(incidents.len() <= 1, "{incidents:?}");
        let id = incidents.first()?["id"].as_str().unwrap().to_owned();
        let (status, shown) = self.get(&format!("/api/incidents/{id}")).await;
        assert_eq!(status, 200, "{shown}");
        Some(shown)
    }

    /// Looks ten times a second until `enough`, for half a minute at most.
    pub(crate) async fn until(&self, what: &str, enough: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..600 {
            if let Some(shown) = self.incident().await {
                if enough(&shown) {
                    return shown;
                }
                last = shown;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("never came to: {what}; last seen {:#?}", names(&last));
    }
}

/// A test that fails leaves no process behind.
impl Drop for Platform {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }
}

pub(crate) fn client() -> reqwest::Client {
    firebreak_http::install_crypto();
    reqwest::Client::builder().timeout(std::time::Duration::from_secs(10)).build().unwrap()
}

pub(crate) async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
}

/// The names of the events that an answer of the API shows.
pub(crate) fn names(shown: &Value) -> Vec<String> {
    let events = shown["events"].as_array().cloned().unwrap_or_default();
    events.iter().map(|event| event["event"]["type"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn count(shown: &Value, name: &str) -> usize {
    names(shown).iter().filter(|one| *one == name).count()
}

/// An Alertmanager webhook about the checkout service.
pub(crate) fn webhook(status: &str, flag: &str) -> String {
    let ends_at = if status == "firing" { "0001-01-01T00:00:00Z" } else { "2036-11-21T10:05:00Z" };
    json!({
        "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": status, "receiver": "firebreak",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://127.0.0.1:9093",
        "alerts": [{
            "status": status,
            "labels": {"alertname": "CheckoutHighErrorRate", "service": "checkout", "severity": "critical"},
            "annotations": {"summary": "checkout fails", "degraded_mode_flag": flag},
            "startsAt": "2026-11-21T10:00:00Z", "endsAt": ends_at,
            "generatorURL": "", "fingerprint": "00000000000000aa",
        }],
    })
    .to_string()
}

/// A folder with the runbook in the wished mode.
pub(crate) fn folder(mode: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("runbooks")).unwrap();
    let text = RUNBOOK.replace("MODE", mode);
    std::fs::write(folder.path().join("runbooks/degrade.yaml"), text).unwrap();
    folder
}
