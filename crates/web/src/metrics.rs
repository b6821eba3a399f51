//! Counters of this process in Prometheus text form.

use std::sync::Arc;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    source: String,
    outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    source: String,
    reason: String,
}

/// The counters. Labels take values from registries only, never from a sender.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    alerts: Family<Outcome, Counter>,
    denied: Family<Reason, Counter>,
    refused: Family<Reason, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("firebreak");
        let alerts = Family::default();
        registry.register("alerts", "Alerts taken in, by what became of them", alerts.clone());
        let denied = Family::default();
        registry.register(
            "denied",
            "Deliveries without a valid proof of the sender",
            denied.clone(),
        );
        let refused = Family::default();
        registry.register(
            "refused",
            "Authenticated deliveries that were not stored",
            refused.clone(),
        );
        Self { registry: Arc::new(registry), alerts, denied, refused }
    }
}

impl Metrics {
    pub(crate) fn alert(&self, source: &str, outcome: &str) {
        let labels = Outcome { source: source.to_owned(), outcome: outcome.to_owned() };
        self.alerts.get_or_create(&labels).inc();
    }

    pub(crate) fn denied(&self, source: &str, reason: &str) {
        let labels = Reason { source: source.to_owned(), reason: reason.to_owned() };
        self.denied.get_or_create(&labels).inc();
    }

    pub(crate) fn refused(&self, source: &str, reason: &str) {
        let labels = Reason { source: source.to_owned(), reason: reason.to_owned() };
        self.refused.get_or_create(&labels).inc();
    }

    pub(crate) fn render(&self) -> Response {
        let mut text = String::new();
        match prometheus_client::encoding::text::encode(&mut text, &self.registry) {
            Ok(()) => {
                let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
                ([(header::CONTENT_TYPE, kind)], text).into_response()
            }
            Err(error) => {
                crate::answer::Failure::unavailable("metrics", error.to_string()).into_response()
            }
        }
    }
}
