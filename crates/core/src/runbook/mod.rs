//! Runbooks: which alerts, which targets, which guards, which steps, and how to know that it helped.

mod approvals;
mod expectation;
mod guard_settings;
mod lint;
mod notify;
mod overlap;
mod parameters;
mod read;
mod schema;
mod set;
mod window;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use approvals::{Approvals, NoVoice, is_same};
pub use expectation::{Tested, test};
pub use guard_settings::{Attempts, BlastRadius, GuardSettings, HandsOff};
pub use lint::lint;
pub use notify::{Moment, Notify};
pub use overlap::overlaps;
pub use parameters::resolve;
pub use read::{BadRunbook, Draft, inspect, read};
pub use schema::schema;
pub use set::RunbookSet;
pub(crate) use set::field;
pub use window::Window;

pub use crate::cel::Expression;
pub use crate::yaml::nearest;

use crate::actions::{self, Action};
use crate::alert::Alert;
use crate::evidence::{Health, Questions};
use crate::ids::{ActionName, RunbookName};
use crate::target::Target;

/// How far a runbook may go on its own. Every runbook starts at `shadow`.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Records what it would have done.
    #[default]
    Shadow,
    /// As shadow, and tells people what it would do.
    Suggest,
    /// Acts after a person approved the exact plan.
    Approve,
    /// Acts by itself within its guards.
    Auto,
}

impl Mode {
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Shadow => "shadow",
            Mode::Suggest => "suggest",
            Mode::Approve => "approve",
            Mode::Auto => "auto",
        }
    }
}

/// A runbook that was checked: every expression compiles, every action exists.
///
/// Unknown keys are errors: a guard that is written but not enforced would be worse than none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Runbook {
    /// Its name, unique among the runbooks.
    #[schemars(with = "String")]
    pub runbook: RunbookName,
    /// Who answers for it.
    pub owner: String,
    /// CEL over `alert`: true for the alerts that it is for.
    #[schemars(with = "String")]
    pub when: Expression,
    /// Of several runbooks that are for an alert the one with the lowest order is taken.
    #[serde(default = "hundred", skip_serializing_if = "is_hundred")]
    pub order: u32,
    #[serde(default)]
    pub mode: Mode,
    /// An alert that has been firing for longer than this is not acted on: somebody may be at it already.
    #[serde(default = "ten_minutes")]
    #[schemars(with = "schema::Duration")]
    pub max_age: SignedDuration,
    /// How long to let the group fill before asking again whether it still holds.
    #[serde(default)]
    #[schemars(with = "schema::Duration")]
    pub settle: SignedDuration,
    /// One target kind and the CEL expression that gives its ids for one alert: a text or a list of texts.
    #[schemars(with = "BTreeMap<String, String>")]
    pub targets: BTreeMap<String, Expression>,
    #[serde(default)]
    pub guards: GuardSettings,
    /// Tried in order; the next one only when the one before it was useless.
    pub steps: Vec<Step>,
    #[serde(default)]
    pub escalate: Escalate,
    /// Which channels hear of which moments of a run.
    #[serde(default, skip_serializing_if = "is_default")]
    pub notify: Notify,
    /// Whose yes the plan needs where a person is asked.
    #[serde(default, skip_serializing_if = "is_default")]
    pub approvals: Approvals,
    /// How long an approval may be given for.
    #[serde(default = "thirty_minutes")]
    #[schemars(with = "schema::Duration")]
    pub approve_within: SignedDuration,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<Expectation>,
}

const UNORDERED: u32 = 100;

fn hundred() -> u32 {
    UNORDERED
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_hundred(order: &u32) -> bool {
    *order == UNORDERED
}

fn ten_minutes() -> SignedDuration {
    SignedDuration::from_mins(10)
}

fn thirty_minutes() -> SignedDuration {
    SignedDuration::from_mins(30)
}

/// One thing to try.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    #[schemars(with = "String")]
    pub action: ActionName,
    /// The parameters of the action. `${...}` in a text is CEL over `alert`; alone it keeps its type.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub with: serde_json::Map<String, Value>,
    pub verify: Verify,
    /// How long a change that helped is kept before it is undone; left out, it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<schema::Duration>")]
    pub undo_after: Option<SignedDuration>,
    /// The alerts that the action itself may cause; left out, any alert for as long as the action says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_useless: OnUseless,
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_harmful: OnHarmful,
}

/// What follows when the step was useless. A change that can be undone is undone first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnUseless {
    /// The next step is tried; after the last one people are told.
    #[default]
    Next,
    /// Nothing stronger is tried; people are told.
    Escalate,
}

/// What follows when the step made it worse. The run ends either way and people are told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnHarmful {
    /// A change that can be undone is undone at once, under the same lock.
    #[default]
    Undo,
    /// The change is left for a person to judge.
    Keep,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The alerts on the target, and on services that depend on it, which the action itself may cause: they inform
/// and trigger nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// For how long after the action; `0s` for none.
    #[serde(rename = "for")]
    #[schemars(with = "schema::Duration")]
    pub lasting: SignedDuration,
    /// Their names; left out, every alert.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<String>,
}

impl Step {
    pub fn spec(&self) -> &'static dyn Action {
        actions::named(&self.action)
    }

    /// For how long after it the step may cause alerts.
    pub fn expected_for(&self) -> SignedDuration {
        self.expect.as_ref().map_or_else(|| self.spec().expected_for(), |expect| expect.lasting)
    }
}

/// What must be seen before a step counts as helpful.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// By when all signals must have turned good.
    #[schemars(with = "schema::Duration")]
    pub within: SignedDuration,
    /// For how long they must then stay good without a break.
    #[serde(default)]
    #[schemars(with = "schema::Duration")]
    pub stable_for: SignedDuration,
    /// The signals: `alert_resolved` and those of the action.
    pub all: Vec<String>,
    /// How often to look; left out, a twentieth of `within`, between one and thirty seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<schema::Duration>")]
    pub every: Option<SignedDuration>,
    /// Readings younger than this after the action do not count; left out, the signal's own lag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<schema::Duration>")]
    pub fresh_after: Option<SignedDuration>,
}

/// The signal that every runbook may ask for: the alerts that led to the plan are over.
pub const ALERT_RESOLVED: &str = "alert_resolved";

impl Verify {
    /// How long after the action a reading of the signal begins to count.
    pub fn fresh_from(&self, action: &dyn Action, signal: &str) -> SignedDuration {
        if signal == ALERT_RESOLVED {
            return SignedDuration::ZERO;
        }
        let lag = action.signals().iter().find(|known| known.name == signal).map(|known| known.lag);
        self.fresh_after.or(lag).unwrap_or_default()
    }

    pub fn interval(&self) -> SignedDuration {
        self.every.unwrap_or_else(|| {
            (self.within / 20).clamp(SignedDuration::from_secs(1), SignedDuration::from_secs(30))
        })
    }
}

/// Who is told when it did not help or could not act.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Escalate {
    /// Names from the channel settings; none means every channel.
    pub channels: Vec<String>,
}

/// An example alert and what the runbook must plan for it; run by `firebreak runbook test`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    pub alert: ExampleAlert,
    pub expect: Expected,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExampleAlert {
    pub source: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub service: Option<String>,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Lines such as `ec2.reboot i-0abc`, of the first step; empty when the runbook must not match.
    pub plan: Vec<String>,
}

impl Runbook {
    /// The longest that a run of it in this mode may take, for the deadline of its locks and of the run itself.
    pub fn longest(&self, mode: Mode) -> SignedDuration {
        let slack = SignedDuration::from_mins(10);
        let approval =
            if mode == Mode::Approve { self.approve_within } else { SignedDuration::ZERO };
        self.steps.iter().fold(self.settle + approval + slack, |sum, step| {
            sum + step.verify.within + step.verify.stable_for + step.undo_after.unwrap_or_default()
        })
    }

    /// Whether the runbook is for the alert and means the target by it.
    pub fn means(&self, alert: &Alert, target: &Target) -> bool {
        self.when.holds(alert).unwrap_or(false)
            && self
                .targets
                .get(&target.kind)
                .is_some_and(|ids| ids.ids(alert).is_ok_and(|ids| ids.contains(&target.id)))
    }

    /// What it asks of a target besides what it is.
    pub fn questions(&self) -> Questions<'_> {
        Questions {
            group: self.guards.blast_radius.group.as_deref(),
            health: if self.guards.healthy_to_keep() > 0 {
                Health::Asked
            } else {
                Health::NotAsked
            },
        }
    }

    pub fn target_kind(&self) -> &str {
        self.targets.keys().next().map(String::as_str).unwrap_or_default()
    }
}

#[cfg(test)]
mod guide;
