//! Prometheus Alertmanager's webhook, version 4, and the variant of Google Managed Prometheus.
//!
//! Why a group was sent (`notification_reason`, since 0.32) and by which route (`routeLabels`, since 0.34) are left out:
//! they differ between deliveries of one and the same alert, and would make each of them news.

use serde_json::{Map, Value};

use super::fields::present;
use super::group::Dialect;
use super::{Delivery, Intake, Source, json};

const DIALECT: Dialect = Dialect {
    source: "alertmanager",
    remedy: "send Alertmanager's own version 4 body: remove `payload` from the receiver's `webhook_configs`",
    note,
    links: &[("Expression", "generatorURL"), ("Alertmanager", "externalURL")],
    seal: |_, draft, _| draft.seal(),
};

pub(super) struct Alertmanager;

impl Source for Alertmanager {
    fn name(&self) -> &'static str {
        DIALECT.source
    }

    fn summary(&self) -> &'static str {
        "Prometheus Alertmanager, webhook version 4 (also Google Managed Prometheus)"
    }

    fn identity(&self) -> &'static str {
        "`fingerprint`, else all labels"
    }

    fn resolves(&self) -> &'static str {
        "`status: resolved` of the alert; with `send_resolved: false` never"
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Intake {
        json::intake(delivery, DIALECT.remedy, |body, intake| DIALECT.read(body, delivery, intake))
    }
}

fn note(group: &Map<String, Value>, findings: &mut Vec<String>) {
    let version = group.get("version").and_then(present);
    match version.as_deref() {
        None | Some("4") => {}
        Some("1") if !group.contains_key("orgId") => {}
        Some("1") => findings
            .push("this looks like Grafana, not Alertmanager; it was read all the same".to_owned()),
        Some(other) => {
            findings.push(format!("version `{other}` is not known and was read as version 4"));
        }
    }
    let left_out = group.get("truncatedAlerts").and_then(present);
    if let Some(left_out) = left_out.filter(|count| count != "0") {
        findings.push(format!(
            "Alertmanager left {left_out} alerts of this group out, and will never send them: set `max_alerts: 0` in \
             the receiver's `webhook_configs`"
        ));
    }
}
