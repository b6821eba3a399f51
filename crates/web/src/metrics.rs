//! Counters of this process in the text forms that Prometheus reads.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use firebreak_engine::guard_meter::{GuardCount, GuardMeter};
use firebreak_engine::queue::Meter;
use firebreak_engine::traffic::Traffic;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfSource {
    source: String,
}

/// The counters. Labels take values from registries only, never from a sender.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    alerts: Family<Outcome, Counter>,
    denied: Family<Reason, Counter>,
    refused: Family<Reason, Counter>,
    seconds: Family<OfSource, Histogram>,
    traffic: Arc<Traffic>,
}

/// Upper ends in seconds: from a repeat to what a sender no longer waits for.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0];

impl Metrics {
    /// With what happens in the queue of intake.
    pub fn of(queue: Arc<Meter>) -> Self {
        Self::in_registry(queue, Registry::with_prefix("firebreak"))
    }

    /// Where runbooks are driven too: also with what the guards say.
    pub fn with_guards(queue: Arc<Meter>, guards: Arc<GuardMeter>) -> Self {
        let mut registry = Registry::with_prefix("firebreak");
        registry.register_collector(Box::new(OfGuards(guards)));
        Self::in_registry(queue, registry)
    }

    fn in_registry(queue: Arc<Meter>, mut registry: Registry) -> Self {
        registry.register_collector(Box::new(InQueue(queue)));
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
        let histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        let seconds = Family::new_with_constructor(histogram);
        registry.register_with_unit(
            "delivery",
            "From the head of a delivery to its 2xx",
            Unit::Seconds,
            seconds.clone(),
        );
        let traffic = Arc::default();
        Self { registry: Arc::new(registry), alerts, denied, refused, seconds, traffic }
    }

    /// The same by source, for people.
    pub fn traffic(&self) -> Arc<Traffic> {
        Arc::clone(&self.traffic)
    }

    pub(crate) fn taken(&self, source: &str, took: Duration) {
        let labels = OfSource { source: source.to_owned() };
        self.seconds.get_or_create(&labels).observe(took.as_secs_f64());
    }

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

    /// `OpenMetrics` for who asks for it, as Prometheus does; the older text form for everybody else.
    pub(crate) fn render(&self, headers: &HeaderMap) -> Response {
        let mut text = String::new();
        if let Err(error) = prometheus_client::encoding::text::encode(&mut text, &self.registry) {
            return crate::answer::Failure::unavailable("metrics", error.to_string())
                .into_response();
        }
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
        if accept.is_some_and(|accept| accept.contains("application/openmetrics-text")) {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            return ([(header::CONTENT_TYPE, kind)], text).into_response();
        }
        let kind = "text/plain; version=0.0.4; charset=utf-8";
        ([(header::CONTENT_TYPE, kind)], plain(&text)).into_response()
    }
}

/// Reads the meter of the queue when the metrics are asked for.
#[derive(Debug)]
struct InQueue(Arc<Meter>);

impl Collector for InQueue {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let meter = &self.0;
        let gauges = [("intake_waiting_alerts", "Alerts that wait to be written", meter.waiting())];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(metric)?;
        }
        let counters = [
            ("intake_batches", "Batches of alerts that were written together", meter.batches()),
            ("intake_appends", "Appends of intake to incidents", meter.appends()),
            ("intake_counts", "Counts of repeats that were written", meter.counts()),
            ("intake_coalesced", "Repeats of storms that were counted together", meter.coalesced()),
        ];
        for (name, help, value) in counters {
            let counter = ConstCounter::new(value);
            let metric = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
            counter.encode(metric)?;
        }
        let help = "Alerts whose exact repeats come so fast that they are counted together";
        let kind = MetricType::Gauge;
        let mut metric = encoder.encode_descriptor("intake_storms", help, None, kind)?;
        for (source, storms) in meter.storms() {
            let gauge = ConstGauge::new(i64::try_from(storms).unwrap_or(i64::MAX));
            gauge.encode(metric.encode_family(&OfSource { source })?)?;
        }
        Ok(())
    }
}

/// Reads the counts of the guards when the metrics are asked for.
#[derive(Debug)]
struct OfGuards(Arc<GuardMeter>);

impl Collector for OfGuards {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let asked = |count: &GuardCount| count.asked;
        let held = |count: &GuardCount| count.held;
        self.family(&mut encoder, ("guard_asked", "How often each guard was asked"), asked)?;
        self.family(&mut encoder, ("guard_held", "How often each guard held an action"), held)
    }
}

impl OfGuards {
    fn family(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        (name, help): (&str, &str),
        value: impl Fn(&GuardCount) -> u64,
    ) -> Result<(), std::fmt::Error> {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for count in self.0.counts() {
            let counter = ConstCounter::new(value(&count));
            counter.encode(family.encode_family(&[("guard", count.guard)])?)?;
        }
        Ok(())
    }
}

/// The older form: the name of a counter ends in `_total` in its comments too, and there is no end mark.
fn plain(open_metrics: &str) -> String {
    let counters: Vec<&str> = open_metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut text = String::with_capacity(open_metrics.len());
    for line in open_metrics.lines().filter(|line| *line != "# EOF") {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(kind @ ("HELP" | "TYPE")), Some(name), Some(rest))
                if counters.contains(&name) =>
            {
                text.extend(["# ", kind, " ", name, "_total ", rest, "\n"]);
            }
            _ => text.extend([line, "\n"]),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn rendered(accept: Option<&str>) -> (String, String) {
        let metrics = Metrics::of(Arc::default());
        metrics.alert("alertmanager", "opened");
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert(header::ACCEPT, accept.parse().unwrap());
        }
        let response = metrics.render(&headers);
        let kind = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (kind, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn prometheus_gets_open_metrics() {
        let accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
        let (kind, text) = rendered(Some(accept)).await;
        assert!(kind.starts_with("application/openmetrics-text"));
        assert!(text.contains("# TYPE firebreak_alerts counter\n"), "{text}");
        assert!(text.ends_with("# EOF\n"), "{text}");
    }

    #[test]
    fn every_guard_is_there_from_the_start() {
        let metrics = Metrics::with_guards(Arc::default(), Arc::default());
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &metrics.registry).unwrap();
        for guard in firebreak_core::guards::GUARDS {
            let name = guard.name();
            for family in ["asked", "held"] {
                let line = format!("firebreak_guard_{family}_total{{guard=\"{name}\"}} 0\n");
                assert!(text.contains(&line), "{line} in {text}");
            }
        }
    }

    #[tokio::test]
    async fn others_get_the_text_in_which_comments_and_samples_have_one_name() {
        for accept in [None, Some("*/*"), Some("text/plain")] {
            let (kind, text) = rendered(accept).await;
            assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
            assert!(text.contains("# TYPE firebreak_alerts_total counter\n"), "{text}");
            assert!(text.contains("# HELP firebreak_alerts_total Alerts taken in"), "{text}");
            assert!(
                text.contains(
                    "firebreak_alerts_total{source=\"alertmanager\",outcome=\"opened\"} 1\n"
                ),
                "{text}"
            );
            assert!(!text.contains("EOF"), "{text}");
        }
    }
}
