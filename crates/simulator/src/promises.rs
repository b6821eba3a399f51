//! The promises that no seed may break, checked at every event that is committed and once more at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use firebreak_core::incident::{Event, Incident, Recorded};
use firebreak_core::ledger::RowState;
use firebreak_core::run::Run;
use firebreak_core::target::Target;
use jiff::{SignedDuration, Timestamp};

use crate::kernel::Stopped;
use crate::world::{World, committed};

/// A broken promise, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub promise: Promise,
    pub how: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Promise {
    /// Never two actions at once on one target.
    OneAtATime,
    /// Never over the budget of a group.
    WithinBudget,
    /// Never an action for an alert that is over, or older than the runbook allows.
    OnlyWhileItFires,
    /// Every call has its intent on record, and no intent is called for twice.
    IntentFirst,
    /// Nothing new while the kill switch is on.
    SwitchStops,
    /// Every run and every action ends.
    EverythingEnds,
    /// One alert has one live incident.
    OneIncident,
    /// Folding the events gives the stored state.
    RecordAgrees,
}

impl Promise {
    pub const ALL: &[(Promise, &'static str)] = &[
        (Promise::OneAtATime, "never two actions at once on one target"),
        (Promise::WithinBudget, "never over the budget of a group"),
        (Promise::OnlyWhileItFires, "never an action for an alert that is over or too old"),
        (Promise::IntentFirst, "every call has its intent on record, once"),
        (Promise::SwitchStops, "nothing new while the kill switch is on"),
        (Promise::EverythingEnds, "every run and every action ends"),
        (Promise::OneIncident, "one alert has one live incident"),
        (Promise::RecordAgrees, "folding the events gives the stored state"),
    ];

    pub fn words(self) -> &'static str {
        Self::ALL.iter().find(|(promise, _)| *promise == self).map_or("", |(_, words)| words)
    }
}

/// Between the last look at the switch and the call some time may pass.
const SWITCH_GRACE: SignedDuration = SignedDuration::from_mins(3);
/// As long as the hands may take between the record of the intent and the call.
const HANDOVER: SignedDuration = SignedDuration::from_mins(2);

/// Looks at each event as it is committed.
pub(crate) struct Watch {
    world: World,
    seen: usize,
    /// Intents on record, by target.
    intents: BTreeMap<String, u32>,
    /// When which target of the group was acted on.
    acted: Vec<(Timestamp, String)>,
    broken: Vec<Broken>,
}

impl Watch {
    pub(crate) fn new(world: World) -> Self {
        Self { world, seen: 0, intents: BTreeMap::new(), acted: Vec::new(), broken: Vec::new() }
    }

    pub(crate) fn broken(&self) -> Vec<Broken> {
        self.broken.clone()
    }

    fn say(&mut self, promise: Promise, how: String) {
        let broken = Broken { promise, how };
        if !self.broken.contains(&broken) {
            self.world.kernel.say(|| format!("BROKEN: {}: {}", broken.promise.words(), broken.how));
            self.broken.push(broken);
        }
    }

    /// What was committed since the last look.
    pub(crate) fn look(&mut self) {
        let fresh = committed(&self.world, self.seen);
        self.seen += fresh.len();
        for recorded in &fresh {
            match &recorded.event {
                Event::StepClaimed { run, row, .. } => self.claimed(recorded, *run, *row),
                Event::StepSent { run, row } => self.sent(recorded, *run, *row),
                Event::Opened { .. } | Event::AlertFired { .. } => self.one_incident(recorded),
                _ => {}
            }
        }
        if !fresh.is_empty() {
            self.calls();
        }
    }

    /// As it was just before the event.
    fn before(&self, recorded: &Recorded) -> Option<Arc<Incident>> {
        self.world.store.as_of(&recorded.incident, recorded.seq.saturating_sub(1))
    }

    fn claimed(&mut self, recorded: &Recorded, run: u32, row: usize) {
        let Some(target) = self.before(recorded).and_then(|incident| target(&incident, run, row))
        else {
            return;
        };
        for other in self.world.store.incidents() {
            let holds = |held: &Run| {
                let same = other.id == recorded.incident && held.number == run;
                let alive = held.is_active() && held.deadline + HANDOVER > recorded.at;
                !same
                    && alive
                    && held.rows.iter().any(|row| {
                        row.planned.target == target
                            && matches!(
                                row.state,
                                RowState::Claimed
                                    | RowState::Sent
                                    | RowState::Confirmed
                                    | RowState::Unknown
                            )
                    })
            };
            if let Some(held) = other.runs.iter().find(|held| holds(held)) {
                let how = format!(
                    "{target} is claimed by {} run {run} while {} run {} is at it",
                    recorded.incident, other.id, held.number
                );
                self.say(Promise::OneAtATime, how);
            }
        }
    }

    fn sent(&mut self, recorded: &Recorded, number: u32, row: usize) {
        let Some(before) = self.before(recorded) else { return };
        let Some(target) = target(&before, number, row) else { return };
        *self.intents.entry(target.id.clone()).or_default() += 1;
        let Some(run) = before.runs.iter().find(|run| run.number == number) else { return };
        let runbook = &run.runbook;
        let firing = before.firing().any(|alert| runbook.means(alert, &target));
        if !firing {
            self.say(
                Promise::OnlyWhileItFires,
                format!("{target} is acted on after its alert was over"),
            );
        }
        let youngest = before
            .alerts
            .values()
            .filter(|member| member.alert.is_firing())
            .map(|member| member.fired_at)
            .max();
        let age = youngest.map(|at| recorded.at.duration_since(at)).unwrap_or_default();
        if age > runbook.max_age {
            self.say(
                Promise::OnlyWhileItFires,
                format!("{target} is acted on for an alert of {age:#}"),
            );
        }
        self.acted.push((recorded.at, target.id.clone()));
        let blast = &runbook.guards.blast_radius;
        let within: BTreeSet<&str> = self
            .acted
            .iter()
            .filter(|(at, _)| recorded.at.duration_since(*at) < blast.window)
            .map(|(_, id)| id.as_str())
            .collect();
        let members = u64::try_from(self.world.provider.ids().len()).unwrap_or(u64::MAX);
        let share =
            blast.max_percent.map_or(u64::MAX, |percent| members * u64::from(percent) / 100);
        let most = share.min(u64::from(blast.max));
        if u64::try_from(within.len()).unwrap_or(u64::MAX) > most {
            let how = format!("{} targets within {:#}, {most} may be", within.len(), blast.window);
            self.say(Promise::WithinBudget, how);
        }
        if self
            .world
            .engaged_since()
            .is_some_and(|since| recorded.at.duration_since(since) > SWITCH_GRACE)
        {
            self.say(Promise::SwitchStops, format!("{target} is acted on with the switch on"));
        }
    }

    fn one_incident(&mut self, recorded: &Recorded) {
        let Event::AlertFired { alert } = &recorded.event else { return };
        let holding: Vec<String> = self
            .world
            .store
            .incidents()
            .into_iter()
            .filter(|incident| incident.status.is_live())
            .filter(|incident| {
                incident
                    .alerts
                    .get(&alert.fingerprint)
                    .is_some_and(|member| member.alert.is_firing())
            })
            .map(|incident| incident.id.to_string())
            .collect();
        if holding.len() > 1 {
            self.say(
                Promise::OneIncident,
                format!("{} fires in {}", alert.title, holding.join(" and ")),
            );
        }
    }

    /// Calls that reached the provider against intents on record.
    fn calls(&mut self) {
        for id in self.world.provider.ids() {
            let (calls, intents) = (
                self.world.provider.calls(&id),
                self.intents.get(&id).copied().unwrap_or_default(),
            );
            if calls > intents {
                self.say(
                    Promise::IntentFirst,
                    format!("{id} was called {calls} times for {intents} intents"),
                );
            }
        }
        for fault in self.world.provider.faults() {
            self.say(Promise::OneAtATime, fault);
        }
    }

    /// Once everything had time to end.
    pub(crate) fn end(&mut self, stopped: Stopped) {
        self.look();
        self.calls();
        if stopped != Stopped::Quiet {
            self.say(
                Promise::EverythingEnds,
                format!("the world did not come to rest: {stopped:?}"),
            );
        }
        for incident in self.world.store.incidents() {
            for run in incident.runs.iter().filter(|run| run.is_active()) {
                let how = format!("{} run {} is still {:?}", incident.id, run.number, run.phase);
                self.say(Promise::EverythingEnds, how);
            }
            for row in incident.runs.iter().flat_map(|run| &run.rows) {
                if row.state == RowState::Sent {
                    let how = format!(
                        "{}: {} was sent and never settled",
                        incident.id, row.planned.target
                    );
                    self.say(Promise::EverythingEnds, how);
                }
            }
            let events = self.world.store.history(&incident.id);
            let folded = firebreak_core::incident::replay(events.iter().map(Arc::as_ref));
            if folded.ok().flatten().as_ref() != Some(&*incident) {
                self.say(
                    Promise::RecordAgrees,
                    format!("{} is not the fold of its events", incident.id),
                );
            }
        }
    }
}

fn target(incident: &Incident, run: u32, row: usize) -> Option<Target> {
    let run = incident.runs.iter().find(|found| found.number == run)?;
    run.rows.get(row).map(|row| row.planned.target.clone())
}
