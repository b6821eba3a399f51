//! What our own actions are expected to cause: alerts that follow one of them for a while inform, and trigger nothing.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::alert::Alert;
use crate::book::RunRef;
use crate::ids::ActionName;
use crate::policy::ServiceMap;
use crate::runbook::Step;
use crate::target::Target;

/// One action, and for how long which alerts are its doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedEffect {
    pub target: Target,
    /// The service of the incident that it was done for.
    pub service: String,
    pub action: ActionName,
    pub by: RunRef,
    pub at: Timestamp,
    pub until: Timestamp,
    /// The names of the alerts that are expected; none means every alert.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<String>,
}

/// More than any sane number of actions within their windows; the oldest go first.
const MOST: usize = 256;

impl ExpectedEffect {
    /// What a step on a target is expected to cause; nothing where its window has no length.
    pub fn of(
        step: &Step,
        target: &Target,
        service: &str,
        by: &RunRef,
        at: Timestamp,
    ) -> Option<Self> {
        let lasting = step.expected_for();
        (lasting > SignedDuration::ZERO).then(|| Self {
            target: target.clone(),
            service: service.to_owned(),
            action: step.action.clone(),
            by: by.clone(),
            at,
            until: at + lasting,
            alerts: step.expect.as_ref().map(|expect| expect.alerts.clone()).unwrap_or_default(),
        })
    }

    /// Whether an alert that began to fire at `began` is its doing: it names the target, or is of a service that
    /// depends on the one that was acted for.
    pub fn explains(
        &self,
        alert: &Alert,
        began: Timestamp,
        services: &ServiceMap,
        now: Timestamp,
    ) -> bool {
        let in_time = self.at <= began && now < self.until;
        let named = self.alerts.is_empty() || self.alerts.contains(&alert.name);
        in_time
            && named
            && (names(alert, &self.target.id)
                || services.parents(&alert.service).contains(&self.service.as_str()))
    }
}

/// Whether a label or an annotation of the alert is the id.
fn names(alert: &Alert, id: &str) -> bool {
    alert.labels.values().chain(alert.annotations.values()).any(|value| value == id)
}

/// The effects that are still expected, with one more.
pub fn with(
    effects: &[ExpectedEffect],
    new: ExpectedEffect,
    now: Timestamp,
) -> Vec<ExpectedEffect> {
    let mut all: Vec<ExpectedEffect> =
        effects.iter().filter(|effect| effect.until > now).cloned().collect();
    all.push(new);
    let surplus = all.len().saturating_sub(MOST);
    all.drain(..surplus);
    all
}

/// The effects with that of the latest claim of the run on the target moved to `now`, when its call goes out.
pub fn sent(
    effects: &[ExpectedEffect],
    by: &RunRef,
    target: &Target,
    now: Timestamp,
) -> Vec<ExpectedEffect> {
    let mut all = effects.to_vec();
    if let Some(effect) =
        all.iter_mut().rev().find(|effect| effect.by == *by && effect.target == *target)
    {
        effect.until = now + effect.until.duration_since(effect.at);
        effect.at = now;
    }
    all
}
