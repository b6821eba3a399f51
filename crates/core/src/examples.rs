//! Example alerts and a runbook for the tests of this crate.

use jiff::Timestamp;

use crate::alert::{Alert, AlertStatus, Draft, Severity};

pub(crate) const RUNBOOK: &str = r#"
runbook: restart-slow-api
owner: platform
when: alert.source == "sumologic" && alert.labels.monitor == "slow-api-data"
mode: auto
max_age: 10m
settle: 30s
targets: { ec2.instance: alert.labels.instance_id }
guards:
  cooldown: 15m
  attempts: { max: 2, per: 24h }
  blast_radius: { group: "tag:service", max: 1, max_percent: 50, window: 1h }
  require_tag: { firebreak: allow }
steps:
  - action: ec2.reboot
    verify: { within: 5m, stable_for: 1m, all: [alert_resolved, ec2.status_ok] }
escalate: { channels: [oncall] }
"#;

pub(crate) const FLAG_RUNBOOK: &str = r#"
runbook: degrade-checkout
owner: shop
when: alert.source == "sumologic" && alert.labels.monitor == "checkout-errors"
mode: auto
targets: { http.flag: alert.annotations.flag }
steps:
  - action: http.set_flag
    with: { value: true }
    verify: { within: 1m, stable_for: 10s, all: [alert_resolved, http.flag_set] }
    undo_after: 30s
"#;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + seconds).expect("a time of this century")
}

pub(crate) fn draft(monitor: &str, instance: &str) -> Draft {
    let text = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    Draft {
        source: "sumologic",
        identity: [
            ("monitor".to_owned(), monitor.into()),
            ("instance_id".to_owned(), instance.into()),
        ]
        .into(),
        status: AlertStatus::Firing,
        severity: Severity::Critical,
        service: Some("api".to_owned()),
        name: monitor.to_owned(),
        title: format!("{monitor} on {instance}"),
        labels: text(&[("monitor", monitor), ("instance_id", instance)]),
        annotations: text(&[("flag", "http://127.0.0.1:8090/admin/flags/degraded_mode")]),
        episode: None,
        starts_at: at(0),
        ends_at: None,
        links: Vec::new(),
    }
}

pub(crate) fn alert(monitor: &str, instance: &str) -> Alert {
    draft(monitor, instance).seal()
}

pub(crate) fn resolved(monitor: &str, instance: &str, seconds: i64) -> Alert {
    let mut draft = draft(monitor, instance);
    draft.status = AlertStatus::Resolved;
    draft.ends_at = Some(at(seconds));
    draft.seal()
}
