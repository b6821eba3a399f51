//! `shared_cause`: when so much of one failure domain fires together that its members are not the problem.

use std::fmt;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::Problem;
use crate::alert::Alert;

/// More different targets, or more groups, of one domain that begin to fire within `window` open one parent
/// incident. As long as it is open no runbook acts on a member, and people are told of the parent alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SharedCause {
    /// What the members of a domain have in common; the first that an alert has and that is suspected holds it.
    /// None at all turns it off.
    pub domains: Vec<DomainField>,
    pub window: SignedDuration,
    pub more_than: MoreThan,
}

/// Up to these many is no storm. The defaults are for large fleets; a service of ten members does well with 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MoreThan {
    pub targets: usize,
    pub groups: usize,
}

/// A field of an alert that names a failure domain: `service`, or a label such as `labels.availability_zone`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DomainField {
    Service,
    Label(String),
}

impl Default for SharedCause {
    fn default() -> Self {
        Self {
            domains: vec![DomainField::Service],
            window: SignedDuration::from_mins(5),
            more_than: MoreThan::default(),
        }
    }
}

impl Default for MoreThan {
    fn default() -> Self {
        Self { targets: 100, groups: 50 }
    }
}

impl SharedCause {
    /// Every one that was counted is remembered, so there is a limit.
    const MOST: usize = 200;
    const LONGEST: SignedDuration = SignedDuration::from_hours(24);
    const MOST_DOMAINS: usize = 4;

    pub(super) fn problems(&self) -> Vec<Problem> {
        let problem = |field: &str, text: String| vec![(format!("shared_cause.{field}"), text)];
        if self.domains.len() > Self::MOST_DOMAINS {
            return problem("domains", format!("name {} at most", Self::MOST_DOMAINS));
        }
        if self.window <= SignedDuration::ZERO || self.window > Self::LONGEST {
            return problem("window", "use a time of up to 24h, such as `5m`".to_owned());
        }
        for (field, most) in [
            ("more_than.targets", self.more_than.targets),
            ("more_than.groups", self.more_than.groups),
        ] {
            if most == 0 || most > Self::MOST {
                return problem(field, format!("use 1 to {}", Self::MOST));
            }
        }
        Vec::new()
    }
}

/// What senders say where they say nothing.
const UNKNOWN: &str = "unknown";

impl DomainField {
    /// What the alert has there; a service that is not known is no domain.
    pub fn of<'a>(&self, alert: &'a Alert) -> Option<&'a str> {
        let value = match self {
            DomainField::Service => Some(alert.service.as_str()).filter(|name| *name != UNKNOWN),
            DomainField::Label(name) => alert.labels.get(name).map(String::as_str),
        };
        value.filter(|value| !value.is_empty())
    }
}

impl fmt::Display for DomainField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DomainField::Service => f.write_str("service"),
            DomainField::Label(name) => write!(f, "labels.{name}"),
        }
    }
}

impl TryFrom<String> for DomainField {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.strip_prefix("labels.") {
            _ if text == "service" => Ok(DomainField::Service),
            Some(name) if !name.is_empty() => Ok(DomainField::Label(name.to_owned())),
            _ => Err(format!("`{text}` is neither `service` nor a label such as `labels.cluster`")),
        }
    }
}

impl From<DomainField> for String {
    fn from(field: DomainField) -> String {
        field.to_string()
    }
}
