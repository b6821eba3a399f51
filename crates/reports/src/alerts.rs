//! The alerts that a report raises, as `firebreak.alert.v1` for the normal intake.

use serde_json::{Value, json};

use crate::report::{Anomaly, Api, Kind, Measure, Report};

/// From this share of failing requests on, people must look at once.
const CRITICAL_PERCENT: f64 = 10.0;

/// One alert for each stretch of intervals in which an API failed or was slow beyond what is usual. The key is the API
/// and the measure, the episode its first interval: a report that is made again says nothing new.
pub fn of(report: &Report) -> Vec<Value> {
    let mut alerts = Vec::new();
    for api in &report.apis {
        for measure in [Measure::ServerErrors, Measure::Latency] {
            let high = report.anomalies.iter().filter(|anomaly| {
                anomaly.api == api.name && anomaly.measure == measure && anomaly.score > 0.0
            });
            for stretch in stretches(high, report.interval_minutes) {
                alerts.extend(alert(report, api, measure, &stretch));
            }
        }
    }
    alerts
}

/// Neighbouring intervals belong together.
fn stretches<'a>(
    anomalies: impl Iterator<Item = &'a Anomaly>,
    interval_minutes: u16,
) -> Vec<Vec<&'a Anomaly>> {
    let mut stretches: Vec<Vec<&Anomaly>> = Vec::new();
    for anomaly in anomalies {
        let follows = |last: &&Anomaly| {
            anomaly.start.as_second() - last.start.as_second() <= i64::from(interval_minutes) * 60
        };
        match stretches.last_mut() {
            Some(stretch) if stretch.last().is_some_and(follows) => stretch.push(anomaly),
            _ => stretches.push(vec![anomaly]),
        }
    }
    stretches
}

fn alert(report: &Report, api: &Api, measure: Measure, stretch: &[&Anomaly]) -> Option<Value> {
    let first = stretch.first()?;
    let last = stretch.last()?;
    let worst = stretch.iter().max_by(|one, two| one.value.total_cmp(&two.value))?;
    let rule = match measure {
        Measure::ServerErrors => "alb-server-errors",
        Measure::Latency => "alb-latency",
        Measure::ClientErrors | Measure::Traffic => return None,
    };
    let is_critical = measure == Measure::ServerErrors && worst.value >= CRITICAL_PERCENT;
    let mut labels = serde_json::Map::new();
    labels.insert("api".to_owned(), api.name.clone().into());
    if let (Kind::Configured | Kind::Unnamed, [group]) = (api.kind, api.target_groups.as_slice()) {
        labels.insert("target_group".to_owned(), group.clone().into());
    }
    let paths: Vec<String> = api
        .server_failures
        .iter()
        .take(3)
        .map(|path| format!("{} {} ({})", path.status, path.path, path.count))
        .collect();
    let description = format!(
        "{} {} in the interval from {}, usual is {}. Intervals concerned: {}, the last from {}. Failing most over the \
         whole report: {}.",
        measure.name(),
        measure.shown(worst.value),
        worst.start,
        measure.shown(worst.usual),
        stretch.len(),
        last.start,
        if paths.is_empty() { "nothing".to_owned() } else { paths.join(", ") },
    );
    Some(json!({
        "schema": "firebreak.alert.v1",
        "dedup_key": format!("alb-report/{}/{rule}", api.name),
        "episode": first.start.to_string(),
        "status": "firing",
        "severity": if is_critical { "critical" } else { "warning" },
        "service": api.name,
        "name": rule,
        "title": format!("{}: {} {}, usual is {}", api.name, measure.name(), measure.shown(worst.value), measure.shown(worst.usual)),
        "labels": labels,
        "annotations": {"description": description, "report": format!("{} to {}", report.period.from, report.period.to)},
        "starts_at": first.start.to_string(),
    }))
}
