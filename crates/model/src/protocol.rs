//! The protocol as a model: what may happen next in a state, and what comes of it.

use std::sync::Mutex;

use firebreak_core::alert::{AlertStatus, Draft, Severity};
use firebreak_core::policy::Policy;
use firebreak_core::routing::Routes;
use firebreak_core::run::{Directive, Order, Phase, Work};
use firebreak_core::runbook::{RunbookSet, read};
use firebreak_engine::ingest::{Ingest, take_all};
use firebreak_simulator::{Kernel, MemoryStore, Tables, Touch, Weather};
use jiff::{SignedDuration, Timestamp};
use stateright::{Model, Property};

use crate::effects::Effects;
use crate::mutant::Mutant;
use crate::operation::{By, Came, Fault, Kind, Operation, Setting, TIME_OUT};
use crate::promise::Promise;
use crate::scope::{Allowed, Scope};
use crate::state::{Flaws, Stand, State, Worker, World};

pub(crate) struct Protocol {
    pub scope: Scope,
    pub allowed: Allowed,
    pub setting: Setting,
}

/// What happens next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Happens {
    /// The worker goes one access further.
    Goes(usize),
    GoesWith(usize, Fault),
    Dies(usize),
    /// The order is carried out once more, by somebody else.
    ComesAgain(usize, Order),
    /// A call whose caller is gone takes effect.
    Lands(usize),
    Passes(Timestamp),
}

const START: i64 = 1_795_000_000;

impl Protocol {
    pub(crate) fn new(scope: Scope, allowed: Allowed, mutant: Option<Mutant>) -> Self {
        let runbook = read(&scope.runbook()).expect("the runbook of a scope is sound");
        let runbooks = RunbookSet::from(vec![runbook]);
        let members = u32::try_from(scope.incidents.len()).unwrap_or(u32::MAX);
        let setting = Setting {
            runbooks,
            policy: Policy::default(),
            members,
            mutant,
            known: Mutex::default(),
        };
        Self { scope, allowed, setting }
    }

    /// The incidents are open, their targets were read; the next question to each decides and claims.
    fn start(&self) -> State {
        let now = Timestamp::from_second(START).unwrap_or_default();
        // Before anything is done: what fires with an action on its target is taken for its effect.
        let tables = self.open_all(now - SignedDuration::from_mins(1));
        let world = World {
            now,
            tables: Tables::default().into(),
            effects: Effects::default(),
            incidents: Vec::new(),
            books: 0,
        };
        let mut world = world.with(tables, Effects::default());
        for incident in 0..self.scope.incidents.len() {
            world = self.prepare(world, incident);
        }
        State {
            world,
            workers: self.scope.workers.iter().map(|at| Worker::new(*at, None)).collect(),
            orders: Vec::new(),
            left: self.allowed,
            flaws: Flaws::default(),
        }
    }

    fn open_all(&self, now: Timestamp) -> Tables {
        let mut tables = Tables::default();
        for (index, target) in self.scope.incidents.iter().enumerate() {
            let kernel = Kernel::new(index as u64, now, 0);
            let store = MemoryStore::new(kernel.clone(), Weather::default(), None);
            store.restore(tables);
            let alert = std::sync::Arc::new(alert(index, target, now).seal());
            let routes = Routes::default();
            let ingest = Ingest {
                store: &store,
                clock: &kernel,
                routes: &routes,
                policy: &self.setting.policy,
                reopen_within: SignedDuration::from_mins(10),
            };
            let mut taken = Box::pin(take_all(ingest, std::slice::from_ref(&alert)));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            while taken.as_mut().poll(&mut context).is_pending() {}
            drop(taken);
            tables = store.snapshot();
        }
        tables
    }

    fn prepare(&self, mut world: World, incident: usize) -> World {
        let by = By { worker: usize::MAX, incident };
        let mut operation = Operation::new(Kind::Advance);
        loop {
            let phase = world.incident(incident).and_then(|found| {
                let run = found.active_run()?;
                Some(run.phase.clone())
            });
            if phase == Some(Phase::Deciding) {
                return world;
            }
            let (after, came) = operation.go_on(&self.setting, by, &world, None);
            world = after;
            operation = match came {
                Came::On(operation) => operation,
                Came::Through(Some(Directive::Act { order, .. })) => {
                    Operation::new(Kind::Act(order))
                }
                Came::Through(_) => Operation::new(Kind::Advance),
            };
        }
    }

    fn go(&self, state: &State, index: usize, fault: Option<Fault>) -> Option<State> {
        let mut next = state.clone();
        let worker = next.workers.get_mut(index)?;
        let operation = match &worker.stand {
            Stand::Before(operation) | Stand::In(operation) => operation.clone(),
            Stand::Asleep(_) => Operation::new(Kind::Advance),
            Stand::Gone => return None,
        };
        let by = By { worker: index, incident: worker.incident };
        let (world, came) = operation.go_on(&self.setting, by, &state.world, fault);
        match came {
            Came::On(operation) => worker.stand = Stand::In(operation),
            Came::Through(directive) => {
                worker.ended_at(world.length());
                worker.stand = match (&worker.errand, directive) {
                    (Some(_), _) | (None, Some(Directive::Done { .. })) => Stand::Gone,
                    (
                        None,
                        Some(Directive::Wait { until, .. } | Directive::Approve { until, .. }),
                    ) => {
                        worker.idle = (0, 0);
                        Stand::Asleep(until)
                    }
                    (None, Some(Directive::Act { order, .. })) => {
                        let given = (worker.incident, order.clone());
                        if !next.orders.contains(&given) {
                            next.orders.push(given);
                        }
                        Stand::Before(Operation::new(Kind::Act(order)))
                    }
                    (None, None) => Stand::Before(Operation::new(Kind::Advance)),
                };
            }
        }
        let began = world.effects.under_way.len() > state.world.effects.under_way.len();
        next.world = world;
        if let Some(effect) = next.world.effects.under_way.last().cloned().filter(|_| began) {
            next.inspect(&effect);
        }
        match fault {
            Some(Fault::LostReply) => next.left.lost_replies -= 1,
            Some(Fault::LostAnswer) => next.left.lost_answers -= 1,
            None => {}
        }
        Some(next)
    }

    fn die(&self, state: &State, index: usize) -> Option<State> {
        let mut next = state.clone();
        next.left.crashes -= 1;
        let worker = next.workers.get_mut(index)?;
        let followed = worker.errand.is_none() && self.setting.mutant != Some(Mutant::NobodyReaps);
        worker.idle = (0, 0);
        worker.stand =
            if followed { Stand::Before(Operation::new(Kind::Advance)) } else { Stand::Gone };
        for effect in &mut next.world.effects.under_way {
            if effect.worker == Some(index) {
                effect.worker = None;
            }
        }
        Some(next)
    }
}

fn alert(index: usize, target: &str, now: Timestamp) -> Draft {
    let monitor = format!("rule-{index}");
    Draft {
        source: "sumologic",
        identity: [("monitor".to_owned(), monitor.as_str().into())].into(),
        status: AlertStatus::Firing,
        severity: Severity::Critical,
        service: Some("api".to_owned()),
        name: monitor.clone(),
        title: monitor.clone(),
        labels: [("monitor".to_owned(), monitor), ("instance_id".to_owned(), target.to_owned())]
            .into(),
        annotations: std::collections::BTreeMap::new(),
        episode: None,
        starts_at: now,
        ends_at: None,
        links: Vec::new(),
    }
}

impl State {
    /// To when time may pass: nobody who carries out an order outlives its time-out, nor does its call.
    fn may_pass(&self, to: Timestamp) -> bool {
        let in_time = |began: Timestamp| to.duration_since(began) < TIME_OUT;
        let acting = self.workers.iter().filter_map(|worker| match &worker.stand {
            Stand::In(operation) if operation.kind != Kind::Advance => operation.began(),
            _ => None,
        });
        to > self.world.now
            && acting.map(|(_, began)| began).all(in_time)
            && self.world.effects.under_way.iter().all(|effect| in_time(effect.began))
    }

    /// The moments at which something would be different.
    fn moments(&self) -> Vec<Timestamp> {
        let second = SignedDuration::from_secs(1);
        let runs = self.world.tables.latest_all().filter_map(|incident| incident.active_run());
        let deadlines = runs.flat_map(|run| [run.deadline - second, run.deadline]);
        let books = self.world.tables.books().values();
        let locks = books.filter_map(|book| book.lock.as_ref()).map(|lock| lock.until);
        let mut moments: Vec<Timestamp> = deadlines.chain(locks).collect();
        moments.sort_unstable();
        moments.dedup();
        moments
    }

    fn sleepers(&self) -> impl Iterator<Item = Timestamp> {
        self.workers.iter().filter_map(|worker| match worker.stand {
            Stand::Asleep(until) => Some(until),
            _ => None,
        })
    }

    fn awake(&self) -> impl Iterator<Item = (usize, &Worker)> {
        self.workers.iter().enumerate().filter(|(_, worker)| match worker.stand {
            Stand::Before(_) | Stand::In(_) => true,
            Stand::Asleep(until) => until <= self.world.now,
            Stand::Gone => false,
        })
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Happens;

    fn init_states(&self) -> Vec<State> {
        vec![self.start()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Happens>) {
        // What comes after a broken promise tells nothing more.
        if !Promise::ALL.iter().all(|promise| promise.holds(state, self.scope.budget)) {
            return;
        }
        let left = state.left;
        let mut nobody = true;
        for (index, worker) in state.awake() {
            nobody = false;
            actions.push(Happens::Goes(index));
            let Stand::In(operation) = &worker.stand else { continue };
            if left.crashes > 0 {
                actions.push(Happens::Dies(index));
            }
            if left.lost_answers > 0 && operation.next == Touch::Writes {
                actions.push(Happens::GoesWith(index, Fault::LostAnswer));
            }
            let calling =
                state.world.effects.under_way.iter().any(|effect| effect.worker == Some(index));
            if left.lost_replies > 0 && calling && operation.next == Touch::Provider {
                actions.push(Happens::GoesWith(index, Fault::LostReply));
            }
        }
        if left.redeliveries > 0 {
            for (incident, order) in &state.orders {
                actions.push(Happens::ComesAgain(*incident, order.clone()));
                if let Work::Apply { row, fence } = order.work {
                    let work = Work::Apply { row, fence: fence - 1 };
                    actions.push(Happens::ComesAgain(*incident, Order { work, ..order.clone() }));
                }
            }
        }
        for (at, effect) in state.world.effects.under_way.iter().enumerate() {
            if effect.worker.is_none() {
                actions.push(Happens::Lands(at));
            }
        }
        let mut to: Vec<Timestamp> = state.sleepers().min().into_iter().collect();
        if !nobody {
            to.clear();
            if left.jumps > 0 {
                to.extend(state.sleepers().min());
                to.extend(state.moments());
            }
        }
        actions.extend(to.into_iter().filter(|at| state.may_pass(*at)).map(Happens::Passes));
    }

    fn next_state(&self, state: &State, action: Happens) -> Option<State> {
        match action {
            Happens::Goes(index) => self.go(state, index, None),
            Happens::GoesWith(index, fault) => self.go(state, index, Some(fault)),
            Happens::Dies(index) => self.die(state, index),
            Happens::ComesAgain(incident, order) => {
                let mut next = state.clone();
                next.left.redeliveries -= 1;
                next.workers.push(Worker::new(incident, Some(order)));
                Some(next)
            }
            Happens::Lands(at) => {
                let mut next = state.clone();
                next.world.effects.land(at);
                Some(next)
            }
            Happens::Passes(to) => {
                let mut next = state.clone();
                if state.awake().next().is_some() {
                    next.left.jumps -= 1;
                }
                next.world.now = to;
                Some(next)
            }
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn promise<const AT: usize>(protocol: &Protocol, state: &State) -> bool {
            Promise::ALL.get(AT).is_none_or(|promise| promise.holds(state, protocol.scope.budget))
        }
        let conditions: [fn(&Self, &State) -> bool; 6] =
            [promise::<0>, promise::<1>, promise::<2>, promise::<3>, promise::<4>, promise::<5>];
        Promise::ALL
            .iter()
            .zip(conditions)
            .map(|(promise, condition)| Property::always(promise.words(), condition))
            .collect()
    }
}
