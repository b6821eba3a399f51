//! The ladder: how far an action may go, what it must show for the next rung, and what costs it one.

use jiff::Timestamp;

use crate::ids::IncidentId;
use crate::policy::Trust;
use crate::runbook::Mode;
use crate::trust::TrustRecord;
use crate::trust::standing::{Change, Learnt, Lesson, Place, Standing, Tally};

/// Who moves an action down when nobody does.
const ITSELF: &str = "firebreak";

/// How far an action may go, and which of the two says so: its runbook or its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    pub mode: Mode,
    pub because: String,
}

/// The lower of the runbook's mode and the rung of the action, in the environment that trusts it least.
pub fn allowed<'a>(
    record: Option<&TrustRecord>,
    ceiling: Mode,
    places: impl IntoIterator<Item = &'a Place>,
    rules: &Trust,
) -> Allowed {
    let mut allowed =
        Allowed { mode: ceiling, because: format!("the runbook says `{}`", ceiling.as_str()) };
    for place in places {
        let standing = record.and_then(|record| record.at(&place.action, &place.environment));
        let rung = standing.and_then(|standing| standing.rung).unwrap_or(rules.start);
        if rung < allowed.mode {
            let why = standing.and_then(|standing| standing.changes.last()).map_or_else(
                || "nothing was earned yet".to_owned(),
                |last| format!("{} said so on {}: {}", last.by, last.at, last.reason),
            );
            let (action, environment) = (&place.action, &place.environment);
            let because = format!(
                "`{action}` is trusted with `{}` in {environment}, where the runbook says `{}`: {why}",
                rung.as_str(),
                ceiling.as_str()
            );
            allowed = Allowed { mode: rung, because };
        }
    }
    allowed
}

/// Takes a lesson in. What did harm, or was useless too often, goes down at once: the change says so.
pub fn learn(
    record: &TrustRecord,
    place: &Place,
    (incident, lesson): (&IncidentId, Lesson),
    ceiling: Mode,
    rules: &Trust,
    at: Timestamp,
) -> (TrustRecord, Option<Change>) {
    let mut record = record.clone();
    let standing = record.at_mut(place);
    standing.count(Learnt { at, incident: incident.clone(), lesson });
    let from = standing.rung.unwrap_or(rules.start).min(ceiling);
    let lost = match lesson {
        Lesson::Harmful => Some((rules.after_harm.min(from), format!("it did harm in {incident}"))),
        Lesson::Useless if standing.useless_in_a_row >= rules.useless_in_a_row => {
            let reason = format!("it was useless {} times in a row", standing.useless_in_a_row);
            Some((below(from), reason))
        }
        Lesson::Useless | Lesson::Unclear | Lesson::Helped { .. } | Lesson::WouldAct { .. } => None,
    };
    let change = lost.filter(|(to, _)| *to < from).map(|(to, reason)| Change {
        at,
        from,
        to,
        by: ITSELF.to_owned(),
        reason,
    });
    if let Some(change) = &change {
        standing.move_to(change.clone());
    }
    (record, change)
}

/// One rung down; what may only be watched is not lost.
fn below(rung: Mode) -> Mode {
    match rung {
        Mode::Auto => Mode::Approve,
        Mode::Approve => Mode::Suggest,
        Mode::Suggest | Mode::Shadow => rung,
    }
}

/// What stands between an action and the next rung.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    pub rung: Mode,
    /// `None` on the highest rung that its runbook allows.
    pub next: Option<Mode>,
    /// What it still has to show, one sentence each; a person may promote it when nothing is missing.
    pub missing: Vec<String>,
}

impl Outlook {
    pub fn is_earned(&self) -> bool {
        self.next.is_some() && self.missing.is_empty()
    }
}

pub fn outlook(standing: Option<&Standing>, ceiling: Mode, rules: &Trust) -> Outlook {
    let rung = standing.and_then(|standing| standing.rung).unwrap_or(rules.start).min(ceiling);
    let tally = standing.map(|standing| standing.tally).unwrap_or_default();
    let next = match rung {
        Mode::Shadow => Mode::Suggest,
        Mode::Suggest => Mode::Approve,
        Mode::Approve | Mode::Auto => Mode::Auto,
    };
    if rung >= ceiling || rung == Mode::Auto {
        return Outlook { rung, next: None, missing: Vec::new() };
    }
    let missing = if next == Mode::Auto { for_auto(tally, rules) } else { watched(tally, rules) };
    Outlook { rung, next: Some(next), missing }
}

/// Watched often enough, and on alerts that do not end by themselves.
fn watched(tally: Tally, rules: &Trust) -> Vec<String> {
    let mut missing = Vec::new();
    if tally.would_act < rules.would_act {
        missing.push(format!("watched {} times of {}", tally.would_act, rules.would_act));
    }
    let share = u64::from(tally.healed) * 100;
    if share > u64::from(tally.would_act) * u64::from(rules.most_self_healing) {
        missing.push(format!(
            "{} of {} were over by themselves, at most {} % may",
            tally.healed, tally.would_act, rules.most_self_healing
        ));
    }
    missing
}

/// Helped often enough where it was not chance, and mostly.
fn for_auto(tally: Tally, rules: &Trust) -> Vec<String> {
    let mut missing = Vec::new();
    let ours = tally.helped.saturating_sub(tally.by_itself);
    if ours < rules.helped {
        missing.push(format!("helped {ours} times of {}", rules.helped));
    }
    if tally.harmful > 0 {
        missing.push(format!("did harm {} times", tally.harmful));
    }
    let failed = tally.useless.saturating_add(tally.unclear);
    if failed.saturating_mul(4) > tally.helped {
        let helped = tally.helped;
        missing.push(format!("failed {failed} times and helped {helped}, a fifth may fail"));
    }
    missing
}

/// What a person wants of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    pub to: Mode,
    pub by: String,
    pub reason: String,
    /// Although it has not earned it.
    pub anyway: bool,
}

/// Why a wish is not granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misplaced {
    #[error("it is at `{}` already", .0.as_str())]
    Already(Mode),
    #[error("the runbook says `mode: {}`, which is the ceiling: change the file first", .0.as_str())]
    AboveCeiling(Mode),
    #[error("it has not earned that: {}; say `anyway` to promote it nevertheless", .0.join("; "))]
    NotEarned(Vec<String>),
    #[error("{0} is empty")]
    Empty(&'static str),
}

/// Moves an action on a person's word. Down always goes; up asks for what it has shown.
pub fn set(
    record: &TrustRecord,
    place: &Place,
    wish: &Wish,
    ceiling: Mode,
    rules: &Trust,
    at: Timestamp,
) -> Result<(TrustRecord, Change), Misplaced> {
    for (what, text) in [("the name of who moves it", &wish.by), ("the reason", &wish.reason)] {
        if text.trim().is_empty() {
            return Err(Misplaced::Empty(what));
        }
    }
    if wish.to > ceiling {
        return Err(Misplaced::AboveCeiling(ceiling));
    }
    let standing = record.at(&place.action, &place.environment);
    let outlook = outlook(standing, ceiling, rules);
    let from = outlook.rung;
    if wish.to == from {
        return Err(Misplaced::Already(from));
    }
    if wish.to > from && !wish.anyway {
        if outlook.next != Some(wish.to) {
            return Err(Misplaced::NotEarned(vec!["it goes up one rung at a time".to_owned()]));
        }
        if !outlook.missing.is_empty() {
            return Err(Misplaced::NotEarned(outlook.missing));
        }
    }
    let mut record = record.clone();
    let (by, reason) = (wish.by.trim().to_owned(), wish.reason.clone());
    let change = Change { at, from, to: wish.to, by, reason };
    record.at_mut(place).move_to(change.clone());
    Ok((record, change))
}

#[cfg(test)]
mod tests;
