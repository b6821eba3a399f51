//! Scenarios of a run, told one by one: from the alert to the end, with hands that succeed, fail and lie.

use super::world::{Hand, REOPEN, Reply, STEADY, Sight, World};
use super::{Directive, Order, Phase, Run, Takeover, Work};
use crate::evidence::Reading;
use crate::examples::{RUNBOOK, alert, draft, resolved};
use crate::incident::{Command, Event, Outcome, Refusal, Status};
use crate::ledger::RowState;

pub(super) const ONE: &str = "i-0abc12345";
pub(super) const TWO: &str = "i-0def12345";
pub(super) const MONITOR: &str = "slow-api-data";

/// A world with one firing alert and the reboot runbook, changed as asked.
pub(super) fn firing(changes: &[(&str, &str)]) -> World {
    let yaml = changes.iter().fold(RUNBOOK.to_owned(), |yaml, (from, to)| {
        assert!(yaml.contains(from), "{from}");
        yaml.replace(from, to)
    });
    let mut world = World::new(&[&yaml]);
    world.deliver(&alert(MONITOR, ONE));
    world
}

pub(super) const TWO_STEPS: (&str, &str) = (
    "escalate:",
    "  - action: ec2.reboot\n    verify: { within: 3m, all: [alert_resolved] }\nescalate:",
);

pub(super) fn run(world: &World) -> &Run {
    world.incidents[0].runs.last().expect("a run has begun")
}

fn verifying(world: &World) -> bool {
    matches!(run(world).phase, Phase::Verifying { .. })
}

pub(super) fn until_sent(world: &mut World, hand: Hand) {
    world.drive_until(0, "A", hand, |incident| {
        incident.runs.last().is_some_and(|run| matches!(run.phase, Phase::Verifying { .. }))
    });
}

#[track_caller]
pub(super) fn ended(world: &World, outcome: Outcome, status: Status) {
    let ends = (run(world).outcome(), world.status(0));
    assert_eq!(ends, (Some(outcome), status), "{:#?}", run(world).phase);
}

#[test]
fn a_reboot_that_helps_resolves_and_then_closes_the_incident() {
    let mut world = firing(&[]);
    until_sent(&mut world, STEADY);
    assert_eq!(world.calls.len(), 1);
    world.deliver(&resolved(MONITOR, ONE, 60));
    world.drive_until(0, "A", STEADY, |incident| incident.status == Status::Resolved);
    world.drive_until(0, "A", STEADY, |_| false);
    ended(&world, Outcome::Helped, Status::Closed);
    let names = world.names(0);
    let told: Vec<&str> = names.iter().copied().filter(|name| *name != "step.checked").collect();
    assert_eq!(
        told,
        [
            "incident.opened",
            "alert.fired",
            "run.started",
            "run.observed",
            "run.planned",
            "step.claimed",
            "step.sent",
            "step.confirmed",
            "alert.resolved",
            "step.verified",
            "incident.resolved",
            "run.ended",
            "incident.closed"
        ]
    );
    assert!(world.books.values().all(|book| book.lock.is_none()), "every lock was let go");
}

#[test]
fn a_reboot_that_does_not_help_escalates() {
    let mut world = firing(&[]);
    world.drive_until(0, "A", STEADY, |_| false);
    ended(&world, Outcome::Useless, Status::Escalated);
    assert_eq!(world.calls.len(), 1);
    assert_eq!(run(&world).rows[0].state, RowState::Ineffective);
}

#[test]
fn the_next_step_is_tried_when_the_one_before_was_useless() {
    let mut world = firing(&[TWO_STEPS]);
    world.drive_until(0, "A", STEADY, |_| false);
    ended(&world, Outcome::Useless, Status::Escalated);
    let rows: Vec<usize> = world.calls.iter().map(|call| call.row).collect();
    assert_eq!(rows, [0, 1]);
}

#[test]
fn the_next_step_is_not_tried_when_the_alert_is_over() {
    let mut world = firing(&[TWO_STEPS]);
    until_sent(&mut world, STEADY);
    world.deliver(&resolved(MONITOR, ONE, 60));
    let blind = Hand { reading: Reading::Unreadable, ..STEADY };
    world.drive_until(0, "A", blind, |incident| incident.active_run().is_none());
    ended(&world, Outcome::Held, Status::Resolved);
    assert_eq!(world.calls.len(), 1);
}

#[test]
fn what_goes_away_while_settling_is_left_alone() {
    let mut world = firing(&[]);
    world.advance(0, "A");
    world.deliver(&resolved(MONITOR, ONE, 5));
    world.drive_until(0, "A", STEADY, |incident| incident.active_run().is_none());
    ended(&world, Outcome::Moot, Status::Resolved);
    assert!(!world.names(0).contains(&"run.planned"));
}

#[test]
fn a_missing_target_is_held_and_a_person_is_told() {
    for sight in [Sight::Missing, Sight::Unreadable] {
        let mut world = firing(&[]);
        world.drive_until(0, "A", Hand { sight, ..STEADY }, |_| false);
        ended(&world, Outcome::Held, Status::Escalated);
        assert!(world.calls.is_empty());
    }
}

#[test]
fn a_target_that_was_replaced_after_the_plan_is_not_touched() {
    let mut world = firing(&[]);
    let order = claimed(&mut world);
    let pending = world.act(0, &order, Hand { sight: Sight::Replaced, ..STEADY }).unwrap();
    world.commit(pending);
    world.drive_until(0, "A", STEADY, |_| false);
    ended(&world, Outcome::Held, Status::Escalated);
    assert!(world.calls.is_empty());
}

/// Drives to the order to apply the first row.
pub(super) fn claimed(world: &mut World) -> Order {
    let directive = world.drive_until(0, "A", STEADY, |incident| {
        let rows = incident.runs.last().map(|run| &run.rows);
        rows.is_some_and(|rows| rows.iter().any(|row| row.state == RowState::Claimed))
    });
    let Directive::Act { order, .. } = directive else { panic!("{directive:?}") };
    order
}

#[test]
fn an_approved_plan_is_carried_out() {
    let mut world = firing(&[("mode: auto", "mode: approve")]);
    let asked = world.drive_until(0, "A", STEADY, |incident| {
        matches!(incident.runs.last(), Some(Run { phase: Phase::AwaitingApproval { .. }, .. }))
    });
    let Directive::Approve { plan_hash, .. } = asked else { panic!("{asked:?}") };
    let by = "ada".to_owned();
    let other = Command::Approve { by: by.clone(), plan_hash: "plan1_other".to_owned() };
    assert_eq!(world.command(0, other), Err(Refusal::NoSuchApproval));
    let approve = Command::Approve { by, plan_hash };
    assert_eq!(world.command(0, approve.clone()), Ok(()));
    assert_eq!(world.command(0, approve), Err(Refusal::NoSuchApproval), "it is used up");
    until_sent(&mut world, STEADY);
    assert_eq!(world.calls.len(), 1);
}

#[test]
fn an_approved_plan_is_moot_when_the_alert_went_away_before_the_first_claim() {
    let mut world = firing(&[("mode: auto", "mode: approve")]);
    let asked = world.drive_until(0, "A", STEADY, |incident| incident.version >= 6);
    let Directive::Approve { plan_hash, .. } = asked else { panic!("{asked:?}") };
    assert_eq!(world.command(0, Command::Approve { by: "ada".to_owned(), plan_hash }), Ok(()));
    world.deliver(&resolved(MONITOR, ONE, 40));
    world.drive_until(0, "A", STEADY, |incident| incident.active_run().is_none());
    ended(&world, Outcome::Moot, Status::Resolved);
    assert!(world.calls.is_empty());
}

#[test]
fn a_rejected_plan_is_held_with_the_reason() {
    let mut world = firing(&[("mode: auto", "mode: approve")]);
    let asked = world.drive_until(0, "A", STEADY, |incident| incident.version >= 6);
    let Directive::Approve { plan_hash, .. } = asked else { panic!("{asked:?}") };
    let (by, reason) = ("ada".to_owned(), "it is being deployed".to_owned());
    assert_eq!(world.command(0, Command::Reject { by, plan_hash, reason }), Ok(()));
    world.drive_until(0, "A", STEADY, |_| false);
    ended(&world, Outcome::Held, Status::Escalated);
    assert!(world.incidents[0].escalated_because.as_ref().unwrap().contains("being deployed"));
    assert!(world.calls.is_empty());
}

#[test]
fn a_plan_that_nobody_approves_in_time_expires() {
    let mut world = firing(&[("mode: auto", "mode: approve")]);
    world.drive_until(0, "A", STEADY, |_| false);
    ended(&world, Outcome::Held, Status::Escalated);
    assert!(world.calls.is_empty());
    assert_eq!(world.now, 30 + 30 * 60);
}

#[test]
fn an_approval_does_not_make_an_old_alert_young() {
    let mut world = firing(&[("mode: auto", "mode: approve")]);
    let asked = world.drive_until(0, "A", STEADY, |incident| incident.version >= 6);
    let Directive::Approve { plan_hash, .. } = asked else { panic!("{asked:?}") };
    world.now = 601;
    assert_eq!(world.command(0, Command::Approve { by: "ada".to_owned(), plan_hash }), Ok(()));
    world.drive_until(0, "A", STEADY, |_| false);
    ended(&world, Outcome::Held, Status::Escalated);
    assert!(world.incidents[0].escalated_because.as_ref().unwrap().contains("max_age"));
    assert!(world.calls.is_empty());
}

#[test]
fn an_order_that_is_delivered_twice_is_carried_out_once() {
    let mut world = firing(&[]);
    let order = claimed(&mut world);
    let (one, other) = (world.act(0, &order, STEADY), world.act(0, &order, STEADY));
    assert!(world.commit(one.unwrap()));
    assert!(!world.commit(other.unwrap()), "the second hand lost the race for the record");
    assert!(world.act(0, &order, STEADY).is_none(), "a later one finds the row sent");
    assert_eq!(world.calls.len(), 1);
}

#[test]
fn an_order_with_another_fence_is_stale() {
    let mut world = firing(&[]);
    let order = claimed(&mut world);
    let Work::Apply { row, fence } = order.work else { panic!("{order:?}") };
    let stale = Order { run: 1, work: Work::Apply { row, fence: fence - 1 } };
    assert!(world.act(0, &stale, STEADY).is_none());
}

#[test]
fn another_driver_is_refused_while_one_drives() {
    let mut world = firing(&[]);
    world.advance(0, "A");
    let (pending, directive) = world.ask(0, "B", Takeover::Respect);
    assert!(pending.events.is_empty());
    assert!(matches!(directive, Directive::Done { outcome: None, .. }), "{directive:?}");
}

#[test]
fn a_takeover_abandons_the_run_and_tells_a_person() {
    let mut world = firing(&[]);
    let order = claimed(&mut world);
    let pending = world.act(0, &order, Hand { reply: Reply::CrashAfterCall, ..STEADY }).unwrap();
    assert!(world.commit(pending));
    let (pending, directive) = world.ask(0, "B", Takeover::End);
    assert!(world.commit(pending));
    assert!(matches!(directive, Directive::Done { .. }));
    ended(&world, Outcome::Abandoned, Status::Escalated);
    assert_eq!(run(&world).rows[0].state, RowState::Unknown);
}

#[test]
fn a_run_is_over_at_its_deadline_whoever_asks() {
    let mut world = firing(&[]);
    world.advance(0, "A");
    world.now += run(&world).deadline.duration_since(world.time()).as_secs();
    world.advance(0, "B");
    ended(&world, Outcome::Abandoned, Status::Escalated);
}

#[test]
fn nobody_waits_beyond_the_deadline() {
    let mut world = firing(&[]);
    until_sent(&mut world, STEADY);
    let deadline = run(&world).deadline;
    world.now += deadline.duration_since(world.time()).as_secs() - 1;
    world.deliver(&resolved(MONITOR, ONE, 60));
    let look = world.advance(0, "A");
    world.obey(0, &look, STEADY);
    let waits = world.advance(0, "A");
    assert!(matches!(waits, Directive::Wait { until, .. } if until == deadline), "{waits:?}");
}

#[test]
fn an_order_that_comes_after_the_deadline_is_refused() {
    let mut world = firing(&[("max_age: 10m", "max_age: 10h")]);
    let order = claimed(&mut world);
    world.now += run(&world).deadline.duration_since(world.time()).as_secs();
    let pending = world.act(0, &order, STEADY).unwrap();
    assert!(matches!(pending.events[..], [Event::StepRefused { .. }]), "{:?}", pending.events);
}

#[test]
fn a_target_whose_own_alert_is_over_is_left_alone() {
    let mut world = firing(&[("max: 1,", "max: 2,")]);
    world.deliver(&alert(MONITOR, TWO));
    let order = claimed(&mut world);
    world.deliver(&resolved(MONITOR, TWO, 40));
    world.obey(0, &Directive::Act { family: "ec2".to_owned(), order }, STEADY);
    until_sent(&mut world, STEADY);
    let touched: Vec<&str> = world.calls.iter().map(|call| call.target.id.as_str()).collect();
    assert_eq!(touched, [ONE]);
    assert_eq!(run(&world).rows[1].state, RowState::Refused);
}

#[test]
fn the_hand_looks_again_whether_the_alert_of_its_target_is_over() {
    let mut world = firing(&[("max: 1,", "max: 2,")]);
    world.deliver(&alert(MONITOR, TWO));
    let order = claimed(&mut world);
    world.deliver(&resolved(MONITOR, ONE, 40));
    let pending = world.act(0, &order, STEADY).unwrap();
    assert!(matches!(pending.events[..], [Event::StepRefused { .. }]), "{:?}", pending.events);
}

#[test]
fn the_kill_switch_stops_an_order_that_is_under_way() {
    let mut world = firing(&[]);
    let order = claimed(&mut world);
    world.kill(true);
    let pending = world.act(0, &order, STEADY).unwrap();
    assert!(world.commit(pending));
    world.drive_until(0, "A", STEADY, |_| false);
    ended(&world, Outcome::Held, Status::Escalated);
    assert!(world.calls.is_empty());
}

#[test]
fn a_refusal_that_comes_late_does_not_cut_the_run_short() {
    let mut world = firing(&[]);
    let order = claimed(&mut world);
    let pending = world.act(0, &order, Hand { reply: Reply::Refused, ..STEADY }).unwrap();
    assert!(world.commit(pending));
    let (call, reply) = world.reports.pop().unwrap();
    world.advance(0, "A");
    assert!(verifying(&world), "no answer was on record");
    assert!(world.report(&call, reply));
    world.drive_until(0, "A", STEADY, |_| false);
    assert_eq!(world.status(0), Status::Escalated);
    assert_ne!(run(&world).outcome(), Some(Outcome::Abandoned));
}

#[test]
fn an_incident_that_comes_back_after_a_fix_is_left_to_a_person() {
    let mut world = firing(&[]);
    until_sent(&mut world, STEADY);
    world.deliver(&resolved(MONITOR, ONE, 60));
    world.drive_until(0, "A", STEADY, |incident| incident.active_run().is_none());
    let mut again = draft(MONITOR, ONE);
    again.starts_at = world.time();
    world.now += REOPEN.as_secs() - 1;
    world.deliver(&again.seal());
    assert_eq!((world.incidents.len(), world.status(0)), (1, Status::Open));
    world.drive_until(0, "B", STEADY, |_| false);
    ended(&world, Outcome::Held, Status::Escalated);
    assert_eq!(world.calls.len(), 1, "the cooldown held");
}
