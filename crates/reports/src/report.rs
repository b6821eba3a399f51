//! The report itself: what was counted and what it means. Its JSON is a contract, read again for comparisons.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::compare::Comparison;

pub(crate) const SCHEMA: &str = "firebreak.alb_report.v1";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub schema: String,
    pub title: String,
    pub period: Period,
    pub interval_minutes: u16,
    pub read: Read,
    pub total: Figures,
    /// The most requests first.
    pub apis: Vec<Api>,
    /// Target groups that the settings do not name, while they name others.
    pub unmatched: Vec<Unmatched>,
    pub anomalies: Vec<Anomaly>,
    /// Requests by TLS version; `-` without TLS.
    #[serde(default)]
    pub tls: BTreeMap<String, u64>,
    /// Requests by what the balancer thinks of their form (`classification`); `-` for nothing to say.
    #[serde(default)]
    pub classifications: BTreeMap<String, u64>,
    #[serde(default)]
    pub comparisons: Vec<Comparison>,
}

/// From the first to the last request, to the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// What was read, and what could not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    pub files: u64,
    pub lines: u64,
    pub requests: u64,
    pub malformed: u64,
    /// The first malformed lines.
    pub samples: Vec<Sample>,
    /// Files of which a part is missing: the report is incomplete.
    pub damaged: Vec<Damage>,
    /// Requests that are in the totals and, for want of room, in no interval.
    #[serde(default)]
    pub beyond_intervals: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    pub file: String,
    pub line: u64,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    pub file: String,
    pub reason: String,
}

/// Everything about one API: one or more target groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Api {
    pub name: String,
    pub kind: Kind,
    pub target_groups: Vec<String>,
    /// The classes that count as success.
    pub success: Vec<Success>,
    pub figures: Figures,
    /// None where no target was asked.
    pub health: Option<Health>,
    pub server_failures: Vec<FailingPath>,
    pub client_failures: Vec<FailingPath>,
    pub intervals: Vec<Interval>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Named in the settings.
    Configured,
    /// Under the name of its target group.
    Unnamed,
    /// Answered by the balancer itself: redirects, blocked and malformed requests.
    Balancer,
    /// Target groups beyond those that can have a row.
    Further,
}

/// A class that counts as success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Success {
    #[serde(rename = "2xx")]
    Successful,
    #[serde(rename = "3xx")]
    Redirection,
    #[serde(rename = "4xx")]
    ClientError,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    pub requests: u64,
    /// What the balancer answered (`elb_status_code`).
    pub elb: Classes,
    /// What the targets answered (`target_status_code`).
    pub target: Classes,
    pub elb_codes: BTreeMap<u16, u64>,
    pub target_codes: BTreeMap<u16, u64>,
    pub successful: u64,
    pub success_percent: f64,
    pub server_errors_percent: f64,
    pub client_errors_percent: f64,
    /// None when no target answered.
    pub latency: Option<Latency>,
    pub received_bytes: u64,
    pub sent_bytes: u64,
}

/// Whole classes: 460, 463 and 499 are 4xx, 561 is a 5xx.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classes {
    #[serde(rename = "1xx")]
    pub informational: u64,
    #[serde(rename = "2xx")]
    pub successful: u64,
    #[serde(rename = "3xx")]
    pub redirection: u64,
    #[serde(rename = "4xx")]
    pub client_error: u64,
    #[serde(rename = "5xx")]
    pub server_error: u64,
    /// `-`: nothing was answered.
    pub none: u64,
    /// Numbers that are no status.
    pub other: u64,
}

impl Classes {
    pub(crate) fn of(codes: &BTreeMap<u16, u64>) -> Self {
        let mut classes = Self::default();
        for (code, count) in codes {
            *classes.class(*code) += count;
        }
        classes
    }

    fn class(&mut self, code: u16) -> &mut u64 {
        match code {
            0 => &mut self.none,
            100..=199 => &mut self.informational,
            200..=299 => &mut self.successful,
            300..=399 => &mut self.redirection,
            400..=499 => &mut self.client_error,
            500..=599 => &mut self.server_error,
            _ => &mut self.other,
        }
    }

    /// With their names, from 1xx on; `-` and others last.
    pub fn named(&self) -> [(&'static str, u64); 7] {
        [
            ("1xx", self.informational),
            ("2xx", self.successful),
            ("3xx", self.redirection),
            ("4xx", self.client_error),
            ("5xx", self.server_error),
            ("-", self.none),
            ("other", self.other),
        ]
    }
}

/// How long the targets took, in milliseconds, to one percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    pub measured: u64,
    pub mean_ms: f64,
    pub p50_ms: u64,
    pub p95_ms: u64,
    pub p99_ms: u64,
    pub max_ms: u64,
}

/// 100 is perfect; each reason took something away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    pub score: u8,
    pub reasons: Vec<String>,
}

/// Requests that failed in the same way at the same place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailingPath {
    pub status: u16,
    /// `GET /orders/{}`
    pub path: String,
    pub count: u64,
    /// By how much the count may be too high.
    pub error: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub start: Timestamp,
    pub requests: u64,
    #[serde(rename = "2xx")]
    pub successful: u64,
    #[serde(rename = "3xx")]
    pub redirection: u64,
    #[serde(rename = "4xx")]
    pub client_error: u64,
    #[serde(rename = "5xx")]
    pub server_error: u64,
    pub mean_ms: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmatched {
    pub target_group: String,
    pub requests: u64,
}

/// One interval in which an API was not as it usually is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    pub api: String,
    pub measure: Measure,
    pub start: Timestamp,
    pub value: f64,
    /// The median of all intervals; for traffic, of those around.
    pub usual: f64,
    /// How many robust deviations away.
    pub score: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Percent of the requests.
    ServerErrors,
    /// Percent of the requests.
    ClientErrors,
    /// Mean, in milliseconds.
    Latency,
    /// Requests in the interval.
    Traffic,
}

impl Measure {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::ServerErrors => "server errors",
            Self::ClientErrors => "client errors",
            Self::Latency => "latency",
            Self::Traffic => "traffic",
        }
    }

    /// A value with its unit.
    pub fn shown(self, value: f64) -> String {
        match self {
            Self::ServerErrors | Self::ClientErrors => crate::numbers::percent(value),
            Self::Latency => crate::numbers::milliseconds(value),
            Self::Traffic => format!("{value:.0} requests"),
        }
    }
}
