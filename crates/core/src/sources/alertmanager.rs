//! Prometheus Alertmanager's webhook, version 4, and the variant of Google Managed Prometheus.
//!
//! * Identity is the sender's `fingerprint`, which is the same in every episode; without it, all labels. Annotations
//!   never take part: their values change between firing and resolved.
//! * The service is the first of the labels `service`, `job`, `app` and `deployment`.
//! * `Watchdog` and `DeadMansSwitch` are signs of life while they fire. When one is resolved, the sender went silent:
//!   that is a resolved alert (which cannot open an incident) and a finding.
//! * One element that cannot be understood is kept aside with its position; its siblings live.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fields::{self, is_absent, link, present, text};
use super::times::{Time, time};
use super::{Delivery, Intake, Problem, Reject, Source, json};
use crate::alert::{AlertStatus, Draft, Severity};
use crate::fingerprint::{Field, IdentityInputs};

const NAME: &str = "alertmanager";
const REMEDY: &str = "send Alertmanager's own version 4 body: remove `payload` from the receiver's `webhook_configs`";
/// Alerts that fire for as long as all is well.
const HEARTBEATS: [&str; 2] = ["Watchdog", "DeadMansSwitch"];

pub(super) struct Alertmanager;

impl Source for Alertmanager {
    fn name(&self) -> &'static str {
        NAME
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
        let mut intake = Intake::default();
        let group = match json::read(delivery, REMEDY) {
            Ok(parsed) => {
                intake.findings = parsed.findings;
                parsed.value
            }
            Err(broken) => {
                intake.reject_all(delivery, broken.problem);
                return intake;
            }
        };
        match elements(&group) {
            Err(problem) => intake.reject_all(delivery, problem),
            Ok((group, elements)) => {
                note_group(group, &mut intake.findings);
                for (index, element) in elements.iter().enumerate() {
                    if let Err(problem) = understand(group, index, element, delivery, &mut intake) {
                        intake.rejects.push(Reject {
                            index: Some(index),
                            problem,
                            raw: element.to_string(),
                        });
                    }
                }
            }
        }
        intake
    }
}

fn elements(group: &Value) -> Result<(&Map<String, Value>, &[Value]), Problem> {
    let Some(fields) = group.as_object() else {
        return Err(Problem::shape(REMEDY));
    };
    match fields.get("alerts") {
        Some(Value::Array(alerts)) if !alerts.is_empty() => Ok((fields, alerts)),
        Some(Value::Array(_)) => Err(Problem::field("alerts", "is an empty list", REMEDY)),
        Some(_) => Err(Problem::field("alerts", "is not a list", REMEDY)),
        None => {
            let found: Vec<&str> = fields.keys().map(String::as_str).take(12).collect();
            Err(Problem::field(
                "alerts",
                &format!("is missing (the body has: {})", found.join(", ")),
                REMEDY,
            ))
        }
    }
}

fn note_group(group: &Map<String, Value>, findings: &mut Vec<String>) {
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
    if let Some(left_out) =
        group.get("truncatedAlerts").and_then(present).filter(|count| count != "0")
    {
        findings.push(format!(
            "Alertmanager left {left_out} alerts of this group out, and will never send them: set `max_alerts: 0` in \
             the receiver's `webhook_configs`"
        ));
    }
}

fn understand(
    group: &Map<String, Value>,
    index: usize,
    element: &Value,
    delivery: &Delivery<'_>,
    intake: &mut Intake,
) -> Result<(), Problem> {
    let at = |field: &str| format!("alerts[{index}].{field}");
    let alert = element
        .as_object()
        .ok_or_else(|| Problem::field(&format!("alerts[{index}]"), "is not an object", REMEDY))?;
    let status = match alert
        .get("status")
        .and_then(present)
        .or_else(|| group.get("status").and_then(present))
        .as_deref()
    {
        Some("firing") => AlertStatus::Firing,
        Some("resolved") => AlertStatus::Resolved,
        Some(other) => {
            return Err(Problem::field(
                &at("status"),
                &format!("is `{other}`, neither `firing` nor `resolved`"),
                REMEDY,
            ));
        }
        None => return Err(Problem::field(&at("status"), "is missing", REMEDY)),
    };
    let raw_labels = match alert.get("labels") {
        Some(Value::Object(labels)) => labels,
        Some(_) => return Err(Problem::field(&at("labels"), "is not an object", REMEDY)),
        None => return Err(Problem::field(&at("labels"), "is missing", REMEDY)),
    };
    let labels = texts(raw_labels, &at("labels"))?;
    let annotations = match alert.get("annotations") {
        Some(Value::Object(annotations)) => texts(annotations, &at("annotations"))?,
        Some(Value::Null) | None => BTreeMap::new(),
        Some(_) => return Err(Problem::field(&at("annotations"), "is not an object", REMEDY)),
    };

    let labelled = |name: &str| labels.get(name).filter(|value| !is_absent(value)).cloned();
    let name = labelled("alertname").unwrap_or_else(|| {
        intake.findings.push(format!("{} is missing", at("labels.alertname")));
        "unnamed alert".to_owned()
    });
    if HEARTBEATS.contains(&name.as_str()) {
        if status == AlertStatus::Firing {
            intake.heartbeats.push((index, name));
            return Ok(());
        }
        intake
            .findings
            .push(format!("`{name}` is resolved: Prometheus no longer proves that it is alive"));
    }

    let severity = labelled("severity").map_or(Severity::Warning, |word| {
        Severity::from_word(&word).unwrap_or_else(|| {
            intake.findings.push(format!(
                "{} `{word}` is not known and was read as warning",
                at("labels.severity")
            ));
            Severity::Warning
        })
    });
    let annotated = |name: &str| annotations.get(name).filter(|value| !is_absent(value));
    let url = |value: Option<&Value>| value.and_then(present);
    let links = [
        link("Expression", url(alert.get("generatorURL")).as_deref()),
        link("Alertmanager", url(group.get("externalURL")).as_deref()),
        link("Runbook", annotated("runbook_url").map(String::as_str)),
    ];

    let (starts_at, ends_at) = times(alert, status, &at, delivery, &mut intake.findings);
    let draft = Draft {
        source: NAME,
        identity: identity(alert, raw_labels),
        status,
        severity,
        service: fields::service(&labels),
        title: annotated("summary").cloned().unwrap_or_else(|| name.clone()),
        name,
        episode: None,
        starts_at,
        ends_at,
        labels,
        annotations,
        links: links.into_iter().flatten().collect(),
    };
    intake.alerts.push((index, draft.seal()));
    Ok(())
}

fn identity(alert: &Map<String, Value>, labels: &Map<String, Value>) -> IdentityInputs {
    match alert.get("fingerprint").and_then(present) {
        Some(fingerprint) => [("fingerprint".to_owned(), Field::Text(fingerprint))].into(),
        None => labels
            .iter()
            .map(|(name, value)| {
                (format!("labels.{name}"), text(value).map_or(Field::Null, Field::Text))
            })
            .collect(),
    }
}

fn times(
    alert: &Map<String, Value>,
    status: AlertStatus,
    at: &dyn Fn(&str) -> String,
    delivery: &Delivery<'_>,
    findings: &mut Vec<String>,
) -> (jiff::Timestamp, Option<jiff::Timestamp>) {
    let mut read = |field: &str| match time(alert.get(field)) {
        Time::At(at) => at,
        Time::Absent | Time::Unreadable => {
            findings.push(format!("{} says no time; the time of arrival stands for it", at(field)));
            delivery.received_at
        }
    };
    let starts_at = read("startsAt");
    (starts_at, (status == AlertStatus::Resolved).then(|| read("endsAt")))
}

/// A map of texts; null values are left out, numbers and booleans are taken as they are written.
fn texts(map: &Map<String, Value>, path: &str) -> Result<BTreeMap<String, String>, Problem> {
    map.iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| match text(value) {
            Some(text) => Ok((name.clone(), text)),
            None => Err(Problem::field(&format!("{path}.{name}"), "is not text", REMEDY)),
        })
        .collect()
}
