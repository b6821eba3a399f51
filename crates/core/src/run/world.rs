//! A world for tests of the whole machine: a store with conditional writes, hands that fail, virtual time.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Directive, Facts, Order, Phase, Run, Takeover, Work, advance, books_needed};
use crate::alert::Alert;
use crate::book::{BookKey, BookWrite, Books};
use crate::evidence::{Circumstances, Evidence, Fact, Group, Observation, Reading};
use crate::examples::at;
use crate::fingerprint::Fingerprint;
use crate::guards::{self, Case};
use crate::ids::IncidentId;
use crate::incident::{
    Command, Event, Growth, Incident, Intake, IntakeVerdict, Received, Recorded, Refusal, Status,
    receive, settle, settle_mutes,
};
use crate::ledger::RowState;
use crate::muting::{self, Live, MuteFacts, Silence};
use crate::policy::Policy;
use crate::runbook::{self, RunbookSet};
use crate::switch::{Engaged, KillSwitch, SwitchReading};
use crate::target::Target;
use crate::trace::Trace;

pub(super) const REOPEN: SignedDuration = SignedDuration::from_mins(10);

/// How a call goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    Confirmed,
    Refused,
    /// No answer came back; the provider may have done it or not.
    Lost {
        effect: bool,
    },
    CrashBeforeCall,
    CrashAfterCall,
}

/// What the provider says of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    Same,
    Replaced,
    Missing,
    Unreadable,
}

/// How the hands behave for one order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hand {
    pub(super) reply: Reply,
    pub(super) sight: Sight,
    pub(super) reading: Reading,
    pub(super) undo_works: bool,
}

pub(super) const STEADY: Hand =
    Hand { reply: Reply::Confirmed, sight: Sight::Same, reading: Reading::Good, undo_works: true };

/// A call that reached the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) incident: usize,
    pub(super) run: u32,
    pub(super) row: usize,
    pub(super) target: Target,
    pub(super) at: i64,
    pub(super) effect: bool,
}

/// A decision on its way to the store; it is written only if nobody wrote since it was read.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub(super) incident: usize,
    version: u64,
    pub(super) at: i64,
    /// The number of the move in which it was decided.
    pub(super) tick: u64,
    pub(super) events: Vec<Event>,
    books: Vec<BookWrite>,
    call: Option<(Call, Reply)>,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) now: i64,
    pub(super) tick: u64,
    pub(super) runbooks: RunbookSet,
    pub(super) incidents: Vec<Incident>,
    pub(super) events: Vec<Vec<Recorded>>,
    by_group: BTreeMap<String, usize>,
    by_fingerprint: BTreeMap<Fingerprint, usize>,
    pub(super) books: Books,
    pub(super) switch: SwitchReading,
    pub(super) policy: Policy,
    pub(super) silences: muting::Reading<Vec<Silence>>,
    /// The move in which the switch was engaged.
    pub(super) engaged: Option<u64>,
    pub(super) calls: Vec<Call>,
    /// Every order that was ever given, for redelivery.
    pub(super) orders: Vec<(usize, Order)>,
    /// Reports of calls that are still under way.
    pub(super) reports: Vec<(Call, Reply)>,
    /// Members of every group.
    pub(super) members: u32,
    /// The runbook that asks for no group.
    pub(super) ungrouped: Option<&'static str>,
    /// Asked after each event that is written: the state before, the event, the state after.
    pub(super) watch: fn(&World, &Pending, &Incident, &Recorded, &Incident),
}

impl World {
    pub(super) fn new(runbooks: &[&str]) -> Self {
        Self {
            now: 0,
            tick: 0,
            runbooks: runbooks.iter().map(|yaml| runbook::read(yaml).unwrap()).collect(),
            incidents: Vec::new(),
            events: Vec::new(),
            by_group: BTreeMap::new(),
            by_fingerprint: BTreeMap::new(),
            books: Books::new(),
            switch: SwitchReading::Known(KillSwitch::default()),
            policy: Policy::default(),
            silences: muting::Reading::Known(Vec::new()),
            engaged: None,
            calls: Vec::new(),
            orders: Vec::new(),
            reports: Vec::new(),
            members: 4,
            ungrouped: None,
            watch: |_, _, _, _, _| {},
        }
    }

    /// What may mute an alert now: everything that is live is read.
    pub(super) fn mutes(&self) -> MuteFacts<'_> {
        let live = self.incidents.iter().rev().filter(|incident| incident.status.is_live());
        let live = Live { incidents: live.cloned().collect(), more_than: None };
        MuteFacts {
            policy: &self.policy,
            silences: self.silences.clone(),
            live: muting::Reading::Known(live),
            suspected: muting::Reading::Known(crate::shared_cause::Suspicions::new()),
            effects: muting::Reading::Known(
                self.books
                    .get(&BookKey::effects())
                    .map(|book| book.effects.clone())
                    .unwrap_or_default(),
            ),
        }
    }

    pub(super) fn time(&self) -> Timestamp {
        at(self.now)
    }

    pub(super) fn kill(&mut self, on: bool) {
        let by = Engaged { by: "ada".to_owned(), reason: "test".to_owned(), at: self.time() };
        self.switch =
            SwitchReading::Known(KillSwitch { engaged: on.then_some(by), ..KillSwitch::default() });
        self.engaged = on.then_some(self.tick);
    }

    /// Takes an alert in: its own incident first, then the latest of its group.
    pub(super) fn deliver(&mut self, alert: &Alert) -> IntakeVerdict {
        let own = self.by_fingerprint.get(&alert.fingerprint).copied();
        let group = self.by_group.get(&alert.group_key()).copied();
        let shared = std::sync::Arc::new(alert.clone());
        let ask = |place: Option<usize>| {
            let incident = place.and_then(|index| self.incidents.get(index));
            receive(incident, &shared, &alert.group_key(), REOPEN, self.time())
        };
        let (mut place, mut received) = (own, ask(own));
        if matches!(received, Received::Open { .. }) && group != own {
            (place, received) = (group, ask(group));
        }
        let now = self.time();
        let (place, mut growth, verdict, events) = match (received, place) {
            (Received::Nothing { verdict }, _) => return verdict,
            (Received::Append { verdict, events }, Some(index)) => {
                (Some(index), Growth::of(self.incidents[index].clone()), verdict, events)
            }
            (Received::Append { .. }, None) => panic!("nothing to append to"),
            (Received::Open { events }, _) => {
                let growth = Growth::opened(incident_id(self.incidents.len()), events, now);
                (None, growth, IntakeVerdict::Opened, Vec::new())
            }
        };
        let mut muted = false;
        if alert.is_firing() {
            let own = own.and_then(|index| self.incidents.get(index));
            muted = settle(&mut growth, events, Intake { alert, own }, &self.mutes(), now);
            settle_mutes(&mut growth, &self.mutes(), now);
        } else {
            growth = growth.with(events, now);
        }
        let events = growth.events.into_iter().map(|recorded| recorded.event).collect();
        let index = match place {
            Some(index) => {
                assert!(self.write(index, events));
                index
            }
            None => self.open(events),
        };
        let verdict = if muted { IntakeVerdict::Suppressed } else { verdict };
        self.by_fingerprint.insert(alert.fingerprint.clone(), index);
        if alert.is_firing() {
            self.by_group.insert(alert.group_key(), index);
        }
        verdict
    }

    fn open(&mut self, mut events: Vec<Event>) -> usize {
        let index = self.incidents.len();
        let incident = incident_id(index);
        let event = events.remove(0);
        let (opening, opened) = Incident::begin(incident, event, self.time()).unwrap();
        self.incidents.push(opening);
        self.events.push(vec![opened]);
        assert!(self.write(index, events));
        index
    }

    /// Appends to the latest state, as somebody who read it just now.
    pub(super) fn write(&mut self, incident: usize, events: Vec<Event>) -> bool {
        let pending = self.pending(incident, events, Vec::new());
        self.commit(pending)
    }

    fn pending(&self, incident: usize, events: Vec<Event>, books: Vec<BookWrite>) -> Pending {
        let version = self.incidents[incident].version;
        Pending { incident, version, at: self.now, tick: self.tick, events, books, call: None }
    }

    /// One transaction, and then the call that it was the write-ahead record of. `false`: somebody was faster.
    pub(super) fn commit(&mut self, pending: Pending) -> bool {
        let stored = |write: &BookWrite| self.books.get(&write.key).map_or(0, |book| book.version);
        let fresh = pending.books.iter().all(|write| stored(write) + 1 == write.book.version);
        if !fresh || self.incidents[pending.incident].version != pending.version {
            return false;
        }
        for event in &pending.events {
            let before = self.incidents[pending.incident].clone();
            let recorded = before.clone().record(event.clone(), at(pending.at));
            let (after, recorded) = recorded.expect("what is written fits");
            (self.watch)(self, &pending, &before, &recorded, &after);
            self.incidents[pending.incident] = after;
            self.events[pending.incident].push(recorded);
        }
        for write in pending.books {
            self.books.insert(write.key, write.book);
        }
        if let Some((call, reply)) = pending.call {
            self.call(call, reply);
        }
        true
    }

    /// What is next, as a decision that is not written yet.
    pub(super) fn ask(
        &self,
        incident: usize,
        driver: &str,
        takeover: Takeover,
    ) -> (Pending, Directive) {
        let state = &self.incidents[incident];
        let books: Books = books_needed(state, &self.runbooks)
            .into_iter()
            .filter_map(|key| Some((key.clone(), self.books.get(&key)?.clone())))
            .collect();
        let facts = Facts {
            driver,
            takeover,
            runbooks: &self.runbooks,
            books: &books,
            switch: &self.switch,
            mutes: &self.mutes(),
            siblings: &self.incidents,
            reopen_within: REOPEN,
        };
        let advanced = advance(state, &facts, self.time());
        (self.pending(incident, advanced.events, advanced.books), advanced.directive)
    }

    /// One turn of the driver: decide and write.
    pub(super) fn advance(&mut self, incident: usize, driver: &str) -> Directive {
        let (pending, directive) = self.ask(incident, driver, Takeover::Respect);
        if !pending.events.is_empty() {
            assert!(self.commit(pending), "nobody else wrote");
        }
        if let Directive::Act { order, .. } = &directive {
            self.orders.push((incident, order.clone()));
        }
        directive
    }

    /// What the record has to say of mutes that began or ended.
    pub(super) fn look_at_mutes(&mut self, incident: usize) -> bool {
        let event = muting::change(&self.incidents[incident], &self.mutes(), self.time());
        event.is_some_and(|event| self.write(incident, vec![event]))
    }

    pub(super) fn command(&mut self, incident: usize, command: Command) -> Result<(), Refusal> {
        let events = command.decide(&self.incidents[incident], self.time())?;
        assert!(self.write(incident, events));
        Ok(())
    }

    /// Carries out an order as far as its write; `None` where the record does not ask for it.
    pub(super) fn act(&self, incident: usize, order: &Order, hand: Hand) -> Option<Pending> {
        let run = self.incidents[incident].active_run().filter(|run| run.number == order.run)?;
        match order.work {
            Work::Observe => matches!(run.phase, Phase::Preparing | Phase::Approved { .. })
                .then(|| self.observe(incident, hand)),
            Work::Apply { row, fence } => self.apply(incident, row, fence, hand),
            Work::Check { step } => self.check(incident, step, hand),
            Work::Undo { row } => self.undo(incident, row, hand),
        }
    }

    fn see(&self, target: &Target, sight: Sight) -> Observation {
        let identity = match sight {
            Sight::Same => Some("launched-1".to_owned()),
            Sight::Replaced => Some("launched-2".to_owned()),
            Sight::Missing | Sight::Unreadable => None,
        };
        Observation {
            target: target.clone(),
            identity,
            tags: [("firebreak", "allow"), ("service", "api")]
                .map(|(tag, value)| (tag.to_owned(), value.to_owned()))
                .into(),
            group: Some(Group {
                key: "tag:service=api".to_owned(),
                members: self.members,
                healthy: Fact::Known(["i-other1", "i-other2"].map(str::to_owned).into()),
            }),
            circumstances: Circumstances {
                changed: Fact::Known(None),
                deployment: Fact::Known(None),
                healthy: Fact::Known(false),
            },
            captured: serde_json::json!({"value": false}),
            seen_at: self.time(),
        }
    }

    /// As the run asks for it.
    fn seen(&self, run: &Run, target: &Target, hand: Hand) -> Observation {
        let mut seen = self.see(target, hand.sight);
        if self.ungrouped == Some(run.runbook.runbook.as_str()) {
            let (key, members) = (format!("kind:{}", target.kind), 1);
            seen.group = Some(Group { key, members, healthy: Fact::default() });
        }
        seen
    }

    fn observe(&self, incident: usize, hand: Hand) -> Pending {
        let state = &self.incidents[incident];
        let run = state.active_run().unwrap();
        let event = match super::targets_of(state, &run.runbook) {
            Ok(targets) if hand.sight != Sight::Unreadable => Event::Observed {
                run: run.number,
                observations: targets.iter().map(|target| self.seen(run, target, hand)).collect(),
            },
            seen => {
                let decision = seen.err().unwrap_or_else(|| "it cannot be read".to_owned());
                let trace = Trace { decision, ..Trace::default() };
                Event::Held { run: run.number, trace }
            }
        };
        self.pending(incident, vec![event], Vec::new())
    }

    fn apply(&self, incident: usize, index: usize, fence: u64, hand: Hand) -> Option<Pending> {
        let state = &self.incidents[incident];
        let run = state.active_run()?;
        let row = run
            .rows
            .get(index)
            .filter(|row| row.state == RowState::Claimed && row.fence == fence)?;
        let observations = [self.seen(run, &row.planned.target, hand)];
        let judgement = guards::judge(&Case {
            incident: state,
            runbook: &run.runbook,
            run: &run.reference(&state.id),
            observations: &observations,
            plan: run.plan.as_ref(),
            books: &self.books,
            switch: &self.switch,
            mutes: &self.mutes(),
            now: self.time(),
        });
        let permitted = judgement.permit.is_some() && hand.sight != Sight::Unreadable;
        let event = if permitted {
            Event::StepSent { run: run.number, row: index }
        } else {
            let (reason, trace) = (judgement.reason(), Some(judgement.trace()));
            Event::StepRefused { run: run.number, row: index, reason, trace }
        };
        let mut pending = self.pending(incident, vec![event], Vec::new());
        pending.call = permitted.then(|| {
            let target = row.planned.target.clone();
            let effect = matches!(
                hand.reply,
                Reply::Confirmed | Reply::Lost { effect: true } | Reply::CrashAfterCall
            );
            let call = Call { incident, run: run.number, row: index, target, at: self.now, effect };
            (call, hand.reply)
        });
        Some(pending)
    }

    fn call(&mut self, call: Call, reply: Reply) {
        if reply == Reply::CrashBeforeCall {
            return;
        }
        self.calls.push(Call { at: self.now, ..call.clone() });
        if reply != Reply::CrashAfterCall {
            self.reports.push((call, reply));
        }
    }

    /// Writes down what came of a call, if the record still takes it.
    pub(super) fn report(&mut self, call: &Call, reply: Reply) -> bool {
        let (run, row) = (call.run, call.row);
        let reason = "as the provider says".to_owned();
        let (next, event) = match reply {
            Reply::Confirmed => {
                (RowState::Confirmed, Event::StepConfirmed { run, row, receipt: reason })
            }
            Reply::Refused => {
                (RowState::Refused, Event::StepRefused { run, row, reason, trace: None })
            }
            Reply::Lost { .. } => (RowState::Unknown, Event::StepUnknown { run, row, reason }),
            Reply::CrashBeforeCall | Reply::CrashAfterCall => return false,
        };
        let active =
            self.incidents[call.incident].active_run().filter(|run| run.number == call.run);
        let fits =
            active.and_then(|run| run.rows.get(row)).is_some_and(|row| row.state.may_become(next));
        fits && self.write(call.incident, vec![event])
    }

    fn check(&self, incident: usize, step: usize, hand: Hand) -> Option<Pending> {
        let state = &self.incidents[incident];
        let run = state.active_run()?;
        let Phase::Verifying { step: current, .. } = run.phase else { return None };
        let spec = run.step(step).filter(|_| current == step)?.spec();
        let mut evidence = Vec::new();
        for (_, row) in run.rows_of(step).filter(|(_, row)| row.state.may_have_acted()) {
            evidence.extend(spec.signals().iter().map(|signal| Evidence {
                signal: signal.name.to_owned(),
                target: Some(row.planned.target.clone()),
                reading: hand.reading,
                detail: format!("{:?}", hand.reading),
                at: self.time(),
            }));
        }
        let looked = super::checked(state, run, step, evidence, self.time());
        Some(self.pending(incident, vec![looked], Vec::new()))
    }

    fn undo(&self, incident: usize, row: usize, hand: Hand) -> Option<Pending> {
        let run = self.incidents[incident].active_run()?;
        let due = if let Phase::Kept { undo_at, .. } = run.phase {
            undo_at.is_some_and(|at| at <= self.time())
        } else {
            matches!(run.phase, Phase::Undoing { .. })
        };
        run.rows.get(row).filter(|row| due && row.state.may_have_acted())?;
        let words = "as it was".to_owned();
        let event = if hand.undo_works {
            Event::StepUndone { run: run.number, row, receipt: words }
        } else {
            Event::StepStuck { run: run.number, row, reason: "the undo failed".to_owned() }
        };
        Some(self.pending(incident, vec![event], Vec::new()))
    }

    /// Does what the directive says at once; `None` when there is nothing more to drive.
    pub(super) fn obey(
        &mut self,
        incident: usize,
        directive: &Directive,
        hand: Hand,
    ) -> Option<()> {
        match directive {
            Directive::Act { order, .. } => {
                if let Some(pending) = self.act(incident, order, hand) {
                    assert!(self.commit(pending));
                }
                for (call, reply) in std::mem::take(&mut self.reports) {
                    self.report(&call, reply);
                }
            }
            Directive::Wait { until, .. } | Directive::Approve { until, .. } => {
                assert!(*until > self.time(), "a driver would turn without rest: {directive:?}");
                self.now += until.duration_since(self.time()).as_secs();
            }
            Directive::Done { .. } => return None,
        }
        Some(())
    }

    /// Drives until `stop` is true of the incident, or nothing is left to drive; at most `MOST` moves.
    pub(super) fn drive_until(
        &mut self,
        incident: usize,
        driver: &str,
        hand: Hand,
        stop: impl Fn(&Incident) -> bool,
    ) -> Directive {
        for _ in 0..MOST {
            let directive = self.advance(incident, driver);
            self.tick += 1;
            if stop(&self.incidents[incident]) || self.obey(incident, &directive, hand).is_none() {
                return directive;
            }
            if stop(&self.incidents[incident]) {
                return directive;
            }
        }
        panic!("{MOST} moves were not enough: {:?}", self.incidents[incident].active_run());
    }

    pub(super) fn status(&self, incident: usize) -> Status {
        self.incidents[incident].status
    }

    /// The names of all events of an incident.
    pub(super) fn names(&self, incident: usize) -> Vec<&'static str> {
        self.events[incident].iter().map(|recorded| recorded.event.name()).collect()
    }
}

/// More moves than any run of the test runbooks needs.
const MOST: usize = 1000;

fn incident_id(number: usize) -> IncidentId {
    IncidentId::try_from(format!("inc_{number}")).unwrap()
}
