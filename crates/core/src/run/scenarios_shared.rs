//! Scenarios of two incidents that mean the same target or the same group.

use super::scenarios::{MONITOR, ONE, TWO};
use super::world::{Hand, Reply, STEADY, World};
use super::{Directive, Order, Run};
use crate::examples::{RUNBOOK, alert, resolved};
use crate::incident::{Event, Outcome, Status};

const ERRORS: &str = "slow-api-errors";
const THREE: &str = "i-0fff12345";

/// Two rules with one runbook each; both runbooks reboot the instance that the alert names.
fn world(changes: &[(&str, &str)]) -> World {
    let data = changes.iter().fold(RUNBOOK.to_owned(), |yaml, (from, to)| {
        assert!(yaml.contains(from), "{from}");
        yaml.replace(from, to)
    });
    let errors = data.replace("restart-slow-api", "restart-on-errors").replace(MONITOR, ERRORS);
    World::new(&[&data, &errors])
}

fn run(world: &World, incident: usize) -> &Run {
    world.incidents[incident].runs.last().expect("a run has begun")
}

/// Drives an incident as far as the order for its first call.
fn claim(world: &mut World, incident: usize) -> Option<Order> {
    let directive = world.drive_until(incident, "A", STEADY, |incident| {
        let last = incident.runs.last();
        last.is_some_and(|run| run.rows.iter().any(|row| row.fence > 0) || !run.is_active())
    });
    if let Directive::Act { order, .. } = directive { Some(order) } else { None }
}

#[track_caller]
fn held_by(world: &World, incident: usize, guard: &str) {
    let (outcome, status) = (run(world, incident).outcome(), world.status(incident));
    assert_eq!((outcome, status), (Some(Outcome::Held), Status::Escalated));
    let because = world.incidents[incident].escalated_because.clone().unwrap();
    assert!(because.contains(&format!("{guard}: ")), "{because}");
}

#[test]
fn one_target_is_not_acted_on_by_two_incidents() {
    let mut world = world(&[]);
    world.deliver(&alert(MONITOR, ONE));
    world.deliver(&alert(ERRORS, ONE));
    assert!(claim(&mut world, 0).is_some());
    assert!(claim(&mut world, 1).is_none());
    held_by(&world, 1, "lock");
}

#[test]
fn of_two_claims_at_one_moment_only_one_is_written() {
    let mut world = world(&[]);
    for monitor in [MONITOR, ERRORS] {
        world.deliver(&alert(monitor, ONE));
    }
    for incident in [0, 1] {
        world.drive_until(incident, "A", STEADY, |incident| {
            incident.runs.last().is_some_and(|run| !run.observations.is_empty())
        });
    }
    let ask = |world: &World, incident| world.ask(incident, "A", super::Takeover::Respect).0;
    let (one, other) = (ask(&world, 0), ask(&world, 1));
    let claims = |events: &[Event]| events.iter().any(|e| matches!(e, Event::StepClaimed { .. }));
    assert!(claims(&one.events) && claims(&other.events), "both found the target free");
    assert!(world.commit(one));
    assert!(!world.commit(other), "the book was written meanwhile");
    world.drive_until(1, "A", STEADY, |_| false);
    held_by(&world, 1, "lock");
}

#[test]
fn two_incidents_share_the_budget_of_their_group() {
    let mut world = world(&[]);
    world.deliver(&alert(MONITOR, ONE));
    world.deliver(&alert(ERRORS, TWO));
    assert!(claim(&mut world, 0).is_some());
    assert!(claim(&mut world, 1).is_none());
    held_by(&world, 1, "blast_radius");
}

#[test]
fn what_another_incident_took_of_the_budget_is_seen_before_the_next_target() {
    let mut world = world(&[("max: 1,", "max: 2,")]);
    world.deliver(&alert(MONITOR, ONE));
    world.deliver(&alert(MONITOR, TWO));
    world.deliver(&alert(ERRORS, THREE));
    let order = claim(&mut world, 0).expect("there is room for two");
    claim(&mut world, 1).expect("one of two is taken");
    world.obey(0, &Directive::Act { family: "ec2".to_owned(), order }, STEADY);
    world.drive_until(0, "A", STEADY, |_| false);
    let refused = run(&world, 0).rows[1].receipt.clone().unwrap();
    assert!(refused.contains("blast_radius: "), "{refused}");
    assert_eq!(world.calls.len(), 1);
}

#[test]
fn a_target_that_was_just_acted_on_is_left_alone_for_a_while() {
    let mut world =
        world(&[("  - action: ec2.reboot", "  - action: ec2.reboot\n    expect: { for: 0s }")]);
    world.deliver(&alert(MONITOR, ONE));
    world.drive_until(0, "A", STEADY, |incident| incident.version >= 9);
    world.deliver(&resolved(MONITOR, ONE, 60));
    world.drive_until(0, "A", STEADY, |incident| incident.active_run().is_none());
    assert_eq!(run(&world, 0).outcome(), Some(Outcome::Helped));
    world.deliver(&alert(ERRORS, ONE));
    world.drive_until(1, "A", STEADY, |_| false);
    held_by(&world, 1, "cooldown");
    assert_eq!(world.calls.len(), 1);
}

#[test]
fn a_target_that_was_acted_on_too_often_is_left_to_a_person() {
    let mut world = world(&[("cooldown: 15m", "cooldown: 0s"), ("max: 2, per", "max: 1, per")]);
    world.deliver(&alert(MONITOR, ONE));
    world.drive_until(0, "A", STEADY, |_| false);
    assert_eq!(run(&world, 0).outcome(), Some(Outcome::Useless));
    world.deliver(&alert(ERRORS, ONE));
    world.drive_until(1, "A", STEADY, |_| false);
    held_by(&world, 1, "attempts");
    assert_eq!(world.calls.len(), 1);
}

#[test]
fn a_call_that_was_judged_just_before_the_deadline_has_the_target_for_itself() {
    let mut world = world(&[("cooldown: 15m", "cooldown: 0s"), ("max_age: 10m", "max_age: 10h")]);
    world.deliver(&alert(MONITOR, ONE));
    let order = claim(&mut world, 0).unwrap();
    let left = run(&world, 0).deadline.duration_since(world.time()).as_secs();
    world.now += left - 31;
    world.deliver(&alert(ERRORS, ONE));
    world.advance(1, "A");
    world.now += 30;
    let sending = world.act(0, &order, STEADY).unwrap();
    world.now += 31;
    world.drive_until(1, "A", STEADY, |_| false);
    held_by(&world, 1, "lock");
    assert!(world.commit(sending), "slow, and still alone with the target");
}

/// Found by the model check: the worker died while its call was under way, and the run ended without it.
#[test]
fn a_target_stays_locked_while_a_call_that_nobody_answered_may_be_under_way() {
    let quick = "within: 5m, stable_for: 1m, all: [alert_resolved, ec2.status_ok]";
    let changes = [
        ("cooldown: 15m", "cooldown: 0s"),
        ("max: 1, max_percent: 50", "max: 4"),
        (quick, "within: 1s, fresh_after: 0s, all: [alert_resolved, ec2.status_ok]"),
        ("  - action: ec2.reboot", "  - action: ec2.reboot\n    expect: { for: 0s }"),
    ];
    for (reply, free) in [(Reply::CrashAfterCall, false), (Reply::Confirmed, true)] {
        let mut world = world(&changes);
        world.deliver(&alert(MONITOR, ONE));
        let hand = Hand { reply, ..STEADY };
        world.drive_until(0, "A", hand, |incident| {
            incident.active_run().is_none_or(Run::may_have_acted)
        });
        world.drive_until(0, "A", hand, |incident| {
            !incident.runs.is_empty() && incident.active_run().is_none()
        });
        assert_eq!(run(&world, 0).outcome(), Some(Outcome::Useless));
        world.deliver(&alert(ERRORS, ONE));
        assert_eq!(claim(&mut world, 1).is_some(), free, "{reply:?}");
        if !free {
            held_by(&world, 1, "lock");
        }
    }
}
