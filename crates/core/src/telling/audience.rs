//! Who hears of an alarm: the channels of the runbook, else those of the routes, else all.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Circumstances;
use crate::fingerprint::Fingerprint;
use crate::incident::{Alarm, Incident, Outcome, Urgent};
use crate::run::{Phase, Run};
use crate::runbook::Moment;

/// Whether it is still worth saying: an approval that nothing waits for any more is not asked for, and of harm
/// the escalation that followed it tells.
pub(super) fn is_to_be_heard(incident: &Incident, urgent: &Urgent, now: Timestamp) -> bool {
    let (run, plan_hash, expires_at) = match &urgent.what {
        Alarm::Escalated { .. } | Alarm::Helped { .. } => return true,
        // What was begun is told while it goes on; how it ended is told by its end.
        Alarm::Started { run, .. } => {
            return incident.active_run().is_some_and(|active| active.number == *run);
        }
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
        Alarm::ApprovalRequested { .. } => noticed(incident, Moment::Approval, with),
        Alarm::Harmful { .. } => noticed(incident, Moment::Harmful, with),
        Alarm::Escalated { .. } => noticed(incident, ended(incident), with),
        Alarm::Started { .. } => return is_named(incident, Moment::Started, channel),
        Alarm::Helped { .. } => return is_named(incident, Moment::Helped, channel),
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

/// What the end of the latest run is called in a runbook.
fn ended(incident: &Incident) -> Moment {
    match incident.runs.last().and_then(Run::outcome) {
        Some(Outcome::Harmful | Outcome::Abandoned) => Moment::Harmful,
        Some(Outcome::Helped | Outcome::Useless | Outcome::Held | Outcome::Moot) | None => {
            Moment::Useless
        }
    }
}

fn is_named(incident: &Incident, moment: Moment, channel: &str) -> bool {
    let named = incident.runs.last().and_then(|run| run.runbook.notify.of(moment));
    named.is_some_and(|names| names.iter().any(|name| name == channel))
}

/// Those that the runbook names for the moment, as far as they are set up; else whom it escalates to. An
/// approval that names nobody goes where the routes lead.
fn noticed<'a>(
    incident: &'a Incident,
    moment: Moment,
    with: Circumstances<'_>,
) -> BTreeSet<&'a str> {
    let named = incident.runs.last().and_then(|run| run.runbook.notify.of(moment));
    let named: BTreeSet<&str> = named
        .unwrap_or_default()
        .iter()
        .map(String::as_str)
        .filter(|name| with.channels.contains_key(*name))
        .collect();
    if named.is_empty() && moment != Moment::Approval {
        return of_runbook(incident, with);
    }
    named
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::evidence::{Effect, Verdict};
    use crate::examples::{FLAG_RUNBOOK, alert, at};
    use crate::incident::Event;
    use crate::routing::Routes;
    use crate::runbook;
    use crate::telling::Mutes;
    use crate::trace::Trace;

    const NOTIFY: &str = "notify: { approval: [leads], helped: [chat], harmful: [oncall, gone] }";

    fn acting() -> Incident {
        let firing = alert("checkout-errors", "i-0abc12345");
        let runbook = runbook::read(&format!("{FLAG_RUNBOOK}{NOTIFY}\n")).unwrap();
        let opened = Event::Opened {
            group_key: firing.group_key(),
            service: firing.service.clone(),
            severity: firing.severity,
            title: firing.title.clone(),
        };
        let started = Event::RunStarted {
            run: 1,
            runbook: Box::new(runbook),
            driver: "A".to_owned(),
            settle_until: at(0),
            deadline: at(600),
            trace: Trace::default(),
            requested_by: None,
            mode: None,
        };
        let id = "inc_1".to_owned().try_into().unwrap();
        let (incident, _) = Incident::begin(id, opened, at(0)).unwrap();
        let fired = Event::AlertFired { alert: std::sync::Arc::new(firing) };
        let events = [fired, started];
        events
            .into_iter()
            .fold(incident, |incident, event| incident.record(event, at(1)).unwrap().0)
    }

    fn hearing(incident: &Incident, alarm: &Alarm) -> Vec<&'static str> {
        let all = ["chat", "leads", "oncall", "team"];
        let kind = json!({"kind": "webhook", "url": "https://a.example/"});
        let channels = all.iter().map(|name| ((*name).to_owned(), kind.clone()));
        let channels =
            serde_json::from_value(serde_json::Value::Object(channels.collect())).unwrap();
        let (routes, mutes) = (Routes::default(), Mutes::default());
        let with = Circumstances { channels: &channels, routes: &routes, mutes: &mutes };
        let hears = |name: &&str| hears_alarm(incident, alarm, name, with, at(2));
        all.into_iter().filter(|name| hears(name)).collect()
    }

    #[test]
    fn each_moment_has_its_own_listeners() {
        let incident = acting();
        let reason = || "so".to_owned();
        let asked =
            Alarm::ApprovalRequested { run: 1, plan_hash: "plan2_a".to_owned(), expires_at: at(9) };
        assert_eq!(hearing(&incident, &asked), ["leads"]);
        let harmful = Alarm::Harmful { run: 1, reason: reason() };
        assert_eq!(hearing(&incident, &harmful), ["oncall"], "what is not set up is left out");
        assert_eq!(hearing(&incident, &Alarm::Helped { run: 1, reason: reason() }), ["chat"]);
        let started = Alarm::Started { run: 1, row: 0 };
        assert_eq!(hearing(&incident, &started), Vec::<&str>::new());
        let useless = Alarm::Escalated { reason: reason() };
        assert_eq!(hearing(&incident, &useless).len(), 4, "nobody is named: all are told");
    }

    #[test]
    fn what_helped_is_kept_for_those_who_want_to_hear_it_and_what_began_is_not() {
        let mut incident = acting();
        let verdict = Verdict {
            effect: Effect::Helped,
            reason: "it stayed good".to_owned(),
            evidence: Vec::new(),
            counterfactual: None,
        };
        let helped = Event::StepVerified { run: 1, step: 0, verdict };
        incident = incident.record(helped, at(2)).unwrap().0;
        let kept: Vec<&Alarm> = incident.urgent.iter().map(|urgent| &urgent.what).collect();
        assert!(matches!(kept[..], [Alarm::Helped { run: 1, .. }]), "{kept:?}");
    }
}
