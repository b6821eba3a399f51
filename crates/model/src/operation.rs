//! Operations of the engine, one shared access at a time.
//!
//! A future cannot be copied, so an operation under way is kept as what it saw at each stop; to go on it is run
//! again from its beginning on just that. What it does depends on nothing else.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use firebreak_core::policy::Policy;
use firebreak_core::run::{Directive, Order, Takeover};
use firebreak_core::runbook::RunbookSet;
use firebreak_engine::guard_meter::GuardMeter;
use firebreak_engine::ports::HandsSet;
use firebreak_engine::remediate::{Remediation, act, advance};
use firebreak_simulator::{Kernel, MemoryStore, Touch, Wake, Weather};
use jiff::{SignedDuration, Timestamp};

use crate::effects::{Effects, Reboot};
use crate::mutant::Mutant;
use crate::state::{World, digest};

/// Whoever carries out an order is done or dead by then.
pub const TIME_OUT: SignedDuration = SignedDuration::from_mins(2);

/// What a worker is at.
#[derive(Clone)]
pub(crate) struct Operation {
    pub kind: Kind,
    seen: Arc<[Moment]>,
    /// What it touches when it goes on.
    pub next: Touch,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Advance,
    Act(Order),
}

/// What an operation saw at one stop.
#[derive(Clone)]
struct Moment {
    world: Arc<World>,
    fault: Option<Fault>,
    /// Of that part of the world which it looked at.
    digest: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    LostReply,
    LostAnswer,
}

/// How far it came.
#[derive(Clone)]
pub(crate) enum Came {
    /// To the next access.
    On(Operation),
    /// To its end; an operation that failed says nothing.
    Through(Option<Directive>),
}

/// Everything that does not change while a model is checked.
pub(crate) struct Setting {
    pub runbooks: RunbookSet,
    pub policy: Policy,
    pub members: u32,
    pub mutant: Option<Mutant>,
    /// What came of a step before: it depends on nothing but operation, worker, world and fault.
    pub known: Mutex<HashMap<u64, (World, Came)>>,
}

/// Who is at the operation.
#[derive(Debug, Clone, Copy, Hash)]
pub(crate) struct By {
    pub worker: usize,
    pub incident: usize,
}

const REOPEN_WITHIN: SignedDuration = SignedDuration::from_mins(10);

impl Operation {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind, seen: Arc::default(), next: Touch::Aside }
    }

    pub(crate) fn began(&self) -> Option<(&World, Timestamp)> {
        self.seen.first().map(|moment| (&*moment.world, moment.world.now))
    }

    /// One access further, in the world as it is now.
    pub(crate) fn go_on(
        &self,
        setting: &Setting,
        by: By,
        world: &World,
        fault: Option<Fault>,
    ) -> (World, Came) {
        let key = digest((self, by, world, fault));
        let known = || setting.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known().get(&key) {
            return known.clone();
        }
        let came = self.run(setting, by, world, fault);
        known().insert(key, came.clone());
        came
    }

    fn run(&self, setting: &Setting, by: By, world: &World, fault: Option<Fault>) -> (World, Came) {
        let incident = world.incident(by.incident).map(|incident| incident.id.clone());
        let Some(id) = incident else { return (world.clone(), Came::Through(None)) };
        let kernel = Kernel::new(0, world.now, 0);
        let mutant = setting.mutant;
        let store =
            MemoryStore::new(kernel.clone(), Weather::default(), mutant.and_then(Mutant::of_store));
        let provider = Reboot {
            kernel: kernel.clone(),
            effects: Arc::new(Mutex::new(Effects::default())),
            worker: by.worker,
            incident: by.incident,
            order: if let Kind::Act(order) = &self.kind { Some(order.clone()) } else { None },
            members: setting.members,
            stubborn: mutant == Some(Mutant::RetriesUnknown),
        };
        let hands = HandsSet::new(vec![Box::new(provider.clone())]);
        let meter = GuardMeter::default();
        let with = Remediation {
            store: &store,
            clock: &kernel,
            runbooks: &setting.runbooks,
            policy: &setting.policy,
            hands: &hands,
            meter: &meter,
            reopen_within: REOPEN_WITHIN,
        };
        let kind = match &self.kind {
            Kind::Act(order) if mutant == Some(Mutant::FenceIgnored) => {
                Kind::Act(refenced(world, by.incident, order))
            }
            kind => kind.clone(),
        };
        let mut future = Box::pin(async move {
            match kind {
                Kind::Advance => advance(with, &id, "driver", Takeover::Respect).await.ok(),
                Kind::Act(order) => {
                    // A failure leaves no word: the next question to the record tells.
                    act(with, &id, &order).await.ok().and(None)
                }
            }
        });
        let arrange = |world: &World, fault: Option<Fault>| {
            kernel.set_now(world.now);
            let answer_lost = if fault == Some(Fault::LostAnswer) { 1000 } else { 0 };
            let tables = (*world.tables).clone();
            store.restore(tables.under(Weather { unavailable: 0, answer_lost }));
            let losing = fault == Some(Fault::LostReply);
            *provider.effects() = Effects { losing, ..world.effects.clone() };
        };
        let first = self.seen.first().map_or(world, |moment| &*moment.world);
        arrange(first, None);
        // Up to the first access nothing is looked at but the clock.
        let mut stop = until_next(&kernel, &mut future);
        for moment in &*self.seen {
            arrange(&moment.world, moment.fault);
            stop = until_next(&kernel, &mut future);
        }
        let Stop::Before(touch) = stop else {
            return (world.clone(), Came::Through(None));
        };
        arrange(world, fault);
        let stop = until_next(&kernel, &mut future);
        let effects = Effects { losing: false, ..provider.effects().clone() };
        let after = if touch == Touch::Writes {
            world.clone().with(store.snapshot().under(Weather::default()), effects)
        } else {
            World { effects, ..world.clone() }
        };
        let came = match stop {
            Stop::End(directive) => Came::Through(directive),
            Stop::Before(next) => {
                let seen = digest((touch, part(touch, by, world, &after), fault, next));
                let moment = Moment { world: Arc::new(world.clone()), fault, digest: seen };
                let seen = self.seen.iter().cloned().chain([moment]).collect();
                Came::On(Self { kind: self.kind.clone(), seen, next })
            }
        };
        (after, came)
    }
}

/// The part of the world that an access may have looked at.
fn part(touch: Touch, by: By, before: &World, after: &World) -> (Timestamp, u64) {
    let part = match touch {
        Touch::Aside => 0,
        Touch::ReadsIncident => before.incidents.get(by.incident).copied().unwrap_or_default(),
        Touch::ReadsBooks => before.books,
        Touch::Writes => u64::from(before.length() == after.length()),
        Touch::Provider => digest(&before.effects),
    };
    (before.now, part)
}

enum Stop {
    Before(Touch),
    End(Option<Directive>),
}

/// Runs up to the next access to something shared; short rests are nothing here.
fn until_next(
    kernel: &Kernel,
    future: &mut Pin<Box<impl Future<Output = Option<Directive>>>>,
) -> Stop {
    let mut context = Context::from_waker(Waker::noop());
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(directive) => return Stop::End(directive),
            Poll::Pending => match kernel.asked() {
                Wake::Soon(Touch::Aside) | Wake::At(_) => {}
                Wake::Soon(touch) => return Stop::Before(touch),
            },
        }
    }
}

/// The order with the fence that the record has, whatever it came with.
fn refenced(world: &World, incident: usize, order: &Order) -> Order {
    use firebreak_core::run::Work;
    let Work::Apply { row, .. } = order.work else { return order.clone() };
    let recorded = world.incident(incident).and_then(|incident| {
        let run = incident.runs.iter().find(|run| run.number == order.run)?;
        run.rows.get(row).map(|row| row.fence)
    });
    let fence = recorded.unwrap_or_default();
    Order { work: Work::Apply { row, fence }, ..order.clone() }
}

impl Hash for Operation {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.to_string().hash(state);
        for moment in &*self.seen {
            moment.digest.hash(state);
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Advance => write!(f, "advance"),
            Kind::Act(order) => write!(f, "act {order:?}"),
        }?;
        write!(f, " at {} before {:?}", self.seen.len(), self.next)
    }
}
