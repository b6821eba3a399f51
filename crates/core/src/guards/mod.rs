//! Guards: each says yes or no to an action, with its reason. Only all of them together make a [`Permit`].

mod attempts;
mod blast_radius;
mod books;
mod breaker;
mod concurrency;
mod cooldown;
mod dependency;
mod expected_effects;
mod flapping;
mod forbid_tag;
mod hands_off;
mod identity;
mod inhibited;
mod kill_switch;
mod last_healthy;
mod lock;
mod maintenance;
mod max_age;
mod require_tag;
mod sender_mute;
mod shared_cause;
mod silenced;
mod still_true;
mod time_window;
mod trust;

mod scene;
mod self_test;

use jiff::Timestamp;

pub use hands_off::UNTIL_TAG;
pub use scene::{Example, Scene};
pub use self_test::{Unproved, self_test};

use crate::book::{Book, BookKey, Books, RunRef};
use crate::evidence::Observation;
use crate::incident::Incident;
use crate::ledger::Row;
use crate::muting::{self, Answer, MuteFacts, Muted, MutedBy, Subject};
use crate::plan::Plan;
use crate::runbook::Runbook;
use crate::switch::SwitchReading;
use crate::target::Target;
use crate::trace::{GuardFinding, Ruling, Trace};

/// All that a guard may look at.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    pub incident: &'a Incident,
    pub runbook: &'a Runbook,
    pub run: &'a RunRef,
    /// The targets as they were just read.
    pub observations: &'a [Observation],
    /// Once there is one: the targets must still be those that were planned for.
    pub plan: Option<&'a Plan>,
    pub books: &'a Books,
    pub switch: &'a SwitchReading,
    pub mutes: &'a MuteFacts<'a>,
    pub now: Timestamp,
}

impl Case<'_> {
    fn book(&self, key: &BookKey) -> Book {
        self.books.get(key).cloned().unwrap_or_default()
    }

    fn target_book(&self, target: &Target) -> Book {
        self.book(&BookKey::target(target))
    }

    /// Whether there is a plan, and it was made or approved before `at`: what stopped everything then was released.
    fn was_confirmed_before(&self, at: Timestamp) -> bool {
        let run = self.incident.active_run().filter(|run| run.number == self.run.run);
        run.is_some_and(|run| run.plan.is_some() && run.confirmed_at.unwrap_or(run.started_at) < at)
    }
}

/// One reason why acting could be wrong.
pub trait Guard: Sync {
    fn name(&self) -> &'static str;

    /// One sentence for help texts.
    fn summary(&self) -> &'static str;

    /// Asked when planning, again when claiming, and again at the hand; the answer may change.
    fn judge(&self, case: &Case<'_>) -> Ruling;

    /// The proof that it can block, made from a case in which every guard passes; see [`self_test`].
    fn example(&self, calm: &Scene) -> Example;
}

/// Every guard there is; all of them are asked, every time.
pub const GUARDS: &[&dyn Guard] = &[
    // Alphabetical.
    &attempts::Attempts,
    &blast_radius::BlastRadius,
    &books::BooksRead,
    &breaker::NotTripped,
    &concurrency::Concurrency,
    &cooldown::Cooldown,
    &dependency::NoParentFires,
    &expected_effects::NotOurDoing,
    &flapping::Settled,
    &forbid_tag::ForbidTag,
    &hands_off::NobodyIsAtIt,
    &identity::Identity,
    &inhibited::NotInhibited,
    &kill_switch::KillSwitchOff,
    &last_healthy::OthersAreHealthy,
    &lock::Unlocked,
    &maintenance::NoMaintenance,
    &max_age::MaxAge,
    &require_tag::RequireTag,
    &sender_mute::SenderMute,
    &shared_cause::NoSharedCause,
    &silenced::NotSilenced,
    &still_true::StillTrue,
    &time_window::InTime,
    &trust::Trusted,
];

/// The proof that every guard passed. Nothing outside this module can make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit(());

/// The permission to carry out one row of the ledger now.
#[derive(Debug, Clone, PartialEq)]
pub struct RowPermit {
    target: Target,
    row: Row,
}

impl RowPermit {
    /// For a row that was claimed: the permit names what the record planned, not what anybody asked for.
    pub fn for_row(_permit: &Permit, row: &Row, runbook: &Runbook) -> Option<Self> {
        runbook.steps.get(row.planned.step)?;
        Some(Self { target: row.planned.target.clone(), row: row.clone() })
    }

    pub fn target(&self) -> &Target {
        &self.target
    }

    pub fn row(&self) -> &Row {
        &self.row
    }

    pub fn with(&self) -> &serde_json::Map<String, serde_json::Value> {
        &self.row.planned.with
    }
}

/// What all guards said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    pub findings: Vec<GuardFinding>,
    /// There only when nothing holds.
    pub permit: Option<Permit>,
    /// There only when nothing but mutes holds: once they end it may be asked again.
    pub muted: Option<Muted>,
}

impl Judgement {
    /// What was said, for the record.
    pub fn trace(&self) -> Trace {
        Trace {
            guards: self.findings.clone(),
            muted: self.muted.clone(),
            ..Trace::of(self.reason())
        }
    }

    /// One sentence with every reason to hold.
    pub fn reason(&self) -> String {
        let reasons: Vec<String> = self
            .findings
            .iter()
            .filter_map(|finding| match &finding.ruling {
                Ruling::Hold { because, .. } => Some(format!("{}: {because}", finding.guard)),
                Ruling::Pass { .. } => None,
            })
            .collect();
        if reasons.is_empty() { "every guard passed".to_owned() } else { reasons.join("; ") }
    }
}

/// Asks every guard; one that holds does not stop the others from being heard.
pub fn judge(case: &Case<'_>) -> Judgement {
    judge_by(GUARDS, case)
}

fn judge_by(guards: &[&dyn Guard], case: &Case<'_>) -> Judgement {
    let findings: Vec<GuardFinding> = guards
        .iter()
        .map(|guard| GuardFinding { guard: guard.name().to_owned(), ruling: guard.judge(case) })
        .collect();
    let permit = (!findings.iter().any(GuardFinding::holds)).then_some(Permit(()));
    let muted = match permit {
        Some(_) => None,
        None => muted_alone(case, &findings),
    };
    Judgement { findings, permit, muted }
}

/// The guards that hold because of a mute.
const MUTE_GUARDS: &[(&str, MutedBy)] = &[
    // Alphabetical.
    ("dependency", MutedBy::Dependency),
    ("expected_effects", MutedBy::SelfInflicted),
    ("flapping", MutedBy::Flapping),
    ("inhibited", MutedBy::Inhibition),
    ("maintenance", MutedBy::Maintenance),
    ("sender_mute", MutedBy::Sender),
    ("shared_cause", MutedBy::SharedCause),
    ("silenced", MutedBy::Silence),
];

/// The mute, if every guard that holds does so for one that is certain.
fn muted_alone(case: &Case<'_>, findings: &[GuardFinding]) -> Option<Muted> {
    let mut first = None;
    for finding in findings.iter().filter(|finding| finding.holds()) {
        let (_, kind) = MUTE_GUARDS.iter().find(|(guard, _)| *guard == finding.guard)?;
        match mute_of(case, *kind) {
            Answer::Muted(muted) => first = first.or(Some(muted)),
            Answer::Heard { .. } | Answer::Unreadable(_) => return None,
        }
    }
    first
}

/// What one kind of mute says of the alerts that the runbook is for: muted if one of them is.
fn mute_of(case: &Case<'_>, kind: MutedBy) -> Answer {
    let meant =
        case.incident.firing().filter(|alert| case.runbook.when.holds(alert).unwrap_or(false));
    let answers = meant.map(|alert| {
        let subject = Subject { alert, incident: Some(case.incident) };
        muting::ask_for_acting(kind, subject, case.mutes, case.now)
    });
    let mut said = Answer::Heard { because: "no alert that it is for is firing".into() };
    for answer in answers {
        match (&said, &answer) {
            (_, Answer::Muted(_)) => return answer,
            (Answer::Unreadable(_), _) => {}
            (_, Answer::Heard { .. } | Answer::Unreadable(_)) => said = answer,
        }
    }
    said
}

/// The ruling of a guard that stands for one kind of mute; `remedy` is what a person could do.
fn rule_on_mute(case: &Case<'_>, kind: MutedBy, remedy: &str) -> Ruling {
    match mute_of(case, kind) {
        Answer::Heard { because } => pass(because),
        Answer::Unreadable(why) => hold(why, "restore access to the store, or act by hand"),
        Answer::Muted(Muted { reason, until: Some(until), .. }) => {
            hold(reason, format!("wait until {until}, or {remedy}")).until(until)
        }
        Answer::Muted(Muted { reason, until: None, .. }) => hold(reason, remedy),
    }
}

fn pass(because: impl Into<String>) -> Ruling {
    Ruling::Pass { because: because.into() }
}

fn hold(because: impl Into<String>, remedy: impl Into<String>) -> Ruling {
    Ruling::Hold { because: because.into(), remedy: remedy.into(), until: None }
}

#[cfg(test)]
mod tests;
