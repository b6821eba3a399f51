//! Scenarios of what bounds all runs together: budgets, the breaker, what our own actions cause, what was stopped.

use super::scenarios::{MONITOR, ONE, TWO};
use super::world::{Hand, STEADY, World};
use super::{AfterUndo, Phase, Run};
use crate::book::BookKey;
use crate::evidence::Reading;
use crate::examples::{FLAG_RUNBOOK, RUNBOOK, alert, resolved};
use crate::incident::{Command, Outcome, Status};
use crate::muting::MutedBy;
use crate::policy;
use crate::switch::{KillSwitch, SwitchReading};

const ERRORS: &str = "slow-api-errors";
const USELESS: Hand = Hand { reading: Reading::Bad, ..STEADY };

fn run(world: &World, incident: usize) -> &Run {
    world.incidents[incident].runs.last().expect("a run has begun")
}

fn for_errors(yaml: &str) -> String {
    yaml.replace("restart-slow-api", "restart-on-errors").replace(MONITOR, ERRORS)
}

/// Drives an incident to the end of its run, with evidence that the alert is over.
fn helped(world: &mut World, incident: usize, id: &str) {
    world.drive_until(incident, "A", STEADY, |incident| {
        incident.runs.last().is_some_and(|run| matches!(run.phase, Phase::Verifying { .. }))
    });
    world.deliver(&resolved(MONITOR, id, 60));
    world.drive_until(incident, "A", STEADY, |incident| incident.active_run().is_none());
    assert_eq!(run(world, incident).outcome(), Some(Outcome::Helped));
}

#[test]
fn an_alert_that_our_action_causes_rests_and_is_acted_on_once_that_is_over() {
    let without_cooldown = RUNBOOK
        .replace("cooldown: 15m", "cooldown: 1m")
        .replace("ec2.reboot\n", "ec2.reboot\n    expect: { for: 1h }\n")
        .replace("max: 2, per", "max: 9, per");
    let mut world = World::new(&[&without_cooldown, &for_errors(&without_cooldown)]);
    world.deliver(&alert(MONITOR, ONE));
    helped(&mut world, 0, ONE);
    world.now += 120;
    world.deliver(&alert(ERRORS, ONE));
    world.drive_until(1, "A", STEADY, |_| false);
    let resting = world.incidents[1].resting.clone().expect("it rests");
    assert_eq!(resting.by, MutedBy::SelfInflicted);
    assert!(resting.reason.contains("ec2.reboot of i-0abc12345"), "{}", resting.reason);
    assert_eq!((world.status(1), world.calls.len()), (Status::Open, 1), "nobody is called for it");
    assert!(!world.look_at_mutes(1), "it goes on");
    world.now = resting.until.unwrap().as_second() - 1_795_000_000;
    assert!(world.look_at_mutes(1), "it is over and still fires");
    world.deliver(&alert(ERRORS, ONE));
    world.drive_until(1, "A", STEADY, |incident| incident.active_run().is_some());
    assert_eq!(run(&world, 1).runbook.runbook.as_str(), "restart-on-errors");
}

#[test]
fn a_runbook_without_a_group_and_one_with_another_share_the_budget() {
    let plain = for_errors(RUNBOOK)
        .replace("group: \"tag:service\", max: 1, max_percent: 50, window", "max: 1, window");
    for (first, second) in [((MONITOR, ONE), (ERRORS, TWO)), ((ERRORS, ONE), (MONITOR, TWO))] {
        let mut world = World::new(&[RUNBOOK, &plain]);
        world.ungrouped = Some("restart-on-errors");
        world.deliver(&alert(first.0, first.1));
        world.deliver(&alert(second.0, second.1));
        for incident in [0, 1] {
            world.drive_until(incident, "A", STEADY, |incident| {
                incident.runs.last().is_some_and(|run| run.may_have_acted() || !run.is_active())
            });
        }
        assert_eq!(world.calls.len(), 1, "{first:?} then {second:?}");
        let because = world.incidents[1].escalated_because.clone().unwrap();
        assert!(because.contains("blast_radius: "), "{because}");
    }
}

#[test]
fn too_many_useless_runs_trip_the_breaker_which_stops_new_actions_until_it_is_reset() {
    let monitors = ["slow-a", "slow-b", "slow-c", "slow-d"];
    let ids = ["i-0aaa11111", "i-0bbb11111", "i-0ccc11111", "i-0ddd11111"];
    let runbooks = monitors
        .map(|monitor| RUNBOOK.replace("restart-slow-api", monitor).replace(MONITOR, monitor));
    let mut world = World::new(&runbooks.each_ref().map(String::as_str));
    world.policy = policy::read("breaker: { failures: 2, within: 24h }").unwrap();
    for index in 0..3 {
        world.deliver(&alert(monitors[index], ids[index]));
        world.drive_until(index, "A", USELESS, |_| false);
        world.now += 2 * 3600;
    }
    assert_eq!(run(&world, 1).outcome(), Some(Outcome::Useless));
    assert_eq!((run(&world, 2).outcome(), world.calls.len()), (Some(Outcome::Held), 2));
    let because = world.incidents[2].escalated_because.clone().unwrap();
    assert!(because.contains("breaker: tripped at"), "{because}");

    let book = world.books[&BookKey::breaker()].clone();
    let reset = book.breaker.clone().unwrap().reset("ana".into(), "found it".into(), world.time());
    world.books.insert(BookKey::breaker(), book.broken(reset.unwrap()));
    world.deliver(&alert(monitors[3], ids[3]));
    world.drive_until(3, "A", USELESS, |_| false);
    assert_eq!(world.calls.len(), 3);
}

#[test]
fn putting_back_goes_on_while_the_breaker_is_tripped() {
    let mut world = World::new(&[FLAG_RUNBOOK]);
    world.policy = policy::read("breaker: { failures: 1, within: 24h }").unwrap();
    world.deliver(&alert("checkout-errors", ONE));
    world.drive_until(0, "A", USELESS, |incident| {
        incident.runs.last().is_some_and(|run| {
            matches!(run.phase, Phase::Undoing { then: AfterUndo::NextStep, .. })
        })
    });
    let tripped = crate::breaker::Tripped { at: world.time(), because: "a drill".to_owned() };
    let breaker = crate::breaker::Breaker { tripped: Some(tripped), ..Default::default() };
    let book = world.books.get(&BookKey::breaker()).cloned().unwrap_or_default();
    world.books.insert(BookKey::breaker(), book.broken(breaker));
    world.drive_until(0, "A", USELESS, |_| false);
    assert!(world.names(0).contains(&"step.undone"));
}

#[test]
fn what_was_approved_before_everything_was_stopped_is_not_done_after_the_release() {
    let mut world = World::new(&[&RUNBOOK.replace("mode: auto", "mode: approve")]);
    world.deliver(&alert(MONITOR, ONE));
    world.drive_until(0, "A", STEADY, |incident| {
        incident.active_run().is_some_and(|run| matches!(run.phase, Phase::AwaitingApproval { .. }))
    });
    let plan_hash = run(&world, 0).plan.clone().unwrap().hash;
    world.command(0, Command::Approve { by: "ana".to_owned(), plan_hash }).unwrap();
    world.now += 60;
    world.switch = SwitchReading::Known(KillSwitch::released("bob".to_owned(), world.time()));
    world.drive_until(0, "A", STEADY, |_| false);
    assert_eq!((world.calls.len(), world.status(0)), (0, Status::Escalated));
    let because = world.incidents[0].escalated_because.clone().unwrap();
    assert!(because.contains("planned before bob released it"), "{because}");
}

#[test]
fn what_is_approved_after_the_release_is_done() {
    let mut world = World::new(&[&RUNBOOK.replace("mode: auto", "mode: approve")]);
    world.deliver(&alert(MONITOR, ONE));
    world.drive_until(0, "A", STEADY, |incident| {
        incident.active_run().is_some_and(|run| matches!(run.phase, Phase::AwaitingApproval { .. }))
    });
    world.switch = SwitchReading::Known(KillSwitch::released("bob".to_owned(), world.time()));
    world.now += 60;
    let plan_hash = run(&world, 0).plan.clone().unwrap().hash;
    world.command(0, Command::Approve { by: "ana".to_owned(), plan_hash }).unwrap();
    world.drive_until(0, "A", STEADY, |incident| {
        incident.runs.last().is_some_and(Run::may_have_acted)
    });
    assert_eq!(world.calls.len(), 1);
}
