//! Where alerts go: to the terminal, as JSON lines, and to a platform through its normal intake.

use std::time::Duration;

use firebreak_detection::{Notice, State};
use serde_json::Value;

use crate::args::Server;
use crate::client::{Client, webhook_token};
use crate::output::{BAD, DIM, GOOD, paint, say};

/// So many alerts go in one request.
const MOST_TOGETHER: usize = 100;
/// How often a delivery is tried, each time after a longer wait: about two minutes in all.
const TRIES: u32 = 7;

pub(super) struct Outlet {
    json: bool,
    platform: Option<Client>,
    /// In the order of event time; what is not delivered stays.
    waiting: Vec<Value>,
}

impl Outlet {
    pub(super) fn new(server: &Server, to: Option<&str>, json: bool) -> anyhow::Result<Self> {
        let platform = to.map(|url| Client::new(url, webhook_token(server)?)).transpose()?;
        Ok(Self { json, platform, waiting: Vec::new() })
    }

    pub(super) fn take(&mut self, notices: &[Notice]) -> anyhow::Result<()> {
        for notice in notices {
            if self.json {
                say(&serde_json::to_string(&notice.plain())?);
            } else {
                tell(notice);
            }
            if self.platform.is_some() {
                self.waiting.push(notice.cloud_event());
            }
        }
        Ok(())
    }

    /// Reading waits while the platform does not answer. Sent twice, an alert is known as the same.
    pub(super) async fn send_all(&mut self) -> anyhow::Result<()> {
        let Some(platform) = &self.platform else { return Ok(()) };
        while !self.waiting.is_empty() {
            let count = self.waiting.len().min(MOST_TOGETHER);
            let batch = Value::Array(self.waiting.iter().take(count).cloned().collect());
            let report = deliver(platform, &batch).await?;
            self.waiting.drain(..count);
            let kept = report.get("quarantined").and_then(Value::as_array);
            for one in kept.into_iter().flatten() {
                tracing::warn!(%one, "the platform did not understand an alert and keeps it aside");
            }
        }
        Ok(())
    }
}

async fn deliver(platform: &Client, batch: &Value) -> anyhow::Result<Value> {
    let mut wait = Duration::from_secs(1);
    for left in (0..TRIES).rev() {
        match platform.post("/webhooks/cloudevents", batch).await {
            Ok(report) => return Ok(report),
            Err(error) if left == 0 => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "alerts were not taken; trying again in {wait:?}");
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
        }
    }
    Ok(Value::Null)
}

fn tell(notice: &Notice) {
    let (word, at) = match notice.state {
        State::Firing => (paint(BAD, "firing  "), notice.starts_at),
        State::Resolved => (paint(GOOD, "resolved"), notice.ends_at.unwrap_or(notice.starts_at)),
    };
    let note = |name: &str| notice.annotations.get(name);
    let measure = note("measure").map(|measure| format!(" ({measure})")).unwrap_or_default();
    say(&format!("{at} {word} {:8} {}{}", notice.severity, notice.title, paint(DIM, &measure)));
    for name in ["contributions", "score"] {
        if let Some(text) = note(name) {
            say(&paint(DIM, &format!("                              {name}: {text}")));
        }
    }
}
