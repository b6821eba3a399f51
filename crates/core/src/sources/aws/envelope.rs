//! What AWS wraps messages in: records of Lambda, envelopes of SNS, bodies of SQS, lists of EventBridge Pipes.

use serde_json::{Map, Value};

use super::arn::Arn;
use super::event::{field, text_of};
use crate::sources::{Control, Problem, unique};

const REMEDY: &str = "deliver what AWS sends as it comes";
/// SNS in SQS in a record is three; nobody wraps deeper by accident.
const MOST_WRAPS: usize = 5;

/// One statement as it was found, bare.
#[derive(Debug)]
pub(super) enum Said {
    /// A JSON object, and the topic that published it, if one did.
    Object {
        object: Map<String, Value>,
        topic: Option<Topic>,
    },
    /// What SNS published is text.
    Text {
        text: String,
        topic: Topic,
    },
    Control(Control),
    Unknown {
        problem: Problem,
        raw: Value,
    },
}

/// What an SNS envelope says about its message.
#[derive(Debug, Clone)]
pub(super) struct Topic {
    pub(super) arn: Option<Arn>,
    pub(super) subject: Option<String>,
    pub(super) message_id: Option<String>,
    pub(super) timestamp: Option<Value>,
    /// What the publisher set, where it is text.
    pub(super) attributes: Vec<(String, String)>,
}

/// Whether an object is what SNS posts over HTTP.
pub(super) fn is_sns(object: &Map<String, Value>) -> bool {
    let has = |name: &str| object.contains_key(name);
    has("Type") && has("Message") && (has("TopicArn") || has("MessageId"))
}

/// The elements of a body that is a list or holds records; any other body is no list.
pub(super) fn elements(mut body: Value) -> Result<Vec<Value>, Value> {
    let list = if body.is_array() { Some(&mut body) } else { body.get_mut("Records") };
    match list {
        Some(Value::Array(items)) if !items.is_empty() => Ok(std::mem::take(items)),
        _ => Err(body),
    }
}

/// Everything that an element holds, in its order. The findings name fields that were said twice.
pub(super) fn open(element: Value, findings: &mut Vec<String>) -> Vec<Said> {
    let mut opened = Vec::new();
    unwrap(element, 0, findings, &mut opened);
    opened
}

/// Whether an object is what AWS hands over in a list of records.
fn is_record(object: &Map<String, Value>) -> bool {
    field(object, "eventSource").is_some() && !object.contains_key("detail-type")
}

fn unwrap(body: Value, depth: usize, findings: &mut Vec<String>, opened: &mut Vec<Said>) {
    let unknown = |what: &str, raw: Value| {
        let message = format!("the message {what}; {REMEDY}");
        Said::Unknown { problem: Problem { code: "shape", message }, raw }
    };
    if depth > MOST_WRAPS {
        opened.push(unknown("is wrapped too often", body));
        return;
    }
    match body {
        Value::Array(items) if items.is_empty() => {
            opened.push(unknown("is an empty list", Value::Array(items)));
        }
        Value::Array(items) => {
            for item in items {
                unwrap(item, depth + 1, findings, opened);
            }
        }
        Value::Object(object) if object.contains_key("Records") => {
            match elements(Value::Object(object)) {
                Ok(records) => unwrap(Value::Array(records), depth + 1, findings, opened),
                Err(body) => opened.push(unknown("has no records", body)),
            }
        }
        Value::Object(object) if is_record(&object) => {
            unwrap_record(Value::Object(object), depth, findings, opened);
        }
        Value::Object(object) if is_sns(&object) => {
            unwrap_sns(object, depth, findings, opened);
        }
        Value::Object(object) => {
            opened.push(Said::Object { object, topic: None });
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            opened.push(unknown("is not a JSON object", body));
        }
    }
}

fn unwrap_record(record: Value, depth: usize, findings: &mut Vec<String>, opened: &mut Vec<Said>) {
    let fields = record.as_object();
    let source = fields.and_then(|fields| text_of(fields, "eventSource"));
    let inner = |name: &str| fields.and_then(|fields| field(fields, name)).cloned();
    match (source.as_deref(), inner("Sns"), inner("body")) {
        (Some("aws:sns"), Some(Value::Object(envelope)), _) => {
            unwrap_sns(envelope, depth + 1, findings, opened);
        }
        (Some("aws:sqs"), _, Some(Value::String(body))) => {
            if let Some(body) = json(&body, findings) {
                unwrap(body, depth + 1, findings, opened);
            } else {
                let problem = Problem::field("body", "is not JSON", REMEDY);
                opened.push(Said::Unknown { problem, raw: record });
            }
        }
        _ => {
            let of = source.unwrap_or_else(|| "nothing known".to_owned());
            let what = format!("is a record of {of}, not of aws:sns or aws:sqs");
            let problem = Problem::field("eventSource", &what, REMEDY);
            opened.push(Said::Unknown { problem, raw: record });
        }
    }
}

fn unwrap_sns(
    envelope: Map<String, Value>,
    depth: usize,
    findings: &mut Vec<String>,
    opened: &mut Vec<Said>,
) {
    let kind = text_of(&envelope, "Type").unwrap_or_default();
    opened.push(match kind.as_str() {
        "Notification" => {
            let topic = Topic::of(&envelope);
            let text =
                envelope.get("Message").and_then(Value::as_str).unwrap_or_default().to_owned();
            match json(&text, findings) {
                Some(Value::Object(inner)) if is_sns(&inner) || inner.contains_key("Records") => {
                    return unwrap(Value::Object(inner), depth + 1, findings, opened);
                }
                Some(Value::Object(object)) => Said::Object { object, topic: Some(topic) },
                _ => Said::Text { text, topic },
            }
        }
        "SubscriptionConfirmation" | "UnsubscribeConfirmation" => control(&envelope, &kind),
        other => {
            let what = format!("is `{other}`, which SNS does not send");
            let problem = Problem::field("Type", &what, REMEDY);
            Said::Unknown { problem, raw: Value::Object(envelope) }
        }
    });
}

/// The addresses in the message are left where they are: they come from outside.
fn control(envelope: &Map<String, Value>, kind: &str) -> Said {
    let missing = |field: &str| Said::Unknown {
        problem: Problem::field(field, "is missing", REMEDY),
        raw: Value::Object(envelope.clone()),
    };
    let Some(topic) = text_of(envelope, "TopicArn") else { return missing("TopicArn") };
    let Some(token) = text_of(envelope, "Token") else { return missing("Token") };
    Said::Control(if kind == "SubscriptionConfirmation" {
        Control::ConfirmSubscription { topic, token }
    } else {
        Control::Unsubscribed { topic, token }
    })
}

impl Topic {
    fn of(envelope: &Map<String, Value>) -> Self {
        let attributes = envelope.get("MessageAttributes").and_then(Value::as_object);
        let attributes = attributes.into_iter().flatten().filter_map(|(name, attribute)| {
            let attribute = attribute.as_object()?;
            let is_text = text_of(attribute, "Type").as_deref() != Some("Binary");
            Some((name.clone(), text_of(attribute, "Value").filter(|_| is_text)?))
        });
        Self {
            arn: text_of(envelope, "TopicArn").and_then(|arn| Arn::read(&arn)),
            subject: text_of(envelope, "Subject"),
            message_id: text_of(envelope, "MessageId"),
            timestamp: envelope.get("Timestamp").cloned(),
            attributes: attributes.collect(),
        }
    }
}

/// JSON inside a string, if it is that.
fn json(text: &str, findings: &mut Vec<String>) -> Option<Value> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let (value, disputed) = unique::read(text.as_bytes()).ok()?;
    findings.extend(disputed.iter().map(|name| crate::sources::json::disputed(name)));
    Some(value)
}
