//! `PagerDuty`: webhooks version 3, the messages of version 2, an incident by itself, and requests of its Events API v2.
//!
//! * An incident is one alert. Its id is the identity; a reopened incident begins a new episode when it is reopened.
//! * Whether it fires is what the incident says of itself (`triggered` and `acknowledged` do), not the event about it.
//! * Events about services, notes, responders and pings are no alerts: they are signs of life, by their type.
//! * A tool that speaks the Events API can send here what it would send there; `dedup_key` is the identity.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fields::{self, link, present, text};
use super::times::{Time, time};
use super::{Delivery, Intake, Problem, Reject, Source, json};
use crate::alert::{AlertStatus, Draft, Severity};
use crate::fingerprint::{Field, IdentityInputs};
use crate::proof::{self, Scheme};

const NAME: &str = "pagerduty";
const REMEDY: &str = "send the body of a PagerDuty webhook subscription, version 3";

pub(super) struct PagerDuty;

impl Source for PagerDuty {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "PagerDuty webhooks, version 3; also requests of its Events API v2"
    }

    fn identity(&self) -> &'static str {
        "id of the incident; `dedup_key` of the Events API"
    }

    fn resolves(&self) -> &'static str {
        "`incident.resolved`, or any event of an incident that is resolved"
    }

    fn schemes(&self) -> &'static [Scheme] {
        proof::PAGERDUTY
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Intake {
        json::intake(delivery, REMEDY, |body, intake| {
            let messages = match body.get("messages") {
                Some(Value::Array(messages)) if !messages.is_empty() => messages.as_slice(),
                _ => std::slice::from_ref(body),
            };
            for (index, message) in messages.iter().enumerate() {
                if let Err(problem) = understand(message, index, delivery, intake) {
                    let is_whole = messages.len() == 1;
                    let raw = message.to_string();
                    if is_whole {
                        intake.reject_all(delivery, problem);
                    } else {
                        intake.rejects.push(Reject { index: Some(index), problem, raw });
                    }
                }
            }
        })
    }
}

fn understand(
    message: &Value,
    index: usize,
    delivery: &Delivery<'_>,
    intake: &mut Intake,
) -> Result<(), Problem> {
    let fields = message.as_object().ok_or_else(|| Problem::shape(REMEDY))?;
    if fields.contains_key("event_action") {
        return request(fields, index, delivery, intake);
    }
    let event = Event::of(fields)?;
    if event.is_about_an_incident() {
        return event.read_into(index, delivery, intake);
    }
    let kind = event.kind.unwrap_or_else(|| "unnamed event".to_owned());
    intake.findings.push(format!("`{kind}` says nothing of whether an incident fires"));
    intake.heartbeats.push((index, kind));
    Ok(())
}

/// What happened, and the thing that it happened to.
struct Event<'a> {
    kind: Option<String>,
    occurred_at: Option<&'a Value>,
    data: &'a Map<String, Value>,
}

impl<'a> Event<'a> {
    fn of(message: &'a Map<String, Value>) -> Result<Self, Problem> {
        let wrong = |field: &str| Problem::field(field, "is missing or not an object", REMEDY);
        match message.get("event") {
            // Version 3.
            Some(Value::Object(event)) => {
                let data = event.get("data").and_then(Value::as_object);
                let kind = event.get("event_type").and_then(present);
                Ok(Self {
                    kind,
                    occurred_at: event.get("occurred_at"),
                    data: data.ok_or_else(|| wrong("event.data"))?,
                })
            }
            // Version 2: `incident.trigger` beside the incident.
            Some(Value::String(kind)) => {
                let incident = message.get("incident").and_then(Value::as_object);
                Ok(Self {
                    kind: Some(kind.clone()),
                    occurred_at: message.get("created_on"),
                    data: incident.ok_or_else(|| wrong("incident"))?,
                })
            }
            // The incident alone, as the REST API gives it.
            None if message.get("type").and_then(Value::as_str) == Some("incident") => {
                Ok(Self { kind: None, occurred_at: message.get("updated_at"), data: message })
            }
            Some(_) | None => Err(wrong("event")),
        }
    }

    fn said(&self, field: &str) -> Option<String> {
        self.data.get(field).and_then(present)
    }

    /// Version 2 does not say what its data are, and is about nothing but incidents.
    fn is_about_an_incident(&self) -> bool {
        let kind = self.kind.as_deref().unwrap_or("incident.");
        let is_note = matches!(kind, "incident.annotate" | "incident.annotated");
        let kind_of_data = self.data.get("type").and_then(Value::as_str);
        kind.starts_with("incident.")
            && !is_note
            && kind_of_data.is_none_or(|kind| matches!(kind, "incident" | "incident_reference"))
            && (self.data.contains_key("status") || self.status_of_kind().is_some())
    }

    fn status_of_kind(&self) -> Option<AlertStatus> {
        match self.kind.as_deref()?.strip_prefix("incident.")? {
            "triggered" | "trigger" | "reopened" | "acknowledged" | "acknowledge"
            | "unacknowledged" | "unacknowledge" | "escalated" | "escalate" | "delegated"
            | "delegate" | "reassigned" | "assign" => Some(AlertStatus::Firing),
            "resolved" | "resolve" => Some(AlertStatus::Resolved),
            _ => None,
        }
    }

    fn status(&self) -> Option<AlertStatus> {
        match self.said("status").as_deref() {
            Some("triggered" | "acknowledged") => Some(AlertStatus::Firing),
            Some("resolved") => Some(AlertStatus::Resolved),
            _ => self.status_of_kind(),
        }
    }

    fn read_into(
        &self,
        index: usize,
        delivery: &Delivery<'_>,
        intake: &mut Intake,
    ) -> Result<(), Problem> {
        let id = self.said("id");
        let title = self.said("title").or_else(|| self.said("summary"));
        let title = title.or_else(|| self.said("description"));
        if id.is_none() && title.is_none() {
            return Err(Problem::field("event.data", "has neither `id` nor `title`", REMEDY));
        }
        let title = title.unwrap_or_else(|| "untitled incident".to_owned());
        let at = |value: Option<&Value>| match time(value) {
            Time::At(at) => Some(at),
            Time::Absent | Time::Unreadable => None,
        };
        let occurred_at = at(self.occurred_at).unwrap_or(delivery.received_at);
        let is_reopened = self.kind.as_deref() == Some("incident.reopened");
        let began = at(self.data.get("created_at")).filter(|_| !is_reopened);
        let status = self.status();
        let labels = self.labels();
        let links =
            [link("PagerDuty", self.said("html_url").as_deref())].into_iter().flatten().collect();
        let draft = Draft {
            source: NAME,
            identity: id
                .map(|id| ("incident.id".to_owned(), Field::Text(id)))
                .into_iter()
                .collect(),
            status: status.unwrap_or(AlertStatus::Firing),
            severity: self.severity(&mut intake.findings),
            service: fields::service(&labels),
            name: title.clone(),
            title,
            annotations: self.annotations(),
            episode: None,
            starts_at: began.unwrap_or(occurred_at),
            ends_at: (status == Some(AlertStatus::Resolved)).then_some(occurred_at),
            links,
            labels,
        };
        let alert = if status.is_some() {
            draft.seal()
        } else {
            let word = self.said("status").unwrap_or_default();
            intake.findings.push(format!(
                "`status` is `{word}`, which means nothing: taken as firing, never acted upon"
            ));
            draft.seal_in_doubt("status")
        };
        let is_start_known = began.is_some() || is_reopened;
        intake.alerts.push((index, if is_start_known { alert } else { alert.without_start() }));
        Ok(())
    }

    /// The priority where one is set, else the urgency.
    fn severity(&self, findings: &mut Vec<String>) -> Severity {
        let priority = self.data.get("priority").and_then(name_of);
        if let Some(priority) = &priority {
            if let Some(severity) = Severity::from_word(priority) {
                return severity;
            }
            findings.push(format!("the priority `{priority}` is not known: the urgency counts"));
        }
        let urgency = self.said("urgency").and_then(|word| Severity::from_word(&word));
        urgency.unwrap_or(Severity::Warning)
    }

    fn labels(&self) -> BTreeMap<String, String> {
        let nested = |field: &str| self.data.get(field).and_then(name_of);
        let service_id = self.data.get("service").and_then(|of| of.get("id")).and_then(present);
        let team = self.data.get("teams").and_then(|teams| teams.get(0)).and_then(name_of);
        let labels = [
            ("escalation_policy", nested("escalation_policy")),
            ("incident_key", self.said("incident_key")),
            ("incident_type", self.data.get("incident_type").and_then(name_of)),
            ("priority", nested("priority")),
            ("service", nested("service")),
            ("service_id", service_id),
            ("team", team),
            ("urgency", self.said("urgency")),
        ];
        labels.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }

    fn annotations(&self) -> BTreeMap<String, String> {
        let number = self.said("number").or_else(|| self.said("incident_number"));
        let annotations = [
            ("description", self.said("description")),
            ("number", number),
            ("resolve_reason", self.data.get("resolve_reason").and_then(name_of)),
            ("status", self.said("status")),
        ];
        let said = annotations.into_iter();
        said.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

/// The name of a thing that is referred to: a text, or an object with a summary.
fn name_of(value: &Value) -> Option<String> {
    let named = ["summary", "name", "type"].iter().find_map(|field| value.get(*field));
    present(value).or_else(|| named.and_then(present))
}

/// A request of the Events API v2.
fn request(
    request: &Map<String, Value>,
    index: usize,
    delivery: &Delivery<'_>,
    intake: &mut Intake,
) -> Result<(), Problem> {
    let said = |field: &str| request.get(field).and_then(present);
    let action = said("event_action").unwrap_or_default();
    let status = match action.as_str() {
        "trigger" | "acknowledge" => AlertStatus::Firing,
        "resolve" => AlertStatus::Resolved,
        other => {
            let what = format!("is `{other}`, neither `trigger`, `acknowledge` nor `resolve`");
            return Err(Problem::field("event_action", &what, REMEDY));
        }
    };
    let none = Map::new();
    let payload = request.get("payload").and_then(Value::as_object).unwrap_or(&none);
    let told = |field: &str| payload.get(field).and_then(present);
    let dedup_key = said("dedup_key");
    let title = told("summary").or_else(|| dedup_key.clone());
    let title = title.ok_or_else(|| Problem::field("payload.summary", "is missing", REMEDY))?;
    if action == "acknowledge" && told("summary").is_none() {
        intake.findings.push("`acknowledge` says nothing of whether the alert fires".to_owned());
        intake.heartbeats.push((index, "acknowledge".to_owned()));
        return Ok(());
    }
    let details = payload.get("custom_details").and_then(Value::as_object).into_iter().flatten();
    let mut labels: BTreeMap<String, String> =
        details.filter_map(|(name, value)| Some((name.clone(), present(value)?))).collect();
    let own = ["class", "component", "group", "source"];
    labels.extend(own.into_iter().filter_map(|name| Some((name.to_owned(), told(name)?))));
    let at = match time(payload.get("timestamp")) {
        Time::At(at) => at,
        Time::Absent | Time::Unreadable => delivery.received_at,
    };
    let links = request.get("links").and_then(Value::as_array).into_iter().flatten();
    let links = links.filter_map(|own| {
        let title = own.get("text").and_then(text).unwrap_or_else(|| "Link".to_owned());
        link(&title, own.get("href").and_then(present).as_deref())
    });
    let identity: IdentityInputs =
        dedup_key.map(|key| ("dedup_key".to_owned(), Field::Text(key))).into_iter().collect();
    if identity.is_empty() {
        intake.findings.push("without `dedup_key` nothing ends this alert".to_owned());
    }
    let draft = Draft {
        source: NAME,
        identity,
        status,
        severity: told("severity")
            .and_then(|word| Severity::from_word(&word))
            .unwrap_or(Severity::Warning),
        service: fields::service(&labels).or_else(|| told("component")),
        name: told("class").unwrap_or_else(|| title.clone()),
        title,
        annotations: BTreeMap::new(),
        episode: None,
        starts_at: at,
        ends_at: (status == AlertStatus::Resolved).then_some(at),
        links: links.chain(link("Sender", said("client_url").as_deref())).collect(),
        labels,
    };
    // The time of the request is all there is.
    intake.alerts.push((index, draft.seal().without_start()));
    Ok(())
}
