//! The body that Alertmanager defined and Grafana took over: a group of alerts, each with labels and a status of its own.
//!
//! * Identity is the sender's `fingerprint`, which is the same in every episode; without it, all labels but those that
//!   tell one of two equal senders from the other. Annotations never take part: their values change between firing and
//!   resolved.
//! * `Watchdog` and `DeadMansSwitch` are signs of life while they fire. When one is resolved, the sender went silent:
//!   that is a resolved alert (which cannot open an incident) and a finding.
//! * One element that cannot be understood is kept aside with its position; its siblings live. What is kept, one
//!   element or a list of them, is a body that is read again.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::fields::{self, is_absent, link, present, text};
use super::times::{Time, time};
use super::{Delivery, Intake, Problem, Reject, batch};
use crate::alert::{Alert, AlertStatus, Draft, Severity};
use crate::fingerprint::{Field, IdentityInputs};

/// Alerts that fire for as long as all is well.
const HEARTBEATS: [&str; 4] = ["Watchdog", "DeadMansSwitch", "DeadManSwitch", "DeadMansSnitch"];
/// Labels that differ between two senders of one and the same alert.
const VOLATILE: [&str; 3] = ["prometheus_replica", "__replica__", "receive_replica"];
/// Annotations that may be a title, the best first.
const TITLES: [&str; 3] = ["summary", "title", "message"];

/// What one kind of sender does in its own way.
pub(super) struct Dialect {
    pub(super) source: &'static str,
    /// What its owner should do about a body that is not understood.
    pub(super) remedy: &'static str,
    /// What the group says apart from its alerts.
    pub(super) note: fn(&Map<String, Value>, &mut Vec<String>),
    /// The links of an alert by title, each with the field that holds its address.
    pub(super) links: &'static [(&'static str, &'static str)],
    /// Makes the alert of what was read.
    pub(super) seal: fn(&Map<String, Value>, Draft, &mut Vec<String>) -> Alert,
}

fn alertname(element: &Value) -> Option<&str> {
    element.get("labels")?.get("alertname")?.as_str()
}

/// One alert of a group.
struct Element<'a> {
    group: &'a Map<String, Value>,
    index: usize,
    alert: &'a Map<String, Value>,
}

impl Dialect {
    /// Reads all alerts of a group that is JSON already.
    pub(super) fn read(&self, body: &Value, delivery: &Delivery<'_>, intake: &mut Intake) {
        let (group, elements) = match self.elements(body) {
            Ok(read) => read,
            Err(problem) => return intake.reject_all(delivery, problem),
        };
        (self.note)(group, &mut intake.findings);
        let elements = batch::within(elements, alertname, &mut intake.rejects);
        for (index, element) in elements.iter().enumerate() {
            if let Err(problem) = self.understand(group, index, element, delivery, intake) {
                let raw = element.to_string();
                intake.rejects.push(Reject { index: Some(index), problem, raw });
            }
        }
    }

    /// The fields of the group and its alerts. A list, or one alert alone, is a group without fields of its own.
    fn elements<'a>(
        &self,
        body: &'a Value,
    ) -> Result<(&'a Map<String, Value>, &'a [Value]), Problem> {
        static NO_FIELDS: std::sync::LazyLock<Map<String, Value>> =
            std::sync::LazyLock::new(Map::new);
        let fields = match body {
            Value::Array(alerts) if !alerts.is_empty() => return Ok((&NO_FIELDS, alerts)),
            Value::Object(fields) => fields,
            Value::Array(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_) => return Err(Problem::shape(self.remedy)),
        };
        match fields.get("alerts") {
            Some(Value::Array(alerts)) if !alerts.is_empty() => Ok((fields, alerts)),
            Some(Value::Array(_)) => Err(Problem::field("alerts", "is an empty list", self.remedy)),
            Some(_) => Err(Problem::field("alerts", "is not a list", self.remedy)),
            None if fields.contains_key("labels") => Ok((&NO_FIELDS, std::slice::from_ref(body))),
            None => {
                let found: Vec<&str> = fields.keys().map(String::as_str).take(12).collect();
                let what = format!("is missing (the body has: {})", found.join(", "));
                Err(Problem::field("alerts", &what, self.remedy))
            }
        }
    }

    fn understand(
        &self,
        group: &Map<String, Value>,
        index: usize,
        element: &Value,
        delivery: &Delivery<'_>,
        intake: &mut Intake,
    ) -> Result<(), Problem> {
        let what = format!("alerts[{index}]");
        let alert = element
            .as_object()
            .ok_or_else(|| Problem::field(&what, "is not an object", self.remedy))?;
        let element = Element { group, index, alert };
        let status = element.status(self.remedy)?;
        let labels = element.labels(self.remedy)?;
        let labels = labels
            .ok_or_else(|| Problem::field(&element.path("labels"), "is missing", self.remedy))?;
        let annotations = element.annotations();

        let labelled = |name: &str| labels.get(name).filter(|value| !is_absent(value)).cloned();
        let name = labelled("alertname").unwrap_or_else(|| {
            intake.findings.push(format!("{} is missing", element.path("labels.alertname")));
            "unnamed alert".to_owned()
        });
        if HEARTBEATS.contains(&name.as_str()) {
            if status == AlertStatus::Firing {
                intake.heartbeats.push((index, name));
                return Ok(());
            }
            intake.findings.push(format!(
                "`{name}` is resolved: Prometheus no longer proves that it is alive"
            ));
        }

        let annotated = |name: &str| annotations.get(name).filter(|value| !is_absent(value));
        let title = TITLES.iter().find_map(|title| annotated(title)).cloned();
        let Times { starts_at, is_start_known, ends_at } =
            element.times(status, delivery, &mut intake.findings);
        let draft = Draft {
            source: self.source,
            identity: element.identity(),
            status,
            severity: element.severity(labelled("severity"), &mut intake.findings),
            service: fields::service(&labels),
            title: title.unwrap_or_else(|| name.clone()),
            name,
            episode: None,
            starts_at,
            ends_at,
            links: self.links_of(&element, annotated("runbook_url")),
            labels,
            annotations,
        };
        let sealed = (self.seal)(alert, draft, &mut intake.findings);
        intake.alerts.push((index, if is_start_known { sealed } else { sealed.without_start() }));
        Ok(())
    }

    fn links_of(&self, element: &Element<'_>, runbook: Option<&String>) -> Vec<crate::alert::Link> {
        let own = self.links.iter().filter_map(|(title, field)| {
            let url = element.alert.get(*field).or_else(|| element.group.get(*field));
            link(title, url.and_then(present).as_deref())
        });
        own.chain(link("Runbook", runbook.map(String::as_str))).collect()
    }
}

impl Element<'_> {
    fn path(&self, field: &str) -> String {
        format!("alerts[{}].{field}", self.index)
    }

    fn status(&self, remedy: &str) -> Result<AlertStatus, Problem> {
        let said = self.alert.get("status").and_then(present);
        match said.or_else(|| self.group.get("status").and_then(present)).as_deref() {
            Some("firing") => Ok(AlertStatus::Firing),
            Some("resolved") => Ok(AlertStatus::Resolved),
            Some(other) => Err(Problem::field(
                &self.path("status"),
                &format!("is `{other}`, neither `firing` nor `resolved`"),
                remedy,
            )),
            None => Err(Problem::field(&self.path("status"), "is missing", remedy)),
        }
    }

    /// Null values are left out, numbers and booleans are taken as they are written. Whatever else is no label: an alert
    /// must not lose a part of what it is.
    fn labels(&self, remedy: &str) -> Result<Option<BTreeMap<String, String>>, Problem> {
        let map = match self.alert.get("labels") {
            Some(Value::Object(map)) => map,
            Some(Value::Null) | None => return Ok(None),
            Some(_) => {
                return Err(Problem::field(&self.path("labels"), "is not an object", remedy));
            }
        };
        map.iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| {
                let path = || self.path(&format!("labels.{name}"));
                let text =
                    text(value).ok_or_else(|| Problem::field(&path(), "is not text", remedy))?;
                Ok((name.clone(), text))
            })
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// Whatever people wrote; what is no text is shown as it came.
    fn annotations(&self) -> BTreeMap<String, String> {
        let map = match self.alert.get("annotations") {
            Some(Value::Object(map)) => map.clone(),
            Some(Value::Null) | None => Map::new(),
            Some(other) => [("annotations".to_owned(), other.clone())].into_iter().collect(),
        };
        let shown = map.into_iter().filter(|(_, value)| !value.is_null());
        shown
            .map(|(name, value)| (name, text(&value).unwrap_or_else(|| value.to_string())))
            .collect()
    }

    fn identity(&self) -> IdentityInputs {
        if let Some(fingerprint) = self.alert.get("fingerprint").and_then(present) {
            return [("fingerprint".to_owned(), Field::Text(fingerprint))].into();
        }
        let labels = self.alert.get("labels").and_then(Value::as_object).into_iter().flatten();
        labels
            .filter(|(name, _)| !VOLATILE.contains(&name.as_str()))
            .map(|(name, value)| {
                (format!("labels.{name}"), text(value).map_or(Field::Null, Field::Text))
            })
            .collect()
    }

    fn severity(&self, word: Option<String>, findings: &mut Vec<String>) -> Severity {
        let Some(word) = word else { return Severity::Warning };
        Severity::from_word(&word).unwrap_or_else(|| {
            findings.push(format!(
                "{} `{word}` is not known and was read as warning",
                self.path("labels.severity")
            ));
            Severity::Warning
        })
    }

    fn times(
        &self,
        status: AlertStatus,
        delivery: &Delivery<'_>,
        findings: &mut Vec<String>,
    ) -> Times {
        let mut read = |field: &str, earliest: Timestamp| match time(self.alert.get(field)) {
            Time::At(at) if at >= earliest => Some(at),
            Time::At(_) | Time::Absent | Time::Unreadable => {
                findings.push(format!(
                    "{} says no possible time; the time of arrival stands for it",
                    self.path(field)
                ));
                None
            }
        };
        let known = read("startsAt", Timestamp::MIN);
        let starts_at = known.unwrap_or(delivery.received_at);
        let ends_at = (status == AlertStatus::Resolved)
            .then(|| read("endsAt", starts_at).unwrap_or(delivery.received_at));
        Times { starts_at, is_start_known: known.is_some(), ends_at }
    }
}

struct Times {
    starts_at: Timestamp,
    is_start_known: bool,
    ends_at: Option<Timestamp>,
}
