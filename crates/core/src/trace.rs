//! The decision trace: which runbooks were tried, what each guard said, and the nearest miss.

use serde::{Deserialize, Serialize};

use crate::ids::RunbookName;
use crate::muting::Muted;

/// What a guard said, with the values it looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "says", rename_all = "snake_case")]
pub enum Ruling {
    Pass {
        because: String,
    },
    /// `remedy` is what would have to change for it to pass.
    Hold {
        because: String,
        remedy: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardFinding {
    pub guard: String,
    pub ruling: Ruling,
}

impl GuardFinding {
    pub fn holds(&self) -> bool {
        matches!(self.ruling, Ruling::Hold { .. })
    }
}

/// How a runbook's condition came out for the alerts of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    pub runbook: RunbookName,
    pub matched: bool,
    pub because: String,
}

/// Why something was or was not done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    pub tried: Vec<Tried>,
    /// How many more runbooks there are that were not asked: they demand another source, name or label.
    #[serde(default, skip_serializing_if = "is_none")]
    pub others: usize,
    pub guards: Vec<GuardFinding>,
    pub decision: String,
    /// The mute that alone kept it from acting: it is asked again when that ends, and nobody is called for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted: Option<Muted>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_none(others: &usize) -> bool {
    *others == 0
}

impl Trace {
    /// A decision that no guard was asked for.
    pub fn of(decision: String) -> Self {
        Self { decision, ..Self::default() }
    }

    /// The one thing that was closest to letting it act: the only guard that held, if there was just one.
    pub fn nearest_miss(&self) -> Option<&GuardFinding> {
        let mut holding = self.guards.iter().filter(|finding| finding.holds());
        let first = holding.next()?;
        holding.next().is_none().then_some(first)
    }
}
