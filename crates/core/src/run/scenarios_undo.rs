//! Scenarios of changes that can be put back: after a while, after harm, when useless, and when it fails.

use super::scenarios::{run, until_sent};
use super::world::{Hand, Reply, STEADY, World};
use super::{Directive, Phase};
use crate::book::BookKey;
use crate::evidence::Reading;
use crate::examples::{FLAG_RUNBOOK, alert, resolved};
use crate::incident::{Incident, Outcome, Status};
use crate::ledger::RowState;

const MONITOR: &str = "checkout-errors";
const ONE: &str = "i-0abc12345";

fn firing(change: (&str, &str)) -> World {
    assert!(FLAG_RUNBOOK.contains(change.0), "{}", change.0);
    let mut world = World::new(&[&FLAG_RUNBOOK.replace(change.0, change.1)]);
    world.deliver(&alert(MONITOR, ONE));
    world
}

fn plain() -> World {
    firing(("", ""))
}

const BLIND: Hand = Hand { reading: Reading::Bad, ..STEADY };
const WORSE: Hand = Hand { reading: Reading::Worse, ..STEADY };

#[track_caller]
fn ended(world: &World, outcome: Outcome, status: Status, row: RowState) {
    let ends = (run(world).outcome(), world.status(0), run(world).rows[0].state);
    assert_eq!(ends, (Some(outcome), status, row), "{:#?}", run(world).phase);
}

#[test]
fn a_change_that_helped_is_kept_a_while_and_then_put_back() {
    let mut world = plain();
    until_sent(&mut world, STEADY);
    world.deliver(&resolved(MONITOR, ONE, 5));
    world.drive_until(0, "A", STEADY, |incident| incident.status == Status::Resolved);
    assert!(matches!(run(&world).phase, Phase::Kept { .. }), "resolved, and not put back yet");
    let kept_from = world.now;
    world.drive_until(0, "A", STEADY, |incident| incident.active_run().is_none());
    ended(&world, Outcome::Helped, Status::Resolved, RowState::Undone);
    assert_eq!(world.now - kept_from, 30);
}

#[test]
fn a_change_without_undo_after_stays() {
    let mut world = firing(("    undo_after: 30s\n", ""));
    until_sent(&mut world, STEADY);
    world.deliver(&resolved(MONITOR, ONE, 5));
    world.drive_until(0, "A", STEADY, |incident| incident.active_run().is_none());
    ended(&world, Outcome::Helped, Status::Resolved, RowState::Verified);
}

#[test]
fn harm_is_put_back_at_once_and_escalated() {
    let mut world = plain();
    until_sent(&mut world, STEADY);
    world.drive_until(0, "A", WORSE, |_| false);
    ended(&world, Outcome::Harmful, Status::Escalated, RowState::Undone);
    assert!(world.names(0).contains(&"step.harmful"));
}

#[test]
fn harm_is_told_even_when_the_alert_is_over() {
    let mut world = plain();
    until_sent(&mut world, STEADY);
    world.deliver(&resolved(MONITOR, ONE, 5));
    world.drive_until(0, "A", WORSE, |_| false);
    ended(&world, Outcome::Harmful, Status::Escalated, RowState::Undone);
}

#[test]
fn a_useless_change_is_put_back() {
    let mut world = plain();
    world.drive_until(0, "A", BLIND, |_| false);
    ended(&world, Outcome::Useless, Status::Escalated, RowState::Undone);
}

#[test]
fn an_unknown_change_that_was_useless_is_put_back_too() {
    let mut world = plain();
    let lost = Hand { reply: Reply::Lost { effect: true }, ..BLIND };
    world.drive_until(0, "A", lost, |_| false);
    ended(&world, Outcome::Useless, Status::Escalated, RowState::Undone);
}

#[test]
fn putting_back_goes_on_while_the_kill_switch_is_engaged() {
    let mut world = plain();
    until_sent(&mut world, STEADY);
    world.kill(true);
    world.drive_until(0, "A", WORSE, |_| false);
    ended(&world, Outcome::Harmful, Status::Escalated, RowState::Undone);
}

#[test]
fn an_undo_that_fails_is_told_to_a_person() {
    let mut world = plain();
    until_sent(&mut world, STEADY);
    world.deliver(&resolved(MONITOR, ONE, 5));
    world.drive_until(0, "A", Hand { undo_works: false, ..STEADY }, |_| false);
    ended(&world, Outcome::Harmful, Status::Escalated, RowState::Stuck);
    assert!(world.incidents[0].escalated_because.as_ref().unwrap().contains("undo failed"));
}

#[test]
fn one_undo_that_fails_does_not_stop_the_others() {
    for helped in [true, false] {
        let mut world = two_flags();
        until_sent(&mut world, STEADY);
        assert_eq!(world.calls.len(), 2);
        if helped {
            world.deliver(&resolved(MONITOR, ONE, 5));
            world.deliver(&resolved(MONITOR, "i-0def12345", 5));
        }
        let reading = if helped { Reading::Good } else { Reading::Worse };
        let stuck = Hand { undo_works: false, reading, ..STEADY };
        world.drive_until(0, "A", stuck, |incident| {
            incident.runs[0].rows.iter().any(|row| row.state == RowState::Stuck)
        });
        world.drive_until(0, "A", STEADY, |_| false);
        let mut states: Vec<RowState> = run(&world).rows.iter().map(|row| row.state).collect();
        states.sort_by_key(|state| *state == RowState::Stuck);
        assert_eq!(states, [RowState::Undone, RowState::Stuck], "helped: {helped}");
        assert_eq!(world.status(0), Status::Escalated);
    }
}

/// One incident with two flags that are both set.
fn two_flags() -> World {
    let yaml =
        FLAG_RUNBOOK.replace("steps:", "guards: { blast_radius: { max: 2 } }\nsteps:").replace(
            "alert.annotations.flag",
            "alert.annotations.flag + '/' + alert.labels.instance_id",
        );
    let mut world = World::new(&[&yaml]);
    world.deliver(&alert(MONITOR, ONE));
    world.deliver(&alert(MONITOR, "i-0def12345"));
    world
}

#[test]
fn a_refusal_that_comes_late_leaves_nothing_to_put_back() {
    let mut world = plain();
    let directive = world.drive_until(0, "A", STEADY, |incident| {
        incident.runs.iter().any(|run| run.rows.iter().any(|row| row.state == RowState::Claimed))
    });
    let Directive::Act { order, .. } = directive else { panic!("{directive:?}") };
    let pending = world.act(0, &order, Hand { reply: Reply::Refused, ..BLIND }).unwrap();
    assert!(world.commit(pending));
    let (call, reply) = world.reports.pop().unwrap();
    world.advance(0, "A");
    assert!(world.report(&call, reply));
    world.drive_until(0, "A", BLIND, |_| false);
    ended(&world, Outcome::Useless, Status::Escalated, RowState::Refused);
}

#[test]
fn putting_back_is_late_at_worst_and_never_skipped_by_its_driver() {
    let mut world = plain();
    until_sent(&mut world, STEADY);
    world.deliver(&resolved(MONITOR, ONE, 5));
    world.drive_until(0, "A", STEADY, |incident| incident.status == Status::Resolved);
    world.now += 24 * 3600;
    world.drive_until(0, "A", STEADY, |incident| incident.active_run().is_none());
    ended(&world, Outcome::Helped, Status::Closed, RowState::Undone);
}

#[test]
fn an_alert_that_comes_back_while_the_change_is_kept_waits_for_the_end_of_the_run() {
    let mut world = plain();
    until_sent(&mut world, STEADY);
    world.deliver(&resolved(MONITOR, ONE, 5));
    world.drive_until(0, "A", STEADY, |incident| incident.status == Status::Resolved);
    let mut again = crate::examples::draft(MONITOR, ONE);
    again.starts_at = world.time();
    world.deliver(&again.seal());
    assert_eq!((world.incidents.len(), world.status(0)), (1, Status::Open));
    world.drive_until(0, "A", STEADY, |_| false);
    assert_eq!(world.incidents[0].runs.len(), 2);
    assert_eq!(run(&world).outcome(), Some(Outcome::Held), "the cooldown holds the second run");
    assert_eq!((world.calls.len(), world.status(0)), (1, Status::Escalated));
}

#[test]
fn a_harmful_change_is_undone_under_the_lock_that_it_was_made_under() {
    let mut world = plain();
    until_sent(&mut world, STEADY);
    let undoing = |incident: &Incident| {
        let phase = incident.active_run().map(|run| &run.phase);
        matches!(phase, Some(Phase::Undoing { .. }))
    };
    world.drive_until(0, "A", WORSE, undoing);
    let target = run(&world).rows[0].planned.target.clone();
    let key = BookKey::target(&target);
    let held =
        |world: &World| world.books[&key].lock.as_ref().is_some_and(|lock| lock.holder.run == 1);
    assert!(held(&world), "nobody else may touch it while it is put back");
    world.drive_until(0, "A", STEADY, |incident| incident.active_run().is_none());
    assert!(!held(&world));
    ended(&world, Outcome::Harmful, Status::Escalated, RowState::Undone);
}
