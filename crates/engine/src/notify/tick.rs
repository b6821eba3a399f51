//! Ticks: how a function without timers of its own looks at an incident again when it is time.
//!
//! A tick says which news it was made for. Later news makes ticks of its own, so an older one has nothing to do; what
//! is told is decided from the record alone, so one that comes twice, early or late tells nothing wrong.

use firebreak_core::ids::IncidentId;
use firebreak_core::incident::Recorded;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Notifier, NotifyError, Report, tell_all};

/// A look at an incident that is to be taken at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    pub incident_id: IncidentId,
    /// The latest event that people may have to be told of, when the tick was made.
    pub news: u64,
    pub at: Timestamp,
}

/// What came of an event or a tick.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Looked {
    pub report: Report,
    /// The look that is to follow, if nothing happens before.
    pub next: Option<Tick>,
}

/// Tells what is due because of an event that the bus delivered.
pub async fn on_event(notifier: &Notifier<'_>, recorded: &Recorded) -> Result<Looked, NotifyError> {
    look(notifier, &recorded.incident, recorded.seq).await
}

/// Tells what is due at a tick; one that comes early follows itself.
pub async fn on_tick(notifier: &Notifier<'_>, tick: &Tick) -> Result<Looked, NotifyError> {
    if notifier.clock.now() < tick.at {
        let is_stale = newest(notifier, &tick.incident_id).await? > tick.news;
        let next = (!is_stale).then(|| tick.clone());
        return Ok(Looked { next, ..Looked::default() });
    }
    look(notifier, &tick.incident_id, tick.news).await
}

async fn look(notifier: &Notifier<'_>, id: &IncidentId, news: u64) -> Result<Looked, NotifyError> {
    if newest(notifier, id).await? > news {
        tracing::debug!(incident = %id, news, "later news is on the record, and whoever is woken by it tells of both");
        return Ok(Looked::default());
    }
    let report = tell_all(notifier, id).await?;
    let next = report.next_at.map(|at| Tick { incident_id: id.clone(), news, at });
    Ok(Looked { report, next })
}

async fn newest(notifier: &Notifier<'_>, id: &IncidentId) -> Result<u64, NotifyError> {
    let incident = notifier.store.load(id).await?;
    Ok(incident.ok_or_else(|| NotifyError::NotFound(id.clone()))?.news)
}
