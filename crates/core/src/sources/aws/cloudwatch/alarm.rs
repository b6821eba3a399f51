//! A change of an alarm's state, whichever way it came, and the alert that it is.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::arn::Arn;
use super::super::event::{REMEDY, snake_case, texts};
use super::super::{Out, console};
use super::NAME;
use super::metrics::Metrics;
use super::wording::{described, severity};
use crate::alert::{Alert, AlertStatus, Draft, Link, Mute};
use crate::fingerprint::IdentityInputs;
use crate::sources::Problem;
use crate::sources::fields::{self, shorten};

/// Dimensions that name the service, the most telling first.
const SERVICE_DIMENSIONS: [&str; 4] = ["service", "service_name", "function_name", "api_name"];
const LONGEST_ANNOTATION: usize = 1024;
/// Children of a composite alarm that are listed.
const MOST_CHILDREN: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Ok,
    Alarm,
    InsufficientData,
}

impl State {
    pub(super) fn read(field: &str, word: Option<String>) -> Result<Self, Problem> {
        let word = word.ok_or_else(|| Problem::field(field, "is missing", REMEDY))?;
        Self::from_word(&word).ok_or_else(|| {
            let what = format!("is `{word}`, none of OK, ALARM and INSUFFICIENT_DATA");
            Problem::field(field, &what, REMEDY)
        })
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
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
pub(super) struct Previous {
    pub(super) state: Option<State>,
    pub(super) at: Option<Timestamp>,
    /// The alarm was just made and had no state yet.
    pub(super) is_initial: bool,
}

/// One time series among those that a multi-time-series alarm watches.
#[derive(Debug)]
pub(super) struct Contributor {
    pub(super) id: String,
    pub(super) attributes: BTreeMap<String, String>,
}

#[derive(Debug)]
pub(super) struct Child {
    pub(super) arn: String,
    pub(super) state: String,
}

/// A change of state, whichever way it came.
#[derive(Debug)]
pub(super) struct Alarm {
    pub(super) arn: Option<Arn>,
    pub(super) name: String,
    pub(super) account: Option<String>,
    pub(super) region: Option<String>,
    pub(super) contributor: Option<Contributor>,
    pub(super) state: State,
    pub(super) previous: Previous,
    /// When it changed, or came where it does not say when it changed.
    pub(super) at: Timestamp,
    pub(super) is_dated: bool,
    pub(super) reason: Option<String>,
    pub(super) description: Option<String>,
    pub(super) rule: Option<String>,
    pub(super) children: Vec<Child>,
    pub(super) metrics: Metrics,
    pub(super) mute: Option<Mute>,
}

impl Alarm {
    pub(super) fn tell(self, out: &mut Out<'_, '_>) {
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
        let service =
            described(self.description.as_deref(), "service").or_else(|| dimension.cloned());
        let is_dated = self.is_dated;
        let alert = Draft {
            source: NAME,
            identity: self.identity(),
            status,
            severity: severity(&self.name, self.description.as_deref()),
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
        .seal();
        if is_dated { alert } else { alert.without_start() }
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
        let attributes = attributes.map(|(name, value)| (snake_case(name), value.clone()));
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

/// The ARN that an alarm of this name has. Partitions are told by their regions.
pub(super) fn arn_of(account: Option<&str>, region: Option<&str>, name: &str) -> Option<Arn> {
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
