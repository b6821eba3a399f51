//! A whole world from one seed: senders, workers, people, a provider and the product between them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use firebreak_core::alert::{Alert, AlertStatus, Draft, Severity};
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::event::WAKES_DRIVER;
use firebreak_core::incident::{Command, Incident, Recorded};
use firebreak_core::policy::{Policy, Trust};
use firebreak_core::routing::Routes;
use firebreak_core::run::{Directive, Order, Phase, Takeover, Work};
use firebreak_core::runbook::RunbookSet;
use firebreak_core::switch::KillSwitch;
use firebreak_engine::command::command;
use firebreak_engine::guard_meter::GuardMeter;
use firebreak_engine::ingest::{Ingest, take_all};
use firebreak_engine::ports::{Clock as _, HandsSet, Settings as _};
use firebreak_engine::remediate::{Remediation, act, advance};
use jiff::{SignedDuration, Timestamp};

use crate::kernel::{Kernel, Stopped, Task, Tasks};
use crate::mutant::Mutant;
use crate::promises::{Broken, Watch};
use crate::provider::{Cause, Provider, Reboot};
use crate::record::{MemoryStore, Weather};
use crate::scenario::Scenario;

/// How a run of a seed came out.
#[derive(Debug, Clone)]
pub struct Played {
    pub seed: u64,
    pub broken: Vec<Broken>,
    pub stopped: Stopped,
    pub steps: u64,
    pub incidents: usize,
    pub runs: usize,
    pub calls: u32,
    /// The last lines of what happened, where a trace was asked for.
    pub trace: Vec<String>,
}

/// How much of the trace is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trace {
    None,
    Last(usize),
}

const START: i64 = 1_795_000_000;
const REOPEN_WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// After the scenario's time nothing new begins, and this is left for everything to end.
const AFTERMATH: SignedDuration = SignedDuration::from_hours(6);
/// How long a dead worker is not missed: the lease of its timer, or the time-out of its function.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// Plays one seed of a scenario.
pub fn play(
    scenario: &Scenario,
    runbooks: &RunbookSet,
    seed: u64,
    mutant: Option<Mutant>,
    trace: Trace,
) -> Played {
    let start = Timestamp::from_second(START).unwrap_or_default();
    let lines = if let Trace::Last(lines) = trace { lines } else { 0 };
    let kernel = Kernel::new(seed, start, lines);
    let world = World::new(kernel.clone(), scenario.clone(), runbooks.clone(), mutant);
    let mut tasks = Tasks::new(kernel.clone(), scenario.workers.die);
    tasks.start(Task::new("fate", world.clone().fate(start)));
    tasks.start(Task::new("people", world.clone().people(start)));
    let mut watch = Watch::new(world.clone());
    let horizon = start + scenario.lasts + AFTERMATH;
    let stopped = tasks.run(horizon, |tasks, died| {
        world.follow(tasks, died);
        watch.look();
    });
    watch.end(stopped);
    let incidents = world.store.incidents();
    Played {
        seed,
        broken: watch.broken(),
        stopped,
        steps: kernel.steps(),
        runs: incidents.iter().map(|incident| incident.runs.len()).sum(),
        incidents: incidents.len(),
        calls: world.provider.ids().iter().map(|id| world.provider.calls(id)).sum(),
        trace: kernel.trace(),
    }
}

/// Cheap to clone; all clones are one world.
#[derive(Clone)]
pub(crate) struct World {
    pub kernel: Kernel,
    pub store: MemoryStore,
    pub provider: Provider,
    pub mutant: Option<Mutant>,
    scenario: Arc<Scenario>,
    runbooks: Arc<RunbookSet>,
    policy: Arc<Policy>,
    hands: Arc<HandsSet>,
    meter: Arc<GuardMeter>,
    pending: Arc<Mutex<Pending>>,
}

/// What the world has to start next.
#[derive(Default)]
struct Pending {
    /// How far the outbox was read by the drivers.
    read: usize,
    tasks: Vec<Task>,
    /// Workers under way, by incident.
    at: BTreeMap<IncidentId, usize>,
    /// Since when the switch is engaged.
    engaged: Option<Timestamp>,
    /// Alerts that a sender believes to be firing, by instance.
    firing: BTreeSet<String>,
}

/// What fails in these worlds fails on purpose: were trust lost for it, nothing would act any more.
fn forgiving() -> Trust {
    Trust { useless_in_a_row: u32::MAX, ..Trust::default() }
}

impl World {
    fn new(
        kernel: Kernel,
        scenario: Scenario,
        runbooks: RunbookSet,
        mutant: Option<Mutant>,
    ) -> Self {
        let weather = Weather {
            unavailable: scenario.store.unavailable,
            answer_lost: scenario.store.answer_lost,
        };
        let provider = Provider::new(kernel.clone(), scenario.provider, mutant, scenario.instances);
        let hands = Arc::new(HandsSet::new(vec![Box::new(Reboot(provider.clone()))]));
        Self {
            store: MemoryStore::new(kernel.clone(), weather, mutant),
            kernel,
            provider,
            mutant,
            scenario: Arc::new(scenario),
            runbooks: Arc::new(runbooks),
            policy: Arc::new(Policy { trust: forgiving(), ..Policy::default() }),
            hands,
            meter: Arc::default(),
            pending: Arc::default(),
        }
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn engaged_since(&self) -> Option<Timestamp> {
        self.pending().engaged
    }

    fn start(&self, task: Task) {
        self.pending().tasks.push(task);
    }

    /// After each step: what was committed wakes workers, and a worker that died is followed by another.
    fn follow(&self, tasks: &mut Tasks, died: Option<&str>) {
        if let Some(incident) = died.and_then(|name| name.strip_prefix("worker "))
            && let Ok(id) = IncidentId::try_from(incident.to_owned())
        {
            self.left(&id);
            if self.mutant != Some(Mutant::NobodyReaps) {
                self.wake(id, LEASE);
            }
        }
        let read = self.pending().read;
        let fresh = self.store.committed(read);
        self.pending().read += fresh.len();
        for recorded in
            fresh.iter().filter(|recorded| WAKES_DRIVER.contains(&recorded.event.name()))
        {
            self.wake(recorded.incident.clone(), SignedDuration::ZERO);
            if self.kernel.often(self.scenario.senders.duplicated) {
                self.wake(
                    recorded.incident.clone(),
                    self.kernel.up_to(SignedDuration::from_secs(90)),
                );
            }
        }
        let started = std::mem::take(&mut self.pending().tasks);
        for task in started {
            tasks.start(task);
        }
    }

    fn wake(&self, id: IncidentId, after: SignedDuration) {
        let world = self.clone();
        let name = format!("worker {id}");
        let work = async move {
            world.kernel.sleep(after).await;
            if world.came(&id) {
                world.clone().drive(id.clone()).await;
                world.left(&id);
            }
        };
        self.start(Task::new(name, work).mortal());
    }

    /// Whether there is room for one more worker at the incident.
    fn came(&self, id: &IncidentId) -> bool {
        let mut pending = self.pending();
        let at = pending.at.entry(id.clone()).or_default();
        let room = *at < self.scenario.workers.at_once.max(1);
        *at += usize::from(room);
        room
    }

    fn left(&self, id: &IncidentId) {
        if let Some(at) = self.pending().at.get_mut(id) {
            *at = at.saturating_sub(1);
        }
    }

    fn remediation(&self) -> Remediation<'_> {
        Remediation {
            store: &self.store,
            clock: &self.kernel,
            runbooks: &self.runbooks,
            policy: &self.policy,
            hands: &self.hands,
            meter: &self.meter,
            reopen_within: REOPEN_WITHIN,
        }
    }

    /// A worker: asks what is next and does it, as any driver does.
    async fn drive(self, id: IncidentId) {
        loop {
            let with = self.remediation();
            let directive = match advance(with, &id, "driver", Takeover::Respect).await {
                Ok(directive) => directive,
                Err(error) => {
                    self.kernel.say(|| format!("worker {id}: {error}"));
                    self.kernel.sleep(SignedDuration::from_secs(5)).await;
                    continue;
                }
            };
            self.kernel.say(|| format!("worker {id}: {directive:?}"));
            match directive {
                Directive::Done { .. } => return,
                Directive::Wait { until, .. } | Directive::Approve { until, .. } => {
                    let rest = until.duration_since(self.kernel.now());
                    self.kernel.sleep(rest.max(SignedDuration::from_millis(1))).await;
                }
                Directive::Act { order, .. } => {
                    if self.kernel.often(self.scenario.workers.redelivered) {
                        self.redeliver(id.clone(), order.clone());
                    }
                    self.obey(&id, &order).await;
                }
            }
        }
    }

    async fn obey(&self, id: &IncidentId, order: &Order) {
        if self.mutant == Some(Mutant::OrdersUnchecked)
            && let Work::Apply { row, .. } = order.work
            && let Some(incident) = self.store.incidents().into_iter().find(|found| found.id == *id)
            && let Some(target) = target_of(&incident, order.run, row)
        {
            self.provider.reboot_unasked(&target).await;
            return;
        }
        if let Err(error) = act(self.remediation(), id, order).await {
            self.kernel.say(|| format!("order {order:?} of {id}: {error}"));
            self.kernel.sleep(SignedDuration::from_secs(2)).await;
        }
    }

    /// The same order, once more, at some later time.
    fn redeliver(&self, id: IncidentId, order: Order) {
        let world = self.clone();
        let work = async move {
            world.kernel.sleep(world.kernel.up_to(SignedDuration::from_mins(10))).await;
            world.kernel.say(|| format!("again: {order:?} of {id}"));
            world.obey(&id, &order).await;
        };
        self.start(Task::new("redelivery", work).mortal());
    }

    /// What happens to instances, and what senders say of it.
    async fn fate(self, start: Timestamp) {
        let temper = self.scenario.provider;
        let ids = self.provider.ids();
        for _ in 0..self.scenario.illnesses {
            let left = (start + self.scenario.lasts).duration_since(self.kernel.now());
            let share = i32::try_from(self.scenario.illnesses.max(1)).unwrap_or(i32::MAX);
            self.kernel.sleep(self.kernel.up_to(left.max(SignedDuration::ZERO) * 2 / share)).await;
            let Some(id) = ids.get(self.kernel.below(ids.len())).cloned() else { return };
            if self.kernel.often(temper.replaced) {
                self.provider.is_replaced(&id);
            }
            let cause = if self.kernel.often(temper.deeper) {
                Cause::Deeper
            } else if self.kernel.often(temper.passing) {
                Cause::PassesAt(
                    self.kernel.now() + self.kernel.up_to(SignedDuration::from_mins(20)),
                )
            } else {
                Cause::RebootHeals
            };
            self.kernel.say(|| format!("{id} falls ill: {cause:?}"));
            self.provider.falls_ill(&id, cause);
            if self.pending().firing.insert(id.clone()) {
                self.start(Task::new("sender", self.clone().observe(id)));
            }
        }
    }

    /// A monitor of one instance: says that it fires, repeats it, and says when it is over.
    async fn observe(self, id: String) {
        let began = self.kernel.now();
        let give_up = began + SignedDuration::from_hours(2);
        self.deliver(&id, began, None);
        while self.provider.is_ill(&id) {
            self.kernel.sleep(SignedDuration::from_secs(30)).await;
            if self.kernel.often(100) {
                self.deliver(&id, began, None);
            }
            if self.kernel.now() > give_up {
                self.kernel.say(|| format!("somebody mends {id} by hand"));
                self.provider.heals(&id);
            }
        }
        self.pending().firing.remove(&id);
        if !self.kernel.often(self.scenario.senders.resolve_lost) {
            self.deliver(&id, began, Some(self.kernel.now()));
        }
    }

    /// What each rule says of it.
    fn deliver(&self, id: &str, began: Timestamp, ended: Option<Timestamp>) {
        for rule in 0..self.scenario.rules {
            self.send(&alert(id, rule, began, ended));
        }
    }

    /// One message on its way, perhaps twice, perhaps late; tried again until it is taken.
    fn send(&self, alert: &Alert) {
        let copies = 1 + usize::from(self.kernel.often(self.scenario.senders.duplicated));
        for _ in 0..copies {
            let world = self.clone();
            let alert = Arc::new(alert.clone());
            let delay = if self.kernel.often(self.scenario.senders.delayed) {
                self.kernel.up_to(SignedDuration::from_mins(15))
            } else {
                SignedDuration::ZERO
            };
            let work = async move {
                world.kernel.sleep(delay).await;
                let routes = Routes::default();
                loop {
                    let with = Ingest {
                        store: &world.store,
                        clock: &world.kernel,
                        routes: &routes,
                        policy: &world.policy,
                        reopen_within: REOPEN_WITHIN,
                    };
                    let taken = take_all(with, std::slice::from_ref(&alert)).await;
                    if taken.iter().all(Result::is_ok) {
                        return;
                    }
                    world.kernel.sleep(SignedDuration::from_secs(3)).await;
                }
            };
            self.start(Task::new("delivery", work));
        }
    }

    /// People decide about what waits for them, and use the switch.
    async fn people(self, start: Timestamp) {
        let people = self.scenario.people;
        let end = start + self.scenario.lasts + SignedDuration::from_hours(1);
        let mut switches = people.switches;
        while self.kernel.now() < end {
            self.kernel.sleep(self.kernel.up_to(SignedDuration::from_mins(4))).await;
            if switches > 0 && self.kernel.often(100) {
                switches -= 1;
                self.stop_everything_for(self.kernel.up_to(SignedDuration::from_mins(20))).await;
            }
            for incident in self.store.incidents() {
                if let Some(wish) = self.wish(&incident)
                    && let Err(error) =
                        command(&self.store, &self.kernel, &incident.id, &wish).await
                {
                    self.kernel.say(|| format!("a person was refused: {error}"));
                }
            }
        }
    }

    fn wish(&self, incident: &Incident) -> Option<Command> {
        let people = self.scenario.people;
        let by = || "ann".to_owned();
        if let Some(Phase::AwaitingApproval { plan_hash, .. }) =
            incident.active_run().map(|run| &run.phase)
        {
            let plan_hash = plan_hash.clone();
            if self.kernel.often(people.approve) {
                return Some(Command::Approve { by: by(), plan_hash });
            }
            if self.kernel.often(people.reject) {
                return Some(Command::Reject { by: by(), plan_hash, reason: "no".to_owned() });
            }
        }
        let take = incident.status.is_live()
            && incident.acknowledged.is_none()
            && self.kernel.often(people.acknowledge);
        take.then(|| Command::Acknowledge { by: by() })
    }

    async fn stop_everything_for(&self, time: SignedDuration) {
        let ann = || "ann".to_owned();
        let on = KillSwitch::engaged(ann(), "a look".to_owned(), self.kernel.now());
        if self.store.set_kill_switch(&on).await.is_err() {
            return;
        }
        self.kernel.say(|| "the kill switch is on".to_owned());
        self.pending().engaged = Some(self.kernel.now());
        self.kernel.sleep(time).await;
        while self
            .store
            .set_kill_switch(&KillSwitch::released(ann(), self.kernel.now()))
            .await
            .is_err()
        {}
        self.pending().engaged = None;
        self.kernel.say(|| "the kill switch is off".to_owned());
    }
}

fn target_of(incident: &Incident, run: u32, row: usize) -> Option<String> {
    let run = incident.runs.iter().find(|found| found.number == run)?;
    run.rows.get(row).map(|row| row.planned.target.id.clone())
}

/// What a monitor says of an instance.
fn alert(id: &str, rule: usize, began: Timestamp, ended: Option<Timestamp>) -> Alert {
    let monitor = if rule == 0 { "slow-api-data".to_owned() } else { format!("slow-api-{rule}") };
    Draft {
        source: "sumologic",
        identity: [
            ("monitor".to_owned(), monitor.as_str().into()),
            ("instance_id".to_owned(), id.into()),
        ]
        .into(),
        status: if ended.is_some() { AlertStatus::Resolved } else { AlertStatus::Firing },
        severity: Severity::Critical,
        service: Some("api".to_owned()),
        name: monitor.clone(),
        title: format!("{monitor} on {id}"),
        labels: [("monitor".to_owned(), monitor), ("instance_id".to_owned(), id.to_owned())].into(),
        annotations: BTreeMap::new(),
        episode: None,
        starts_at: began,
        ends_at: ended,
        links: Vec::new(),
    }
    .seal()
}

/// The events of the record, for whoever watches.
pub(crate) fn committed(world: &World, from: usize) -> Vec<Arc<Recorded>> {
    world.store.committed(from)
}
