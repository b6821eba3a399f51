//! A plan: exact targets, parameters, expected effect and way back, under one hash that an approval signs.

use serde::{Deserialize, Serialize};

use crate::actions::Reversal;
use crate::evidence::Observation;
use crate::fingerprint::digest;
use crate::ids::RunbookName;
use crate::runbook::Runbook;
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
    /// Every step of the runbook on every observed target. Targets that do not exist were held before.
    pub fn of(runbook: &Runbook, observations: &[Observation]) -> Self {
        let steps: Vec<PlannedStep> = runbook
            .steps
            .iter()
            .enumerate()
            .flat_map(|(index, step)| {
                observations.iter().map(move |seen| PlannedStep {
                    step: index,
                    action: step.action.to_string(),
                    target: seen.target.clone(),
                    identity: seen.identity.clone().unwrap_or_default(),
                    effect: step.spec().effect(&seen.target, &step.with),
                    undo: match step.spec().reversal() {
                        Reversal::Undo => Some(seen.captured.clone()),
                        Reversal::Irreversible => None,
                    },
                })
            })
            .collect();
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
        Self { runbook: runbook.runbook.clone(), steps, hash: format!("plan1_{hash}") }
    }

    /// The lines that people and runbook tests read: `ec2.reboot i-0abc`.
    pub fn lines(&self) -> Vec<String> {
        self.steps.iter().map(|step| format!("{} {}", step.action, step.target.id)).collect()
    }
}
