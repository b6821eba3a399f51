//! Properties of the whole machine under random deliveries, drivers, hands, people, crashes and delays.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::chaos::{Held, Op, Shape, hand, op, play, shape, world};
use super::world::{Hand, Pending, STEADY, World};
use super::{Directive, Phase, Run};
use crate::book::{Book, BookKey};
use crate::examples::{at, draft};
use crate::incident::{Event, Incident, Outcome, Recorded, Status, TRANSITIONS, replay};
use crate::ledger::RowState;
use crate::target::Target;

/// What must hold of every single event that is written.
fn watch(world: &World, pending: &Pending, before: &Incident, now: &Recorded, after: &Incident) {
    let moved = (Some(before.status), now.event.name(), after.status);
    assert!(before.status == after.status || TRANSITIONS.contains(&moved), "{moved:?}");
    let firing = before.is_firing();
    if matches!(now.event, Event::RunStarted { .. } | Event::Planned { .. }) {
        assert!(firing, "a resolved alert has no way to a plan");
    }
    if let Event::StepClaimed { row, .. } = now.event {
        claimed(world, pending, before, row);
    }
    if let Event::StepSent { row, .. } = now.event {
        sent(world, pending, before, row);
    }
    if let Event::RunEnded { outcome, .. } = now.event {
        // What only a mute held, such as an alert of our own doing, is asked again when that ends.
        let acted = before.active_run().is_some_and(Run::may_have_acted);
        let rests = before.resting.is_some() && !acted;
        let page = match outcome {
            Outcome::Held => firing && !rests,
            Outcome::Useless => firing,
            Outcome::Harmful | Outcome::Abandoned => true,
            Outcome::Helped | Outcome::Moot => false,
        };
        let told = pending.events.iter().any(|event| matches!(event, Event::Escalated { .. }));
        assert_eq!(told, page, "{outcome:?}, firing: {firing}");
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
        world.watch = watch;
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
        world.watch = watch;
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
