//! Requests at the real checkout, each with the line that its log would hold.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Twenty requests a second.
const EVERY: Duration = Duration::from_millis(50);

pub(super) fn start(checkout: SocketAddr, lines: mpsc::Sender<String>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(2)).build();
        let Ok(http) = http else { return };
        let mut clock = tokio::time::interval(EVERY);
        loop {
            clock.tick().await;
            let (http, lines) = (http.clone(), lines.clone());
            tokio::spawn(async move {
                let line = request(&http, checkout).await;
                // Nobody reads on once the story is over.
                lines.send(line).await.unwrap_or_default();
            });
        }
    })
}

async fn request(http: &reqwest::Client, checkout: SocketAddr) -> String {
    let begun = tokio::time::Instant::now();
    let answer = http.post(format!("http://{checkout}/checkout")).send().await;
    // No answer at all is a failure of the service too.
    let status = answer.map_or(503, |answer| answer.status().as_u16());
    let level = if status < 500 { "info" } else { "error" };
    let latency = begun.elapsed().as_secs_f64() * 1000.0;
    json!({
        "time": Timestamp::now().to_string(), "level": level, "service": "checkout", "message": "checkout served",
        "path": "/checkout", "status": status, "latency_ms": (latency * 10.0).round() / 10.0,
    })
    .to_string()
}
