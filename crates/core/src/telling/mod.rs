//! Telling: what one channel is to hear of an incident now, and when to look again, from the record alone.
//!
//! Two things are told. A *flush* says where the group stands, when its route says so; the table of reasons is
//! Alertmanager's ([`table`]). An *alarm* (a runbook that needs a person, asks for approval, or did harm) is told
//! at once, whatever routes and mutes say. Whoever heard anything hears the end of it, whatever mutes it by then.

mod audience;
mod clockwork;
mod table;
mod view;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::channels::Channels;
use crate::fingerprint::Fingerprint;
use crate::incident::{Failed, Flush, Incident, Urgent};
use crate::muting::{self, MuteFacts, Subject};
use crate::routing::{Hush, Routes};

/// What telling is decided from, besides the incident itself.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    pub channels: &'a Channels,
    pub routes: &'a Routes,
    pub mutes: &'a Mutes,
}

/// What mutes the firing alerts of the incident at the moment of the decision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mutes {
    pub muted: BTreeMap<Fingerprint, Hush>,
    /// What could not be read, one sentence each: it mutes nothing, and the message says so.
    pub doubts: Vec<String>,
}

impl Mutes {
    /// What every mute says of what fires.
    pub fn of(incident: &Incident, facts: &MuteFacts<'_>, now: Timestamp) -> Self {
        let mut mutes = Self::default();
        for alert in incident.firing() {
            let subject = Subject { alert, incident: Some(incident) };
            let verdict = muting::verdict(subject, facts, now);
            if let Some(muted) = verdict.muted {
                let hush = Hush { because: muted.reason, until: muted.until };
                mutes.muted.insert(alert.fingerprint.clone(), hush);
                continue;
            }
            let doubts = verdict.findings.into_iter();
            let doubts = doubts.filter(|finding| finding.says == muting::Says::Unreadable);
            mutes.doubts.extend(doubts.map(|finding| finding.because));
        }
        mutes.doubts.sort_unstable();
        mutes.doubts.dedup();
        mutes
    }
}

/// The decision for one channel.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Due {
    /// To be told now. When it is on the record, ask again.
    pub message: Option<Message>,
    /// When to look again should nothing happen until then.
    pub next_at: Option<Timestamp>,
    /// Firing alerts that routes lead to the channel and that it is not told of, with the reason.
    pub quiet: Vec<Quiet>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quiet {
    pub alert: Fingerprint,
    pub hush: Hush,
}

/// One message to one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Stable across redeliveries: `<incident id>:<number>`; for a repeat `.<n>` follows, for the end `.resolved`.
    pub id: String,
    /// The number of the newest event that it tells of, and when that happened.
    pub about: u64,
    pub at: Timestamp,
    pub says: Says,
    /// What the reader should know about the message itself.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Says {
    Alarm(Urgent),
    Flush(Flush),
    /// Nothing is sent: the channel wants no resolves, and knows of nothing from here on.
    Silently(Flush),
}

/// An alarm or a resolve that could not be brought for longer than this is given up.
const WORTH_TELLING: SignedDuration = SignedDuration::from_hours(24);

/// Decides for one channel. Asking too often, too late or twice changes nothing but the time of the answer.
pub fn due(incident: &Incident, channel: &str, with: Circumstances<'_>, now: Timestamp) -> Due {
    if !with.channels.contains_key(channel) {
        return Due::default();
    }
    let alarm = alarm(incident, channel, with, now);
    if alarm.message.is_some() {
        return alarm;
    }
    let view = view::View::of(incident, channel, with, now);
    // An alarm that waits for its next attempt comes before the end of what it is about.
    let pending = view.pending().filter(|_| alarm.next_at.is_none() || !view.is_at_its_end());
    let (message, next_at) = match pending {
        None => (None, None),
        Some(at) => match at.max(retry_at(view.failed)) {
            at if at <= now => (view.message(now), None),
            at => (None, Some(at)),
        },
    };
    let next_at = [alarm.next_at, next_at, view.look_again(now)].into_iter().flatten().min();
    let message = message.map(|message| Message { notes: notes(&view, with.mutes), ..message });
    Due { message, next_at, quiet: view.quiet }
}

fn notes(view: &view::View<'_>, mutes: &Mutes) -> Vec<String> {
    let quiet = view.quiet.len();
    let more = (quiet > 0).then(|| format!("{quiet} more of its alerts fire and are muted"));
    let doubts = mutes.doubts.iter().map(|doubt| format!("told although it may be muted: {doubt}"));
    more.into_iter().chain(doubts).collect()
}

fn retry_at(failed: Option<Failed>) -> Timestamp {
    failed.map_or(Timestamp::MIN, |failed| failed.retry_at())
}

/// The oldest alarm that the channel is still to hear.
fn alarm(incident: &Incident, channel: &str, with: Circumstances<'_>, now: Timestamp) -> Due {
    let mut due = Due::default();
    for urgent in &incident.urgent {
        let told = incident.told.get(&urgent.seq);
        let is_told = told.is_some_and(|told| told.iter().any(|name| name == channel));
        if is_told
            || now.duration_since(urgent.at) > WORTH_TELLING
            || !audience::is_to_be_heard(incident, urgent, now)
            || !audience::hears_alarm(incident, &urgent.what, channel, with, now)
        {
            continue;
        }
        let at = retry_at(urgent.failed.get(channel).copied());
        if at <= now {
            due.message = Some(Message {
                id: format!("{}:{}", incident.id, urgent.seq),
                about: urgent.seq,
                at: urgent.at,
                says: Says::Alarm(urgent.clone()),
                notes: Vec::new(),
            });
            return due;
        }
        due.next_at = Some(due.next_at.map_or(at, |known| known.min(at)));
    }
    due
}

#[cfg(test)]
mod tests;
