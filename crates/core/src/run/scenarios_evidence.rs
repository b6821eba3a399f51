//! Scenarios of what counts as evidence, from when on, and for how long it must last.

use super::scenarios::{MONITOR, ONE, TWO, TWO_STEPS, ended, firing, run, until_sent};
use super::world::{Hand, Reply, STEADY, World};
use super::{Order, Phase, Work};
use crate::evidence::Reading;
use crate::examples::{alert, at, resolved};
use crate::incident::{Event, Outcome, Status};
use crate::ledger::RowState;

#[test]
fn evidence_that_may_be_older_than_the_action_does_not_count() {
    let mut world = firing(&[]);
    until_sent(&mut world, STEADY);
    let sent_at = run(&world).rows[0].sent_at.unwrap();
    world.deliver(&resolved(MONITOR, ONE, 31));
    let mut streak_from = None;
    world.drive_until(0, "A", STEADY, |incident| incident.active_run().is_none());
    for recorded in &world.events[0] {
        if let Event::StepVerified { .. } = recorded.event {
            streak_from = Some(recorded.at);
        }
    }
    let verified = streak_from.expect("it helped in the end").duration_since(sent_at);
    assert!(verified.as_secs() >= 120 + 60, "verified after {verified:#}");
}

#[test]
fn a_bad_look_inside_the_lag_is_no_harm() {
    let mut world = firing(&[]);
    until_sent(&mut world, STEADY);
    world.deliver(&resolved(MONITOR, ONE, 31));
    let restarting = Hand { reading: Reading::Worse, ..STEADY };
    world.drive_until(0, "A", restarting, |incident| incident.updated_at >= at(30 + 100));
    world.drive_until(0, "A", STEADY, |incident| incident.active_run().is_none());
    ended(&world, Outcome::Helped, Status::Resolved);
}

#[test]
fn a_broken_streak_begins_anew() {
    let mut world = firing(&[]);
    until_sent(&mut world, STEADY);
    world.deliver(&resolved(MONITOR, ONE, 31));
    let good_since = |world: &World| {
        let Phase::Verifying { good_since, .. } = run(world).phase else { return None };
        good_since
    };
    world.drive_until(0, "A", STEADY, |incident| {
        matches!(incident.runs[0].phase, Phase::Verifying { good_since: Some(_), .. })
    });
    let first = good_since(&world);
    let bad = Hand { reading: Reading::Bad, ..STEADY };
    world.drive_until(0, "A", bad, |incident| {
        matches!(incident.runs[0].phase, Phase::Verifying { good_since: None, .. })
    });
    world.drive_until(0, "A", STEADY, |incident| {
        matches!(incident.runs[0].phase, Phase::Verifying { good_since: Some(_), .. })
    });
    assert!(good_since(&world) > first);
    let streak = good_since(&world).unwrap();
    world.drive_until(0, "A", STEADY, |incident| incident.active_run().is_none());
    assert!(
        world.incidents[0].resolved_at.unwrap()
            >= streak + run(&world).runbook.steps[0].verify.stable_for
    );
    ended(&world, Outcome::Helped, Status::Resolved);
}

#[test]
fn every_target_must_be_seen_to_be_good() {
    let mut world = firing(&[("max: 1,", "max: 2,")]);
    world.deliver(&alert(MONITOR, TWO));
    until_sent(&mut world, STEADY);
    assert_eq!(world.calls.len(), 2);
    world.deliver(&resolved(MONITOR, ONE, 60));
    world.deliver(&resolved(MONITOR, TWO, 60));
    world.now += 200;
    let order = Order { run: 1, work: Work::Check { step: 0 } };
    let mut looked = world.act(0, &order, STEADY).unwrap();
    let Event::StepChecked { evidence, .. } = &mut looked.events[0] else { panic!("no look") };
    evidence.retain(|seen| seen.target.as_ref().is_none_or(|target| target.id == ONE));
    assert!(world.commit(looked));
    assert!(matches!(run(&world).phase, Phase::Verifying { good_since: None, .. }));
}

#[test]
fn a_look_at_another_step_is_not_taken_in() {
    let mut world = firing(&[TWO_STEPS]);
    until_sent(&mut world, STEADY);
    let stray = Event::StepChecked { run: 1, step: 1, evidence: Vec::new() };
    let state = world.incidents[0].clone();
    let recorded = crate::incident::Recorded {
        incident: state.id.clone(),
        seq: state.version + 1,
        at: world.time(),
        event: stray,
        prev: None,
    };
    assert!(state.apply(&recorded).is_err());
}

#[test]
fn a_lost_reply_is_settled_by_evidence_and_never_by_a_second_call() {
    for effect in [true, false] {
        for reply in [Reply::Lost { effect }, Reply::CrashBeforeCall, Reply::CrashAfterCall] {
            let mut world = firing(&[]);
            until_sent(&mut world, Hand { reply, ..STEADY });
            assert_eq!(run(&world).rows[0].state, RowState::Unknown);
            world.deliver(&resolved(MONITOR, ONE, 60));
            world.drive_until(0, "A", STEADY, |incident| incident.active_run().is_none());
            ended(&world, Outcome::Helped, Status::Resolved);
            assert_eq!(run(&world).rows[0].state, RowState::Verified);
            assert_eq!(world.calls.len(), usize::from(reply != Reply::CrashBeforeCall));
        }
    }
}
