//! Opsgenie's webhook: what was done to an alert, and the alert.
//!
//! * `alias` is the identity, the same in every episode; `alertId` names the episode.
//! * An action on an alert that is open says that it fires. Notes, tags and actions of one's own can be about a closed
//!   alert as well and say nothing of that: they are signs of life, by their name.
//! * `createdAt` is in milliseconds and `updatedAt` in nanoseconds; the unit is told by magnitude.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fields::{self, present};
use super::times::{Time, time};
use super::{Delivery, Intake, Problem, Source, json};
use crate::alert::{AlertStatus, Draft, Severity};
use crate::fingerprint::{Field, IdentityInputs};

const NAME: &str = "opsgenie";
const REMEDY: &str = "use Opsgenie's webhook integration, with `Add alert details to payload` on";
/// Labels and the field of the alert that each comes from.
const LABELS: [(&str, &str); 4] =
    [("alias", "alias"), ("alert_source", "source"), ("entity", "entity"), ("team", "team")];

pub(super) struct Opsgenie;

impl Source for Opsgenie {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "Opsgenie's webhook integration"
    }

    fn identity(&self) -> &'static str {
        "`alert.alias`, else `alert.alertId`"
    }

    fn resolves(&self) -> &'static str {
        "actions `Close` and `Delete`"
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Intake {
        json::intake(delivery, REMEDY, |body, intake| {
            if let Err(problem) = understand(body, delivery, intake) {
                intake.reject_all(delivery, problem);
            }
        })
    }
}

/// What an action says of the alert: nothing, where an alert that is over can be acted on as well.
fn status(action: &str) -> Option<AlertStatus> {
    match action.to_ascii_lowercase().as_str() {
        "create" | "acknowledge" | "unacknowledge" | "escalate" | "escalatenext" | "snooze"
        | "snoozeended" | "assignownership" | "takeownership" | "updatepriority" | "repeat" => {
            Some(AlertStatus::Firing)
        }
        "close" | "delete" => Some(AlertStatus::Resolved),
        _ => None,
    }
}

fn understand(body: &Value, delivery: &Delivery<'_>, intake: &mut Intake) -> Result<(), Problem> {
    let message = body.as_object().ok_or_else(|| Problem::shape(REMEDY))?;
    let action = message.get("action").and_then(present);
    let action = action.ok_or_else(|| Problem::field("action", "is missing", REMEDY))?;
    let Some(status) = status(&action) else {
        intake.findings.push(format!("`{action}` says nothing of whether an alert fires"));
        intake.heartbeats.push((0, action));
        return Ok(());
    };
    let alert = message.get("alert").and_then(Value::as_object);
    let alert =
        alert.ok_or_else(|| Problem::field("alert", "is missing or not an object", REMEDY))?;
    let said = |field: &str| alert.get(field).and_then(present);
    let (id, alias) = (said("alertId"), said("alias"));
    let title = said("message").or_else(|| alias.clone()).or_else(|| id.clone());
    let title = title.ok_or_else(|| Problem::field("alert.message", "is missing", REMEDY))?;
    let at = |field: &str| match time(alert.get(field)) {
        Time::At(at) => Some(at),
        Time::Absent | Time::Unreadable => None,
    };
    let began = at("createdAt");
    let labels = labels(alert);
    let own = |(name, value): (&str, String)| [(name.to_owned(), Field::Text(value))].into();
    let named = alias.map(|alias| ("alias", alias)).or_else(|| Some(("alert.id", id.clone()?)));
    let draft = Draft {
        source: NAME,
        identity: named.map_or(IdentityInputs::new(), own),
        status,
        severity: severity(alert.get("priority"), &mut intake.findings),
        service: fields::service(&labels),
        name: title.clone(),
        title,
        annotations: annotations(alert),
        episode: id,
        starts_at: began.unwrap_or(delivery.received_at),
        ends_at: (status == AlertStatus::Resolved)
            .then(|| at("closedAt").or_else(|| at("updatedAt")).unwrap_or(delivery.received_at)),
        links: Vec::new(),
        labels,
    };
    let mut sealed = draft.seal();
    sealed.annotations.insert("action".to_owned(), action);
    intake.alerts.push((0, if began.is_some() { sealed } else { sealed.without_start() }));
    Ok(())
}

/// `P1` to `P5`, or the digit alone.
fn severity(priority: Option<&Value>, findings: &mut Vec<String>) -> Severity {
    let Some(word) = priority.and_then(present) else { return Severity::Warning };
    let known = Severity::from_word(&word).or_else(|| Severity::from_word(&format!("P{word}")));
    known.unwrap_or_else(|| {
        findings.push(format!("`alert.priority` `{word}` is not known and was read as warning"));
        Severity::Warning
    })
}

/// Details and tags that have a key, under the alert's own fields.
fn labels(alert: &Map<String, Value>) -> BTreeMap<String, String> {
    let tags = alert.get("tags").and_then(Value::as_array).into_iter().flatten();
    let tags = tags.filter_map(|tag| {
        let tag = present(tag)?;
        let (key, value) = tag.split_once([':', '='])?;
        let is_label = !key.trim().is_empty() && !value.trim().is_empty();
        is_label.then(|| (key.trim().to_owned(), value.trim().to_owned()))
    });
    let details = alert.get("details").and_then(Value::as_object).into_iter().flatten();
    let details = details.filter_map(|(name, value)| Some((name.clone(), present(value)?)));
    let own = LABELS.iter().filter_map(|(label, field)| {
        Some(((*label).to_owned(), alert.get(*field).and_then(present)?))
    });
    tags.chain(details).chain(own).collect()
}

fn annotations(alert: &Map<String, Value>) -> BTreeMap<String, String> {
    let tags = alert.get("tags").and_then(Value::as_array).into_iter().flatten();
    let tags: Vec<String> = tags.filter_map(present).collect();
    let annotations = [
        ("description", alert.get("description").and_then(present)),
        ("tags", (!tags.is_empty()).then(|| tags.join(", "))),
        ("tiny_id", alert.get("tinyId").and_then(present)),
    ];
    annotations.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
