//! Amazon CloudWatch alarms: by EventBridge, as a Lambda alarm action, and inside messages of SNS.
//!
//! **Identity** is the alarm's ARN, and the contributor's id where one time series of several changed. A message of SNS
//! that carries no ARN is given the one that its account, the region of its topic and its name make.
//!
//! **State.** `ALARM` fires, `OK` resolves. The episode begins when `ALARM` was entered; `ALARM` after `ALARM`, which a
//! suppressor leaves behind, goes on with it. What is not a change of that kind is a sign of life: `OK` after `OK`, the first
//! evaluation of a new alarm, a change of its configuration. `INSUFFICIENT_DATA` neither fires nor resolves: a host that
//! died has no data either. `OK` after it resolves what is still open, and nothing else.
//!
//! **Mute.** Alarms that a mute rule mutes or a suppressor suppresses are sent all the same. They are taken in with the
//! sender's [`Mute`], so that nobody is woken and nothing done; the next message without one is news.
//!
//! **Severity and service.** CloudWatch has neither. `severity: …` in the description says it, else a word of the name
//! (`critical`, `sev2`, `warning`, `P1` at its beginning or end), else it is an error. `service: …` in the description, or a
//! dimension that names one, is the service.
//!
//! Dimensions and contributor attributes become labels in snake case, `InstanceId` as `instance_id`, when all metrics of
//! the alarm agree on them: an action must not have to choose.

mod event;
mod message;
mod metrics;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use self::metrics::Metrics;
use super::arn::Arn;
use super::envelope::Topic;
use super::event::{Event, REMEDY, texts};
use super::{Claim, Entrance, EventSource, Out, console};
use crate::alert::{Alert, AlertStatus, Draft, Link, Mute, Severity};
use crate::fingerprint::IdentityInputs;
use crate::proof::{self, Scheme};
use crate::sources::fields::{self, shorten};
use crate::sources::{Delivery, Intake, Problem, Source};

const NAME: &str = "cloudwatch";
const STATE_CHANGE: &str = "CloudWatch Alarm State Change";
const CONTRIBUTOR: &str = "CloudWatch Alarm Contributor State Change";
const CONFIGURATION: &str = "CloudWatch Alarm Configuration Change";
/// Dimensions that name the service, the most telling first.
const SERVICE_DIMENSIONS: [&str; 4] = ["service", "service_name", "function_name", "api_name"];
const LONGEST_ANNOTATION: usize = 1024;
/// Children of a composite alarm that are listed.
const MOST_CHILDREN: usize = 8;

pub(in crate::sources) struct CloudWatch;

impl Source for CloudWatch {
    fn name(&self) -> &'static str {
        NAME
    }

    fn schemes(&self) -> &'static [Scheme] {
        proof::SNS
    }

    fn summary(&self) -> &'static str {
        "Amazon CloudWatch alarms, by EventBridge, as a Lambda action or through SNS"
    }

    fn identity(&self) -> &'static str {
        "the alarm's ARN, and the contributor's id of one time series"
    }

    fn resolves(&self) -> &'static str {
        "state `OK`; `INSUFFICIENT_DATA` neither fires nor resolves"
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Intake {
        super::parse(delivery, Entrance::Only(NAME), REMEDY)
    }
}

impl EventSource for CloudWatch {
    fn claims(&self) -> &'static [Claim] {
        &[
            ("aws.cloudwatch", STATE_CHANGE),
            ("aws.cloudwatch", CONTRIBUTOR),
            ("aws.cloudwatch", CONFIGURATION),
        ]
    }

    fn read(&self, event: &Event<'_>, out: &mut Out<'_, '_>) -> Result<(), Problem> {
        if event.detail_type == CONFIGURATION {
            event::configuration(event, out);
            return Ok(());
        }
        event::of_bus(event)?.tell(out);
        Ok(())
    }
}

/// Whether an object is an alarm in one of the forms that are no event of the bus.
pub(super) fn is_alarm(object: &Map<String, Value>) -> bool {
    let has = |name: &str| object.contains_key(name);
    has("alarmData") || (has("AlarmName") && (has("NewStateValue") || has("StateChangeTime")))
}

pub(super) fn read(
    object: &Map<String, Value>,
    topic: Option<&Topic>,
    out: &mut Out<'_, '_>,
) -> Result<(), Problem> {
    let alarm = if object.contains_key("alarmData") {
        event::of_action(object, out.delivery)?
    } else {
        message::read(object, topic, out.delivery)?
    };
    alarm.tell(out);
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ok,
    Alarm,
    InsufficientData,
}

impl State {
    fn read(field: &str, word: Option<String>) -> Result<Self, Problem> {
        let word = word.ok_or_else(|| Problem::field(field, "is missing", REMEDY))?;
        Self::from_word(&word).ok_or_else(|| {
            let what = format!("is `{word}`, none of OK, ALARM and INSUFFICIENT_DATA");
            Problem::field(field, &what, REMEDY)
        })
    }

    fn from_word(word: &str) -> Option<Self> {
        match word.trim() {
            "OK" => Some(State::Ok),
            "ALARM" => Some(State::Alarm),
            "INSUFFICIENT_DATA" => Some(State::InsufficientData),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            State::Ok => "OK",
            State::Alarm => "ALARM",
            State::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

/// The state before, as far as the message tells.
#[derive(Debug, Default)]
struct Previous {
    state: Option<State>,
    at: Option<Timestamp>,
    /// The alarm was just made and had no state yet.
    is_initial: bool,
}

/// One time series among those that a multi-time-series alarm watches.
#[derive(Debug)]
struct Contributor {
    id: String,
    attributes: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Child {
    arn: String,
    state: String,
}

/// A change of state, whichever way it came.
#[derive(Debug)]
struct Alarm {
    arn: Option<Arn>,
    name: String,
    account: Option<String>,
    region: Option<String>,
    contributor: Option<Contributor>,
    state: State,
    previous: Previous,
    at: Timestamp,
    reason: Option<String>,
    description: Option<String>,
    rule: Option<String>,
    children: Vec<Child>,
    metrics: Metrics,
    mute: Option<Mute>,
}

impl Alarm {
    fn tell(self, out: &mut Out<'_, '_>) {
        match (self.state, self.previous.state) {
            (State::Alarm, _) => {
                let mute = self.mute.clone();
                let alert = self.alert(AlertStatus::Firing);
                out.alert(match mute {
                    Some(mute) => alert.muted(mute),
                    None => alert,
                });
            }
            (State::Ok, Some(State::Ok)) => out.alive("ok"),
            (State::Ok, Some(State::InsufficientData)) if self.previous.is_initial => {
                out.alive("ok");
            }
            (State::Ok, _) => out.alert(self.alert(AlertStatus::Resolved)),
            (State::InsufficientData, previous) => {
                if previous == Some(State::Alarm) {
                    out.find(format!(
                        "`{}` has no data any more: what it fired stays open until it is OK",
                        self.name
                    ));
                }
                out.alive("insufficient-data");
            }
        }
    }

    fn alert(self, status: AlertStatus) -> Alert {
        let in_alarm = self
            .previous
            .at
            .filter(|at| self.previous.state == Some(State::Alarm) && *at <= self.at);
        let labels = self.labels();
        let dimension =
            SERVICE_DIMENSIONS.iter().find_map(|name| self.metrics.dimensions.get(*name));
        let service = self.described("service").or_else(|| dimension.cloned());
        Draft {
            source: NAME,
            identity: self.identity(),
            status,
            severity: self.severity(),
            service: service.or_else(|| fields::service(&self.metrics.dimensions)),
            title: self.title(),
            annotations: self.annotations(),
            episode: None,
            starts_at: in_alarm.unwrap_or(self.at),
            ends_at: (status == AlertStatus::Resolved).then_some(self.at),
            links: self.links(),
            labels,
            name: self.name,
        }
        .seal()
    }

    fn identity(&self) -> IdentityInputs {
        let mut identity = IdentityInputs::new();
        if let Some(arn) = &self.arn {
            identity.insert("alarm_arn".to_owned(), arn.to_string().as_str().into());
        } else {
            let account = self.account.as_deref().unwrap_or_default();
            identity.insert("account".to_owned(), account.into());
            identity.insert("alarm".to_owned(), self.name.as_str().into());
        }
        if let Some(contributor) = &self.contributor {
            identity.insert("contributor".to_owned(), contributor.id.as_str().into());
        }
        identity
    }

    fn title(&self) -> String {
        let Some(contributor) = &self.contributor else { return self.name.clone() };
        let which: Vec<String> =
            contributor.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let which = if which.is_empty() { contributor.id.clone() } else { which.join(", ") };
        format!("{}: {which}", self.name)
    }

    fn severity(&self) -> Severity {
        let words: Vec<&str> = self
            .name
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        let ends = [words.first(), words.last()].into_iter().flatten();
        let in_name = || {
            let named = words.iter().find_map(|word| named_severity(word));
            named.or_else(|| ends.map(|word| numbered_severity(word)).find_map(|found| found))
        };
        let described = self.described("severity");
        described
            .and_then(|word| Severity::from_word(&word))
            .or_else(in_name)
            .unwrap_or(Severity::Error)
    }

    /// The word after `key:` or `key=` in the description, also in one that is JSON.
    fn described(&self, key: &str) -> Option<String> {
        let text = self.description.as_deref()?;
        let lower = text.to_ascii_lowercase();
        lower.match_indices(key).find_map(|(at, _)| {
            let is_word = !lower.get(..at)?.ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let rest = text.get(at + key.len()..)?.trim_start_matches(['"', '\'', ' ']);
            let rest = rest.strip_prefix([':', '=']).filter(|_| is_word)?;
            let word = rest.trim_start_matches(['"', '\'', ' ']);
            let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
            let end = word.find(|c: char| !is_part(c)).unwrap_or(word.len());
            Some(word.get(..end)?.trim_end_matches('.').to_owned()).filter(|word| !word.is_empty())
        })
    }

    fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = texts([
            ("account", self.account.clone()),
            ("region", self.region.clone()),
            ("alarm", Some(self.name.clone())),
            ("namespace", self.metrics.namespace.clone()),
            ("metric", self.metrics.name.clone()),
            ("contributor", self.contributor.as_ref().map(|of| of.id.clone())),
        ]);
        let attributes = self.contributor.iter().flat_map(|of| &of.attributes);
        let attributes =
            attributes.map(|(name, value)| (super::event::snake_case(name), value.clone()));
        let dimensions = self.metrics.dimensions.clone();
        for (name, value) in attributes.chain(dimensions).filter(|(name, _)| !name.is_empty()) {
            labels.entry(name).or_insert(value);
        }
        labels
    }

    fn annotations(&self) -> BTreeMap<String, String> {
        let children: Vec<String> = self
            .children
            .iter()
            .take(MOST_CHILDREN)
            .map(|child| format!("{} {}", child.state, child.arn))
            .collect();
        let mut annotations = texts([
            ("alarm_rule", self.rule.clone()),
            ("children", Some(children.join("\n")).filter(|list| !list.is_empty())),
            ("description", self.description.clone()),
            ("expression", self.metrics.expression.clone()),
            ("previous_state", self.previous.state.map(|state| state.as_str().to_owned())),
            ("reason", self.reason.clone()),
            ("statistic", self.metrics.statistic.clone()),
            ("period", self.metrics.period.clone()),
            ("threshold", self.metrics.threshold.clone()),
            ("muted_by", self.mute.as_ref().map(|mute| mute.by.clone())),
        ]);
        for text in annotations.values_mut() {
            *text = shorten(text, LONGEST_ANNOTATION);
        }
        annotations
    }

    /// The alarm itself, then the children that drew a composite alarm into its state.
    fn links(&self) -> Vec<Link> {
        let of = |title: &str, arn: &Arn| {
            let name = arn.resource.strip_prefix("alarm:")?;
            let path = format!(
                "cloudwatch/home?region={{region}}#alarmsV2:alarm/{}",
                console::escape(name)
            );
            console::page(title, &arn.partition, &arn.region, &path)
        };
        let own = self.arn.as_ref().and_then(|arn| of("Alarm", arn));
        let children = self.children.iter().take(MOST_CHILDREN - 1).filter_map(|child| {
            let arn = Arn::read(&child.arn)?;
            of(&format!("Child {}", arn.resource.strip_prefix("alarm:")?), &arn)
        });
        own.into_iter().chain(children).collect()
    }
}

/// A word that names a severity whatever it stands in. `high` and `low` do not: they belong to metrics.
fn named_severity(word: &str) -> Option<Severity> {
    match word.to_ascii_lowercase().as_str() {
        "critical" | "crit" | "sev0" | "sev1" => Some(Severity::Critical),
        "sev2" => Some(Severity::Error),
        "warning" | "warn" | "sev3" => Some(Severity::Warning),
        "sev4" | "sev5" => Some(Severity::Info),
        _ => None,
    }
}

/// `P1` to `P5`, which in the middle of a name may be a kind of instance.
fn numbered_severity(word: &str) -> Option<Severity> {
    let is_number = word.len() == 2 && word.starts_with(['p', 'P']);
    is_number.then(|| Severity::from_word(word)).flatten()
}

/// The ARN that an alarm of this name has. Partitions are told by their regions.
fn arn_of(account: Option<&str>, region: Option<&str>, name: &str) -> Option<Arn> {
    let region = region?;
    let partition = match region.split('-').collect::<Vec<_>>().as_slice() {
        ["cn", ..] => "aws-cn",
        ["us", "gov", ..] => "aws-us-gov",
        _ => "aws",
    };
    Some(Arn {
        partition: partition.to_owned(),
        service: "cloudwatch".to_owned(),
        region: region.to_owned(),
        account: account?.to_owned(),
        resource: format!("alarm:{name}"),
    })
}
