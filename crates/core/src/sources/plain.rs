//! The plain alert, `firebreak.alert.v1`: the JSON that one's own senders write.
//!
//! ```json
//! {
//!   "schema": "firebreak.alert.v1",
//!   "dedup_key": "disk-full/db-1",
//!   "status": "firing",
//!   "severity": "critical",
//!   "service": "db",
//!   "name": "disk-full",
//!   "title": "Disk of db-1 is almost full",
//!   "labels": {"instance_id": "i-0abc12345"},
//!   "annotations": {"description": "Less than 1 % is left"},
//!   "starts_at": "2026-03-01T11:58:00Z",
//!   "links": [{"title": "Dashboard", "url": "https://grafana.example.com/d/disk"}]
//! }
//! ```
//!
//! * `title` or `name` must be there, nothing else. `status` is `firing` unless it says `resolved`.
//! * `dedup_key` is what the alert is: the same key in every message about the same problem. Without it the alert is
//!   weak. `episode` may name one firing from its start to its end.
//! * `ends_at` is when it was resolved; `starts_at` without a value means that only the time of the message is known.
//! * `{"heartbeat": "nightly-backup"}` is a sign of life. `{"alerts": [...]}`, or a list alone, holds several.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::fields::{self, link, present, text};
use super::times::{Time, time};
use super::{Intake, Problem, Reject, batch};
use crate::alert::{Alert, AlertStatus, Draft, Link, Severity};
use crate::fingerprint::{Field, IdentityInputs};

pub(super) const SCHEMA: &str = "firebreak.alert.v1";
const REMEDY: &str = "see `firebreak.alert.v1` on the page about sources";
/// Strange fields that a finding names.
const MOST_NAMES: usize = 8;
const FIELDS: [&str; 15] = [
    "annotations",
    "dedup_key",
    "description",
    "ends_at",
    "episode",
    "heartbeat",
    "labels",
    "links",
    "name",
    "schema",
    "service",
    "severity",
    "starts_at",
    "status",
    "title",
];

/// What the envelope of a plain alert says, for what the alert itself leaves open.
pub(super) struct Around {
    pub(super) source: &'static str,
    pub(super) status: Option<AlertStatus>,
    pub(super) sent_at: Timestamp,
    /// Goes before the `dedup_key`, and stands for it where there is none.
    pub(super) identity: Identity,
    pub(super) labels: BTreeMap<String, String>,
}

/// What identifies an alert together with, and without, its own `dedup_key`.
#[derive(Default)]
pub(super) struct Identity {
    pub(super) with_key: IdentityInputs,
    pub(super) without_key: IdentityInputs,
}

/// Whether an object is a plain alert, a heartbeat or a list of them.
pub(super) fn is_plain(value: &Value) -> bool {
    let has = |field: &str| value.get(field).and_then(present).is_some();
    let is_ours = has("schema") && value.get("schema").and_then(Value::as_str) == Some(SCHEMA);
    let says_what = has("title") || has("name");
    is_ours
        || has("heartbeat")
        || value.get("alerts").is_some_and(Value::is_array)
        || (says_what && (has("dedup_key") || has("status") || has("severity")))
}

/// The alerts in a message: its list, or itself.
pub(super) fn elements(message: &Value) -> &[Value] {
    let list = message.as_array().or_else(|| message.get("alerts").and_then(Value::as_array));
    list.map_or(std::slice::from_ref(message), Vec::as_slice)
}

/// Reads every alert of a message; what is not understood is kept aside by its position.
pub(super) fn read(message: &Value, around: &Around, intake: &mut Intake) -> Result<(), Problem> {
    let elements = elements(message);
    if elements.is_empty() {
        return Err(Problem::field("alerts", "is an empty list", REMEDY));
    }
    if let [only] = elements {
        return one(only, 0, around, intake);
    }
    let elements = batch::within(elements, name_of, &mut intake.rejects);
    for (index, element) in elements.iter().enumerate() {
        if let Err(problem) = one(element, index, around, intake) {
            intake.rejects.push(Reject { index: Some(index), problem, raw: element.to_string() });
        }
    }
    Ok(())
}

fn name_of(element: &Value) -> Option<&str> {
    element.get("name").or_else(|| element.get("title"))?.as_str()
}

/// Reads one alert.
pub(super) fn one(
    element: &Value,
    index: usize,
    around: &Around,
    intake: &mut Intake,
) -> Result<(), Problem> {
    let fields = element.as_object().ok_or_else(|| Problem::shape(REMEDY))?;
    note(fields, &mut intake.findings);
    let said = |field: &str| fields.get(field).and_then(present);
    if let Some(name) = said("heartbeat") {
        intake.heartbeats.push((index, name));
        return Ok(());
    }
    let alert = Element { fields, around }.alert(&mut intake.findings)?;
    intake.alerts.push((index, alert));
    Ok(())
}

/// Another version and fields that are read by nobody, above all misspelt ones.
fn note(fields: &Map<String, Value>, findings: &mut Vec<String>) {
    let schema = fields.get("schema").and_then(present);
    if let Some(other) = schema.filter(|schema| schema != SCHEMA) {
        findings.push(format!("the schema `{other}` is not known, read as `{SCHEMA}`"));
    }
    let strange: Vec<&str> = fields
        .keys()
        .map(String::as_str)
        .filter(|field| !FIELDS.contains(field))
        .take(MOST_NAMES)
        .collect();
    if !strange.is_empty() {
        findings.push(format!(
            "`{SCHEMA}` has no field `{}`: put it into `labels` or `annotations`",
            strange.join("`, `")
        ));
    }
}

struct Element<'a> {
    fields: &'a Map<String, Value>,
    around: &'a Around,
}

impl Element<'_> {
    fn said(&self, field: &str) -> Option<String> {
        self.fields.get(field).and_then(present)
    }

    fn alert(&self, findings: &mut Vec<String>) -> Result<Alert, Problem> {
        let (name, title) = (self.said("name"), self.said("title"));
        let either = name.clone().or_else(|| title.clone());
        let either = either
            .ok_or_else(|| Problem::field("title", "is missing, and so is `name`", REMEDY))?;
        let status = self.status()?;
        let starts_at = self.time("starts_at", findings);
        let ends_at = self.time("ends_at", findings);
        let mut labels = self.around.labels.clone();
        labels.extend(self.texts("labels")?);
        let mut annotations = self.texts("annotations")?;
        annotations.extend(self.said("description").map(|text| ("description".to_owned(), text)));
        let draft = Draft {
            source: self.around.source,
            identity: self.identity(findings),
            status,
            severity: self.severity(findings),
            service: self.said("service").or_else(|| fields::service(&labels)),
            title: title.unwrap_or_else(|| either.clone()),
            name: name.unwrap_or(either),
            labels,
            annotations,
            episode: self.said("episode"),
            starts_at: starts_at.unwrap_or(self.around.sent_at),
            ends_at: (status == AlertStatus::Resolved)
                .then(|| ends_at.unwrap_or(self.around.sent_at)),
            links: self.links(),
        };
        let alert = draft.seal();
        Ok(if starts_at.is_some() { alert } else { alert.without_start() })
    }

    fn status(&self) -> Result<AlertStatus, Problem> {
        let Some(word) = self.said("status") else {
            return Ok(self.around.status.unwrap_or(AlertStatus::Firing));
        };
        AlertStatus::from_word(&word).ok_or_else(|| {
            let what = format!("is `{word}`, neither `firing` nor `resolved`");
            Problem::field("status", &what, REMEDY)
        })
    }

    fn identity(&self, findings: &mut Vec<String>) -> IdentityInputs {
        let identity = &self.around.identity;
        if let Some(key) = self.said("dedup_key") {
            let mut inputs = identity.with_key.clone();
            inputs.insert("dedup_key".to_owned(), Field::Text(key));
            return inputs;
        }
        if identity.without_key.is_empty() {
            findings.push(
                "without `dedup_key` nothing identifies this alert: it is never acted upon"
                    .to_owned(),
            );
        }
        identity.without_key.clone()
    }

    fn severity(&self, findings: &mut Vec<String>) -> Severity {
        let Some(word) = self.said("severity") else { return Severity::Warning };
        Severity::from_word(&word).unwrap_or_else(|| {
            findings.push(format!("`severity` `{word}` is not known and was read as warning"));
            Severity::Warning
        })
    }

    fn time(&self, field: &str, findings: &mut Vec<String>) -> Option<Timestamp> {
        match time(self.fields.get(field)) {
            Time::At(at) => Some(at),
            Time::Absent => None,
            Time::Unreadable => {
                findings.push(format!("`{field}` is no certain time; write it as RFC 3339"));
                None
            }
        }
    }

    fn texts(&self, field: &str) -> Result<BTreeMap<String, String>, Problem> {
        let map = match self.fields.get(field) {
            Some(Value::Object(map)) => map,
            Some(Value::Null) | None => return Ok(BTreeMap::new()),
            Some(_) => return Err(Problem::field(field, "is not an object", REMEDY)),
        };
        map.iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| {
                let not_text = || Problem::field(&format!("{field}.{name}"), "is not text", REMEDY);
                Ok((name.clone(), text(value).ok_or_else(not_text)?))
            })
            .collect()
    }

    fn links(&self) -> Vec<Link> {
        let links = self.fields.get("links").and_then(Value::as_array).into_iter().flatten();
        links
            .filter_map(|own| {
                let title = own.get("title").and_then(present).unwrap_or_else(|| "Link".to_owned());
                link(&title, own.get("url").and_then(present).as_deref())
            })
            .collect()
    }
}
