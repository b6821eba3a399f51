//! Planned work that explains the alert.

use jiff::Timestamp;

use super::{Answer, Mute, MuteFacts, Muted, MutedBy, Subject, heard};
use crate::policy::{Maintenance, Policy};

pub(super) struct InMaintenance;

impl Mute for InMaintenance {
    fn kind(&self) -> MutedBy {
        MutedBy::Maintenance
    }

    fn ask(&self, subject: Subject<'_>, facts: &MuteFacts<'_>, now: Timestamp) -> Answer {
        let policy = facts.policy;
        let windows = policy.maintenance.iter().filter(|window| window.is_for(subject.alert));
        let open = windows.filter(|window| is_open(window, policy, now));
        // Of several the one that lasts longest; one whose end is unknown before all.
        let last = open.max_by_key(|window| end(window, policy, now).unwrap_or(Timestamp::MAX));
        match last {
            Some(window) => Answer::Muted(Muted {
                by: MutedBy::Maintenance,
                id: window.name.clone(),
                until: end(window, policy, now),
                reason: format!(
                    "maintenance `{}` by {}: {}",
                    window.name, window.owner, window.reason
                ),
            }),
            None => heard("no maintenance window is open for it"),
        }
    }
}

fn is_open(window: &Maintenance, policy: &Policy, now: Timestamp) -> bool {
    match (window.from, window.to) {
        (Some(from), Some(to)) => from <= now && now < to,
        _ => named(window, policy).any(|interval| interval.contains(now)),
    }
}

fn end(window: &Maintenance, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
    if window.to.is_some() {
        return window.to;
    }
    let open = named(window, policy).filter(|interval| interval.contains(now));
    let ends: Option<Vec<Timestamp>> = open.map(|interval| interval.end(now)).collect();
    ends?.into_iter().max()
}

fn named<'a>(
    window: &'a Maintenance,
    policy: &'a Policy,
) -> impl Iterator<Item = &'a crate::policy::NamedInterval> {
    window.during.iter().filter_map(|name| policy.time_intervals.get(name))
}
