//! The built-in prober: reads `/metrics` like Prometheus and posts what Alertmanager would post.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::json;
use tokio::task::JoinHandle;

use crate::client::Client;

/// Looks twice a second at the requests of the last three seconds.
const EVERY: Duration = Duration::from_millis(500);
const WINDOW: usize = 6;
/// Fires above, resolves below; the gap keeps it from flapping.
const FIRE_ABOVE: f64 = 0.10;
const RESOLVE_BELOW: f64 = 0.02;

/// Cumulative counts of one scrape.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Counts {
    requests: f64,
    errors: f64,
}

/// What the prober says of the checkout service.
struct Prober {
    http: reqwest::Client,
    platform: Client,
    checkout: SocketAddr,
    scrapes: VecDeque<Counts>,
    firing_since: Option<Timestamp>,
}

/// Probes until it is aborted.
pub(super) fn start(checkout: SocketAddr, platform: Client) -> JoinHandle<()> {
    let http = reqwest::Client::new();
    let mut prober =
        Prober { http, platform, checkout, scrapes: VecDeque::new(), firing_since: None };
    tokio::spawn(async move {
        let mut clock = tokio::time::interval(EVERY);
        loop {
            clock.tick().await;
            if let Err(error) = prober.look().await {
                tracing::debug!(%error, "a probe failed; the next one looks again");
            }
        }
    })
}

impl Prober {
    async fn look(&mut self) -> anyhow::Result<()> {
        let text =
            self.http.get(format!("http://{}/metrics", self.checkout)).send().await?.text().await?;
        self.scrapes.push_back(read(&text).context("the metrics of the checkout are missing")?);
        if self.scrapes.len() > WINDOW {
            self.scrapes.pop_front();
        }
        let Some(ratio) = ratio(&self.scrapes) else { return Ok(()) };
        match self.firing_since {
            None if ratio > FIRE_ABOVE => {
                let since = Timestamp::now();
                self.post("firing", since, ratio).await?;
                self.firing_since = Some(since);
            }
            Some(since) if ratio < RESOLVE_BELOW => {
                self.post("resolved", since, ratio).await?;
                self.firing_since = None;
            }
            _ => {}
        }
        Ok(())
    }

    /// A webhook of version 4, as Alertmanager sends it.
    async fn post(&self, status: &str, since: Timestamp, ratio: f64) -> anyhow::Result<()> {
        let ends_at = if status == "resolved" {
            Timestamp::now().to_string()
        } else {
            "0001-01-01T00:00:00Z".to_owned()
        };
        let labels = json!({"alertname": "CheckoutHighErrorRate", "service": "checkout", "severity": "critical"});
        let annotations = json!({
            "summary": format!("checkout fails {:.0} % of its requests", ratio * 100.0),
            "degraded_mode_flag": format!("http://{}/admin/flags/degraded_mode", self.checkout),
        });
        let body = json!({
            "version": "4",
            "groupKey": "{}:{alertname=\"CheckoutHighErrorRate\"}",
            "truncatedAlerts": 0,
            "status": status,
            "receiver": "firebreak",
            "groupLabels": {"alertname": "CheckoutHighErrorRate"},
            "commonLabels": labels,
            "commonAnnotations": annotations,
            "externalURL": format!("http://{}", self.checkout),
            "alerts": [{
                "status": status,
                "labels": labels,
                "annotations": annotations,
                "startsAt": since.to_string(),
                "endsAt": ends_at,
                "generatorURL": format!("http://{}/metrics", self.checkout),
                "fingerprint": "5ca1ab1e0ddba115",
            }],
        });
        self.platform.post("/webhooks/alertmanager", &body).await?;
        Ok(())
    }
}

/// The share of failed requests in the window; nothing before there are enough of them.
fn ratio(scrapes: &VecDeque<Counts>) -> Option<f64> {
    let (first, last) = (scrapes.front()?, scrapes.back()?);
    let requests = last.requests - first.requests;
    (requests >= 10.0).then(|| (last.errors - first.errors) / requests)
}

fn read(metrics: &str) -> Option<Counts> {
    let value = |name: &str| {
        metrics.lines().find_map(|line| {
            line.strip_prefix(name)?.strip_prefix(' ')?.split(' ').next()?.parse().ok()
        })
    };
    Some(Counts {
        requests: value("checkout_requests_total")?,
        errors: value("checkout_errors_total")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_from_the_text_format() {
        let text = "# HELP checkout_requests Requests.\ncheckout_requests_total 40\ncheckout_errors_total 8\n# EOF\n";
        assert_eq!(read(text), Some(Counts { requests: 40.0, errors: 8.0 }));
        assert_eq!(read("checkout_requests_total 40\n"), None);
    }

    #[test]
    fn a_rate_needs_enough_requests() {
        let scrapes = |pairs: &[(f64, f64)]| {
            pairs
                .iter()
                .map(|(requests, errors)| Counts { requests: *requests, errors: *errors })
                .collect()
        };
        assert_eq!(ratio(&scrapes(&[(0.0, 0.0), (5.0, 5.0)])), None);
        assert_eq!(ratio(&scrapes(&[(100.0, 0.0), (110.0, 2.0), (140.0, 10.0)])), Some(0.25));
    }
}
