//! Every row of the table of transitions, with a story that takes it: none is there for show.

use super::scenarios::{MONITOR, ONE, TWO, claimed, firing, until_sent};
use super::scenarios_muted::silenced;
use super::world::{Hand, REOPEN, Reply, STEADY, Sight, World};
use crate::evidence::Reading;
use crate::examples::{FLAG_RUNBOOK, alert, draft, resolved};
use crate::incident::Status::{
    Closed, Escalated, Open, Remediating, Resolved, Suppressed, Verifying,
};
use crate::incident::{Command, Incident, Status, TRANSITIONS};

type Row = (Option<Status>, &'static str, Status);

type Story = fn() -> World;

/// Each row and the story that takes it, in the order of the table.
const STORIES: &[(Row, Story)] = &[
    ((None, "incident.opened", Open), nobody_handles_it),
    ((Some(Open), "incident.suppressed", Suppressed), it_is_silenced),
    ((Some(Open), "run.started", Remediating), it_helps),
    ((Some(Open), "incident.escalated", Escalated), the_target_is_gone),
    ((Some(Open), "incident.resolved", Resolved), nobody_handles_it),
    ((Some(Suppressed), "incident.unmuted", Open), it_is_silenced),
    ((Some(Suppressed), "incident.resolved", Resolved), it_ends_while_silenced),
    ((Some(Remediating), "step.confirmed", Verifying), it_helps),
    ((Some(Remediating), "step.unknown", Verifying), no_word_comes_back),
    ((Some(Remediating), "run.ended", Open), the_target_is_gone),
    ((Some(Remediating), "incident.resolved", Resolved), a_person_resolves_it_while_settling),
    ((Some(Verifying), "step.ineffective", Remediating), no_word_comes_back),
    ((Some(Verifying), "step.claimed", Remediating), two_targets_one_after_the_other),
    ((Some(Verifying), "run.ended", Open), it_does_harm),
    ((Some(Verifying), "incident.resolved", Resolved), it_helps),
    ((Some(Escalated), "incident.resolved", Resolved), the_target_is_gone),
    ((Some(Resolved), "incident.reopened", Open), it_comes_back),
    ((Some(Resolved), "incident.escalated", Escalated), it_does_harm_though_it_is_resolved),
    ((Some(Resolved), "incident.closed", Closed), it_helps),
];

fn over(world: &mut World) {
    let now = world.now;
    for instance in [ONE, TWO] {
        world.deliver(&resolved(MONITOR, instance, now));
    }
}

fn nobody_handles_it() -> World {
    let mut world = World::new(&[]);
    world.deliver(&alert(MONITOR, ONE));
    world.drive_until(0, "A", STEADY, |_| false);
    over(&mut world);
    world
}

fn it_helps() -> World {
    let mut world = firing(&[]);
    until_sent(&mut world, STEADY);
    over(&mut world);
    world.drive_until(0, "A", STEADY, |_| false);
    world
}

fn the_target_is_gone() -> World {
    let mut world = firing(&[]);
    world.drive_until(0, "A", Hand { sight: Sight::Missing, ..STEADY }, |_| false);
    over(&mut world);
    world
}

fn no_word_comes_back() -> World {
    let mut world = firing(&[]);
    world.drive_until(0, "A", Hand { reply: Reply::CrashAfterCall, ..STEADY }, |_| false);
    world
}

fn a_person_resolves_it_while_settling() -> World {
    let mut world = firing(&[]);
    world.advance(0, "A");
    let resolve = Command::Resolve { by: "ada".to_owned(), reason: "a test".to_owned() };
    world.command(0, resolve).unwrap();
    world.drive_until(0, "A", STEADY, |_| false);
    world
}

fn two_targets_one_after_the_other() -> World {
    let mut world = firing(&[("max: 1,", "max: 2,")]);
    world.deliver(&alert(MONITOR, TWO));
    claimed(&mut world);
    world.drive_until(0, "A", STEADY, |_| false);
    world
}

fn flag() -> World {
    let mut world = World::new(&[FLAG_RUNBOOK]);
    world.deliver(&alert("checkout-errors", ONE));
    until_sent(&mut world, STEADY);
    world
}

const WORSE: Hand = Hand { reading: Reading::Worse, ..STEADY };

fn it_does_harm() -> World {
    let mut world = flag();
    world.drive_until(0, "A", WORSE, |_| false);
    world
}

fn it_does_harm_though_it_is_resolved() -> World {
    let mut world = flag();
    let resolve = Command::Resolve { by: "ada".to_owned(), reason: "a test".to_owned() };
    world.command(0, resolve).unwrap();
    world.drive_until(0, "A", WORSE, |_| false);
    world
}

fn it_comes_back() -> World {
    let mut world = nobody_handles_it();
    world.now += REOPEN.as_secs();
    let mut again = draft(MONITOR, ONE);
    again.starts_at = world.time();
    world.deliver(&again.seal());
    world
}

fn it_is_silenced() -> World {
    let mut world = silenced(60);
    world.now = 60;
    world.look_at_mutes(0);
    world
}

fn it_ends_while_silenced() -> World {
    let mut world = silenced(600);
    over(&mut world);
    world
}

/// The moves that the first incident of a world made.
pub(super) fn moves(world: &World) -> Vec<Row> {
    let mut state: Option<Incident> = None;
    let mut moves = Vec::new();
    for recorded in &world.events[0] {
        let from = state.as_ref().map(|incident| incident.status);
        let next = match state {
            None => Incident::open(recorded).unwrap(),
            Some(incident) => incident.apply(recorded).unwrap(),
        };
        moves.push((from, recorded.event.name(), next.status));
        state = Some(next);
    }
    moves
}

#[test]
fn every_row_of_the_table_has_a_story() {
    let told: Vec<Row> = STORIES.iter().map(|(row, _)| *row).collect();
    assert_eq!(told, TRANSITIONS);
}

#[test]
fn every_story_takes_its_row() {
    for (row, story) in STORIES {
        let moves = moves(&story());
        assert!(moves.contains(row), "{row:?} is not among {moves:#?}");
    }
}

#[test]
fn no_event_has_two_ways_out_of_a_status() {
    for (index, (from, event, _)) in TRANSITIONS.iter().enumerate() {
        let twin = TRANSITIONS[..index].iter().find(|(f, e, _)| (f, e) == (from, event));
        assert_eq!(twin, None);
    }
}
