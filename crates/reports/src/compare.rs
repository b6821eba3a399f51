//! What changed against an earlier report.

use serde::{Deserialize, Serialize};

use crate::numbers::{float, share};
use crate::report::{Api, Period, Report, SCHEMA};

/// The changes against one earlier report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// `the day before`, `the same weekday`
    pub with: String,
    pub period: Period,
    pub changes: Vec<Change>,
}

/// How one API changed. None where one of the two has no value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub api: String,
    pub requests_before: Option<u64>,
    pub requests: Option<u64>,
    pub requests_percent: Option<f64>,
    /// Percentage points.
    pub success_points: Option<f64>,
    /// Percentage points.
    pub server_errors_points: Option<f64>,
    pub p95_before_ms: Option<u64>,
    pub p95_ms: Option<u64>,
}

/// A file that should be an earlier report and is none.
#[derive(Debug, thiserror::Error)]
pub enum NotAReport {
    #[error("it is no report: {0}; take what `firebreak report alb --format json` wrote")]
    Json(#[from] serde_json::Error),
    #[error("it is a `{0}`; this version reads `{SCHEMA}`")]
    Schema(String),
}

impl Report {
    /// Reads a report that was written as JSON.
    pub fn read(json: &[u8]) -> Result<Self, NotAReport> {
        #[derive(Deserialize)]
        struct Named {
            schema: String,
        }
        let named: Named = serde_json::from_slice(json)?;
        if named.schema != SCHEMA {
            return Err(NotAReport::Schema(named.schema));
        }
        Ok(serde_json::from_slice(json)?)
    }

    /// Adds the changes against an earlier report.
    pub fn compare(&mut self, with: &str, before: &Self) {
        let mut changes: Vec<Change> = self
            .apis
            .iter()
            .map(|api| change(Some(api), before.apis.iter().find(|known| known.name == api.name)))
            .collect();
        let gone =
            before.apis.iter().filter(|known| !self.apis.iter().any(|api| api.name == known.name));
        changes.extend(gone.map(|known| change(None, Some(known))));
        self.comparisons.push(Comparison { with: with.to_owned(), period: before.period, changes });
    }
}

fn change(now: Option<&Api>, before: Option<&Api>) -> Change {
    let figures = now.map(|api| &api.figures);
    let earlier = before.map(|api| &api.figures);
    let both = figures.zip(earlier);
    let p95 =
        |api: Option<&Api>| api.and_then(|api| api.figures.latency).map(|latency| latency.p95_ms);
    Change {
        api: now.or(before).map(|api| api.name.clone()).unwrap_or_default(),
        requests_before: earlier.map(|earlier| earlier.requests),
        requests: figures.map(|figures| figures.requests),
        requests_percent: both.filter(|(_, earlier)| earlier.requests > 0).map(
            |(figures, earlier)| {
                share(figures.requests, earlier.requests)
                    - share(earlier.requests, earlier.requests)
            },
        ),
        success_points: both
            .map(|(figures, earlier)| figures.success_percent - earlier.success_percent),
        server_errors_points: both.map(|(figures, earlier)| {
            figures.server_errors_percent - earlier.server_errors_percent
        }),
        p95_before_ms: p95(before),
        p95_ms: p95(now),
    }
}

impl Change {
    /// The change of the p95 latency in percent.
    pub fn p95_percent(&self) -> Option<f64> {
        let (now, before) = (self.p95_ms?, self.p95_before_ms.filter(|before| *before > 0)?);
        Some(100.0 * (float(now) / float(before) - 1.0))
    }
}
