//! Telling people: what is due for a channel is sent and recorded, one message after the other.
//!
//! Telling fails open. One channel that does not work never keeps another from being told, and what may have
//! been sent without being recorded is sent again rather than not at all: receivers know repeats by event id.

mod claim;
mod deliver;
mod tick;
mod together;

use std::convert::Infallible;
use std::time::Duration;

use firebreak_core::channels::{self, Channels};
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Event, Incident};
use firebreak_core::notification::notification;
use firebreak_core::policy::Policy;
use firebreak_core::routing::Routes;
use firebreak_core::telling::{Circumstances, Message, Mutes, Says, due};
use jiff::{SignedDuration, Timestamp};

use self::claim::claim;
use self::deliver::deliver;
pub use self::tick::{Looked, Tick, on_event, on_tick};
use self::together::together;
use crate::muting;
use crate::ports::{Clock, Nonces, SecretSource, Sender, TellingStore};
use crate::record::{RecordError, record};
use crate::shared_cause::domains;

/// What telling works with.
#[derive(Clone, Copy)]
pub struct Notifier<'a> {
    pub store: &'a dyn TellingStore,
    pub clock: &'a dyn Clock,
    pub channels: &'a Channels,
    pub routes: &'a Routes,
    /// Says what is muted.
    pub policy: &'a Policy,
    /// Where several processes tell: what keeps two of them from sending the same at once.
    pub claims: Option<&'a dyn Nonces>,
    pub secrets: &'a dyn SecretSource,
    pub sender: &'a dyn Sender,
    pub pace: Pace,
}

/// How long one channel may take. Channels are told side by side, so this is also how long all take.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The rest before the second and the third attempt.
    pub rests: [Duration; 2],
    /// All attempts and rests together.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            rests: [Duration::from_millis(500), Duration::from_secs(2)],
            patience: Duration::from_secs(25),
        }
    }
}

/// A channel that was not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    pub channel: String,
    pub reason: String,
    /// Whether trying later could help without a change of the settings.
    pub again: bool,
}

/// What became of one look at an incident.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Channel and message id, in the order of the messages of a channel.
    pub delivered: Vec<(String, String)>,
    pub missed: Vec<Missed>,
    /// When to look again, should nothing happen until then.
    pub next_at: Option<Timestamp>,
}

/// Telling decides nothing that could be refused.
pub type NotifyError = RecordError<Infallible>;

/// Every mistake in the channel settings, each with channel, setting and remedy. For the start of a process.
pub fn check_channels(channels: &Channels) -> Result<(), Vec<String>> {
    let problems = channels::check(channels);
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// One channel is told no more than this in one go; what is left is due at once.
const MOST_IN_A_ROW: usize = 16;

/// The rest of a channel that failed before its next message is tried.
const REST: SignedDuration = SignedDuration::from_secs(5);

/// Tells every channel what is due to it now, side by side. Safe to repeat at any time.
pub async fn tell_all(notifier: &Notifier<'_>, id: &IncidentId) -> Result<Report, NotifyError> {
    let all = notifier.channels.keys().map(|channel| tell(notifier, id, channel)).collect();
    let mut report = Report::default();
    let mut failure = None;
    for told in together(all).await {
        match told {
            Ok(told) => report.add(told),
            Err(error) => failure = Some(error),
        }
    }
    // Only after all had their turn.
    failure.map_or(Ok(report), Err)
}

impl Report {
    fn add(&mut self, other: Self) {
        self.delivered.extend(other.delivered);
        self.missed.extend(other.missed);
        self.next_at = [self.next_at, other.next_at].into_iter().flatten().min();
    }
}

/// Tells one channel what is due to it now. Safe to repeat at any time.
pub async fn tell(
    notifier: &Notifier<'_>,
    id: &IncidentId,
    channel: &str,
) -> Result<Report, NotifyError> {
    let mut report = Report::default();
    for _ in 0..MOST_IN_A_ROW {
        let incident = notifier.store.load(id).await?;
        let incident = incident.ok_or_else(|| NotifyError::NotFound(id.clone()))?;
        let now = notifier.clock.now();
        let (store, policy) = (notifier.store, notifier.policy);
        let of = domains(policy, incident.firing());
        let facts = muting::read(store, policy, incident.firing(), &of, now).await;
        let mutes = Mutes::of(&incident, &facts, now);
        let with =
            Circumstances { channels: notifier.channels, routes: notifier.routes, mutes: &mutes };
        let due = due(&incident, channel, with, now);
        let Some(message) = due.message else {
            report.next_at = due.next_at;
            return Ok(report);
        };
        if !report.missed.is_empty() {
            report.next_at = Some(now + REST);
            return Ok(report);
        }
        if let Err(until) = claim(notifier, &incident, channel, &message).await {
            report.next_at = Some(until);
            return Ok(report);
        }
        match say(notifier, &incident, channel, &message).await? {
            Ok(()) => report.delivered.push((channel.to_owned(), message.id)),
            Err(missed) => report.missed.push(missed),
        }
    }
    report.next_at = Some(notifier.clock.now());
    Ok(report)
}

/// Sends and records, at once: a page that is out must be on the record even if another channel hangs.
async fn say(
    notifier: &Notifier<'_>,
    incident: &Incident,
    channel: &str,
    message: &Message,
) -> Result<Result<(), Missed>, NotifyError> {
    let outcome = match &message.says {
        Says::Silently(_) => Ok("it wants no resolves".to_owned()),
        Says::Alarm(_) | Says::Flush(_) => {
            deliver(notifier, channel, &notification(incident, channel, message)).await
        }
    };
    let (delivered, detail) = match &outcome {
        Ok(detail) => (true, detail.clone()),
        Err(missed) => (false, missed.reason.clone()),
    };
    let event_id = &message.id;
    if delivered {
        tracing::info!(event_id, channel, detail, "told");
    } else {
        tracing::error!(event_id, channel, detail, "not told");
    }
    let event = Event::Notified {
        channel: channel.to_owned(),
        about: message.about,
        delivered,
        detail,
        refused: matches!(&outcome, Err(missed) if !missed.again),
        flush: match &message.says {
            Says::Alarm(_) => None,
            Says::Flush(flush) | Says::Silently(flush) => Some(Box::new(flush.clone())),
        },
    };
    record(notifier.store, notifier.clock, &incident.id, |latest| {
        let known = is_recorded(latest, channel, message);
        Ok::<_, Infallible>(if known { Vec::new() } else { vec![event.clone()] })
    })
    .await?;
    Ok(outcome.map(drop))
}

/// Whether somebody else brought the same message meanwhile.
fn is_recorded(latest: &Incident, channel: &str, message: &Message) -> bool {
    match &message.says {
        Says::Alarm(urgent) => {
            latest.told.get(&urgent.seq).is_some_and(|told| told.iter().any(|name| name == channel))
        }
        Says::Flush(flush) | Says::Silently(flush) => {
            let last = latest.heard.get(channel).and_then(|heard| heard.last.as_ref());
            last.is_some_and(|last| last.flush.at >= flush.at)
        }
    }
}

#[cfg(test)]
mod tests;
