//! Amazon Web Services: what its services say through EventBridge, SNS, SQS or a Lambda alarm action.
//!
//! A delivery is first [opened](envelope) until its statements lie bare. Each goes to the [`EventSource`] that claims
//! it, so an alert is of the service that it came from, whichever way it came: the same alarm has the same fingerprint
//! by EventBridge and by SNS. An event that nobody claims is kept and named.
//!
//! AWS delivers at least once and in no order. All times are therefore those of the change that an event tells of: the
//! same event again is an exact duplicate, and one that comes late is known to be late.

mod arn;
mod autoscaling;
mod cloudwatch;
mod console;
mod ec2;
mod ecs;
mod envelope;
mod event;
mod eventbridge;
mod guardduty;
mod health;
mod ocsf;
mod securityhub;
mod sns;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

pub(super) use autoscaling::AutoScaling;
pub(super) use cloudwatch::CloudWatch;
pub(super) use ec2::Ec2;
pub(super) use ecs::Ecs;
pub(super) use eventbridge::EventBridge;
pub(super) use guardduty::GuardDuty;
pub(super) use health::Health;
pub(super) use securityhub::SecurityHub;
pub(super) use sns::Sns;

use self::envelope::{Said, Topic};
use self::event::Event;
use super::{Delivery, Intake, Problem, Reject, Source, batch, json};
use crate::alert::Alert;

/// `source` and `detail-type` of events, as a rule on the bus matches them.
pub type Claim = (&'static str, &'static str);

/// Events that Firebreak itself puts on a bus; taking them for alerts would go round in circles.
const OURS: &str = "firebreak";

/// A source whose alerts are events of one AWS service.
trait EventSource: Source {
    /// The events that it reads. The rules under `terraform/wiring/alert_events/` match the same.
    fn claims(&self) -> &'static [Claim];

    /// Reads one event that it claims.
    fn read(&self, event: &Event<'_>, out: &mut Out<'_, '_>) -> Result<(), Problem>;
}

const EVENT_SOURCES: &[&dyn EventSource] = &[
    // Alphabetical.
    &AutoScaling,
    &CloudWatch,
    &Ec2,
    &Ecs,
    &GuardDuty,
    &Health,
    &SecurityHub,
];

/// Which source reads which events.
pub fn event_claims() -> impl Iterator<Item = (&'static str, &'static [Claim])> {
    EVENT_SOURCES.iter().map(|source| (source.name(), source.claims()))
}

/// Whose address a delivery came to.
#[derive(Clone, Copy)]
enum Entrance {
    /// Everything that AWS sends.
    Any,
    /// What one service sends, however it is wrapped; the name is that of its source.
    Only(&'static str),
}

fn parse(delivery: &Delivery<'_>, entrance: Entrance, remedy: &str) -> Intake {
    let mut intake = Intake::default();
    match json::read(delivery, remedy) {
        Ok(parsed) => {
            intake.findings = parsed.findings;
            parse_value(parsed.value, delivery, entrance, &mut intake);
        }
        Err(broken) => intake.reject_all(delivery, broken.problem),
    }
    intake
}

fn parse_value(body: Value, delivery: &Delivery<'_>, entrance: Entrance, intake: &mut Intake) {
    let (elements, is_list) = match envelope::elements(body) {
        Ok(mut elements) => {
            let taken = batch::within(&elements, kind_of, &mut intake.rejects).len();
            elements.truncate(taken);
            (elements, true)
        }
        Err(body) => (vec![body], false),
    };
    let mut out = Out { intake, delivery, of: "aws", next: 0 };
    for element in elements {
        for said in envelope::open(element, &mut out.intake.findings) {
            let index = out.next;
            if let Err((problem, raw)) = understand(said, entrance, &mut out) {
                let index = is_list.then_some(index);
                let raw = if is_list { raw } else { out.body() };
                out.intake.rejects.push(Reject { index, problem, raw });
                out.next += 1;
            }
        }
    }
}

/// What an element calls itself, for the message about too many of them.
fn kind_of(element: &Value) -> Option<&str> {
    element.get("detail-type").or_else(|| element.get("eventSource"))?.as_str()
}

fn understand(
    said: Said,
    entrance: Entrance,
    out: &mut Out<'_, '_>,
) -> Result<(), (Problem, String)> {
    match said {
        Said::Object { object, topic } => understand_object(&object, topic.as_ref(), entrance, out)
            .map_err(|problem| (problem, Value::Object(object).to_string())),
        Said::Text { text, topic } => {
            out.alert(sns::text(&text, &topic, out.delivery));
            Ok(())
        }
        Said::Control(control) => {
            out.intake.controls.push((out.next, control));
            out.next += 1;
            Ok(())
        }
        Said::Unknown { problem, raw } => Err((problem, raw.to_string())),
    }
}

fn understand_object(
    object: &Map<String, Value>,
    topic: Option<&Topic>,
    entrance: Entrance,
    out: &mut Out<'_, '_>,
) -> Result<(), Problem> {
    let is_welcome = |name: &str| match entrance {
        Entrance::Any => Ok(()),
        Entrance::Only(own) if own == name => Ok(()),
        Entrance::Only(own) => Err(misdirected(name, own)),
    };
    if Event::is_one(object) {
        let event = Event::read(object, out.delivery)?;
        if event.source == OURS {
            out.of = OURS;
            out.alive("event");
            return Ok(());
        }
        let source = reader_of(&event)?;
        is_welcome(source.name())?;
        out.of = source.name();
        return source.read(&event, out);
    }
    if cloudwatch::is_alarm(object) {
        is_welcome(CloudWatch.name())?;
        out.of = CloudWatch.name();
        return cloudwatch::read(object, topic, out);
    }
    match topic {
        Some(topic) => {
            out.alert(sns::text(&Value::Object(object.clone()).to_string(), topic, out.delivery));
            Ok(())
        }
        None => Err(no_event(object)),
    }
}

fn reader_of(event: &Event<'_>) -> Result<&'static dyn EventSource, Problem> {
    let claims = |source: &&&dyn EventSource| {
        source.claims().contains(&(event.source.as_str(), event.detail_type.as_str()))
    };
    EVENT_SOURCES.iter().find(claims).copied().ok_or_else(|| Problem {
        code: "unknown_event",
        message: format!(
            "no source reads `{}` of `{}`; if it means nothing to you, narrow the rule that sends it",
            event.detail_type, event.source
        ),
    })
}

fn misdirected(name: &str, entrance: &str) -> Problem {
    Problem {
        code: "misdirected",
        message: format!(
            "this is of `{name}` and came to `{entrance}`; send it to /webhooks/{name} or /webhooks/eventbridge"
        ),
    }
}

fn no_event(object: &Map<String, Value>) -> Problem {
    let found: Vec<&str> = object.keys().map(String::as_str).take(12).collect();
    let what = format!("is missing (the message has: {})", found.join(", "));
    Problem::field("detail-type", &what, event::REMEDY)
}

/// Where a source puts what it read, with the place in the delivery.
struct Out<'a, 'd> {
    intake: &'a mut Intake,
    delivery: &'a Delivery<'d>,
    /// The source of what is read now.
    of: &'static str,
    /// How many statements were read so far.
    next: usize,
}

impl Out<'_, '_> {
    fn alert(&mut self, alert: Alert) {
        self.intake.alerts.push((self.next, alert));
        self.next += 1;
    }

    /// A sign of life that is no alert, by its name within the source.
    fn alive(&mut self, name: &str) {
        self.intake.heartbeats.push((self.next, format!("{}-{name}", self.of)));
        self.next += 1;
    }

    fn find(&mut self, finding: String) {
        self.intake.findings.push(finding);
    }

    /// Keeps one element of an event aside; its siblings live.
    fn reject(&mut self, problem: Problem, raw: &Value) {
        self.intake.rejects.push(Reject { index: Some(self.next), problem, raw: raw.to_string() });
        self.next += 1;
    }

    fn body(&self) -> String {
        String::from_utf8_lossy(self.delivery.body).into_owned()
    }
}
