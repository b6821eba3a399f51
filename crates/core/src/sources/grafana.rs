//! Grafana's unified alerting, version 1 of its webhook, and the dashboard alerts of Grafana 8 and before.
//!
//! * Grafana strips labels like `__alert_rule_uid__` after it made the fingerprint, so that cannot be made again from the
//!   labels; without it they are all there is.
//! * A rule that cannot read its data source fires under another name (`DatasourceError`, `DatasourceNoData`), with a
//!   fingerprint of its own, and is resolved apart.
//! * The values of a rule differ at each look. They are kept with the first message of an episode and are never news.
//! * The test of a contact point is an alert that may notify and never acts.

use serde_json::{Map, Value};

use super::fields::{is_absent, link, present, text};
use super::group::Dialect;
use super::times::{Time, time};
use super::{Delivery, Intake, Problem, Source, json};
use crate::alert::{Alert, AlertStatus, Draft, Severity};
use crate::fingerprint::{Field, IdentityInputs};
use crate::proof::{self, Scheme};

const REMEDY: &str = "send Grafana's own body: remove the custom payload from the contact point";
const DIALECT: Dialect = Dialect {
    source: "grafana",
    remedy: REMEDY,
    note,
    links: &[
        ("Rule", "generatorURL"),
        ("Dashboard", "dashboardURL"),
        ("Panel", "panelURL"),
        ("Silence", "silenceURL"),
        ("Image", "imageURL"),
    ],
    seal,
};

pub(super) struct Grafana;

impl Source for Grafana {
    fn name(&self) -> &'static str {
        DIALECT.source
    }

    fn summary(&self) -> &'static str {
        "Grafana unified alerting, and the dashboard alerts before it"
    }

    fn identity(&self) -> &'static str {
        "`fingerprint`, else all labels; of a dashboard alert host, organisation and rule"
    }

    fn resolves(&self) -> &'static str {
        "`status: resolved` of the alert; with \"Disable resolved message\" never"
    }

    fn schemes(&self) -> &'static [Scheme] {
        proof::GRAFANA
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Intake {
        json::intake(delivery, REMEDY, |body, intake| match body.as_object() {
            Some(message) if is_dashboard_alert(message) => {
                dashboard_alert(message, delivery, intake);
            }
            _ => DIALECT.read(body, delivery, intake),
        })
    }
}

fn note(group: &Map<String, Value>, findings: &mut Vec<String>) {
    if group.get("version").and_then(present).as_deref() == Some("4") {
        findings
            .push("this looks like Alertmanager, not Grafana; it was read all the same".to_owned());
    }
    let left_out = group.get("truncatedAlerts").and_then(present);
    if let Some(left_out) = left_out.filter(|count| count != "0") {
        findings.push(format!(
            "Grafana left {left_out} alerts of this group out, and will never send them: set the contact point's \
             `Max alerts` to 0"
        ));
    }
}

fn seal(alert: &Map<String, Value>, mut draft: Draft, findings: &mut Vec<String>) -> Alert {
    if matches!(draft.name.as_str(), "DatasourceError" | "DatasourceNoData") {
        let rule = draft.labels.get("rulename").filter(|name| !is_absent(name));
        if let Some(rule) = rule {
            draft.title = format!("{}: {rule}", draft.name);
        }
    }
    let is_test = draft.name == "TestAlert"
        && draft.labels.get("instance").is_some_and(|instance| instance == "Grafana");
    let values = values(alert);
    let mut sealed = if is_test {
        findings.push("the test of a contact point: it is never acted upon".to_owned());
        draft.severity = Severity::Info;
        draft.seal_in_doubt("test")
    } else {
        draft.seal()
    };
    sealed.annotations.extend(values.map(|values| ("values".to_owned(), values)));
    sealed
}

/// `A=1, B=22.5`; null once the alert is over.
fn values(alert: &Map<String, Value>) -> Option<String> {
    let values = alert.get("values")?.as_object()?;
    let shown: Vec<String> = values
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", text(value)?)))
        .collect();
    (!shown.is_empty()).then(|| shown.join(", "))
}

fn is_dashboard_alert(message: &Map<String, Value>) -> bool {
    !message.contains_key("alerts")
        && message.contains_key("state")
        && (message.contains_key("ruleName") || message.contains_key("ruleId"))
}

/// One rule of a dashboard: it fires as a whole, whatever its series.
fn dashboard_alert(message: &Map<String, Value>, delivery: &Delivery<'_>, intake: &mut Intake) {
    let said = |field: &str| message.get(field).and_then(present);
    let state = said("state").unwrap_or_default();
    let status = match state.as_str() {
        "alerting" | "no_data" | "pending" => Some(AlertStatus::Firing),
        "ok" => Some(AlertStatus::Resolved),
        _ => None,
    };
    let Some(name) = said("ruleName").or_else(|| said("title")) else {
        let problem = Problem::field("ruleName", "is missing", REMEDY);
        return intake.reject_all(delivery, problem);
    };
    let tags = message.get("tags").and_then(Value::as_object).into_iter().flatten();
    let mut labels: std::collections::BTreeMap<String, String> =
        tags.filter_map(|(tag, value)| Some((tag.clone(), present(value)?))).collect();
    labels.insert("alertname".to_owned(), name.clone());
    let annotations = [("message", said("message")), ("state", Some(state.clone()))];
    let annotations =
        annotations.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?)));
    let links =
        [link("Rule", said("ruleUrl").as_deref()), link("Image", said("imageUrl").as_deref())];
    let sent_at = match time(message.get("time")) {
        Time::At(at) => at,
        Time::Absent | Time::Unreadable => delivery.received_at,
    };
    let severity = labels.get("severity").and_then(|word| Severity::from_word(word));
    let draft = Draft {
        source: DIALECT.source,
        identity: rule(message),
        status: status.unwrap_or(AlertStatus::Firing),
        severity: severity.unwrap_or(Severity::Warning),
        service: super::fields::service(&labels),
        title: said("title").unwrap_or_else(|| name.clone()),
        name,
        annotations: annotations.collect(),
        episode: None,
        starts_at: sent_at,
        ends_at: (status == Some(AlertStatus::Resolved)).then_some(sent_at),
        links: links.into_iter().flatten().collect(),
        labels,
    };
    let alert = if status.is_some() {
        draft.seal()
    } else {
        intake.findings.push(format!(
            "`state` is `{state}`, which means nothing: taken as firing, never acted upon"
        ));
        draft.seal_in_doubt("state")
    };
    intake.alerts.push((0, alert.without_start()));
}

fn rule(message: &Map<String, Value>) -> IdentityInputs {
    let said = |field: &str| message.get(field).and_then(present);
    let Some(id) = said("ruleId") else { return IdentityInputs::new() };
    let host = said("ruleUrl").and_then(|url| {
        let (_, rest) = url.split_once("://")?;
        Some(rest.split('/').next().unwrap_or(rest).to_ascii_lowercase())
    });
    let inputs = [("rule.host", host), ("rule.id", Some(id)), ("rule.org", said("orgId"))];
    let field = |value: Option<String>| value.map_or(Field::Missing, Field::Text);
    inputs.into_iter().map(|(name, value)| (name.to_owned(), field(value))).collect()
}
