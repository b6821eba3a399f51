//! Properties of the whole machine under random deliveries, drivers, hands, people, crashes and delays.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::world::{Hand, Pending, Reply, STEADY, Sight, World};
use super::{Directive, Phase, Run, Takeover};
use crate::alert::{Alert, AlertStatus};
use crate::book::{Book, BookKey};
use crate::evidence::Reading;
use crate::examples::{FLAG_RUNBOOK, RUNBOOK, at, draft};
use crate::incident::{Command, Event, Incident, Outcome, Recorded, Status, TRANSITIONS, replay};
use crate::ledger::RowState;
use crate::target::Target;

/// Two rules about the same instances, and one about a flag; instances and rules overlap on purpose.
const ALERTS: [(&str, &str); 5] = [
    ("slow-api-data", "i-0abc12345"),
    ("slow-api-data", "i-0def12345"),
    ("slow-api-errors", "i-0abc12345"),
    ("slow-api-errors", "i-0def12345"),
    ("checkout-errors", "i-0abc12345"),
];

#[derive(Debug, Clone)]
enum Op {
    /// `ago` seconds before now is when its episode began, or ended.
    Deliver {
        alert: usize,
        ago: i64,
        resolved: bool,
        words: u8,
    },
    /// Every alert of an incident is over.
    Calm(usize),
    /// A delivery of before, again.
    Redeliver(usize),
    /// Turns of a driver, each obeyed.
    Drive {
        incident: usize,
        driver: Driver,
        hand: Hand,
        turns: u8,
    },
    /// A turn whose write or order is held up.
    Ask {
        incident: usize,
        driver: Driver,
    },
    /// An order of before, once more; its write is held up where asked.
    Act {
        order: usize,
        hand: Hand,
        late: bool,
    },
    /// A write that was held up arrives.
    Commit(usize),
    /// The word of a call that was held up arrives.
    Report(usize),
    Pass(i64),
    Person {
        incident: usize,
        wish: Wish,
    },
    Switch(bool),
    Takeover {
        incident: usize,
    },
}

/// The one that began the run, or another.
#[derive(Debug, Clone, Copy)]
enum Driver {
    Own,
    Other,
}

#[derive(Debug, Clone, Copy)]
enum Wish {
    Acknowledge,
    Resolve,
    Approve,
    Reject,
    Escalate,
}

fn hand() -> impl Strategy<Value = Hand> {
    let reply = prop_oneof![
        4 => Just(Reply::Confirmed),
        1 => Just(Reply::Refused),
        1 => any::<bool>().prop_map(|effect| Reply::Lost { effect }),
        1 => Just(Reply::CrashBeforeCall),
        1 => Just(Reply::CrashAfterCall),
    ];
    let sight = prop_oneof![
        30 => Just(Sight::Same),
        1 => Just(Sight::Replaced),
        1 => Just(Sight::Missing),
        1 => Just(Sight::Unreadable),
    ];
    let reading = prop_oneof![
        6 => Just(Reading::Good),
        2 => Just(Reading::Bad),
        1 => Just(Reading::Worse),
        1 => Just(Reading::Unreadable),
    ];
    (reply, sight, reading, prop::bool::weighted(0.8))
        .prop_map(|(reply, sight, reading, undo_works)| Hand { reply, sight, reading, undo_works })
}

fn driver() -> impl Strategy<Value = Driver> {
    prop_oneof![8 => Just(Driver::Own), 1 => Just(Driver::Other)]
}

fn wish() -> impl Strategy<Value = Wish> {
    prop_oneof![
        1 => Just(Wish::Acknowledge),
        1 => Just(Wish::Resolve),
        9 => Just(Wish::Approve),
        1 => Just(Wish::Reject),
        1 => Just(Wish::Escalate),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let ago = prop_oneof![4 => Just(0i64), 1 => 1i64..900];
    let pass = prop_oneof![4 => 1i64..40, 2 => 40i64..400, 1 => 400i64..4000];
    prop_oneof![
        8 => (0usize..5, ago, prop::bool::weighted(0.3), 0u8..2).prop_map(
            |(alert, ago, resolved, words)| Op::Deliver { alert, ago, resolved, words }
        ),
        4 => (0usize..3).prop_map(Op::Calm),
        3 => (0usize..8).prop_map(Op::Redeliver),
        24 => (0usize..3, driver(), hand(), 1u8..20).prop_map(
            |(incident, driver, hand, turns)| Op::Drive { incident, driver, hand, turns }
        ),
        3 => (0usize..3, driver()).prop_map(|(incident, driver)| Op::Ask { incident, driver }),
        6 => (0usize..6, hand(), any::<bool>())
            .prop_map(|(order, hand, late)| Op::Act { order, hand, late }),
        4 => (0usize..3).prop_map(Op::Commit),
        3 => (0usize..3).prop_map(Op::Report),
        6 => pass.prop_map(Op::Pass),
        4 => (0usize..3, wish()).prop_map(|(incident, wish)| Op::Person { incident, wish }),
        1 => prop::bool::weighted(0.3).prop_map(Op::Switch),
        1 => (0usize..6).prop_map(|incident| Op::Takeover { incident }),
    ]
}

/// What differs between worlds: mode, limits, memory.
#[derive(Debug, Clone, Copy)]
struct Shape {
    approve: bool,
    max: u32,
    cooldown: i64,
    stubborn: bool,
}

fn shape() -> impl Strategy<Value = Shape> {
    (
        prop::bool::weighted(0.2),
        prop::sample::select(vec![0u32, 1, 1, 2, 2, 2, 3]),
        prop::sample::select(vec![0i64, 60, 900]),
        any::<bool>(),
    )
        .prop_map(|(approve, max, cooldown, stubborn)| Shape {
            approve,
            max,
            cooldown,
            stubborn,
        })
}

fn world(shape: Shape) -> World {
    let mode = if shape.approve { "mode: approve" } else { "mode: auto" };
    let attempts = if shape.stubborn { "max: 9, per: 24h" } else { "max: 2, per: 24h" };
    let data = RUNBOOK
        .replace("mode: auto", mode)
        .replace("max: 2, per: 24h", attempts)
        .replace("cooldown: 15m", &format!("cooldown: {}s", shape.cooldown))
        .replace("max: 1, max_percent: 50", &format!("max: {}, max_percent: 50", shape.max));
    let second = "  - action: ec2.reboot\n    verify: { within: 2m, all: [alert_resolved] }\nesc";
    let errors = data
        .replace("restart-slow-api", "restart-on-errors")
        .replace("slow-api-data", "slow-api-errors")
        .replace("esc", second);
    let mut world = World::new(&[&data, &errors, FLAG_RUNBOOK]);
    world.watch = watch;
    world
}

/// What must hold of every single event that is written.
fn watch(world: &World, pending: &Pending, before: &Incident, now: &Recorded, after: &Incident) {
    let moved = (Some(before.status), now.event.name(), after.status);
    assert!(before.status == after.status || TRANSITIONS.contains(&moved), "{moved:?}");
    let firing = before.is_firing();
    match &now.event {
        Event::RunStarted { .. } | Event::Planned { .. } => {
            assert!(firing, "a resolved alert has no way to a plan");
        }
        Event::StepClaimed { row, .. } => claimed(world, pending, before, *row),
        Event::StepSent { row, .. } => sent(world, pending, before, *row),
        Event::RunEnded { outcome, .. } => {
            let page = match outcome {
                Outcome::Held | Outcome::Useless => firing,
                Outcome::Harmful | Outcome::Abandoned => true,
                Outcome::Helped | Outcome::Moot => false,
            };
            let told = pending.events.iter().any(|e| matches!(e, Event::Escalated { .. }));
            assert_eq!(told, page, "{outcome:?}, firing: {firing}");
        }
        _ => {}
    }
}

fn of_row(incident: &Incident, row: usize) -> (&Run, &Target) {
    let run = incident.active_run().expect("only an active run moves");
    (run, &run.rows[row].planned.target)
}

fn its_alert_fires(incident: &Incident, run: &Run, target: &Target) -> bool {
    incident.firing().any(|alert| run.runbook.means(alert, target))
}

/// A claim: nobody else holds the target, its cooldown is over, and the group has room.
fn claimed(world: &World, pending: &Pending, before: &Incident, row: usize) {
    let (run, target) = of_row(before, row);
    assert!(its_alert_fires(before, run, target), "{target} is well");
    assert!(switch_was_off(world, pending), "claimed while the kill switch was engaged");
    let (reference, now) = (run.reference(&before.id), at(pending.at));
    let book = world.books.get(&BookKey::target(target)).cloned().unwrap_or_default();
    assert_eq!(book.held_against(&reference, now), None);
    let guards = &run.runbook.guards;
    let early = book
        .entries
        .iter()
        .find(|old| old.by != reference && now.duration_since(old.at) < guards.cooldown);
    assert_eq!(early, None, "within the cooldown of {target}");
    let group = run.observations.iter().find(|seen| seen.target == *target);
    let group = group.and_then(|seen| seen.group.clone()).expect("every target has a group");
    let book: Book = world.books.get(&BookKey::group(&group.key)).cloned().unwrap_or_default();
    let radius = &guards.blast_radius;
    let mut touched: BTreeSet<&Target> = book
        .entries
        .iter()
        .filter(|old| now.duration_since(old.at) < radius.window)
        .map(|old| &old.target)
        .collect();
    touched.insert(target);
    assert!(touched.len() <= radius.max as usize, "{touched:?} of at most {}", radius.max);
}

/// A call is about to be made: the target's lock is ours, and no other run is at it.
fn sent(world: &World, pending: &Pending, before: &Incident, row: usize) {
    let (run, target) = of_row(before, row);
    assert!(its_alert_fires(before, run, target), "{target} is well");
    assert!(switch_was_off(world, pending), "sent while the kill switch was engaged");
    let book = world.books.get(&BookKey::target(target)).expect("it was claimed");
    let lock = book.lock.as_ref().expect("it is locked");
    assert_eq!(lock.holder, run.reference(&before.id));
    assert!(lock.until > world.time(), "the lock has lapsed");
    let again = world.calls.iter().find(|call| {
        world.incidents[call.incident].id == before.id && (call.run, call.row) == (run.number, row)
    });
    assert_eq!(again, None, "a row is called for once");
}

fn switch_was_off(world: &World, pending: &Pending) -> bool {
    world.engaged.is_none_or(|since| pending.tick < since)
}

/// What must hold between moves.
fn consistent(world: &World) {
    let mut held: BTreeSet<&Target> = BTreeSet::new();
    for incident in &world.incidents {
        let active = incident.active_run();
        let quiet = matches!(incident.status, Status::Resolved | Status::Closed);
        assert!(!(quiet && incident.is_firing()), "{} while firing", incident.status.as_str());
        let busy = matches!(incident.status, Status::Remediating | Status::Verifying);
        assert!(!busy || active.is_some(), "{} without a run", incident.status.as_str());
        let alone = matches!(incident.status, Status::Escalated | Status::Closed);
        assert!(!alone || active.is_none(), "{} with a run", incident.status.as_str());
        let acting = active.filter(|run| world.time() < run.deadline);
        let targets: BTreeSet<&Target> = acting
            .iter()
            .flat_map(|run| &run.rows)
            .filter(|row| row.state == RowState::Claimed || row.state.may_have_acted())
            .map(|row| &row.planned.target)
            .collect();
        for target in targets {
            assert!(held.insert(target), "two runs are at {target}");
        }
    }
}

fn delivered(op: &Op, now: i64) -> Option<Alert> {
    let Op::Deliver { alert, ago, resolved, words } = *op else { return None };
    let (monitor, instance) = ALERTS[alert];
    let mut draft = draft(monitor, instance);
    draft.starts_at = at(now - ago);
    if resolved {
        draft.status = AlertStatus::Resolved;
        draft.ends_at = Some(at(now - ago));
    }
    draft.title = format!("{}, seen {words}", draft.title);
    Some(draft.seal())
}

/// A write that is held up for longer than a function may run never arrives.
const LONGEST_DELAY: i64 = 60;

#[derive(Default)]
struct Held {
    deliveries: Vec<Alert>,
    writes: Vec<Pending>,
}

fn play(world: &mut World, held: &mut Held, op: &Op) {
    world.tick += 1;
    let there = |incident: usize| (incident < world.incidents.len()).then_some(incident);
    match op {
        Op::Deliver { .. } => {
            let alert = delivered(op, world.now).expect("it is a delivery");
            world.deliver(&alert);
            held.deliveries.push(alert);
        }
        Op::Calm(incident) => {
            let Some(incident) = there(*incident) else { return };
            let firing: Vec<Alert> = world.incidents[incident].firing().cloned().collect();
            for alert in firing {
                let ends_at = Some(world.time());
                let over = Alert { status: AlertStatus::Resolved, ends_at, ..alert };
                world.deliver(&over);
                held.deliveries.push(over);
            }
        }
        Op::Redeliver(nth) => {
            if let Some(alert) = held.deliveries.iter().rev().nth(*nth) {
                world.deliver(&alert.clone());
            }
        }
        Op::Drive { incident, driver, hand, turns } => {
            let Some(incident) = there(*incident) else { return };
            for _ in 0..*turns {
                let directive = world.advance(incident, name(world, incident, *driver));
                // People need time to answer; that is a move of its own.
                let asks = matches!(directive, Directive::Approve { .. });
                if asks || world.obey(incident, &directive, *hand).is_none() {
                    break;
                }
            }
        }
        Op::Ask { incident, driver } => {
            let Some(incident) = there(*incident) else { return };
            let name = name(world, incident, *driver);
            let (pending, _) = world.ask(incident, name, Takeover::Respect);
            held.writes.push(pending);
        }
        Op::Act { order, hand, late } => {
            let given = world.orders.iter().rev().nth(*order).cloned();
            let pending = given.and_then(|(index, order)| world.act(index, &order, *hand));
            match pending {
                Some(pending) if *late => held.writes.push(pending),
                Some(pending) => assert!(world.commit(pending)),
                None => {}
            }
        }
        Op::Commit(nth) => {
            if *nth < held.writes.len() {
                let pending = held.writes.remove(*nth);
                if world.now - pending.at <= LONGEST_DELAY {
                    world.commit(pending);
                }
            }
        }
        Op::Report(nth) => {
            if *nth < world.reports.len() {
                let (call, reply) = world.reports.remove(*nth);
                world.report(&call, reply);
            }
        }
        Op::Pass(seconds) => world.now += seconds,
        Op::Person { incident, wish } => {
            let Some(incident) = there(*incident) else { return };
            let command = command(&world.incidents[incident], *wish);
            // A refusal is an answer.
            drop(world.command(incident, command));
        }
        Op::Switch(on) => world.kill(*on),
        Op::Takeover { incident } => {
            let Some(incident) = there(*incident) else { return };
            let (pending, _) = world.ask(incident, "C", Takeover::End);
            if !pending.events.is_empty() {
                assert!(world.commit(pending));
            }
        }
    }
}

fn name(world: &World, incident: usize, driver: Driver) -> &'static str {
    let own = world.incidents[incident]
        .active_run()
        .map_or("A", |run| if run.driver == "A" { "A" } else { "B" });
    match (driver, own) {
        (Driver::Own, own) => own,
        (Driver::Other, "A") => "B",
        (Driver::Other, _) => "A",
    }
}

fn command(incident: &Incident, wish: Wish) -> Command {
    let asked = incident.active_run().and_then(|run| match &run.phase {
        Phase::AwaitingApproval { plan_hash, .. } => Some(plan_hash.clone()),
        _ => None,
    });
    let (by, reason) = ("ada".to_owned(), "a test".to_owned());
    let plan_hash = asked.unwrap_or_default();
    match wish {
        Wish::Acknowledge => Command::Acknowledge { by },
        Wish::Resolve => Command::Resolve { by, reason },
        Wish::Approve => Command::Approve { by, plan_hash },
        Wish::Reject => Command::Reject { by, plan_hash, reason },
        Wish::Escalate => Command::Escalate { reason },
    }
}

/// The record alone gives the same state, also after it was written down and read back.
fn replays(world: &World) {
    for (events, incident) in world.events.iter().zip(&world.incidents) {
        let stored: Vec<String> =
            events.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
        let read: Vec<Recorded> =
            stored.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        assert_eq!(&read, events);
        assert_eq!(replay(&read).unwrap().as_ref(), Some(incident));
        let snapshot = serde_json::to_string(incident).unwrap();
        assert_eq!(&serde_json::from_str::<Incident>(&snapshot).unwrap(), incident);
    }
}

/// From wherever it stands, its own driver brings the run to an end in time.
fn ends(world: &mut World, incident: usize, hand: Hand) {
    let Some(run) = world.incidents[incident].active_run() else { return };
    let putting_back = matches!(run.phase, Phase::Kept { .. } | Phase::Undoing { .. });
    let (driver, deadline, number) = (run.driver.clone(), run.deadline, run.number);
    let latest = deadline.max(world.time());
    world.drive_until(incident, &driver, hand, |incident| {
        incident.active_run().is_none_or(|active| active.number != number)
    });
    let over = world.incidents[incident].active_run().is_none_or(|run| run.number != number);
    assert!(over, "nobody drives it any more, and it is not over");
    let in_time = world.incidents[incident].updated_at <= latest || putting_back;
    assert!(in_time, "it took until {}", world.time());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_shrink_iters: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_machine_keeps_its_promises(
        shape in shape(),
        first in prop::collection::vec(0usize..5, 1..4),
        ops in prop::collection::vec(op(), 1..100),
        last in hand(),
    ) {
        let mut world = world(shape);
        let mut held = Held::default();
        let first = first.into_iter().map(|alert| Op::Deliver {
            alert,
            ago: 0,
            resolved: false,
            words: 0,
        });
        for op in first.chain(ops) {
            play(&mut world, &mut held, &op);
            consistent(&world);
        }
        for incident in 0..world.incidents.len() {
            ends(&mut world, incident, last);
            consistent(&world);
        }
        replays(&world);
    }

    #[test]
    fn however_often_it_is_delivered_an_alert_is_acted_on_once(
        again in prop::collection::vec((0usize..3, 1i64..60, any::<bool>()), 1..40),
    ) {
        let shape = Shape { approve: false, max: 3, cooldown: 900, stubborn: true };
        let mut world = world(shape);
        let first = draft("slow-api-data", "i-0abc12345");
        let mut changed = first.clone();
        changed.title = "another title".to_owned();
        let mut late = first.clone();
        late.starts_at = at(-30);
        let alerts = [first.seal(), changed.seal(), late.seal()];
        world.deliver(&alerts[0]);
        for (which, pass, other) in again {
            world.deliver(&alerts[which]);
            let driver = if other { "B" } else { "A" };
            let directive = world.advance(0, driver);
            if matches!(directive, Directive::Act { .. }) {
                world.obey(0, &directive, STEADY);
            }
            if world.now + pass < 900 {
                world.now += pass;
            }
        }
        prop_assert!(world.calls.len() <= 1, "{:?}", world.calls);
        prop_assert_eq!(world.incidents.len(), 1);
    }
}
