//! Scenarios of mutes: nobody acts while one holds, nobody is called for it, and nothing is forgotten after it.

use super::scenarios::{MONITOR, ONE, TWO, ended, firing, run, until_sent};
use super::world::{REOPEN, STEADY, World};
use super::{Directive, Phase};
use crate::evidence::Reading;
use crate::examples::{RUNBOOK, alert, at, draft, resolved};
use crate::incident::{IntakeVerdict, LastHeard, Outcome, Status, expire};
use crate::matcher::Matchers;
use crate::muting::{self, Silence, SilenceDraft};
use crate::policy;

/// Silences everything of the service until then.
fn silence(world: &mut World, until: i64) {
    let draft = SilenceDraft {
        owner: "ana".to_owned(),
        reason: "known".to_owned(),
        matchers: Matchers::read("service=api").unwrap(),
        starts_at: None,
        ends_at: at(until),
        replaces: None,
    };
    let id = "sil_1".to_owned().try_into().unwrap();
    let silence = Silence::new(draft, id, world.time()).unwrap();
    world.silences = muting::Reading::Known(vec![silence]);
}

/// A world whose one alert came while it was silenced.
pub(super) fn silenced(until: i64) -> World {
    let mut world = World::new(&[RUNBOOK]);
    silence(&mut world, until);
    let verdict = world.deliver(&alert(MONITOR, ONE));
    assert_eq!(verdict, IntakeVerdict::Suppressed);
    world
}

fn done(directive: &Directive) -> &str {
    let Directive::Done { reason, .. } = directive else { panic!("{directive:?}") };
    reason
}

#[test]
fn a_silenced_alert_waits_and_is_acted_on_when_the_silence_ends() {
    let mut world = silenced(60);
    assert_eq!(world.status(0), Status::Suppressed);
    let directive = world.advance(0, "A");
    assert!(done(&directive).contains("silenced by ana (sil_1): known"));
    world.now = 59;
    assert!(!world.look_at_mutes(0), "nothing ended yet");
    world.now = 60;
    assert!(world.look_at_mutes(0) && !world.look_at_mutes(0));
    assert_eq!(
        world.names(0),
        ["incident.opened", "alert.fired", "incident.suppressed", "incident.unmuted"]
    );
    until_sent(&mut world, STEADY);
    assert_eq!(world.calls.len(), 1);
}

#[test]
fn what_was_silenced_for_longer_than_it_may_be_old_calls_a_person_instead() {
    let mut world = silenced(601);
    world.now = 601;
    assert!(world.look_at_mutes(0));
    world.drive_until(0, "A", STEADY, |_| false);
    assert!(world.calls.is_empty());
    ended(&world, Outcome::Held, Status::Escalated);
}

#[test]
fn a_silence_that_comes_while_the_group_settles_holds_the_run_and_calls_nobody() {
    let mut world = firing(&[]);
    world.advance(0, "A");
    silence(&mut world, 300);
    let directive = world.drive_until(0, "A", STEADY, |_| false);
    assert!(done(&directive).contains("nothing is done for now"));
    ended(&world, Outcome::Held, Status::Open);
    assert!(world.calls.is_empty());
    assert!(!world.names(0).contains(&"incident.escalated"));

    assert!(world.look_at_mutes(0));
    assert_eq!(world.status(0), Status::Suppressed);
    world.now = 300;
    assert!(world.look_at_mutes(0));
    until_sent(&mut world, STEADY);
    assert_eq!((world.calls.len(), run(&world).number), (1, 2));
}

#[test]
fn silences_that_cannot_be_read_hold_the_run_and_call_a_person() {
    let mut world = firing(&[]);
    world.silences = muting::Reading::Unreadable("the store is away".to_owned());
    world.drive_until(0, "A", STEADY, |_| false);
    ended(&world, Outcome::Held, Status::Escalated);
    assert!(world.calls.is_empty());
    assert!(world.incidents[0].resting.is_none());
}

#[test]
fn a_silence_after_the_call_leaves_the_verification_alone() {
    let mut world = firing(&[]);
    until_sent(&mut world, STEADY);
    silence(&mut world, 3000);
    world.deliver(&resolved(MONITOR, ONE, 60));
    world.drive_until(0, "A", STEADY, |_| false);
    ended(&world, Outcome::Helped, Status::Closed);
}

#[test]
fn a_child_rests_until_its_parent_is_well_and_is_then_considered_again() {
    let mut world = World::new(&[RUNBOOK]);
    world.policy = policy::read("services: {api: {depends_on: [db]}}").unwrap();
    let mut parent = draft("disk-full", TWO);
    parent.service = Some("db".to_owned());
    world.deliver(&parent.clone().seal());
    assert_eq!(world.deliver(&alert(MONITOR, ONE)), IntakeVerdict::Opened, "it is told");
    assert_eq!(world.incidents[1].parent.as_ref().unwrap().service, "db");
    let directive = world.drive_until(1, "A", STEADY, |_| false);
    assert!(done(&directive).contains("depends on db"), "{directive:?}");
    assert!(world.incidents[1].resting.is_some() && !world.look_at_mutes(1));

    parent.status = crate::alert::AlertStatus::Resolved;
    parent.ends_at = Some(at(30));
    world.deliver(&parent.seal());
    assert!(world.look_at_mutes(1));
    world.drive_until(1, "A", STEADY, |incident| {
        incident.runs.last().is_some_and(|run| matches!(run.phase, Phase::Verifying { .. }))
    });
    assert_eq!(world.calls.len(), 1);
}

#[test]
fn a_flapping_alert_is_said_once_and_not_acted_on() {
    let mut world = World::new(&[RUNBOOK]);
    world.policy = policy::read("flapping: {window: 10m, start: 4, stop: 1}").unwrap();
    let mut said = Vec::new();
    for turn in 0..4 {
        world.now = turn * 20;
        let mut fires = draft(MONITOR, ONE);
        fires.starts_at = world.time();
        said.push(world.deliver(&fires.seal()));
        world.now += 10;
        if turn < 3 {
            world.deliver(&resolved(MONITOR, ONE, world.now));
        }
    }
    assert_eq!(said.last(), Some(&IntakeVerdict::Suppressed));
    let names = world.names(0);
    assert_eq!(names.iter().filter(|name| **name == "alert.flapping").count(), 1, "{names:?}");
    world.drive_until(0, "A", STEADY, |_| false);
    assert!(world.calls.is_empty());
    assert_eq!(world.status(0), Status::Suppressed);
    world.now += 600;
    assert!(world.look_at_mutes(0), "it settled while it fires: people hear of it");
    assert_eq!(world.status(0), Status::Open);
}

#[test]
fn an_alert_that_expired_is_no_evidence_that_the_action_helped() {
    let mut world = firing(&[]);
    world.policy = policy::read("expiry: {after: 2m}").unwrap();
    until_sent(&mut world, STEADY);
    world.now = 120;
    let expired = expire(&world.incidents[0], &LastHeard::new(), &world.policy, world.time());
    assert!(world.write(0, expired));
    assert!(!world.incidents[0].is_firing());
    world.drive_until(0, "A", STEADY, |_| false);
    ended(&world, Outcome::Useless, Status::Closed);
    let unsure = run(&world).evidence.iter().find(|reading| reading.signal == "alert_resolved");
    assert_eq!(unsure.unwrap().reading, Reading::Unreadable);
    assert!(world.now > REOPEN.as_secs());
}
