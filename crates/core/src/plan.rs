//! A plan: exact targets, parameters, expected effect and way back, under one hash that an approval signs.

use serde::{Deserialize, Serialize};

use crate::actions::Reversal;
use crate::alert::Alert;
use crate::evidence::Observation;
use crate::fingerprint::digest;
use crate::ids::RunbookName;
use crate::runbook::{Runbook, resolve};
use crate::target::Target;

/// One step on one target: a future row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Position in the runbook's `steps`.
    pub step: usize,
    pub action: String,
    pub target: Target,
    /// The immutable identity that the target had when the plan was made.
    pub identity: String,
    pub effect: String,
    /// The parameters, filled in from the alert.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub with: serde_json::Map<String, serde_json::Value>,
    /// What an undo would restore, or `None` when there is no way back.
    pub undo: Option<serde_json::Value>,
}

/// What a run will do, completely.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub runbook: RunbookName,
    pub steps: Vec<PlannedStep>,
    /// Covers everything above; an approval is for this hash and no other.
    pub hash: String,
}

impl Plan {
    /// Every step of the runbook on every observed target. Targets that do not exist were held before. An
    /// error says which parameter could not be filled in from the alert that means the target.
    pub fn of(
        runbook: &Runbook,
        firing: &[&Alert],
        observations: &[Observation],
    ) -> Result<Self, String> {
        let mut steps = Vec::new();
        for (index, step) in runbook.steps.iter().enumerate() {
            for seen in observations {
                let with = match firing.iter().find(|alert| runbook.means(alert, &seen.target)) {
                    Some(alert) => {
                        resolve(step, alert).map_err(|why| format!("steps[{index}].{why}"))?
                    }
                    None => step.with.clone(),
                };
                steps.push(PlannedStep {
                    step: index,
                    action: step.action.to_string(),
                    target: seen.target.clone(),
                    identity: seen.identity.clone().unwrap_or_default(),
                    effect: step.spec().effect(&seen.target, &with),
                    with,
                    undo: match step.spec().reversal() {
                        Reversal::Undo => Some(seen.captured.clone()),
                        Reversal::Irreversible => None,
                    },
                });
            }
        }
        let described: Vec<String> = steps
            .iter()
            .map(|step| serde_json::to_string(step).expect("a planned step is plain data"))
            .chain(
                runbook
                    .steps
                    .iter()
                    .map(|step| serde_json::to_string(step).expect("a step is plain data")),
            )
            .collect();
        let hash = digest(
            "plan:v1",
            std::iter::once(runbook.runbook.as_str()).chain(described.iter().map(String::as_str)),
        );
        Ok(Self { runbook: runbook.runbook.clone(), steps, hash: format!("plan1_{hash}") })
    }

    /// The lines that people and runbook tests read: `ec2.reboot i-0abc`.
    pub fn lines(&self) -> Vec<String> {
        self.steps.iter().map(|step| format!("{} {}", step.action, step.target.id)).collect()
    }
}
