//! Scenarios of approvals: who may say yes, how many must, and what makes a yes worthless.

use proptest::prelude::*;

use super::scenarios::{MONITOR, ONE, TWO, ended, firing, run, until_sent};
use super::world::{Hand, STEADY, Sight, World};
use super::{Directive, Phase, Takeover};
use crate::examples::alert;
use crate::incident::{Command, Event, Outcome, Refusal, Status};

const ASKS: (&str, &str) = ("mode: auto", "mode: approve");

/// Drives until a person is asked; the hash of the plan that waits.
fn asked(world: &mut World, hand: Hand) -> String {
    let directive = world.drive_until(0, "A", hand, |incident| {
        let phase = incident.active_run().map(|run| &run.phase);
        matches!(phase, Some(Phase::AwaitingApproval { .. }))
    });
    match directive {
        Directive::Approve { plan_hash, .. } => plan_hash,
        Directive::Act { .. } | Directive::Wait { .. } | Directive::Done { .. } => {
            panic!("{directive:?}")
        }
    }
}

fn approve(world: &mut World, by: &str, plan_hash: &str) -> Result<(), Refusal> {
    let (by, plan_hash) = (by.to_owned(), plan_hash.to_owned());
    world.command(0, Command::Approve { by, plan_hash })
}

fn two_of_three() -> World {
    firing(&[("mode: auto", "mode: approve\napprovals: { of: 2, from: [ann, bob, cleo] }")])
}

#[test]
fn two_different_people_must_say_yes() {
    let mut world = two_of_three();
    let plan = asked(&mut world, STEADY);
    assert_eq!(approve(&mut world, "ann", &plan), Ok(()));
    assert!(matches!(approve(&mut world, " Ann", &plan), Err(Refusal::Already(_))));
    assert!(matches!(approve(&mut world, "dora", &plan), Err(Refusal::NotAsked { .. })));
    assert_eq!(asked(&mut world, STEADY), plan, "one yes is not enough");
    assert_eq!(approve(&mut world, "bob", &plan), Ok(()));
    assert_eq!(run(&world).approved_by.as_deref(), Some("ann and bob"));
    assert_eq!(approve(&mut world, "cleo", &plan), Err(Refusal::NoSuchApproval), "it is used up");
    until_sent(&mut world, STEADY);
    assert_eq!(world.calls.len(), 1);
}

#[test]
fn one_no_ends_it_whoever_said_yes() {
    let mut world = two_of_three();
    let plan_hash = asked(&mut world, STEADY);
    assert_eq!(approve(&mut world, "ann", &plan_hash), Ok(()));
    let (by, reason) = ("dora".to_owned(), "it is being deployed".to_owned());
    let no = Command::Reject { by, plan_hash: plan_hash.clone(), reason };
    assert_eq!(world.command(0, no), Ok(()));
    assert_eq!(approve(&mut world, "bob", &plan_hash), Err(Refusal::NoSuchApproval));
    world.drive_until(0, "A", STEADY, |_| false);
    ended(&world, Outcome::Held, Status::Escalated);
    assert!(world.calls.is_empty());
}

#[test]
fn a_group_that_changed_its_size_voids_the_yes_and_asks_again() {
    let mut world = firing(&[ASKS]);
    let before = asked(&mut world, STEADY);
    assert_eq!(approve(&mut world, "ann", &before), Ok(()));
    world.members = 8;
    let after = asked(&mut world, STEADY);
    assert_ne!(before, after);
    let voided = world.events[0].iter().find_map(|recorded| {
        let Event::ApprovalVoided { reason, .. } = &recorded.event else { return None };
        Some(reason.clone())
    });
    assert!(voided.as_ref().is_some_and(|why| why.contains("group of")), "{voided:?}");
    assert!(world.calls.is_empty());
    assert_eq!(approve(&mut world, "ann", &before), Err(Refusal::NoSuchApproval));
    assert_eq!(approve(&mut world, "ann", &after), Ok(()));
    until_sent(&mut world, STEADY);
    assert_eq!(world.calls.len(), 1);
}

#[test]
fn a_target_that_was_replaced_needs_a_new_yes() {
    let mut world = firing(&[ASKS]);
    let before = asked(&mut world, STEADY);
    assert_eq!(approve(&mut world, "ann", &before), Ok(()));
    let replaced = Hand { sight: Sight::Replaced, ..STEADY };
    let after = asked(&mut world, replaced);
    assert_ne!(before, after);
    assert_eq!(approve(&mut world, "ann", &after), Ok(()));
    until_sent(&mut world, replaced);
    assert_eq!(world.calls.len(), 1);
}

#[test]
fn an_alert_of_another_target_voids_what_waits() {
    let mut world = firing(&[ASKS, ("max: 1,", "max: 2,")]);
    let before = asked(&mut world, STEADY);
    world.deliver(&alert(MONITOR, TWO));
    world.advance(0, "A");
    assert!(world.names(0).contains(&"approval.voided"));
    let after = asked(&mut world, STEADY);
    assert_ne!(before, after);
    assert_eq!(run(&world).rows.len(), 2);
    assert_eq!(approve(&mut world, "ann", &before), Err(Refusal::NoSuchApproval));
}

#[test]
fn a_guard_that_holds_by_now_ends_it_although_everybody_said_yes() {
    let mut world = firing(&[ASKS]);
    let plan = asked(&mut world, STEADY);
    assert_eq!(approve(&mut world, "ann", &plan), Ok(()));
    world.kill(true);
    world.drive_until(0, "A", STEADY, |_| false);
    ended(&world, Outcome::Held, Status::Escalated);
    assert!(world.calls.is_empty());
}

#[test]
fn who_asked_for_the_run_does_not_approve_it() {
    let mut world = firing(&[ASKS]);
    let (mut begun, _) = world.ask(0, "A", Takeover::Respect);
    for event in &mut begun.events {
        if let Event::RunStarted { requested_by, .. } = event {
            *requested_by = Some("Ann".to_owned());
        }
    }
    assert!(world.commit(begun));
    let plan = asked(&mut world, STEADY);
    assert_eq!(approve(&mut world, "ann", &plan), Err(Refusal::OwnRequest("ann".to_owned())));
    assert_eq!(approve(&mut world, "bob", &plan), Ok(()));
    until_sent(&mut world, STEADY);
    assert_eq!(world.calls.len(), 1);
}

/// What may happen while a plan waits.
#[derive(Debug, Clone, Copy)]
enum Happens {
    Yes(usize),
    /// A yes to the plan that was asked for first.
    LateYes(usize),
    No,
    Time(i64),
    Grows,
    Replaced,
    Fires,
}

const PEOPLE: &[&str] = &["ann", "ANN", "bob", "cleo", "dora"];

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => (0..PEOPLE.len()).prop_map(Happens::Yes),
        2 => (0..PEOPLE.len()).prop_map(Happens::LateYes),
        1 => Just(Happens::No),
        2 => (1i64..400).prop_map(Happens::Time),
        1 => Just(Happens::Grows),
        1 => Just(Happens::Replaced),
        1 => Just(Happens::Fires),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    /// No call without as many different people as are asked having said yes to the very plan that is carried
    /// out, after the last change of anything that it rests on.
    #[test]
    fn nothing_is_done_that_was_not_approved(of in 1u32..=3, story in prop::collection::vec(happens(), 0..14)) {
        let asks = format!("mode: approve\napprovals: {{ of: {of}, from: [ann, bob, cleo] }}");
        let mut world = firing(&[("mode: auto", &asks), ("max: 1,", "max: 2,")]);
        let first = asked(&mut world, STEADY);
        let mut hand = STEADY;
        for what in story {
            let waits = world.incidents[0].active_run().and_then(|run| {
                let Phase::AwaitingApproval { plan_hash, .. } = &run.phase else { return None };
                Some(plan_hash.clone())
            });
            match what {
                Happens::Yes(who) => {
                    drop(approve(&mut world, PEOPLE[who], &waits.unwrap_or_default()));
                }
                Happens::LateYes(who) => drop(approve(&mut world, PEOPLE[who], &first)),
                Happens::No => {
                    let (by, reason) = ("dora".to_owned(), "no".to_owned());
                    let plan_hash = waits.unwrap_or_default();
                    drop(world.command(0, Command::Reject { by, plan_hash, reason }));
                }
                Happens::Time(seconds) => world.now += seconds,
                Happens::Grows => world.members += 2,
                Happens::Replaced => hand = Hand { sight: Sight::Replaced, ..STEADY },
                Happens::Fires => drop(world.deliver(&alert(MONITOR, TWO))),
            }
            let directive = world.advance(0, "A");
            if let Directive::Act { .. } = directive {
                world.obey(0, &directive, hand);
            }
        }
        let Some(sent) = world.events[0].iter().position(|recorded| recorded.event.name() == "step.sent")
        else {
            prop_assert!(world.calls.is_empty());
            return Ok(());
        };
        let mut voices = std::collections::BTreeSet::new();
        let mut plan = None;
        for recorded in &world.events[0][..sent] {
            prop_assert_ne!(recorded.event.name(), "approval.rejected");
            if let Event::Planned { plan: made, .. } = &recorded.event
                && plan.as_ref() != Some(&made.hash)
            {
                voices.clear();
                plan = Some(made.hash.clone());
            }
            if let Event::ApprovalGranted { by, plan_hash, .. } = &recorded.event {
                prop_assert_eq!(Some(plan_hash), plan.as_ref());
                voices.insert(by.to_lowercase());
            }
        }
        prop_assert!(voices.len() >= of as usize, "{voices:?}");
        prop_assert!(voices.iter().all(|name| ["ann", "bob", "cleo"].contains(&name.as_str())));
        prop_assert!([ONE, TWO].contains(&world.calls[0].target.id.as_str()));
    }
}
