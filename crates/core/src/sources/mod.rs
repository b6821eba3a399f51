//! Alert sources: each turns one sender's message into alerts, in a file of its own.

mod batch;
mod fields;
mod group;
mod identity;
mod json;
mod plain;
mod reference;
mod template;
mod times;
mod unique;

mod alertmanager;
mod aws;
mod cloudevents;
mod datadog;
mod grafana;
mod newrelic;
mod opsgenie;
mod pagerduty;
mod standardwebhooks;
mod sumologic;

#[cfg(test)]
mod recorded;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

pub use aws::{Claim, event_claims};
pub use batch::MOST_ALERTS;
pub use identity::{Options, Path, UnknownPath};
pub use reference::{reference, service_labels};

use crate::alert::Alert;
use crate::proof::{self, Scheme};

/// What a webhook delivered, after the sender was authenticated.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    pub body: &'a [u8],
    pub content_type: Option<&'a str>,
    /// Those headers that [`Source::reads_header`] asks for, by lower-case name.
    pub headers: &'a [(String, String)],
    pub received_at: Timestamp,
}

impl<'a> Delivery<'a> {
    /// The value of a header that is a part of the message.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// Why a message, or one alert in it, could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Stable word for metrics and tests: `empty`, `json`, `too_deep`, `shape`, `field`, or one of a
    /// source's own.
    pub code: &'static str,
    /// What is wrong, where (field or line and column), and what to do about it.
    pub message: String,
}

impl Problem {
    fn field(field: &str, what: &str, remedy: &str) -> Self {
        Self { code: "field", message: format!("`{field}` {what}; {remedy}") }
    }

    fn shape(remedy: &str) -> Self {
        Self { code: "shape", message: format!("the body is not a JSON object; {remedy}") }
    }
}

/// A part of a delivery that is kept aside for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reject {
    /// Position in the sender's list, or `None` for the whole body.
    pub index: Option<usize>,
    pub problem: Problem,
    /// The text as it came, for the quarantine.
    pub raw: String,
}

impl Reject {
    /// Whether `raw` is a body that the source reads as it is, and no part of the delivery that means nothing alone.
    pub fn stands_alone(&self) -> bool {
        self.problem.code == batch::TOO_MANY
    }
}

/// A message that is about the delivery itself rather than about an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "asks", rename_all = "snake_case")]
pub enum Control {
    /// Amazon SNS asks whether a topic may deliver here. Answered through the API with the token, if at all: the
    /// address in the message comes from outside and is never fetched.
    ConfirmSubscription { topic: String, token: String },
    /// Amazon SNS says that a topic delivers here no more; the token would bring the subscription back.
    Unsubscribed { topic: String, token: String },
}

impl Control {
    /// What a person is told; never the token.
    pub fn told(&self) -> String {
        match self {
            Control::ConfirmSubscription { topic, .. } => format!(
                "{topic} asks to deliver here: if it should, allow the topic in the settings and subscribe again"
            ),
            Control::Unsubscribed { topic, .. } => {
                format!("{topic} delivers here no more: if it should, subscribe again")
            }
        }
    }
}

/// All that one delivery says.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Intake {
    pub alerts: Vec<(usize, Alert)>,
    /// Signs of life that must never open an incident, by name (Alertmanager's `Watchdog`).
    pub heartbeats: Vec<(usize, String)>,
    pub rejects: Vec<Reject>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<(usize, Control)>,
    /// Things that a person should know and that lost nothing (a repaired body, a truncated group).
    pub findings: Vec<String>,
}

impl Intake {
    /// Keeps the whole body aside.
    fn reject_all(&mut self, delivery: &Delivery<'_>, problem: Problem) {
        let raw = String::from_utf8_lossy(delivery.body).into_owned();
        self.rejects.push(Reject { index: None, problem, raw });
    }
}

/// One kind of sender.
pub trait Source: Sync {
    /// Lower-case name: the path segment of its webhook and `alert.source` in runbooks.
    fn name(&self) -> &'static str;

    /// Other path segments of its webhook.
    fn also_known_as(&self) -> &'static [&'static str] {
        &[]
    }

    /// One sentence for help texts.
    fn summary(&self) -> &'static str;

    /// What tells its alerts apart, for the reference.
    fn identity(&self) -> &'static str;

    /// How it says that an alert is over, for the reference.
    fn resolves(&self) -> &'static str;

    /// How this sender proves who it is; any one of them is enough.
    fn schemes(&self) -> &'static [Scheme] {
        proof::SHARED_TOKEN
    }

    /// Whether a header, by its lower-case name, is a part of the message. Only such headers are handed to
    /// [`Source::parse`] and kept with a body, so that no secret is.
    fn reads_header(&self, _name: &str) -> bool {
        false
    }

    /// After what time without news an alert counts as over, where this sender often never says that it is. A policy
    /// may say otherwise.
    fn expire_after(&self) -> Option<SignedDuration> {
        None
    }

    /// Never panics and never loses anything: what is not an alert is a heartbeat or a reject.
    fn parse(&self, delivery: &Delivery<'_>) -> Intake;
}

/// Every source there is.
pub const SOURCES: &[&dyn Source] = &[
    // Alphabetical.
    &alertmanager::Alertmanager,
    &aws::AutoScaling,
    &cloudevents::CloudEvents,
    &aws::CloudWatch,
    &datadog::Datadog,
    &aws::Ec2,
    &aws::Ecs,
    &aws::EventBridge,
    &grafana::Grafana,
    &aws::GuardDuty,
    &aws::Health,
    &newrelic::NewRelic,
    &opsgenie::Opsgenie,
    &pagerduty::PagerDuty,
    &aws::SecurityHub,
    &aws::Sns,
    &standardwebhooks::StandardWebhooks,
    &sumologic::SumoLogic,
];

/// Reads a delivery, and identifies its alerts by the fields that a person chose.
pub fn read(source: &dyn Source, delivery: &Delivery<'_>, options: &Options) -> Intake {
    let mut intake = source.parse(delivery);
    let mut alerts: Vec<(usize, Alert)> = Vec::with_capacity(intake.alerts.len());
    for (index, alert) in intake.alerts {
        let (alert, finding) = options.identify(alert);
        intake.findings.extend(finding);
        alerts.push((index, alert));
    }
    Intake { alerts, ..intake }
}

pub fn find(name: &str) -> Option<&'static dyn Source> {
    let goes_by =
        |source: &&dyn Source| source.name() == name || source.also_known_as().contains(&name);
    SOURCES.iter().copied().find(goes_by)
}
