//! Amazon SNS over HTTP(S): the envelope, what may be in it, and the questions that SNS asks.
//!
//! * A CloudWatch alarm or an EventBridge event inside a notification is read as what it is. Anything else is a weak
//!   alert under its subject: it may notify and never acts.
//! * `SubscriptionConfirmation` and `UnsubscribeConfirmation` are no alerts. Their address is never looked at.
//! * Raw delivery drops the envelope and the signature with it, so it is refused by name.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::Value;

use super::envelope::{Topic, is_sns};
use super::event::{self, snake_case, texts};
use super::{Entrance, parse_value};
use crate::alert::{Alert, AlertStatus, Draft, Severity};
use crate::proof::{self, Scheme};
use crate::sources::fields::{self, shorten};
use crate::sources::{Delivery, Intake, Problem, Source, json};

const NAME: &str = "sns";
const REMEDY: &str =
    "subscribe without raw message delivery, so that the envelope and its signature arrive";
/// Set when the body is the message alone, which may look like an envelope and has no signature.
const RAW_DELIVERY: &str = "x-amz-sns-rawdelivery";
const LONGEST_TITLE: usize = 160;
const LONGEST_MESSAGE: usize = 2048;

pub(in crate::sources) struct Sns;

impl Source for Sns {
    fn name(&self) -> &'static str {
        NAME
    }

    fn schemes(&self) -> &'static [Scheme] {
        proof::SNS
    }

    fn summary(&self) -> &'static str {
        "Amazon SNS over HTTPS: CloudWatch alarms, events and plain messages that a topic delivers"
    }

    fn identity(&self) -> &'static str {
        "as in the source of the message; plain text is never more than weak"
    }

    fn resolves(&self) -> &'static str {
        "as in the source of the message; plain text after a day"
    }

    fn expire_after(&self) -> Option<SignedDuration> {
        Some(SignedDuration::from_hours(24))
    }

    fn reads_header(&self, name: &str) -> bool {
        name == RAW_DELIVERY
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Intake {
        let mut intake = Intake::default();
        if delivery.header(RAW_DELIVERY).is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            intake.reject_all(delivery, raw());
            return intake;
        }
        match json::read(delivery, REMEDY) {
            Ok(parsed) if is_enveloped(&parsed.value) => {
                intake.findings = parsed.findings;
                parse_value(parsed.value, delivery, Entrance::Any, &mut intake);
            }
            Ok(_) => intake.reject_all(delivery, raw()),
            Err(broken) if broken.is_scannable() => intake.reject_all(delivery, raw()),
            Err(broken) => intake.reject_all(delivery, broken.problem),
        }
        intake
    }
}

/// As SNS posts it, or as it hands it to a Lambda function.
fn is_enveloped(body: &Value) -> bool {
    let records = body.get("Records").and_then(Value::as_array);
    records.is_some() || body.as_object().is_some_and(is_sns)
}

fn raw() -> Problem {
    Problem {
        code: "raw_delivery",
        message: format!("the body is no SNS envelope, and nothing proves whose it is; {REMEDY}"),
    }
}

/// A message that nobody knows more about: it may notify and never acts.
pub(super) fn text(text: &str, topic: &Topic, delivery: &Delivery<'_>) -> Alert {
    let attributes: BTreeMap<String, String> =
        topic.attributes.iter().map(|(name, value)| (snake_case(name), value.clone())).collect();
    let first_line = text.lines().map(str::trim).find(|line| !line.is_empty());
    let title =
        topic.subject.clone().or_else(|| first_line.map(|line| shorten(line, LONGEST_TITLE)));
    let severity = attributes.get("severity").and_then(|word| Severity::from_word(word));
    let service = fields::service(&attributes);
    let arn = topic.arn.as_ref();
    let mut labels = texts([
        ("account", arn.and_then(super::arn::Arn::account)),
        ("region", arn.and_then(super::arn::Arn::region)),
        ("topic", arn.map(|arn| arn.resource.clone())),
    ]);
    for (name, value) in attributes.into_iter().filter(|(name, _)| !name.is_empty()) {
        labels.entry(name).or_insert(value);
    }
    let annotations = texts([
        ("message", Some(shorten(text, LONGEST_MESSAGE)).filter(|text| !text.is_empty())),
        ("message_id", topic.message_id.clone()),
    ]);
    let sent = topic.timestamp.as_ref().and_then(event::time);
    let alert = Draft {
        source: NAME,
        identity: BTreeMap::new(),
        status: AlertStatus::Firing,
        severity: severity.unwrap_or(Severity::Warning),
        service,
        name: arn.map_or_else(|| "message".to_owned(), |arn| arn.resource.clone()),
        title: title.unwrap_or_else(|| "an empty message".to_owned()),
        labels,
        annotations,
        episode: None,
        starts_at: sent.unwrap_or(delivery.received_at),
        ends_at: None,
        links: Vec::new(),
    }
    .seal();
    if sent.is_some() { alert } else { alert.without_start() }
}
