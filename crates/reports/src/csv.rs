//! The report as CSV: one row for each API with plain numbers, for spreadsheets and scripts.

use crate::report::{Api, Classes, Report};

const HEADER: [&str; 30] = [
    "api",
    "kind",
    "target_groups",
    "from",
    "to",
    "requests",
    "elb_1xx",
    "elb_2xx",
    "elb_3xx",
    "elb_4xx",
    "elb_5xx",
    "elb_none",
    "elb_other",
    "target_1xx",
    "target_2xx",
    "target_3xx",
    "target_4xx",
    "target_5xx",
    "target_none",
    "target_other",
    "successful",
    "success_percent",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "max_ms",
    "received_bytes",
    "sent_bytes",
    "health_score",
    "anomalies",
];

/// The whole text.
pub fn csv(report: &Report) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = std::iter::once(HEADER.map(str::to_owned).to_vec());
    for record in header.chain(report.apis.iter().map(|api| record(report, api))) {
        writer.write_record(record).expect("every row has as many fields, and memory takes them");
    }
    let bytes = writer.into_inner().expect("memory takes it");
    String::from_utf8_lossy(&bytes).into_owned()
}

fn record(report: &Report, api: &Api) -> Vec<String> {
    let figures = &api.figures;
    let kind = serde_json::to_value(api.kind).ok();
    let kind = kind.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    let mut fields = vec![
        harmless(&api.name),
        kind,
        harmless(&api.target_groups.join(" ")),
        report.period.from.to_string(),
        report.period.to.to_string(),
        figures.requests.to_string(),
    ];
    fields.extend(counts(&figures.elb));
    fields.extend(counts(&figures.target));
    fields.push(figures.successful.to_string());
    fields.push(format!("{:.4}", figures.success_percent));
    match &figures.latency {
        Some(latency) => {
            let all = [latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms];
            fields.extend(all.map(|value| value.to_string()));
        }
        None => fields.extend(std::iter::repeat_n(String::new(), 4)),
    }
    fields.push(figures.received_bytes.to_string());
    fields.push(figures.sent_bytes.to_string());
    fields.push(api.health.as_ref().map_or_else(String::new, |health| health.score.to_string()));
    fields.push(
        report.anomalies.iter().filter(|anomaly| anomaly.api == api.name).count().to_string(),
    );
    fields
}

fn counts(classes: &Classes) -> [String; 7] {
    classes.named().map(|(_, count)| count.to_string())
}

/// A spreadsheet takes what begins like this for a formula.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_a_formula() {
        assert_eq!(harmless("=cmd()"), "'=cmd()");
        assert_eq!(harmless("checkout"), "checkout");
    }
}
