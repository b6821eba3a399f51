//! Muting: whether people are told of an alert, and whether runbooks act on it, while something asks for quiet.
//!
//! Both uses ask the same [`MUTES`] and read doubt in opposite ways. Telling fails open: what cannot be read
//! mutes nothing ([`verdict`]). Acting fails closed: what cannot be read holds (the guards of the same names).

mod dependency;
pub mod flapping;
mod inhibition;
mod maintenance;
mod self_inflicted;
mod sender;
mod shared_cause;
pub mod silence;
mod silenced;

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use dependency::{Parent, parent_of};
pub use flapping::Flaps;
pub use silence::{BadSilence, Change, Silence, SilenceDraft, SilenceId, SilenceState};

use crate::alert::Alert;
use crate::incident::{Event, Incident};
use crate::policy::Policy;
use crate::self_inflicted::ExpectedEffect;
use crate::shared_cause::Suspicions;

/// A fact that may not have been readable at the moment of a decision.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading<T> {
    Known(T),
    /// Why it could not be read.
    Unreadable(String),
}

/// The incidents that are not over, as far as they were read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Live {
    /// The newest first.
    pub incidents: Vec<Incident>,
    /// There are more than so many, and only these were read.
    pub more_than: Option<usize>,
}

impl Live {
    /// More incidents than this are not looked at: what an older one would mute is told, and is not acted on.
    pub const MOST: usize = 500;

    /// Of incidents that were read, newest first, the first `most`; one more shows that there are others.
    pub fn first(mut incidents: Vec<Incident>, most: usize) -> Self {
        let more_than = (incidents.len() > most).then_some(most);
        incidents.truncate(most);
        Self { incidents, more_than }
    }
}

/// What muting is decided from, besides the alert and its incident.
#[derive(Debug, Clone)]
pub struct MuteFacts<'a> {
    pub policy: &'a Policy,
    /// At least those that are active.
    pub silences: Reading<Vec<Silence>>,
    /// Needed where [`needs_live`] says so; else it may be empty.
    pub live: Reading<Live>,
    /// At least those of the failure domains of the alerts that are asked about.
    pub suspected: Reading<Suspicions>,
    /// What our own actions are expected to cause now.
    pub effects: Reading<Vec<ExpectedEffect>>,
}

impl<'a> MuteFacts<'a> {
    /// The facts of a decision that asks for none: should it ask, nothing is done.
    pub fn unread(policy: &'a Policy) -> Self {
        let why = || "it was not read".to_owned();
        Self {
            policy,
            silences: Reading::Unreadable(why()),
            live: Reading::Unreadable(why()),
            suspected: Reading::Unreadable(why()),
            effects: Reading::Unreadable(why()),
        }
    }

    /// The facts where nobody set a silence and nothing else is live.
    pub fn quiet(policy: &'a Policy) -> Self {
        Self {
            policy,
            silences: Reading::Known(Vec::new()),
            live: Reading::Known(Live::default()),
            suspected: Reading::Known(Suspicions::new()),
            effects: Reading::Known(Vec::new()),
        }
    }
}

/// Whether a mute of the alert could depend on other incidents.
pub fn needs_live(policy: &Policy, alert: &Alert) -> bool {
    inhibition::may_apply(policy, alert) || !policy.services.parents(&alert.service).is_empty()
}

/// What asks for quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MutedBy {
    /// The sender itself, such as an alarm mute rule.
    Sender,
    Maintenance,
    Inhibition,
    Silence,
    /// A service that this one depends on has a firing incident.
    Dependency,
    /// One cause is suspected for much of its failure domain.
    SharedCause,
    Flapping,
    /// One of our own actions is expected to have caused it.
    SelfInflicted,
}

impl MutedBy {
    pub fn as_str(self) -> &'static str {
        match self {
            MutedBy::Sender => "sender",
            MutedBy::Maintenance => "maintenance",
            MutedBy::Inhibition => "inhibition",
            MutedBy::Silence => "silence",
            MutedBy::Dependency => "dependency",
            MutedBy::SharedCause => "shared_cause",
            MutedBy::Flapping => "flapping",
            MutedBy::SelfInflicted => "self_inflicted",
        }
    }
}

/// A mute that holds, with what ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Muted {
    pub by: MutedBy,
    /// Which one: the id of a silence or an incident, the name of a window or a rule.
    pub id: String,
    /// When it ends by itself, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// One sentence that stands alone.
    pub reason: String,
}

/// What one kind of mute says of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Heard {
        because: Cow<'static, str>,
    },
    Muted(Muted),
    /// It may be muted; nobody knows.
    Unreadable(String),
}

fn heard(because: impl Into<Cow<'static, str>>) -> Answer {
    Answer::Heard { because: because.into() }
}

/// What is asked about: an alert, and the incident that it belongs to or would join.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub alert: &'a Alert,
    pub incident: Option<&'a Incident>,
}

/// One kind of mute.
pub trait Mute: Sync {
    fn kind(&self) -> MutedBy;

    /// Whether it keeps people from being told.
    fn ask(&self, subject: Subject<'_>, facts: &MuteFacts<'_>, now: Timestamp) -> Answer;

    /// Whether it keeps runbooks from acting; most mutes do both alike.
    fn ask_for_acting(
        &self,
        subject: Subject<'_>,
        facts: &MuteFacts<'_>,
        now: Timestamp,
    ) -> Answer {
        self.ask(subject, facts, now)
    }
}

/// Every mute there is, in the order in which they are asked.
pub const MUTES: &[&dyn Mute] = &[
    // What needs the least to be known first.
    &sender::BySender,
    &maintenance::InMaintenance,
    &inhibition::Inhibited,
    &silenced::Silenced,
    &self_inflicted::OurOwnDoing,
    &dependency::ParentFires,
    &shared_cause::PartOfSharedCause,
    &flapping::IsFlapping,
];

/// What one mute said, for people who ask why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MuteFinding {
    pub mute: MutedBy,
    pub says: Says,
    pub because: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    Heard,
    Muted,
    Unreadable,
}

/// Whether people are told of an alert now, with what every mute said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The first mute that holds; `None`: people are told.
    pub muted: Option<Muted>,
    pub findings: Vec<MuteFinding>,
}

impl Verdict {
    pub fn is_heard(&self) -> bool {
        self.muted.is_none()
    }
}

/// Asks every mute whether people are told. What cannot be read mutes nothing.
pub fn verdict(subject: Subject<'_>, facts: &MuteFacts<'_>, now: Timestamp) -> Verdict {
    let mut verdict = Verdict { muted: None, findings: Vec::new() };
    for mute in MUTES {
        let (says, because) = match mute.ask(subject, facts, now) {
            Answer::Heard { because } => (Says::Heard, because.into_owned()),
            Answer::Unreadable(why) => (Says::Unreadable, why),
            Answer::Muted(muted) => {
                let because = muted.reason.clone();
                verdict.muted.get_or_insert(muted);
                (Says::Muted, because)
            }
        };
        verdict.findings.push(MuteFinding { mute: mute.kind(), says, because });
    }
    verdict
}

/// The mute that [`verdict`] gives, without what the others said.
pub fn muted_now(subject: Subject<'_>, facts: &MuteFacts<'_>, now: Timestamp) -> Option<Muted> {
    MUTES.iter().find_map(|mute| match mute.ask(subject, facts, now) {
        Answer::Muted(muted) => Some(muted),
        Answer::Heard { .. } | Answer::Unreadable(_) => None,
    })
}

/// The mute that keeps people from being told of an incident: there only while all that fires is muted. Of
/// several the one that ends last.
pub fn muted(incident: &Incident, facts: &MuteFacts<'_>, now: Timestamp) -> Option<Muted> {
    let ends = |muted: &Muted| muted.until.unwrap_or(Timestamp::MAX);
    let mut last: Option<Muted> = None;
    for alert in incident.firing() {
        let muted = muted_now(Subject { alert, incident: Some(incident) }, facts, now)?;
        if last.as_ref().is_none_or(|last| ends(&muted) > ends(last)) {
            last = Some(muted);
        }
    }
    last
}

/// The mute that keeps runbooks from the alerts of an incident that `are_meant`: one that holds for any of them.
/// A mute that cannot be read is none here: the guards hold for it, and say so.
pub fn at_rest(
    incident: &Incident,
    are_meant: impl Fn(&Alert) -> bool,
    facts: &MuteFacts<'_>,
    now: Timestamp,
) -> Option<Muted> {
    let mut meant = incident.firing().filter(|alert| are_meant(alert));
    meant
        .find_map(|alert| muted_for_acting(Subject { alert, incident: Some(incident) }, facts, now))
}

/// The first mute that certainly keeps runbooks from an alert.
pub fn muted_for_acting(
    subject: Subject<'_>,
    facts: &MuteFacts<'_>,
    now: Timestamp,
) -> Option<Muted> {
    MUTES.iter().find_map(|mute| match mute.ask_for_acting(subject, facts, now) {
        Answer::Muted(muted) => Some(muted),
        Answer::Heard { .. } | Answer::Unreadable(_) => None,
    })
}

/// What the record has to say of mutes that began or ended since its latest event. Asking again changes nothing.
pub fn change(incident: &Incident, facts: &MuteFacts<'_>, now: Timestamp) -> Option<Event> {
    if !incident.status.is_live() || !incident.is_firing() {
        return None;
    }
    let held = incident.muted.as_ref().or(incident.resting.as_ref());
    match (&incident.muted, muted(incident, facts, now)) {
        (None, Some(muted)) => Some(Event::Suppressed { muted }),
        (Some(_), Some(_)) => None,
        (Some(was), None) => Some(Event::Unmuted { reason: ended(was) }),
        (None, None) => {
            let was = held?;
            let over = at_rest(incident, |_| true, facts, now).is_none();
            over.then(|| Event::Unmuted { reason: ended(was) })
        }
    }
}

fn ended(was: &Muted) -> String {
    format!("it still fires, and this is over: {}", was.reason)
}

/// What one kind of mute says of acting on an alert.
pub fn ask_for_acting(
    kind: MutedBy,
    subject: Subject<'_>,
    facts: &MuteFacts<'_>,
    now: Timestamp,
) -> Answer {
    let mute = MUTES.iter().find(|mute| mute.kind() == kind).expect("every kind is in the list");
    mute.ask_for_acting(subject, facts, now)
}

#[cfg(test)]
mod tests;
