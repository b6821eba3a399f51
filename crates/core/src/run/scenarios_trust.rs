//! Scenarios of what is learnt: verdicts against what would have happened anyway, and trust that is lost.

use super::scenarios::{MONITOR, ONE, TWO, TWO_STEPS, ended, firing, run, until_sent};
use super::world::{Hand, Reply, STEADY, World};
use super::{Takeover, books_needed};
use crate::alert::AlertStatus;
use crate::book::BookKey;
use crate::counterfactual::{Counterfactual, Likely};
use crate::evidence::Reading;
use crate::examples::{alert, at, draft, resolved};
use crate::healing::Odds;
use crate::incident::{Command, Event, Outcome, Status};
use crate::policy::Trust;
use crate::runbook::Mode;
use crate::trust::{Standing, Tally};

/// Where the reboot stands, as far as it is known.
fn standing(world: &World) -> Option<&Standing> {
    let runbook = &world.runbooks[0];
    let record = world.books.get(&BookKey::trust(&runbook.runbook))?.trust.as_ref()?;
    record.at(&runbook.steps[0].action, "default")
}

fn tally(world: &World) -> Tally {
    standing(world).map(|standing| standing.tally).unwrap_or_default()
}

/// The alert fires, is over after so many seconds, and its incident closes.
fn episode(world: &mut World, seconds: i64) {
    let start = world.now;
    let incident = fires(world);
    world.now = start + seconds;
    ends(world, start);
    world.drive_until(incident, "A", STEADY, |_| false);
    assert_eq!(world.status(incident), Status::Closed);
    world.now += 3600;
}

/// The alert begins anew; its incident is driven as far as it goes without hands.
fn fires(world: &mut World) -> usize {
    let mut alert = draft(MONITOR, ONE);
    alert.starts_at = world.time();
    world.deliver(&alert.seal());
    let incident = world.incidents.len() - 1;
    world.advance(incident, "A");
    incident
}

/// What began at `start` is over now.
fn ends(world: &mut World, start: i64) {
    let mut end = draft(MONITOR, ONE);
    end.starts_at = at(start);
    end.status = AlertStatus::Resolved;
    end.ends_at = Some(world.time());
    world.deliver(&end.seal());
}

fn helped(world: &World) -> Option<&Counterfactual> {
    let events = world.events.last()?;
    events.iter().find_map(|recorded| {
        let Event::StepVerified { verdict, .. } = &recorded.event else { return None };
        verdict.counterfactual.as_ref()
    })
}

#[test]
fn a_shadow_learns_how_often_it_would_have_acted_in_vain() {
    let mut world = firing(&[("mode: auto", "mode: shadow")]);
    world.deliver(&resolved(MONITOR, ONE, 5));
    world.drive_until(0, "A", STEADY, |_| false);
    world.now += 3600;
    episode(&mut world, 60);
    episode(&mut world, 600);
    let tally = tally(&world);
    assert_eq!((tally.would_act, tally.healed), (2, 1), "the first was over before it was asked");
    assert!(world.calls.is_empty());
}

#[test]
fn what_a_person_ended_did_not_heal_by_itself() {
    let mut world = World::new(&[]);
    world.deliver(&alert(MONITOR, ONE));
    world.advance(0, "A");
    world.now = 100;
    let resolve = Command::Resolve { by: "ada".to_owned(), reason: "restarted it".to_owned() };
    world.command(0, resolve).unwrap();
    world.drive_until(0, "A", STEADY, |_| false);
    let cause = BookKey::cause("sumologic/api/slow-api-data");
    let healing = world.books[&cause].healing.as_ref().unwrap();
    let seconds = jiff::SignedDuration::from_secs;
    assert_eq!(healing.odds(seconds(0), seconds(50)), Odds { healed: 0, of: 1 });
    assert_eq!(healing.odds(seconds(0), seconds(150)), Odds::default(), "nobody knows");
}

#[test]
fn an_action_gets_no_merit_for_what_heals_by_itself() {
    for (lasts, likely) in [(150, Likely::ByItself), (7200, Likely::Ours)] {
        let mut world = World::new(&[]);
        world.now = 10;
        for _ in 0..4 {
            episode(&mut world, lasts);
        }
        world.runbooks = firing(&[]).runbooks;
        let start = world.now;
        let incident = fires(&mut world);
        world.drive_until(incident, "A", STEADY, |incident| {
            incident.runs.last().is_some_and(super::Run::may_have_acted)
        });
        world.now += 200;
        ends(&mut world, start);
        world.drive_until(incident, "A", STEADY, |incident| incident.active_run().is_none());
        assert_eq!(world.incidents[incident].runs[0].outcome(), Some(Outcome::Helped));
        let otherwise = helped(&world).unwrap();
        assert_eq!((otherwise.likely, otherwise.history.of), (likely, 4), "{otherwise:?}");
        let by_itself = u32::from(likely == Likely::ByItself);
        assert_eq!((tally(&world).helped, tally(&world).by_itself), (1, by_itself));
    }
}

#[test]
fn a_sibling_that_nobody_touched_and_that_still_fires_speaks_for_the_action() {
    let mut world = firing(&[]);
    until_sent(&mut world, STEADY);
    let mut sibling = draft(MONITOR, TWO);
    sibling.service = Some("api".to_owned());
    world.now -= 30;
    world.deliver(&sibling.seal());
    world.now += 60;
    world.deliver(&resolved(MONITOR, ONE, 60));
    world.policy.trust = Trust::default();
    let incident = &world.incidents[0];
    let span = (incident.runs[0].rows[0].sent_at.unwrap(), world.time());
    let weighed =
        crate::counterfactual::weigh(incident, &incident.runs[0], span, &world.books, &[]);
    assert_eq!((weighed.siblings, weighed.likely), (Odds { healed: 0, of: 1 }, Likely::Ours));
}

#[test]
fn harm_takes_the_right_to_act_and_tells_people() {
    let mut world = firing(&[]);
    until_sent(&mut world, STEADY);
    world.now += 300;
    let worse = Hand { reading: Reading::Worse, ..STEADY };
    world.drive_until(0, "A", worse, |_| false);
    ended(&world, Outcome::Harmful, Status::Escalated);
    assert_eq!(standing(&world).and_then(|standing| standing.rung), Some(Mode::Suggest));
    let told = world.incidents[0].escalated_because.as_ref().unwrap();
    assert!(told.contains("goes from `auto` to `suggest` in default"), "{told}");
    assert!(world.names(0).contains(&"trust.lost"));

    world.deliver(&resolved(MONITOR, ONE, 400));
    world.now += 90_000;
    let incident = fires(&mut world);
    assert!(world.incidents[incident].runs.is_empty(), "it only says what it would do");
    let why = &world.incidents[incident].considered.as_ref().unwrap().decision;
    assert!(why.contains("trusted with `suggest`") && why.contains("did harm"), "{why}");
}

#[test]
fn three_useless_runs_in_a_row_cost_a_rung_and_the_next_one_asks() {
    let mut world =
        firing(&[("cooldown: 15m", "cooldown: 0s"), ("max: 2, per: 24h", "max: 9, per: 1h")]);
    world.drive_until(0, "A", STEADY, |_| false);
    let mut start = 0;
    for _ in 2..=3 {
        ends(&mut world, start);
        world.now += 90_000;
        start = world.now;
        let incident = fires(&mut world);
        world.drive_until(incident, "A", STEADY, |_| false);
        assert_eq!(world.incidents[incident].runs[0].outcome(), Some(Outcome::Useless));
    }
    ends(&mut world, start);
    assert_eq!(standing(&world).and_then(|standing| standing.rung), Some(Mode::Approve));
    world.now += 90_000;
    let incident = fires(&mut world);
    assert_eq!(world.incidents[incident].runs[0].mode, Mode::Approve);
}

#[test]
fn a_run_that_began_before_trust_was_lost_does_not_act() {
    let mut world = firing(&[]);
    super::scenarios::claimed(&mut world);
    let action = world.runbooks[0].steps[0].action.clone();
    let key = BookKey::trust(&world.runbooks[0].runbook);
    let place = crate::trust::Place { action, environment: "default".to_owned() };
    let lesson = (&world.incidents[0].id.clone(), crate::trust::Lesson::Harmful);
    let rules = Trust::default();
    let (record, _) = crate::trust::learn(
        &crate::trust::TrustRecord::default(),
        &place,
        lesson,
        Mode::Auto,
        &rules,
        world.time(),
    );
    let book = crate::book::Book { version: 1, trust: Some(record), ..Default::default() };
    world.books.insert(key.clone(), book);
    assert!(books_needed(&world.incidents[0], &world.runbooks).contains(&key));
    world.drive_until(0, "A", STEADY, |_| false);
    ended(&world, Outcome::Held, Status::Escalated);
    assert!(world.calls.is_empty());
    assert!(run(&world).rows[0].receipt.as_ref().unwrap().contains("trust:"));
}

#[test]
fn a_run_that_was_cut_short_shows_nothing_for_or_against() {
    let mut world = firing(&[TWO_STEPS]);
    let order = super::scenarios::claimed(&mut world);
    let pending = world.act(0, &order, Hand { reply: Reply::CrashAfterCall, ..STEADY }).unwrap();
    assert!(world.commit(pending));
    let (pending, _) = world.ask(0, "B", Takeover::End);
    assert!(world.commit(pending));
    ended(&world, Outcome::Abandoned, Status::Escalated);
    assert_eq!((tally(&world).unclear, tally(&world).useless), (1, 0));
}
