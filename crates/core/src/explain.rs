//! Explanations for people and programs: the decisions of an incident, and what an alert would meet right now.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alert::{Alert, Severity};
use crate::book::{BookKey, Books, RunRef};
use crate::evidence::Observation;
use crate::guards::{self, Case};
use crate::ids::{IncidentId, RunbookName};
use crate::incident::{Event, Incident, Recorded};
use crate::muting::MuteFacts;
use crate::run::{asked_first, choose, targets_of};
use crate::runbook::{Mode, RunbookSet};
use crate::switch::SwitchReading;
use crate::target::Target;
use crate::trace::{GuardFinding, Trace, Tried};

/// One decision of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub at: Timestamp,
    /// The name of its event.
    pub event: String,
    #[serde(flatten)]
    pub trace: Trace,
    /// What was closest to letting it act, where something was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest_miss: Option<NearestMiss>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearestMiss {
    pub guards: Vec<String>,
    /// When the last of them lets go by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    pub sentence: String,
}

impl NearestMiss {
    pub fn of(trace: &Trace, at: Timestamp) -> Option<Self> {
        let miss = trace.nearest_miss()?;
        let guards = miss.guards.iter().map(|finding| finding.guard.clone()).collect();
        Some(Self { guards, until: miss.until, sentence: miss.sentence(at) })
    }
}

/// Every decision of an incident, in order.
pub fn decisions(events: &[Recorded]) -> Vec<Decision> {
    let of = |recorded: &Recorded| {
        let (at, trace) = (recorded.at, recorded.event.trace()?.clone());
        let nearest_miss = NearestMiss::of(&trace, at);
        Some(Decision { at, event: recorded.event.name().to_owned(), trace, nearest_miss })
    };
    events.iter().filter_map(of).collect()
}

/// What an alert would meet, had it just begun to fire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outlook {
    pub title: String,
    pub fingerprint: String,
    /// Those that match first, then those that came closest.
    pub tried: Vec<Tried>,
    /// How many more runbooks there are.
    pub others: usize,
    pub runbook: Option<RunbookName>,
    pub mode: Option<Mode>,
    pub targets: Vec<Target>,
    /// Those guards that need nothing but the alert, the record and the clock.
    pub guards: Vec<GuardFinding>,
    /// Those that are asked when the targets are read.
    pub asked_later: Vec<String>,
    pub would: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest_miss: Option<NearestMiss>,
}

/// What is read before.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    pub runbooks: &'a RunbookSet,
    /// At least those of [`books_of`].
    pub books: &'a Books,
    pub switch: &'a SwitchReading,
    pub mutes: &'a MuteFacts<'a>,
    pub now: Timestamp,
}

/// Guards whose answer needs no look at the target.
const KNOWN_BEFORE: &[&str] = &[
    "attempts",
    "breaker",
    "cooldown",
    "dependency",
    "expected_effects",
    "flapping",
    "inhibited",
    "kill_switch",
    "lock",
    "maintenance",
    "max_age",
    "sender_mute",
    "shared_cause",
    "silenced",
    "time_window",
];

/// The books that [`outlook`] may look at.
pub fn books_of(alert: &Alert, runbooks: &RunbookSet) -> Vec<BookKey> {
    let incident = fresh(alert, Timestamp::UNIX_EPOCH);
    targets(&incident, runbooks).iter().map(BookKey::target).collect()
}

/// What would happen if this alert fired now, as the first of its incident.
pub fn outlook(alert: &Alert, with: &Surroundings<'_>) -> Outlook {
    let incident = fresh(alert, with.now);
    let (chosen, mut tried, others) = choose(&incident, with.runbooks);
    if chosen.is_none() {
        tried = asked_first(&incident, with.runbooks);
    }
    let targets = targets(&incident, with.runbooks);
    let mut outlook = Outlook {
        title: alert.title.clone(),
        fingerprint: alert.fingerprint.to_string(),
        others: others.min(with.runbooks.len().saturating_sub(tried.len())),
        tried,
        runbook: chosen.map(|runbook| runbook.runbook.clone()),
        mode: chosen.map(|runbook| runbook.mode),
        targets,
        guards: Vec::new(),
        asked_later: Vec::new(),
        would: String::new(),
        nearest_miss: None,
    };
    let Some(runbook) = chosen else {
        outlook.would = if alert.is_firing() {
            format!("nothing: none of {} runbooks is for it", with.runbooks.len())
        } else {
            "nothing: it says that it is over".to_owned()
        };
        return outlook;
    };
    if let Err(problem) = targets_of(&incident, runbook) {
        outlook.would = format!("nothing: `{}` is for it, but {problem}", runbook.runbook);
        return outlook;
    }
    let observations: Vec<Observation> = outlook.targets.iter().map(unseen).collect();
    let run = RunRef { incident: incident.id.clone(), run: 1 };
    let judgement = guards::judge(&Case {
        incident: &incident,
        runbook,
        run: &run,
        observations: &observations,
        plan: None,
        books: with.books,
        switch: with.switch,
        mutes: with.mutes,
        now: with.now,
    });
    let (known, later): (Vec<_>, Vec<_>) = judgement
        .findings
        .into_iter()
        .partition(|finding| KNOWN_BEFORE.contains(&finding.guard.as_str()));
    outlook.asked_later = later.into_iter().map(|finding| finding.guard).collect();
    let trace = Trace { guards: known, ..Trace::default() };
    outlook.nearest_miss = NearestMiss::of(&trace, with.now);
    let held: Vec<&str> = trace
        .guards
        .iter()
        .filter(|finding| finding.holds())
        .map(|finding| finding.guard.as_str())
        .collect();
    outlook.would = would(runbook.mode, &held);
    outlook.guards = trace.guards;
    outlook
}

fn would(mode: Mode, held: &[&str]) -> String {
    let does = match mode {
        Mode::Shadow => return "nothing: the runbook is in shadow mode".to_owned(),
        Mode::Suggest => return "nothing but tell people what it would do".to_owned(),
        Mode::Approve => "ask a person",
        Mode::Auto => "act",
    };
    match held {
        [] => format!("{does}, unless the targets are not as they should be when they are read"),
        held => format!("not {does}: {} holds", held.join(" and ")),
    }
}

/// The targets that the runbook for it means.
fn targets(incident: &Incident, runbooks: &RunbookSet) -> Vec<Target> {
    let (chosen, _, _) = choose(incident, runbooks);
    let targets = chosen.and_then(|runbook| targets_of(incident, runbook).ok());
    targets.map(|targets| targets.iter().cloned().collect()).unwrap_or_default()
}

/// A target that nobody has looked at: only guards that do not look at it are believed.
fn unseen(target: &Target) -> Observation {
    Observation {
        target: target.clone(),
        identity: None,
        tags: std::collections::BTreeMap::new(),
        group: None,
        circumstances: crate::evidence::Circumstances::default(),
        captured: serde_json::Value::Null,
        seen_at: Timestamp::UNIX_EPOCH,
    }
}

/// An incident of this one alert, as intake would open it.
fn fresh(alert: &Alert, now: Timestamp) -> Incident {
    let id = IncidentId::try_from("inc_outlook".to_owned()).expect("it is a valid id");
    let opened = Event::Opened {
        group_key: String::new(),
        service: alert.service.clone(),
        severity: Severity::Info,
        title: alert.title.clone(),
    };
    let recorded = |seq, event| Recorded { incident: id.clone(), seq, at: now, event, prev: None };
    let incident = Incident::open(&recorded(1, opened)).expect("it begins with an opening");
    let fired = Event::AlertFired { alert: std::sync::Arc::new(alert.clone()) };
    incident.apply(&recorded(2, fired)).expect("an alert fits an open incident")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::{FLAG_RUNBOOK, RUNBOOK, alert, at};
    use crate::runbook::read;
    use crate::switch::KillSwitch;

    fn seen(alert: &Alert, books: &Books) -> Outlook {
        let runbooks: RunbookSet =
            [read(RUNBOOK).unwrap(), read(FLAG_RUNBOOK).unwrap()].into_iter().collect();
        let policy = crate::policy::Policy::default();
        outlook(
            alert,
            &Surroundings {
                runbooks: &runbooks,
                books,
                switch: &SwitchReading::Known(KillSwitch::default()),
                mutes: &MuteFacts::quiet(&policy),
                now: at(100),
            },
        )
    }

    #[test]
    fn an_alert_that_was_never_sent_meets_its_runbook_and_the_guards_that_can_be_asked() {
        let outlook = seen(&alert("slow-api-data", "i-0abc12345"), &Books::new());
        assert_eq!(outlook.runbook.as_ref().unwrap().as_str(), "restart-slow-api");
        assert_eq!(outlook.targets[0].id, "i-0abc12345");
        assert!(outlook.would.starts_with("act, unless"), "{}", outlook.would);
        assert!(outlook.guards.iter().any(|finding| finding.guard == "cooldown"));
        assert!(outlook.asked_later.iter().any(|guard| guard == "require_tag"));
    }

    #[test]
    fn a_cooldown_says_when_it_would_have_acted() {
        let target = Target { kind: "ec2.instance".to_owned(), id: "i-0abc12345".to_owned() };
        let by = RunRef { incident: IncidentId::try_from("inc_other".to_owned()).unwrap(), run: 1 };
        let mut books = Books::new();
        let book = crate::book::Book {
            entries: vec![crate::book::Entry {
                target: target.clone(),
                action: crate::ids::ActionName::try_from("ec2.reboot".to_owned()).unwrap(),
                by,
                at: at(0),
            }],
            ..crate::book::Book::default()
        };
        books.insert(BookKey::target(&target), book);
        let outlook = seen(&alert("slow-api-data", "i-0abc12345"), &books);
        assert_eq!(outlook.would, "not act: cooldown holds");
        let miss = outlook.nearest_miss.unwrap();
        assert_eq!(miss.sentence, "would have acted if cooldown had ended, in 13m 20s");
    }

    #[test]
    fn where_no_runbook_matches_the_closest_say_what_failed() {
        let outlook = seen(&alert("slow-api-dat", "i-0abc12345"), &Books::new());
        assert_eq!(outlook.runbook, None);
        assert!(outlook.would.contains("none of 2 runbooks"), "{}", outlook.would);
        let because = &outlook.tried[0].because;
        assert!(because.contains("labels.monitor is \"slow-api-dat\", not"), "{because}");
    }
}
