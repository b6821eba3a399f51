//! What holds for every script: as Alertmanager tells it, every page gets its resolve, no reminder is early, and
//! ticks that are late, twice or too many change nothing.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::model::Model;
use super::world::{HOUR, ONE_CHANNEL, World};
use crate::incident::Event;

/// What happens at a time.
#[derive(Debug, Clone, Copy)]
enum Step {
    Fires(usize),
    Resolves(usize),
    Mutes(usize),
    Unmutes(usize),
    Escalates,
    /// Somebody looks though nothing is due.
    Look,
    /// The process is down until then.
    Down,
    /// The next sends fail.
    Fails(u32),
}

const NAMES: [&str; 3] = ["a", "b", "c"];

fn name(of: usize) -> &'static str {
    NAMES[of % NAMES.len()]
}

fn plain() -> impl Strategy<Value = Step> {
    prop_oneof![(0..3usize).prop_map(Step::Fires), (0..3usize).prop_map(Step::Resolves)]
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => plain(),
        1 => (0..3usize).prop_map(Step::Mutes),
        1 => (0..3usize).prop_map(Step::Unmutes),
        1 => Just(Step::Escalates),
        1 => Just(Step::Look),
        1 => Just(Step::Down),
        1 => (1..4u32).prop_map(Step::Fails),
    ]
}

/// Steps with the seconds that pass before each.
fn script(step: impl Strategy<Value = Step>) -> impl Strategy<Value = Vec<(i64, Step)>> {
    proptest::collection::vec((prop_oneof![0..40i64, 40..900i64], step), 1..24)
}

/// The world after the script, and after everything is over and two days have passed.
struct Played {
    world: World,
    firing: BTreeMap<&'static str, bool>,
    now: i64,
}

impl Played {
    fn new(world: World) -> Self {
        Self { world, firing: BTreeMap::new(), now: 0 }
    }

    fn play(&mut self, script: &[(i64, Step)]) {
        for (after, step) in script {
            self.now += after;
            if matches!(step, Step::Down) && self.world.incident.is_some() {
                self.world.down_until(self.now);
            } else {
                self.world.until(self.now);
            }
            self.take(*step);
        }
    }

    fn take(&mut self, step: Step) {
        let fires = |of: usize, firing: &BTreeMap<&str, bool>| firing.get(name(of)).copied();
        match step {
            Step::Fires(of) if fires(of, &self.firing) != Some(true) => {
                self.firing.insert(name(of), true);
                self.world.fires(name(of));
            }
            Step::Resolves(of) if fires(of, &self.firing) == Some(true) => {
                self.firing.insert(name(of), false);
                self.world.resolves(name(of));
            }
            Step::Mutes(of) if fires(of, &self.firing).is_some() => self.world.mutes(name(of)),
            Step::Unmutes(of) if fires(of, &self.firing).is_some() => self.world.unmutes(name(of)),
            Step::Escalates if self.firing.values().any(|firing| *firing) => {
                self.world.happens(Event::Escalated { reason: "x".to_owned() });
                self.world.look_at_all();
            }
            Step::Look if self.world.incident.is_some() => self.world.look_at_all(),
            Step::Fails(times) => {
                self.world.failing.insert("chat".to_owned(), times);
            }
            Step::Fires(_)
            | Step::Resolves(_)
            | Step::Mutes(_)
            | Step::Unmutes(_)
            | Step::Escalates
            | Step::Look
            | Step::Down => {}
        }
    }

    /// Everything ends, and time passes.
    fn end(&mut self) {
        for of in 0..NAMES.len() {
            self.take(Step::Resolves(of));
        }
        if self.world.incident.is_some() {
            self.world.until(self.now + 48 * HOUR);
        }
    }
}

fn usual(repeat: i64, send_resolved: bool) -> World {
    with_wait(30, repeat, send_resolved)
}

fn with_wait(wait: i64, repeat: i64, send_resolved: bool) -> World {
    let channels =
        ONE_CHANNEL.replace("\"sns\"", &format!("\"sns\", \"send_resolved\": {send_resolved}"));
    World::new(&channels, &format!("route: {{ group_wait: {wait}s, repeat_interval: {repeat}s }}"))
}

/// Time, reason and what fires, as the model writes it.
fn as_model(world: &World) -> Vec<String> {
    world.told.iter().map(|told| format!("{} {} {}", told.at, told.why, told.firing)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn it_tells_what_alertmanager_tells(
        script in proptest::collection::vec((prop_oneof![Just(1), 0..90i64], any::<bool>(), 0..8usize), 1..24),
        repeat in prop_oneof![Just(400), Just(900), Just(4 * HOUR)],
        send_resolved in any::<bool>(),
    ) {
        let mut world = with_wait(31, repeat, send_resolved);
        let mut model = Model::new(31, 300, repeat, send_resolved);
        let mut firing: Vec<String> = Vec::new();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut now = 0;
        for (index, (after, fires, of)) in script.into_iter().enumerate() {
            // Whether an alert on the very moment of a tick is seen by it is a matter of luck: none is.
            now += after * 10;
            model.until(now);
            world.until(now);
            if fires {
                // Another one, or one that is over fires again.
                let over: Vec<&String> = seen.iter().filter(|name| !firing.contains(name)).collect();
                let again = (of % 2 == 1).then(|| over.get(of / 2)).flatten();
                let name = again.map_or_else(|| format!("{index:02}"), |name| (*name).clone());
                seen.insert(name.clone());
                world.fires(&name);
                model.insert(now, &name, None);
                firing.push(name);
            } else if !firing.is_empty() {
                let name = firing.remove(of % firing.len());
                world.resolves(&name);
                model.insert(now, &name, Some(now));
            }
        }
        if world.incident.is_some() {
            world.until(now + 12 * HOUR);
            model.until(now + 12 * HOUR);
        }
        prop_assert_eq!(as_model(&world), model.told);
    }

    #[test]
    fn every_page_gets_its_resolve_and_nobody_else_does(script in script(any_step())) {
        let mut played = Played::new(usual(1800, true));
        played.play(&script);
        played.end();
        let mut owed = false;
        for told in &played.world.told {
            match told.why.as_str() {
                "all_resolved" => {
                    prop_assert!(owed, "a resolve of nothing: {:?}", played.world.story());
                    owed = false;
                }
                "some_resolved" => prop_assert!(owed),
                _ => owed = true,
            }
        }
        prop_assert!(!owed, "a page without its resolve: {:?}", played.world.story());
        prop_assert_eq!(played.world.timer("chat"), None);
    }

    #[test]
    fn a_repeat_is_never_early_and_no_two_messages_are_one(script in script(any_step())) {
        let mut played = Played::new(usual(1800, true));
        played.play(&script);
        played.end();
        let flushes: Vec<_> =
            played.world.told.iter().filter(|told| told.why != "escalated").collect();
        for pair in flushes.windows(2) {
            let gap = pair[1].at - pair[0].at;
            prop_assert!(pair[1].why != "repeat" || gap >= 1800, "{:?}", played.world.story());
        }
        let mut ids: Vec<&str> = played.world.told.iter().map(|told| told.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), played.world.told.len());
    }

    #[test]
    fn ticks_too_many_and_restarts_change_nothing(
        script in script(plain()),
        looks in proptest::collection::vec((0..24usize, 0..900i64), 0..16),
    ) {
        let mut quiet = Played::new(usual(1800, true));
        quiet.play(&script);
        quiet.end();
        // The same, with looks in between that nobody asked for, some after a restart.
        let mut busy = Played::new(usual(1800, true));
        for (index, (after, step)) in script.iter().enumerate() {
            let mut early: Vec<i64> = looks
                .iter()
                .filter(|(at, _)| *at == index)
                .map(|(_, seconds)| (*seconds).min(*after))
                .collect();
            early.sort_unstable();
            for seconds in early {
                if busy.world.incident.is_some() {
                    busy.world.until(busy.now + seconds);
                    busy.world.down_until(busy.now + seconds);
                    busy.world.look_at_all();
                }
            }
            busy.play(&[(*after, *step)]);
        }
        busy.end();
        prop_assert_eq!(quiet.world.story(), busy.world.story());
    }

    #[test]
    fn after_a_time_down_everything_that_was_due_is_told(script in script(any_step())) {
        let mut played = Played::new(usual(1800, true));
        played.play(&script);
        if played.world.incident.is_some() {
            let muted = !played.world.mutes.muted.is_empty();
            played.world.failing.clear();
            played.world.down_until(played.now + 2 * HOUR);
            let known = played.world.incident().heard.get("chat").and_then(|heard| heard.last.clone());
            let known = known.map(|last| last.flush.firing).unwrap_or_default();
            for member in played.world.incident().alerts.values() {
                let alert = &member.alert;
                let fires = alert.is_firing();
                prop_assert!(muted || known.contains_key(&alert.fingerprint) == fires, "{}", alert.title);
            }
        }
    }
}
