//! What Prometheus reads from the service.

use std::time::Instant;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const SECONDS: [f64; 12] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

pub(crate) struct Metrics {
    registry: Registry,
    requests: Counter,
    errors: Counter,
    duration: Histogram,
    degraded_mode: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::default();
        let requests = Counter::default();
        let errors = Counter::default();
        let duration = Histogram::new(SECONDS);
        let degraded_mode = Gauge::default();
        registry.register("checkout_requests", "Checkouts asked for", requests.clone());
        registry.register("checkout_errors", "Checkouts answered with a 5xx", errors.clone());
        registry.register(
            "checkout_request_duration_seconds",
            "Time from the request to its answer",
            duration.clone(),
        );
        registry.register(
            "checkout_degraded_mode",
            "1 while checkouts take the reduced path",
            degraded_mode.clone(),
        );
        Self { registry, requests, errors, duration, degraded_mode }
    }

    /// Counts a request and measures it until the returned value is dropped, also when its caller hangs up.
    pub(crate) fn request(&self) -> impl Drop + use<> {
        self.requests.inc();
        Measured { duration: self.duration.clone(), since: Instant::now() }
    }

    pub(crate) fn error(&self) {
        self.errors.inc();
    }

    pub(crate) fn text(&self, degraded_mode: bool) -> String {
        self.degraded_mode.set(i64::from(degraded_mode));
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string cannot fail");
        text
    }
}

struct Measured {
    duration: Histogram,
    since: Instant,
}

impl Drop for Measured {
    fn drop(&mut self) {
        self.duration.observe(self.since.elapsed().as_secs_f64());
    }
}
