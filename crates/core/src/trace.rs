//! The decision trace: which runbooks were tried, what each guard said, and the nearest miss.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::{ActionName, RunbookName};
use crate::muting::Muted;
use crate::runbook::Mode;

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
        /// When it lets go by itself, where it knows that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
}

impl Ruling {
    /// The same, said to let go by itself at that time.
    #[must_use]
    pub fn until(self, end: Timestamp) -> Self {
        match self {
            Ruling::Pass { .. } => self,
            Ruling::Hold { because, remedy, .. } => {
                Ruling::Hold { because, remedy, until: Some(end) }
            }
        }
    }

    /// When it lets go by itself, if it holds and knows that.
    pub fn ends(&self) -> Option<Timestamp> {
        match self {
            Ruling::Pass { .. } => None,
            Ruling::Hold { until, .. } => *until,
        }
    }
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
    /// What would have been done, were it allowed: it is only watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would: Option<Would>,
}

/// What a runbook that may not act would have begun with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Would {
    pub runbook: RunbookName,
    pub action: ActionName,
    /// What its file allows.
    pub ceiling: Mode,
    /// The time in which it would have had to help, from the first firing on.
    pub within: SignedDuration,
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

    /// How little was missing: the one guard that held, or several that all let go by themselves.
    pub fn nearest_miss(&self) -> Option<Miss<'_>> {
        let guards: Vec<&GuardFinding> =
            self.guards.iter().filter(|finding| finding.holds()).collect();
        let ends: Option<Vec<Timestamp>> =
            guards.iter().map(|finding| finding.ruling.ends()).collect();
        let until = ends.and_then(|ends| ends.into_iter().max());
        let near = guards.len() == 1 || until.is_some();
        near.then_some(Miss { guards, until })
    }
}

/// What alone stood between an incident and an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss<'a> {
    /// At least one.
    pub guards: Vec<&'a GuardFinding>,
    /// When the last of them lets go, if all let go by themselves.
    pub until: Option<Timestamp>,
}

impl Miss<'_> {
    /// `would have acted if cooldown had ended, in 4m 10s`, as seen at the moment of the decision.
    pub fn sentence(&self, at: Timestamp) -> String {
        let names: Vec<&str> = self.guards.iter().map(|finding| finding.guard.as_str()).collect();
        let names = names.join(" and ");
        match self.until {
            Some(until) if until > at => {
                let left = SignedDuration::from_secs(until.duration_since(at).as_secs().max(1));
                format!("would have acted if {names} had ended, in {left:#}")
            }
            Some(_) | None => format!("would have acted, but for {names} alone"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::at;

    fn held(guards: &[(&str, Option<i64>)]) -> Trace {
        let finding = |(guard, until): &(&str, Option<i64>)| {
            let ruling = Ruling::Hold { because: "b".into(), remedy: "r".into(), until: None };
            let ruling = until.map_or(ruling.clone(), |until| ruling.until(at(until)));
            GuardFinding { guard: (*guard).to_owned(), ruling }
        };
        Trace { guards: guards.iter().map(finding).collect(), ..Trace::of("held".to_owned()) }
    }

    fn said(guards: &[(&str, Option<i64>)]) -> Option<String> {
        held(guards).nearest_miss().map(|miss| miss.sentence(at(0)))
    }

    #[test]
    fn a_near_miss_says_what_would_have_had_to_end_and_when() {
        let one = said(&[("cooldown", Some(250))]).unwrap();
        assert_eq!(one, "would have acted if cooldown had ended, in 4m 10s");
        let two = said(&[("cooldown", Some(250)), ("lock", Some(3_600))]).unwrap();
        assert_eq!(two, "would have acted if cooldown and lock had ended, in 1h");
    }

    #[test]
    fn one_guard_is_a_near_miss_also_without_an_end_and_several_are_none() {
        let one = said(&[("require_tag", None)]).unwrap();
        assert_eq!(one, "would have acted, but for require_tag alone");
        assert_eq!(said(&[("require_tag", None), ("cooldown", Some(250))]), None);
        assert_eq!(said(&[]), None);
    }

    #[test]
    fn a_ruling_of_before_there_were_ends_is_read() {
        let old = r#"{"says":"hold","because":"b","remedy":"r"}"#;
        let ruling: Ruling = serde_json::from_str(old).unwrap();
        assert_eq!((ruling.ends(), serde_json::to_string(&ruling).unwrap().as_str()), (None, old));
    }
}
