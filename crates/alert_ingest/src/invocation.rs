//! What an invocation is: one function has several doors, told apart by the shape of what it is handed.
//!
//! Everything but HTTP comes from the own account. Lambda let it in because a policy of the account allows that rule,
//! topic, alarm or queue, so it carries no token. A request over HTTP cannot pass for one of them: API Gateway puts
//! its body into a field of an event of its own.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A kind of invocation, by whoever invokes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invocation {
    /// An HTTP API of API Gateway, or a function URL (payload 2.0).
    Http,
    /// A REST API (payload 1.0), which this function is not made for.
    RestApi,
    /// A topic of Amazon SNS.
    Topic,
    /// A queue of Amazon SQS.
    Queue,
    /// A CloudWatch alarm whose action this function is.
    AlarmAction,
    /// A rule of Amazon EventBridge.
    Rule,
    /// None of them: it is kept like an event that nobody knows.
    Unknown,
}

type Fields<'a> = BTreeMap<&'a str, &'a RawValue>;

impl Invocation {
    pub(crate) fn of(event: &str) -> Self {
        let Some(fields) = read(event) else { return Invocation::Unknown };
        let has = |name: &str| fields.contains_key(name);
        let is = |name: &str, word: &str| fields.get(name).is_some_and(|value| says(value, word));
        if is("version", "2.0") && within(&fields, "requestContext").contains_key("http") {
            return Invocation::Http;
        }
        if has("httpMethod") && has("resource") {
            return Invocation::RestApi;
        }
        if has("Records") {
            return of_records(&fields);
        }
        if is("source", "aws.cloudwatch") && has("alarmData") && !has("detail-type") {
            return Invocation::AlarmAction;
        }
        if has("detail-type") && has("source") { Invocation::Rule } else { Invocation::Unknown }
    }
}

fn of_records(fields: &Fields<'_>) -> Invocation {
    let records = fields.get("Records").map(|records| records.get()).unwrap_or_default();
    let records: Vec<&RawValue> = serde_json::from_str(records).unwrap_or_default();
    let Some(first) = records.first().and_then(|first| read(first.get())) else {
        return Invocation::Unknown;
    };
    let is = |name: &str, word: &str| first.get(name).is_some_and(|value| says(value, word));
    if is("EventSource", "aws:sns") {
        Invocation::Topic
    } else if is("eventSource", "aws:sqs") {
        Invocation::Queue
    } else {
        Invocation::Unknown
    }
}

/// The fields of an object, unread.
fn read(text: &str) -> Option<Fields<'_>> {
    let mut reader = serde_json::Deserializer::from_str(text);
    Fields::deserialize(&mut reader).ok()
}

fn within<'a>(fields: &Fields<'a>, name: &str) -> Fields<'a> {
    fields.get(name).and_then(|value| read(value.get())).unwrap_or_default()
}

fn says(value: &RawValue, word: &str) -> bool {
    value.get().strip_prefix('"').and_then(|text| text.strip_suffix('"')) == Some(word)
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    fn of_file(path: &Path) -> Invocation {
        Invocation::of(&std::fs::read_to_string(path).unwrap())
    }

    fn events(file: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(file)
    }

    #[test]
    fn each_door_is_known_by_its_shape() {
        for (file, expected) in [
            ("alert_ingest/sumologic_critical.json", Invocation::Http),
            ("alert_ingest/queue.json", Invocation::Queue),
            ("cloudwatch/alarm_action.json", Invocation::AlarmAction),
            ("cloudwatch/firing.json", Invocation::Rule),
            ("cloudwatch/sns_records.json", Invocation::Topic),
            ("eventbridge/unknown_event.json", Invocation::Rule),
            ("eventbridge/transformed.json", Invocation::Unknown),
        ] {
            assert_eq!(of_file(&events(file)), expected, "{file}");
        }
        for unknown in ["", "null", "[]", "7", "{", r#"{"Records":[]}"#, r#"{"Records":{}}"#] {
            assert_eq!(Invocation::of(unknown), Invocation::Unknown, "{unknown}");
        }
        assert_eq!(Invocation::of(r#"{"httpMethod":"POST","resource":"/x"}"#), Invocation::RestApi);
    }

    #[test]
    fn a_request_cannot_pass_for_something_else() {
        let body = r#"{"Records":[{"eventSource":"aws:sqs"}],"detail-type":"x","source":"y"}"#;
        let event = serde_json::json!({
            "version": "2.0", "requestContext": {"http": {"method": "POST"}}, "body": body,
            "headers": {"source": "aws.cloudwatch", "alarmData": "x"},
        });
        assert_eq!(Invocation::of(&event.to_string()), Invocation::Http);
    }

    /// Real events of API Gateway, where there are any beside the checkout.
    #[test]
    fn recorded_requests_are_requests() {
        let recorded =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples/apigateway");
        let Ok(entries) = std::fs::read_dir(recorded) else { return };
        for path in entries.map(|entry| entry.unwrap().path()) {
            let of = of_file(&path);
            println!("{}: {of:?}", path.file_name().unwrap().display());
            assert_eq!(of, Invocation::Http);
        }
    }
}
