//! Chaos: random schedules of deliveries, drivers, hands, people, delays and redeliveries, and how they are played.

use proptest::prelude::*;

use super::world::{Hand, Pending, Reply, Sight, World};
use super::{Directive, Phase, Takeover};
use crate::alert::{Alert, AlertStatus};
use crate::evidence::Reading;
use crate::examples::{FLAG_RUNBOOK, RUNBOOK, at, draft};
use crate::incident::{Command, Incident};

/// Two rules about the same instances, and one about a flag; instances and rules overlap on purpose.
const ALERTS: [(&str, &str); 5] = [
    ("slow-api-data", "i-0abc12345"),
    ("slow-api-data", "i-0def12345"),
    ("slow-api-errors", "i-0abc12345"),
    ("slow-api-errors", "i-0def12345"),
    ("checkout-errors", "i-0abc12345"),
];

#[derive(Debug, Clone)]
pub(super) enum Op {
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
pub(super) enum Driver {
    Own,
    Other,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Wish {
    Acknowledge,
    Resolve,
    Approve,
    Reject,
    Escalate,
}

pub(super) fn hand() -> impl Strategy<Value = Hand> {
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

pub(super) fn op() -> impl Strategy<Value = Op> {
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
pub(super) struct Shape {
    pub(super) approve: bool,
    pub(super) max: u32,
    pub(super) cooldown: i64,
    pub(super) stubborn: bool,
}

pub(super) fn shape() -> impl Strategy<Value = Shape> {
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

pub(super) fn world(shape: Shape) -> World {
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
    World::new(&[&data, &errors, FLAG_RUNBOOK])
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
pub(super) struct Held {
    deliveries: Vec<Alert>,
    writes: Vec<Pending>,
}

pub(super) fn play(world: &mut World, held: &mut Held, op: &Op) {
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
    let asked = incident.active_run().and_then(|run| {
        let Phase::AwaitingApproval { plan_hash, .. } = &run.phase else { return None };
        Some(plan_hash.clone())
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
