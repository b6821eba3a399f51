//! What else an alert means when it is taken in: mutes, flapping, recurrence, a parent, an identity too wide.

use jiff::Timestamp;

use super::{Event, Incident, IntakeVerdict, Received, Recorded};
use crate::alert::Alert;
use crate::ids::IncidentId;
use crate::muting::{self, Flaps, MuteFacts, Subject, flapping::flaps, parent_of};

/// An alert that was received, with the incidents that it concerns as they were before.
#[derive(Debug, Clone, Copy)]
pub struct Intake<'a> {
    pub alert: &'a Alert,
    /// The incident that its events go to; `None` for one that opens.
    pub place: Option<&'a Incident>,
    /// The incident that the alert last belonged to, which may be another one.
    pub own: Option<&'a Incident>,
}

/// What was received, with all that it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    pub received: Received,
    /// The alert is muted: its sender is told that it was suppressed.
    pub muted: bool,
}

/// Adds to what [`receive`](super::receive) decided. Only a firing alert that changes something can mean more.
///
/// A mute never loses anything: the alert is in its incident, which is suppressed until the mute ends.
pub fn settle(
    received: Received,
    intake: &Intake<'_>,
    facts: &MuteFacts<'_>,
    now: Timestamp,
) -> Settled {
    if !intake.alert.is_firing() {
        return Settled { received, muted: false };
    }
    match received {
        Received::Nothing { .. } => Settled { received, muted: false },
        Received::Open { events } => {
            let (muted, events) = Settling::of(intake, events, now).settle(facts);
            Settled { received: Received::Open { events }, muted }
        }
        Received::Append { verdict, events } => {
            let (muted, events) = Settling::of(intake, events, now).settle(facts);
            let verdict = if muted { IntakeVerdict::Suppressed } else { verdict };
            Settled { received: Received::Append { verdict, events }, muted }
        }
    }
}

/// The incident as it grows with each event that is added.
struct Settling<'a> {
    intake: &'a Intake<'a>,
    now: Timestamp,
    /// There but for the moment in which an event is applied: an incident is too large to be copied for each.
    state: Option<Incident>,
    events: Vec<Event>,
}

impl<'a> Settling<'a> {
    fn of(intake: &'a Intake<'a>, events: Vec<Event>, now: Timestamp) -> Self {
        let mut events = events.into_iter();
        let mut kept = Vec::new();
        let state = intake.place.cloned().unwrap_or_else(|| {
            let incident = IncidentId::try_from("inc_new".to_owned()).expect("it is a valid id");
            let event = events.next().expect("an opening has its first event");
            kept.push(event.clone());
            let opened = Recorded { incident, seq: 1, at: now, event, prev: None };
            Incident::open(&opened).expect("an opening begins with `incident.opened`")
        });
        let mut settling = Self { intake, now, state: Some(state), events: kept };
        events.for_each(|event| settling.add(event));
        settling
    }

    fn state(&self) -> &Incident {
        self.state.as_ref().expect("it is put back after each event")
    }

    fn add(&mut self, event: Event) {
        let state = self.state.take().expect("it is put back after each event");
        let (incident, seq) = (state.id.clone(), state.version + 1);
        let recorded = Recorded { incident, seq, at: self.now, event, prev: None };
        let state = state.apply(&recorded).expect("the core only decides what fits the state");
        self.state = Some(state);
        self.events.push(recorded.event);
    }

    fn settle(mut self, facts: &MuteFacts<'_>) -> (bool, Vec<Event>) {
        self.recur(facts);
        self.collapse();
        self.correlate(facts);
        self.flap(facts);
        let muted = !muting::verdict(self.subject(), facts, self.now).is_heard();
        self.mute(facts);
        (muted, self.events)
    }

    fn subject(&self) -> Subject<'_> {
        Subject { alert: self.intake.alert, incident: Some(self.state()) }
    }

    /// Its changes of state in the incident before this one count as well.
    fn recur(&mut self, facts: &MuteFacts<'_>) {
        let fingerprint = &self.intake.alert.fingerprint;
        let Some(before) = self.intake.own.filter(|own| own.id != self.state().id) else { return };
        let Some(member) = before.alerts.get(fingerprint) else { return };
        let from = self.now - facts.policy.flapping.window;
        let changes: Vec<Timestamp> =
            member.changes.iter().copied().filter(|change| *change > from).collect();
        if !changes.is_empty() {
            let (fingerprint, before) = (fingerprint.clone(), before.id.clone());
            self.add(Event::AlertRecurred { fingerprint, before, changes });
        }
    }

    fn collapse(&mut self) {
        let fingerprint = &self.intake.alert.fingerprint;
        let before = self.intake.place.and_then(|place| place.alerts.get(fingerprint));
        if before.is_some_and(super::Member::has_collapsed) {
            return;
        }
        if let Some(member) = self.state().alerts.get(fingerprint).filter(|now| now.has_collapsed())
        {
            let (fingerprint, targets) = (fingerprint.clone(), member.targets.clone());
            self.add(Event::AlertCollapsed { fingerprint, targets });
        }
    }

    fn correlate(&mut self, facts: &MuteFacts<'_>) {
        if let Ok(Some(parent)) = parent_of(self.subject(), facts)
            && self.state().parent.as_ref() != Some(&parent)
        {
            self.add(Event::Correlated { parent });
        }
    }

    /// Said once, when people would otherwise be told of it.
    fn flap(&mut self, facts: &MuteFacts<'_>) {
        let fingerprint = &self.intake.alert.fingerprint;
        let Some(member) = self.state().alerts.get(fingerprint) else { return };
        let Some(Flaps { since, until, changes }) =
            flaps(&member.changes, &facts.policy.flapping, self.now)
        else {
            return;
        };
        let announced = member.flapping_said.is_some_and(|said| said >= since);
        if !announced && muting::verdict(self.subject(), facts, self.now).is_heard() {
            let fingerprint = fingerprint.clone();
            self.add(Event::AlertFlapping { fingerprint, changes, until });
        }
    }

    fn mute(&mut self, facts: &MuteFacts<'_>) {
        if let Some(event) = muting::change(self.state(), facts, self.now) {
            self.add(event);
        }
    }
}

#[cfg(test)]
#[path = "intake_tests.rs"]
mod tests;
