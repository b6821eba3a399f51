//! What a delivered alert means for an incident: opened, joined, changed, resolved, or nothing new.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Event, Incident, Seen, Status};
use crate::alert::Alert;

/// What became of an alert, as the sender is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Opened,
    Updated,
    Duplicate,
    Resolved,
    Suppressed,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Opened => "opened",
            Verdict::Updated => "updated",
            Verdict::Duplicate => "duplicate",
            Verdict::Resolved => "resolved",
            Verdict::Suppressed => "suppressed",
        }
    }
}

/// What to do with an alert.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    /// Append to the incident that was given.
    Append { verdict: Verdict, events: Vec<Event> },
    /// The given incident is no place for it: open a new one.
    Open { events: Vec<Event> },
    /// Nothing changes but a count. There may be no incident at all (a resolve that nobody waited for).
    Nothing { verdict: Verdict },
}

/// More distinct alerts than this in one incident go to a new one, so that a record stays small.
const MOST_ALERTS: usize = 32;

/// Decides about one alert. `incident` is the latest one of its group, if there is one.
///
/// Repeats and late arrivals change nothing: an alert is in its place by when its episode started, not by
/// when it got here. A resolve never opens anything. `group` is the alert's by
/// [`Routes::group_key`](crate::routing::Routes::group_key); what is opened is opened for it.
pub fn receive(
    incident: Option<&Incident>,
    alert: &Arc<Alert>,
    group: &str,
    reopen_within: SignedDuration,
    now: Timestamp,
) -> Received {
    let Some(incident) = incident else { return without_incident(alert, group) };
    let Some(member) = incident.alerts.get(&alert.fingerprint) else {
        return if alert.is_firing() {
            join(incident, alert, group, reopen_within, now)
        } else {
            Received::Nothing { verdict: Verdict::Resolved }
        };
    };
    if Seen::of(member).is_repeated_by(alert) {
        return Received::Nothing { verdict: Verdict::Duplicate };
    }
    if !alert.is_firing() {
        return resolve(incident, alert);
    }
    let goes_on = incident.status.is_live() || alert.is_of_same_episode(&member.alert);
    if member.alert.is_firing() && goes_on {
        let events = vec![Event::AlertUpdated { alert: Arc::clone(alert) }];
        return Received::Append { verdict: Verdict::Updated, events };
    }
    // A new episode. Its incident may be over although no resolve came: a person said so.
    join(incident, alert, group, reopen_within, now)
}

fn without_incident(alert: &Arc<Alert>, group: &str) -> Received {
    if alert.is_firing() {
        Received::Open { events: opening(alert, group) }
    } else {
        Received::Nothing { verdict: Verdict::Resolved }
    }
}

fn opening(alert: &Arc<Alert>, group: &str) -> Vec<Event> {
    vec![
        Event::Opened {
            group_key: group.to_owned(),
            service: alert.service.clone(),
            severity: alert.severity,
            title: alert.title.clone(),
        },
        fired(alert),
    ]
}

fn fired(alert: &Arc<Alert>) -> Event {
    Event::AlertFired { alert: Arc::clone(alert) }
}

fn resolve(incident: &Incident, alert: &Alert) -> Received {
    let ends_at = alert.ends_at.unwrap_or(alert.starts_at);
    let mut events = vec![Event::AlertResolved { fingerprint: alert.fingerprint.clone(), ends_at }];
    let last = incident.firing().all(|firing| firing.fingerprint == alert.fingerprint);
    if last && incident.active_run().is_none() && incident.status.is_live() {
        events.push(Event::Resolved { reason: "every alert is resolved".to_owned() });
    }
    Received::Append { verdict: Verdict::Resolved, events }
}

fn join(
    incident: &Incident,
    alert: &Arc<Alert>,
    group: &str,
    reopen_within: SignedDuration,
    now: Timestamp,
) -> Received {
    let known = incident.alerts.contains_key(&alert.fingerprint);
    if !known && incident.alerts.len() >= MOST_ALERTS {
        return Received::Open { events: opening(alert, group) };
    }
    match incident.status {
        Status::Open
        | Status::Suppressed
        | Status::Remediating
        | Status::Verifying
        | Status::Escalated => {
            Received::Append { verdict: Verdict::Updated, events: vec![fired(alert)] }
        }
        Status::Resolved => {
            let resolved_at = incident.resolved_at.unwrap_or(incident.updated_at);
            if now.duration_since(resolved_at) > reopen_within {
                return Received::Open { events: opening(alert, group) };
            }
            let reason = format!("{} fired again", alert.title);
            let events = vec![Event::Reopened { reason }, fired(alert)];
            Received::Append { verdict: Verdict::Updated, events }
        }
        Status::Closed => Received::Open { events: opening(alert, group) },
    }
}

#[cfg(test)]
#[path = "receive_tests.rs"]
mod tests;
