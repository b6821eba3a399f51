//! What else an alert means when it is taken in: mutes, flapping, recurrence, a parent, an identity too wide.

use jiff::Timestamp;

use super::{Event, Growth, Incident, Member};
use crate::alert::Alert;
use crate::muting::{self, Flaps, MuteFacts, Subject, flapping::flaps, parent_of};

/// An alert that was received.
#[derive(Debug, Clone, Copy)]
pub struct Intake<'a> {
    pub alert: &'a Alert,
    /// The incident that it last belonged to, where that is another one than it goes to now.
    pub own: Option<&'a Incident>,
}

/// Adds to an incident the events of a firing alert as [`receive`](super::receive) decided them, and all else that
/// the alert means. `true`: the alert is muted, its sender is told that it was suppressed.
///
/// A mute never loses anything: the alert is in its incident, which is suppressed until the mute ends; what there is
/// to say of that, [`settle_mutes`] says once for all alerts that were taken in together.
pub fn settle(
    growth: &mut Growth,
    events: Vec<Event>,
    intake: Intake<'_>,
    facts: &MuteFacts<'_>,
    now: Timestamp,
) -> bool {
    let member = growth.incident.alerts.get(&intake.alert.fingerprint);
    let had_collapsed = member.is_some_and(Member::has_collapsed);
    let mut settling = Settling { growth, intake, facts, now };
    for event in events {
        settling.add(event);
    }
    settling.recur();
    if !had_collapsed {
        settling.collapse();
    }
    settling.correlate();
    settling.flap();
    muting::muted_now(settling.subject(), facts, now).is_some()
}

/// Adds what the record has to say of mutes, after the last alert that was taken into the incident.
pub fn settle_mutes(growth: &mut Growth, facts: &MuteFacts<'_>, now: Timestamp) {
    if let Some(event) = muting::change(&growth.incident, facts, now) {
        growth.add(event, now);
    }
}

/// The incident as it grows with each event that is added.
struct Settling<'a> {
    growth: &'a mut Growth,
    intake: Intake<'a>,
    facts: &'a MuteFacts<'a>,
    now: Timestamp,
}

impl Settling<'_> {
    /// The most events that it adds, besides those that it is given.
    const MOST: usize = 4;

    fn add(&mut self, event: Event) {
        self.growth.add(event, self.now);
    }

    fn state(&self) -> &Incident {
        &self.growth.incident
    }

    fn member(&self) -> Option<&Member> {
        self.state().alerts.get(&self.intake.alert.fingerprint)
    }

    fn subject(&self) -> Subject<'_> {
        Subject { alert: self.intake.alert, incident: Some(self.state()) }
    }

    /// Its changes of state in the incident before this one count as well.
    fn recur(&mut self) {
        let fingerprint = &self.intake.alert.fingerprint;
        let Some(before) = self.intake.own.filter(|own| own.id != self.state().id) else { return };
        let Some(member) = before.alerts.get(fingerprint) else { return };
        let from = self.now - self.facts.policy.flapping.window;
        let changes: Vec<Timestamp> =
            member.changes.iter().copied().filter(|change| *change > from).collect();
        if !changes.is_empty() {
            let (fingerprint, before) = (fingerprint.clone(), before.id.clone());
            self.add(Event::AlertRecurred { fingerprint, before, changes });
        }
    }

    fn collapse(&mut self) {
        if let Some(member) = self.member().filter(|member| member.has_collapsed()) {
            let targets = member.targets.clone();
            let fingerprint = self.intake.alert.fingerprint.clone();
            self.add(Event::AlertCollapsed { fingerprint, targets });
        }
    }

    fn correlate(&mut self) {
        if let Ok(Some(parent)) = parent_of(self.subject(), self.facts)
            && self.state().parent.as_ref() != Some(&parent)
        {
            self.add(Event::Correlated { parent });
        }
    }

    /// Said once, when people would otherwise be told of it.
    fn flap(&mut self) {
        let Some(member) = self.member() else { return };
        let Some(Flaps { since, until, changes }) =
            flaps(&member.changes, &self.facts.policy.flapping, self.now)
        else {
            return;
        };
        let announced = member.flapping_said.is_some_and(|said| said >= since);
        if !announced && muting::muted_now(self.subject(), self.facts, self.now).is_none() {
            let fingerprint = self.intake.alert.fingerprint.clone();
            self.add(Event::AlertFlapping { fingerprint, changes, until });
        }
    }
}

/// The most events that taking an alert in adds to those that were [received](super::receive), the mute's among them.
pub const MOST_SETTLED: usize = Settling::MOST + 1;

#[cfg(test)]
#[path = "intake_tests.rs"]
mod tests;
