//! Telling people: each channel hears of an event once, and whoever got the page gets its resolve.
//!
//! Telling fails open. One channel that does not work never keeps another from being told, and what may have
//! been sent without being recorded is sent again rather than not at all: receivers know repeats by event id.

mod deliver;
mod together;

use std::convert::Infallible;
use std::time::Duration;

use firebreak_core::channels::{self, Channels};
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Event, Incident, Recorded};
use firebreak_core::notification::{Notification, Occasion, notification};

use self::deliver::deliver;
use self::together::together;
use crate::ports::{Clock, IncidentStore, SecretSource, Sender, StoreError};
use crate::record::{RecordError, record};

/// What telling works with.
#[derive(Clone, Copy)]
pub struct Notifier<'a> {
    pub store: &'a dyn IncidentStore,
    pub clock: &'a dyn Clock,
    pub channels: &'a Channels,
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

/// Who was told now. Those who knew already are in neither list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub delivered: Vec<String>,
    /// Channels that refused for good while others were told.
    pub refused: Vec<Missed>,
}

#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    #[error("there is no incident {0}")]
    NotFound(IncidentId),
    #[error("incident {0} is being written to by too many at once")]
    Contended(IncidentId),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Asking again with the same event tells these and nobody twice.
    #[error("not told: {}", list(.0))]
    Undelivered(Vec<Missed>),
}

fn list(missed: &[Missed]) -> String {
    let reasons: Vec<String> =
        missed.iter().map(|missed| format!("{} ({})", missed.channel, missed.reason)).collect();
    reasons.join(", ")
}

impl From<RecordError<Infallible>> for NotifyError {
    fn from(error: RecordError<Infallible>) -> Self {
        match error {
            RecordError::NotFound(id) => NotifyError::NotFound(id),
            RecordError::Contended(id) => NotifyError::Contended(id),
            RecordError::Store(error) => NotifyError::Store(error),
            RecordError::Refused(never) => match never {},
        }
    }
}

/// Every mistake in the channel settings, each with channel, setting and remedy. For the start of a process.
pub fn check_channels(channels: &Channels) -> Result<(), Vec<String>> {
    let problems = channels::check(channels);
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Tells of one event, if it is one that people are told of. Safe to repeat, in any order of events.
///
/// A page whose incident resolved while it was on its way is followed by its resolve here: the event of the
/// resolve may have passed when nobody was told yet.
pub async fn notify(notifier: &Notifier<'_>, recorded: &Recorded) -> Result<Report, NotifyError> {
    let mut told = tell(notifier, recorded).await?;
    if let Some(resolve) = resolve_owed(notifier, recorded).await? {
        let more = tell(notifier, &resolve).await?;
        told.delivered.extend(more.delivered);
        told.missed.extend(more.missed);
    }
    told.report()
}

#[derive(Debug, Default)]
struct Told {
    delivered: Vec<String>,
    missed: Vec<Missed>,
    /// Whether somebody knew of it already.
    known: bool,
}

impl Told {
    /// A refusal counts as an error only when nobody at all was reached.
    fn report(self) -> Result<Report, NotifyError> {
        let reached = self.known || !self.delivered.is_empty();
        let hopeful = self.missed.iter().any(|missed| missed.again);
        if hopeful || !(reached || self.missed.is_empty()) {
            return Err(NotifyError::Undelivered(self.missed));
        }
        Ok(Report { delivered: self.delivered, refused: self.missed })
    }
}

async fn tell(notifier: &Notifier<'_>, recorded: &Recorded) -> Result<Told, NotifyError> {
    let id = &recorded.incident;
    let incident = notifier.store.load(id).await?;
    let incident = incident.ok_or_else(|| NotifyError::NotFound(id.clone()))?;
    let Some(message) = notification(&incident, recorded) else { return Ok(Told::default()) };
    let known = incident.told.get(&recorded.seq).map(Vec::as_slice).unwrap_or_default();
    let channels = audience(notifier.channels, &incident, recorded, &message);
    let waiting = channels.into_iter().filter(|name| !known.iter().any(|knows| knows == name));
    let attempts = waiting.map(|name| tell_one(notifier, recorded, name, &message)).collect();
    let mut told = Told { known: !known.is_empty(), ..Told::default() };
    for attempt in together(attempts).await {
        match attempt? {
            Ok(channel) => told.delivered.push(channel),
            Err(missed) => told.missed.push(missed),
        }
    }
    Ok(told)
}

/// Sends and records, at once: a page that is out must be on the record even if another channel hangs.
async fn tell_one(
    notifier: &Notifier<'_>,
    recorded: &Recorded,
    name: &str,
    message: &Notification,
) -> Result<Result<String, Missed>, NotifyError> {
    let outcome = deliver(notifier, name, message).await;
    let (delivered, detail) = match &outcome {
        Ok(detail) => (true, detail.clone()),
        Err(missed) => (false, missed.reason.clone()),
    };
    let event_id = recorded.event_id();
    if delivered {
        tracing::info!(event_id, channel = name, detail, "told");
    } else {
        tracing::error!(event_id, channel = name, detail, "not told");
    }
    let about = recorded.seq;
    record(notifier.store, notifier.clock, &recorded.incident, |incident| {
        let known = incident.told.get(&about).is_some_and(|told| told.iter().any(|n| n == name));
        let event = (!known).then(|| Event::Notified {
            channel: name.to_owned(),
            about,
            delivered,
            detail: detail.clone(),
            refused: matches!(&outcome, Err(missed) if !missed.again),
            flush: None,
        });
        Ok::<_, Infallible>(event.into_iter().collect())
    })
    .await?;
    Ok(outcome.map(|_| name.to_owned()))
}

/// The channels that are to hear of it, by name.
fn audience<'a>(
    channels: &'a Channels,
    incident: &'a Incident,
    recorded: &Recorded,
    message: &Notification,
) -> Vec<&'a str> {
    let all = || channels.keys().map(String::as_str).collect();
    match message.occasion {
        Occasion::Resolved => {
            let superseded = incident.resolved_at.is_none_or(|at| recorded.at < at);
            if incident.status.is_live() || superseded {
                // It came back, or resolved once more: a later resolve ends these pages.
                return Vec::new();
            }
            let told = incident.channels_told();
            told.into_iter().filter(|name| is_set_up(channels, name)).collect()
        }
        Occasion::Escalated => {
            let wanted = incident.runs.last().map(|run| run.runbook.escalate.channels.as_slice());
            let wanted: Vec<&str> = wanted
                .unwrap_or_default()
                .iter()
                .map(String::as_str)
                .filter(|name| is_set_up(channels, name))
                .collect();
            if wanted.is_empty() { all() } else { wanted }
        }
        Occasion::Opened | Occasion::Reopened | Occasion::ApprovalRequested => all(),
    }
}

fn is_set_up(channels: &Channels, name: &str) -> bool {
    let found = channels.contains_key(name);
    if !found {
        tracing::warn!(channel = name, "this channel is named but not set up");
    }
    found
}

/// The latest resolve, where the incident is over and this event is not that resolve.
async fn resolve_owed(
    notifier: &Notifier<'_>,
    recorded: &Recorded,
) -> Result<Option<Recorded>, NotifyError> {
    let latest = notifier.store.load(&recorded.incident).await?;
    let over = latest.is_some_and(|incident| {
        !incident.status.is_live() && incident.told.contains_key(&recorded.seq)
    });
    if !over || matches!(recorded.event, Event::Resolved { .. }) {
        return Ok(None);
    }
    let mut events = notifier.store.events(&recorded.incident).await?;
    events.retain(|event| matches!(event.event, Event::Resolved { .. }));
    Ok(events.pop())
}

#[cfg(test)]
mod tests;
