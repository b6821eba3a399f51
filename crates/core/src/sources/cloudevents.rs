//! `CloudEvents` 1.0: structured, in batches, and binary with its attributes in `ce-*` headers.
//!
//! An event may carry a [plain alert](super::plain) in `data`. Any other event is an alert by its attributes: `type` is
//! the name, and the extensions `severity`, `service`, `status` and `dedupkey` are read where they are set.
//!
//! **Identity.** `source` and the alert's `dedup_key`. Without one it is `source` and `id`: the same event sent again is
//! the same alert, another event is another one, and nothing ends it but a person or the policy's expiry.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde_json::{Map, Value};

use super::fields::{self, present, shorten};
use super::plain::{self, Around, Identity};
use super::times::{Time, time};
use super::{Delivery, Intake, Problem, Reject, Source, batch, json};
use crate::alert::{AlertStatus, Draft, Severity};
use crate::fingerprint::{Field, IdentityInputs};
use crate::proof::{self, Scheme};

const NAME: &str = "cloudevents";
const REMEDY: &str =
    "send CloudEvents 1.0, as application/cloudevents+json or with the attributes in `ce-` headers";
const REQUIRED: [&str; 4] = ["id", "source", "specversion", "type"];
/// Attributes that are no labels: they differ in every event, or stand elsewhere in the alert.
const NO_LABELS: [&str; 14] = [
    "data",
    "data_base64",
    "datacontenttype",
    "dataschema",
    "id",
    "source",
    "specversion",
    "status",
    "subject",
    "time",
    "traceparent",
    "tracestate",
    "type",
    "dedupkey",
];
/// Bytes of foreign data that are shown.
const LONGEST_DATA: usize = 2048;

pub(super) struct CloudEvents;

impl Source for CloudEvents {
    fn name(&self) -> &'static str {
        NAME
    }

    fn schemes(&self) -> &'static [Scheme] {
        proof::STANDARD_WEBHOOKS
    }

    fn summary(&self) -> &'static str {
        "CloudEvents 1.0, structured, batched or binary; best with `firebreak.alert.v1` in `data`"
    }

    fn identity(&self) -> &'static str {
        "`source` and `dedup_key`, else `source` and `id`"
    }

    fn resolves(&self) -> &'static str {
        "`status: resolved` with the same `dedup_key`; an event without one never"
    }

    fn reads_header(&self, name: &str) -> bool {
        name.starts_with("ce-")
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Intake {
        if delivery.header("ce-specversion").is_some() {
            return binary(delivery);
        }
        json::intake(delivery, REMEDY, |body, intake| {
            let Some(events) = body.as_array() else {
                if let Err(problem) = understand(body, 0, delivery, intake) {
                    intake.reject_all(delivery, problem);
                }
                return;
            };
            if events.is_empty() {
                return intake.reject_all(delivery, Problem::shape("the batch is empty"));
            }
            let events = batch::within(events, kind_of, &mut intake.rejects);
            for (index, event) in events.iter().enumerate() {
                if let Err(problem) = understand(event, index, delivery, intake) {
                    let raw = event.to_string();
                    intake.rejects.push(Reject { index: Some(index), problem, raw });
                }
            }
        })
    }
}

fn kind_of(event: &Value) -> Option<&str> {
    event.get("type")?.as_str()
}

/// The attributes are in headers, and the body is the data.
fn binary(delivery: &Delivery<'_>) -> Intake {
    let mut intake = Intake::default();
    let attributes = delivery.headers.iter().filter_map(|(name, value)| {
        Some((name.strip_prefix("ce-")?.to_owned(), json::percent_decode(value).into()))
    });
    let mut event: Map<String, Value> = attributes.collect();
    if !delivery.body.is_empty() {
        let data = match json::read(delivery, REMEDY) {
            Ok(parsed) => {
                intake.findings = parsed.findings;
                parsed.value
            }
            Err(_) => String::from_utf8_lossy(delivery.body).into_owned().into(),
        };
        event.insert("data".to_owned(), data);
    }
    let event = Value::Object(event);
    if let Err(problem) = understand(&event, 0, delivery, &mut intake) {
        // With its attributes, as a structured event that can be read again.
        intake.rejects.push(Reject { index: None, problem, raw: event.to_string() });
    }
    intake
}

fn understand(
    event: &Value,
    index: usize,
    delivery: &Delivery<'_>,
    intake: &mut Intake,
) -> Result<(), Problem> {
    let fields = event.as_object().ok_or_else(|| Problem::shape(REMEDY))?;
    for required in REQUIRED {
        if fields.get(required).and_then(present).is_none() {
            return Err(Problem::field(required, "is missing", REMEDY));
        }
    }
    let event = Event { fields, data: data(fields) };
    let version = event.said("specversion").unwrap_or_default();
    if !version.starts_with("1.") {
        intake.findings.push(format!("specversion `{version}` is not known and was read as 1.0"));
    }
    match &event.data {
        Some(data) if plain::is_plain(data) => {
            let mut around = event.around(delivery);
            let elements = plain::elements(data);
            if elements.len() > 1 {
                // One id cannot stand for several alerts.
                around.identity.without_key = IdentityInputs::new();
            }
            for element in elements {
                plain::one(element, index, &around, intake)?;
            }
            Ok(())
        }
        _ => {
            event.by_attributes(index, delivery, intake);
            Ok(())
        }
    }
}

/// What the event is about: JSON, text, or bytes that may be either.
fn data(fields: &Map<String, Value>) -> Option<Value> {
    let Some(encoded) = fields.get("data_base64").and_then(Value::as_str) else {
        return fields.get("data").filter(|data| !data.is_null()).cloned();
    };
    let decoded = base64::engine::general_purpose::STANDARD.decode(encoded).ok()?;
    let (json, _) = super::unique::read(&decoded).ok().unzip();
    Some(json.unwrap_or_else(|| String::from_utf8_lossy(&decoded).into_owned().into()))
}

struct Event<'a> {
    fields: &'a Map<String, Value>,
    data: Option<Value>,
}

impl Event<'_> {
    fn said(&self, attribute: &str) -> Option<String> {
        self.fields.get(attribute).and_then(present)
    }

    fn sent_at(&self, delivery: &Delivery<'_>) -> jiff::Timestamp {
        match time(self.fields.get("time")) {
            Time::At(at) => at,
            Time::Absent | Time::Unreadable => delivery.received_at,
        }
    }

    /// By the extension, else by the last word of the type.
    fn status(&self) -> Option<AlertStatus> {
        let said = self.said("status").and_then(|word| AlertStatus::from_word(&word));
        let kind = self.said("type").unwrap_or_default();
        said.or_else(|| AlertStatus::from_word(kind.rsplit(['.', '_', '/']).next()?))
    }

    fn identity(&self) -> Identity {
        let field = |name: &str| self.said(name).map_or(Field::Missing, Field::Text);
        let with_key: IdentityInputs = [("source".to_owned(), field("source"))].into();
        let mut without_key = with_key.clone();
        without_key.insert("id".to_owned(), field("id"));
        Identity { with_key, without_key }
    }

    /// Attributes and extensions that say where the event comes from.
    fn labels(&self) -> BTreeMap<String, String> {
        let own = [("event_source", "source"), ("event_type", "type"), ("subject", "subject")];
        let own =
            own.iter().filter_map(|(label, name)| Some(((*label).to_owned(), self.said(name)?)));
        let extensions = self.fields.iter().filter(|(name, _)| !NO_LABELS.contains(&name.as_str()));
        let extensions =
            extensions.filter_map(|(name, value)| Some((name.clone(), present(value)?)));
        extensions.chain(own).collect()
    }

    fn around(&self, delivery: &Delivery<'_>) -> Around {
        Around {
            source: NAME,
            status: self.status(),
            sent_at: self.sent_at(delivery),
            identity: self.identity(),
            labels: self.labels(),
        }
    }

    fn by_attributes(&self, index: usize, delivery: &Delivery<'_>, intake: &mut Intake) {
        let status = self.status().unwrap_or(AlertStatus::Firing);
        let sent_at = self.sent_at(delivery);
        let labels = self.labels();
        let name = self.said("type").unwrap_or_default();
        let told = |field: &str| self.data.as_ref()?.get(field).and_then(present);
        let title = ["title", "summary", "message"].iter().find_map(|field| told(field));
        let title = title.unwrap_or_else(|| match self.said("subject") {
            Some(subject) => format!("{name}: {subject}"),
            None => name.clone(),
        });
        let Identity { mut with_key, without_key } = self.identity();
        let identity = if let Some(key) = self.said("dedupkey") {
            with_key.insert("dedup_key".to_owned(), Field::Text(key));
            with_key
        } else {
            intake.findings.push("without a key of its own, nothing ends this event".to_owned());
            without_key
        };
        let severity = self.said("severity").and_then(|word| Severity::from_word(&word));
        let shown = |data: &Value| data.as_str().map_or_else(|| data.to_string(), str::to_owned);
        let data = self.data.as_ref().map(shown);
        let draft = Draft {
            source: NAME,
            identity,
            status,
            severity: severity.unwrap_or(Severity::Warning),
            service: fields::service(&labels),
            name,
            title,
            labels,
            annotations: data
                .map(|data| ("data".to_owned(), shorten(&data, LONGEST_DATA)))
                .into_iter()
                .collect(),
            episode: None,
            starts_at: sent_at,
            ends_at: (status == AlertStatus::Resolved).then_some(sent_at),
            links: Vec::new(),
        };
        intake.alerts.push((index, draft.seal().without_start()));
    }
}
