//! Who hears of an alarm: the channels of the runbook, else those of the routes, else all.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Circumstances;
use crate::fingerprint::Fingerprint;
use crate::incident::{Alarm, Incident, Urgent};
use crate::run::Phase;

/// Whether it is still worth saying: an approval that nothing waits for any more is not asked for, and of harm
/// the escalation that followed it tells.
pub(super) fn is_to_be_heard(incident: &Incident, urgent: &Urgent, now: Timestamp) -> bool {
    let (run, plan_hash, expires_at) = match &urgent.what {
        Alarm::Escalated { .. } => return true,
        Alarm::Harmful { .. } => {
            let later = incident.urgent.iter().filter(|other| other.seq > urgent.seq);
            return later.into_iter().all(|other| !matches!(other.what, Alarm::Escalated { .. }));
        }
        Alarm::Flapping { until, .. } => return now < *until,
        Alarm::ApprovalRequested { run, plan_hash, expires_at } => (run, plan_hash, expires_at),
    };
    let active = incident.active_run().filter(|active| active.number == *run);
    let waits = active.is_some_and(|active| match &active.phase {
        Phase::AwaitingApproval { plan_hash: asked, .. } => asked == plan_hash,
        Phase::Preparing
        | Phase::Deciding
        | Phase::Approved { .. }
        | Phase::Rechecking { .. }
        | Phase::Acting { .. }
        | Phase::Verifying { .. }
        | Phase::Kept { .. }
        | Phase::Undoing { .. }
        | Phase::Ending { .. }
        | Phase::Ended { .. } => false,
    });
    waits && now < *expires_at
}

pub(super) fn hears_alarm(
    incident: &Incident,
    alarm: &Alarm,
    channel: &str,
    with: Circumstances<'_>,
    now: Timestamp,
) -> bool {
    let named = match alarm {
        Alarm::Flapping { alert, .. } => {
            return has_open_route(incident, alert, channel, with, now);
        }
        Alarm::ApprovalRequested { .. } => BTreeSet::new(),
        Alarm::Escalated { .. } | Alarm::Harmful { .. } => of_runbook(incident, with),
    };
    let chosen = if named.is_empty() { of_routes(incident, with) } else { named };
    chosen.is_empty() || chosen.contains(channel)
}

/// Whether a route that is not muted now leads an alert to the channel.
fn has_open_route(
    incident: &Incident,
    alert: &Fingerprint,
    channel: &str,
    with: Circumstances<'_>,
    now: Timestamp,
) -> bool {
    let routes = incident.alerts.get(alert).map(|member| with.routes.taken_by(&member.alert));
    let mut leading = routes.into_iter().flatten().filter(|route| route.leads_to(channel));
    leading.any(|route| route.hush(now).is_none())
}

/// Those that are set up; a name that is not must not keep a person from being told.
fn of_runbook<'a>(incident: &'a Incident, with: Circumstances<'_>) -> BTreeSet<&'a str> {
    let wanted = incident.runs.last().map(|run| run.runbook.escalate.channels.as_slice());
    let wanted = wanted.unwrap_or_default().iter().map(String::as_str);
    wanted.filter(|name| with.channels.contains_key(*name)).collect()
}

/// Every channel that a route of any of its alerts leads to, muted or not.
fn of_routes<'a>(incident: &Incident, with: Circumstances<'a>) -> BTreeSet<&'a str> {
    let routes: Vec<_> =
        incident.alerts.values().flat_map(|member| with.routes.taken_by(&member.alert)).collect();
    let names = with.channels.keys().map(String::as_str);
    names.filter(|name| routes.iter().any(|route| route.leads_to(name))).collect()
}
