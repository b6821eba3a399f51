//! A state of the model: the shared world, and where each worker stands.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use firebreak_core::incident::{Event, Incident};
use firebreak_core::ledger::RowState;
use firebreak_core::run::Order;
use firebreak_simulator::Tables;
use jiff::Timestamp;

use crate::effects::{Effect, Effects};
use crate::operation::{Kind, Operation};
use crate::scope::Allowed;

/// What all workers share.
#[derive(Clone)]
pub(crate) struct World {
    pub now: Timestamp,
    pub tables: Arc<Tables>,
    pub effects: Effects,
    /// By incident: a digest of its events, which are all that it is.
    pub incidents: Vec<u64>,
    pub books: u64,
}

/// One that drives an incident, or carries out one order that came again.
#[derive(Clone)]
pub(crate) struct Worker {
    pub incident: usize,
    pub errand: Option<Order>,
    pub stand: Stand,
    /// Operations in a row that ended while this much was written: none of them changed anything.
    pub idle: (u8, usize),
}

impl Worker {
    pub(crate) fn new(incident: usize, errand: Option<Order>) -> Self {
        let kind = errand.clone().map_or(Kind::Advance, Kind::Act);
        Self { incident, errand, stand: Stand::Before(Operation::new(kind)), idle: (0, 0) }
    }

    /// Counts an operation that ended when so much was written.
    pub(crate) fn ended_at(&mut self, length: usize) {
        self.idle = if self.idle.1 == length { (self.idle.0 + 1, length) } else { (0, length) };
    }
}

#[derive(Clone)]
pub(crate) enum Stand {
    /// About to begin; whatever it knew before, it has forgotten.
    Before(Operation),
    In(Operation),
    Asleep(Timestamp),
    Gone,
}

/// What cannot be seen from the effects alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Flaws {
    pub unrecorded: bool,
    pub fence: bool,
}

#[derive(Clone)]
pub(crate) struct State {
    pub world: World,
    pub workers: Vec<Worker>,
    /// Every order that was given, by incident: what may come again.
    pub orders: Vec<(usize, Order)>,
    pub left: Allowed,
    pub flaws: Flaws,
}

pub(crate) fn digest(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

impl World {
    /// The same with what was written meanwhile.
    #[must_use]
    pub(crate) fn with(mut self, tables: Tables, effects: Effects) -> Self {
        let fresh = tables.outbox().get(self.tables.outbox().len()..).unwrap_or_default();
        for recorded in fresh {
            let Some(at) = position(&tables, recorded.incident.as_str()) else { continue };
            self.incidents.resize(self.incidents.len().max(at + 1), 0);
            // The runbook is the same in all of them, and long.
            let said = match &recorded.event {
                Event::RunStarted { run, driver, deadline, .. } => {
                    format!("{run} {driver} {deadline}")
                }
                event => format!("{event:?}"),
            };
            if let Some(incident) = self.incidents.get_mut(at) {
                *incident = digest((*incident, recorded.seq, recorded.at, said));
            }
        }
        self.books = digest(format!("{:?}", tables.books()));
        self.tables = Arc::new(tables);
        self.effects = effects;
        self
    }

    pub(crate) fn incident(&self, at: usize) -> Option<&Arc<Incident>> {
        self.tables.latest_all().nth(at)
    }

    /// How much was ever written.
    pub(crate) fn length(&self) -> usize {
        self.tables.outbox().len()
    }
}

/// Incidents are numbered in the order of their ids.
fn position(tables: &Tables, id: &str) -> Option<usize> {
    tables.latest_all().position(|incident| incident.id.as_str() == id)
}

/// So often in a row may a worker change nothing before it counts as spinning. Nothing else could go in a circle:
/// what is written, what time it is and what may still go wrong only ever move one way.
const MOST_IDLE: u8 = 3;

impl State {
    pub(crate) fn spins(&self) -> bool {
        self.workers.iter().any(|worker| worker.idle.0 > MOST_IDLE)
    }

    pub(crate) fn is_at_rest(&self) -> bool {
        let gone = |worker: &Worker| matches!(worker.stand, Stand::Gone);
        self.workers.iter().all(gone) && self.world.effects.under_way.is_empty()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.world
            .tables
            .latest_all()
            .flat_map(|incident| &incident.runs)
            .all(|run| !run.is_active() && run.rows.iter().all(|row| row.state != RowState::Sent))
    }

    /// Compares an effect that just began with the record.
    pub(crate) fn inspect(&mut self, effect: &Effect) {
        let incident = self.world.incident(effect.incident).cloned();
        let runs = incident.iter().flat_map(|incident| &incident.runs);
        let row =
            runs.filter(|run| run.number == effect.run).find_map(|run| run.rows.get(effect.row));
        self.flaws.unrecorded |= row.is_none_or(|row| row.sent_at.is_none());
        self.flaws.fence |= row.is_none_or(|row| row.fence != effect.fence);
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { now, tables: _, effects, incidents, books } = self;
        (now, effects, incidents, books).hash(state);
    }
}

impl Hash for State {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.world.hash(state);
        for worker in &self.workers {
            (worker.incident, worker.errand.is_some(), worker.idle).hash(state);
            match &worker.stand {
                Stand::Before(operation) | Stand::In(operation) => operation.hash(state),
                Stand::Asleep(until) => until.hash(state),
                Stand::Gone => 0.hash(state),
            }
        }
        for (incident, order) in &self.orders {
            (incident, format!("{order:?}")).hash(state);
        }
        (self.left, self.flaws).hash(state);
    }
}

/// Two states are one where nothing that could make a difference differs.
impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        digest(self) == digest(other)
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let stands: Vec<String> = self
            .workers
            .iter()
            .map(|worker| match &worker.stand {
                Stand::Before(operation) => format!("before {operation}"),
                Stand::In(operation) => format!("in {operation}"),
                Stand::Asleep(until) => format!("asleep until {until}"),
                Stand::Gone => "gone".to_owned(),
            })
            .collect();
        write!(f, "{} {stands:?} {:?}", self.world.now, self.world.effects)
    }
}
