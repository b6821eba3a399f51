//! Every guard at its very edge, and that none passes what could not be read. That each can block is proved by its
//! own examples, in `self_test`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::SignedDuration;

use super::scene::run_of;
use super::{GUARDS, Scene};
use crate::alert::Identity;
use crate::book::{Book, BookKey};
use crate::breaker::{Breaker, Reset};
use crate::evidence::{Change, Fact, Observation};
use crate::examples::{alert, at, draft};
use crate::incident::{Acknowledgement, Event};
use crate::muting::{Live, Reading};
use crate::plan::{Basis, Plan};
use crate::policy;
use crate::runbook::Window;
use crate::self_inflicted::ExpectedEffect;
use crate::switch::{Engaged, KillSwitch, SwitchReading};

#[track_caller]
fn passes(scene: &Scene) {
    let judgement = scene.judge();
    assert!(judgement.permit.is_some(), "{}", judgement.reason());
}

/// Only the named guard holds, and its reason says why.
#[track_caller]
fn holds(scene: &Scene, guard: &str, because: &str) {
    let judgement = scene.judge();
    assert!(judgement.permit.is_none(), "{guard} let it pass");
    let holding: Vec<&str> = judgement
        .findings
        .iter()
        .filter(|finding| finding.holds())
        .map(|finding| finding.guard.as_str())
        .collect();
    assert_eq!(holding, [guard], "{}", judgement.reason());
    assert!(judgement.reason().contains(because), "{}", judgement.reason());
}

#[test]
fn the_registry_is_sorted_and_says_what_each_guard_is_for() {
    let names: Vec<&str> = GUARDS.iter().map(|guard| guard.name()).collect();
    assert!(names.is_sorted());
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    assert!(GUARDS.iter().all(|guard| guard.summary().ends_with('.')));
}

#[test]
fn all_guards_are_heard_even_when_one_holds() {
    let judgement = Scene::calm().at(601).judge();
    assert_eq!(judgement.findings.len(), GUARDS.len());
}

#[test]
fn nothing_in_the_way_is_a_permit() {
    passes(&Scene::calm());
}

#[test]
fn without_any_observation_nothing_is_permitted() {
    let scene = Scene::calm().with(|scene| scene.observations.clear());
    holds(&scene, "identity", "no target was read");
}

#[test]
fn a_kill_switch_that_is_engaged_or_unreadable_holds() {
    let by = Engaged { by: "ada".to_owned(), reason: "a drill".to_owned(), at: at(0) };
    let known = SwitchReading::Known(KillSwitch { engaged: Some(by), released: None });
    holds(&Scene::calm().with(|scene| scene.switch = known), "kill_switch", "ada");
    let unreadable = SwitchReading::Unreadable("timeout".to_owned());
    holds(&Scene::calm().with(|scene| scene.switch = unreadable), "kill_switch", "timeout");
}

#[test]
fn the_cooldown_ends_exactly_when_it_says() {
    passes(&Scene::calm().acted(Scene::ONE, &Scene::other(), -900));
    holds(&Scene::calm().acted(Scene::ONE, &Scene::other(), -899), "cooldown", "inc_2");
    // A clock that runs ahead elsewhere is no way around it.
    holds(&Scene::calm().acted(Scene::ONE, &Scene::other(), 5), "cooldown", "inc_2");
}

#[test]
fn an_earlier_run_of_the_same_incident_counts_for_the_cooldown() {
    let scene = Scene::calm().with(|scene| scene.run = run_of("inc_1", 2));
    holds(&scene.acted(Scene::ONE, &run_of("inc_1", 1), -10), "cooldown", "inc_1");
}

#[test]
fn a_run_does_not_block_itself() {
    let own = run_of("inc_1", 1);
    passes(&Scene::calm().acted(Scene::ONE, &own, -1).locked(&own, 100));
    passes(&Scene::calm().acted(Scene::ONE, &own, -1).acted(Scene::ONE, &own, -1));
}

#[test]
fn the_attempts_are_counted_by_run_and_forgotten_exactly_after_the_window() {
    let day = 24 * 3600;
    let third = run_of("inc_3", 1);
    passes(&Scene::calm().acted(Scene::ONE, &Scene::other(), -1000));
    passes(&Scene::calm().acted(Scene::ONE, &Scene::other(), -2000).acted(
        Scene::ONE,
        &Scene::other(),
        -1000,
    ));
    passes(&Scene::calm().acted(Scene::ONE, &Scene::other(), -day).acted(
        Scene::ONE,
        &third,
        -1000,
    ));
    let both =
        Scene::calm().acted(Scene::ONE, &Scene::other(), 1 - day).acted(Scene::ONE, &third, -1000);
    holds(&both, "attempts", "2 runs");
    let none = Scene::calm().with(|scene| scene.runbook.guards.attempts.max = 0);
    holds(&none, "attempts", "at most 0");
}

#[test]
fn a_lock_holds_until_it_lapses_and_never_its_holder() {
    holds(&Scene::calm().locked(&Scene::other(), 1), "lock", "inc_2");
    passes(&Scene::calm().locked(&Scene::other(), 0));
    passes(&Scene::calm().locked(&run_of("inc_1", 1), 100));
    holds(&Scene::calm().locked(&run_of("inc_1", 2), 1), "lock", "run 2");
}

#[test]
fn nothing_is_sent_at_or_after_the_deadline_of_the_run() {
    let started = |scene: Scene| {
        let event = Event::RunStarted {
            run: 1,
            runbook: Box::new(scene.runbook.clone()),
            driver: "A".to_owned(),
            settle_until: at(0),
            deadline: at(60),
            trace: crate::trace::Trace::default(),
            requested_by: None,
            mode: None,
        };
        scene.record(event)
    };
    passes(&started(Scene::calm()).at(59));
    holds(&started(Scene::calm()).at(60), "lock", "the time of the run");
}

#[test]
fn the_blast_radius_counts_what_is_planned_and_what_was_done_in_the_window() {
    let two = |scene: Scene| scene.with(|scene| scene.runbook.guards.blast_radius.max = 2);
    passes(&two(Scene::calm()).acted(Scene::TWO, &Scene::other(), -10));
    let third = two(Scene::calm()).acted(Scene::TWO, &Scene::other(), -10).acted(
        Scene::THREE,
        &Scene::other(),
        -5,
    );
    holds(&third, "blast_radius", "3 of 4");
    passes(&Scene::calm().acted(Scene::TWO, &Scene::other(), -3600));
    holds(&Scene::calm().acted(Scene::TWO, &Scene::other(), -3599), "blast_radius", "2 of 4");
    let planned = || {
        Scene::calm().fires_again(Scene::TWO).with(|scene| {
            scene.observations.push(Scene::seen(Scene::TWO));
        })
    };
    holds(&planned(), "blast_radius", "2 of 4");
    passes(&two(planned()));
    // The same target twice is one target.
    passes(&two(planned()).acted(Scene::TWO, &run_of("inc_1", 1), -10));
}

#[test]
fn the_blast_radius_counts_earlier_targets_of_the_same_run() {
    let own = run_of("inc_1", 1);
    holds(&Scene::calm().acted(Scene::TWO, &own, -10), "blast_radius", "2 of 4");
}

#[test]
fn the_smaller_of_both_limits_counts_and_a_part_of_a_member_is_none() {
    let of = |members: u32, max: u32, percent: u8| {
        Scene::calm().with(|scene| {
            scene.runbook.guards.blast_radius.max = max;
            scene.runbook.guards.blast_radius.max_percent = Some(percent);
            scene.observations[0].group.as_mut().unwrap().members = members;
        })
    };
    passes(&of(4, 5, 25));
    holds(&of(3, 5, 25), "blast_radius", "at most 0");
    holds(&of(100, 0, 100), "blast_radius", "at most 0");
    holds(&of(0, 5, 100), "blast_radius", "at most 0");
}

#[test]
fn a_target_without_a_group_is_not_touched() {
    let scene = Scene::calm().with(|scene| scene.observations[0].group = None);
    holds(&scene, "blast_radius", "no group");
}

#[test]
fn a_target_that_does_not_exist_or_was_replaced_is_not_touched() {
    let gone = Scene::calm().with(|scene| scene.observations[0].identity = None);
    holds(&gone, "identity", "does not exist");
    let planned = Scene::calm().with(|scene| {
        scene.plan = Some(planned(scene));
    });
    passes(&planned);
    let replaced = planned.with(|scene| {
        scene.observations[0].identity = Some("launched-2".to_owned());
    });
    holds(&replaced, "identity", "replaced");
}

#[test]
fn an_alert_without_identity_never_acts() {
    let mut weak = alert("slow-api-data", Scene::ONE);
    weak.identity = Identity::Weak;
    holds(&Scene::calm().firing(weak), "identity", "nothing identifies");
}

#[test]
fn an_alert_is_young_enough_until_its_age_is_over_the_limit() {
    passes(&Scene::calm().at(600));
    holds(&Scene::calm().at(601), "max_age", "601 s");
    let mut waited = alert("slow-api-data", Scene::ONE);
    waited.received_at = Some(at(0) - SignedDuration::from_mins(9));
    passes(&Scene::calm().firing(waited.clone()).at(60));
    holds(&Scene::calm().firing(waited).at(61), "max_age", "601 s");
    passes(&Scene::calm().at(500).fires_again(Scene::ONE).at(1100));
    let news = |starts: i64| {
        let mut draft = draft("slow-api-data", Scene::ONE);
        draft.starts_at = at(starts);
        draft.title = "worse and worse".to_owned();
        let updated = Event::AlertUpdated { alert: Arc::new(draft.seal()) };
        Scene::calm().at(500).record(updated).at(1100)
    };
    holds(&news(0), "max_age", "1100 s");
    passes(&news(500));
}

#[test]
fn every_target_carries_every_tag_with_its_value() {
    let tagged = |value: &'static str| {
        Scene::calm().with(|scene| {
            scene.observations[0].tags.insert("firebreak".to_owned(), value.to_owned());
        })
    };
    passes(&tagged("allow"));
    holds(&tagged("Allow"), "require_tag", "`Allow`");
    holds(
        &Scene::calm().with(|scene| scene.observations[0].tags.clear()),
        "require_tag",
        "no such tag",
    );
    let second = Scene::calm().fires_again(Scene::TWO).with(|scene| {
        scene.runbook.guards.blast_radius.max = 2;
        scene.observations.push(Observation { tags: [].into(), ..Scene::seen(Scene::TWO) });
    });
    holds(&second, "require_tag", Scene::TWO);
}

#[test]
fn a_mute_of_the_sender_holds_until_it_ends() {
    holds(&Scene::calm().muted(Some(1)), "sender_mute", "until 2026-");
    passes(&Scene::calm().muted(Some(1)).at(1));
    passes(&Scene::calm().muted(None).fires_again(Scene::ONE));
}

#[test]
fn a_target_whose_own_alert_is_over_is_not_touched() {
    let both = || {
        let scene = Scene::calm().fires_again(Scene::TWO);
        scene.with(|scene| scene.runbook.guards.blast_radius.max = 2)
    };
    passes(&both());
    holds(&both().over(Scene::ONE), "still_true", Scene::ONE);
    passes(&both().over(Scene::TWO));
    holds(&both().over(Scene::ONE).over(Scene::TWO), "still_true", "firing any more");
}

#[test]
fn another_alert_of_the_incident_is_no_reason_to_act() {
    let scene = Scene::calm().over(Scene::ONE).firing(alert("another-monitor", Scene::ONE));
    holds(&scene, "still_true", "no alert that the runbook is for");
}

#[test]
fn a_person_who_took_over_is_left_alone() {
    let scene = Scene::calm().with(|scene| {
        scene.incident.acknowledged = Some(Acknowledgement { by: "ada".to_owned(), at: at(0) });
    });
    holds(&scene, "still_true", "ada");
}

#[test]
fn a_window_of_no_length_forgets_at_once() {
    let scene = Scene::calm().with(|scene| {
        scene.runbook.guards.cooldown = SignedDuration::ZERO;
    });
    passes(&scene.acted(Scene::ONE, &Scene::other(), 0));
}

#[test]
fn a_member_of_a_shared_cause_is_not_acted_on_and_nobody_acts_on_what_cannot_be_read() {
    let member = Scene::calm().suspected();
    holds(&member, "shared_cause", "21 targets");
    let blind = Reading::Unreadable("the store is away".to_owned());
    let blind = Scene::calm().with(|scene| scene.suspected = blind);
    holds(&blind, "shared_cause", "the store is away");
    let off = Scene::calm().with(|scene| {
        scene.suspected = Scene::calm().suspected().suspected;
        scene.policy.shared_cause.domains.clear();
    });
    passes(&off);
}

#[test]
fn mutes_hold_what_they_cannot_read_and_only_then_call_somebody() {
    let unreadable = || "the store is away".to_owned();
    let blind = Scene::calm().with(|scene| scene.silences = Reading::Unreadable(unreadable()));
    holds(&blind, "silenced", "the store is away");
    assert_eq!(blind.judge().muted, None);
    let quiet = Scene::calm().with(|scene| scene.silences = Scene::calm().silenced(60).silences);
    holds(&quiet, "silenced", "silenced by ana (sil_1): known");
    assert!(quiet.judge().trace().muted.is_some_and(|muted| muted.until == Some(at(60))));
    passes(
        &Scene::calm().with(|scene| scene.silences = Scene::calm().silenced(60).silences).at(60),
    );

    let blind = Scene::calm().with(|scene| scene.live = Reading::Unreadable(unreadable()));
    let judgement = blind.judge();
    let holding: Vec<_> = judgement.findings.iter().filter(|finding| finding.holds()).collect();
    assert_eq!(holding.len(), 2, "inhibition and dependency cannot be judged");
    assert!(judgement.permit.is_none() && judgement.muted.is_none());

    let many = Live { incidents: Vec::new(), more_than: Some(500) };
    let many = Scene::calm().with(|scene| scene.live = Reading::Known(many));
    assert!(many.judge().permit.is_none() && many.judge().reason().contains("500"));
}

#[test]
fn a_mute_beside_another_reason_is_no_reason_to_be_quiet() {
    let both = Scene::calm()
        .with(|scene| scene.silences = Scene::calm().silenced(60).silences)
        .with(|scene| scene.observations[0].tags.clear());
    assert!(both.judge().permit.is_none());
    assert_eq!(both.judge().muted, None);
}

#[test]
fn the_mute_guards_are_guards_and_every_mute_has_one() {
    for (guard, _) in super::MUTE_GUARDS {
        assert!(GUARDS.iter().any(|known| known.name() == *guard), "{guard}");
    }
    let mut kinds: Vec<_> = super::MUTE_GUARDS.iter().map(|(_, kind)| *kind).collect();
    kinds.sort_unstable();
    let mut mutes: Vec<_> = crate::muting::MUTES.iter().map(|mute| mute.kind()).collect();
    mutes.sort_unstable();
    assert_eq!(kinds, mutes);
}

fn planned(scene: &Scene) -> Plan {
    let basis = Basis {
        runbook: &scene.runbook,
        firing: &[],
        observations: &scene.observations,
        rulings: &[],
        books: &scene.books,
        run: &scene.run,
    };
    Plan::of(&basis).unwrap()
}

/// The run of the scene has a plan, which was made or approved at this time.
fn confirmed(seconds: i64) -> Scene {
    let scene = Scene::calm().at(seconds);
    let plan = planned(&scene);
    let started = Event::RunStarted {
        run: 1,
        runbook: Box::new(scene.runbook.clone()),
        driver: "A".to_owned(),
        settle_until: at(0),
        deadline: at(9999),
        trace: crate::trace::Trace::default(),
        requested_by: None,
        mode: None,
    };
    let observed = Event::Observed { run: 1, observations: scene.observations.clone() };
    let trace = crate::trace::Trace::default();
    scene.record(started).record(observed).record(Event::Planned { run: 1, plan, trace }).at(500)
}

#[test]
fn what_was_planned_before_the_kill_switch_was_released_is_dropped() {
    let released = KillSwitch::released("ana".to_owned(), at(100));
    let of = |seconds| {
        let switch = SwitchReading::Known(released.clone());
        confirmed(seconds).with(|scene| scene.switch = switch)
    };
    holds(&of(99), "kill_switch", "planned before ana released it");
    passes(&of(100));
}

#[test]
fn what_was_planned_before_the_breaker_was_reset_is_dropped() {
    let reset = Reset { by: "ana".to_owned(), reason: "found it".to_owned(), at: at(100) };
    let breaker = Some(Breaker { reset: Some(reset), ..Breaker::default() });
    let book = Book { breaker, ..Book::default() };
    let of = |seconds| confirmed(seconds).book(BookKey::breaker(), book.clone());
    holds(&of(99), "breaker", "planned before ana reset the breaker");
    passes(&of(100));
}

#[test]
fn a_forbidden_tag_holds_by_its_value_or_by_any() {
    let forbid = |value: &str| {
        let forbidden = BTreeMap::from([("env".to_owned(), value.to_owned())]);
        Scene::calm().with(|scene| scene.runbook.guards.forbid_tag = forbidden)
    };
    holds(&forbid("prod").tagged("env", "prod"), "forbid_tag", "env=prod");
    passes(&forbid("prod").tagged("env", "test"));
    passes(&forbid("prod"));
    holds(&forbid("*").tagged("env", ""), "forbid_tag", "env=");
    passes(&forbid("*"));
}

#[test]
fn hands_off_until_a_time_holds_until_then_and_for_good_where_it_is_no_time() {
    let until = |text: &str| Scene::calm().tagged(super::UNTIL_TAG, text);
    holds(&until(&at(1).to_string()), "hands_off", "firebreak:hands-off-until");
    passes(&until(&at(0).to_string()));
    holds(&until("tomorrow"), "hands_off", "which is no time");
    // It counts in every runbook.
    let unasked = until(&at(1).to_string())
        .with(|scene| scene.runbook.guards.hands_off = crate::runbook::HandsOff::default());
    holds(&unasked, "hands_off", "hands-off-until");
}

#[test]
fn a_change_of_the_future_is_a_fresh_one() {
    let by = || "ana".to_owned();
    let changed = Scene::calm()
        .around(|around| around.changed = Fact::Known(Some(Change { by: by(), at: at(60) })));
    holds(&changed, "hands_off", "ana changed");
}

#[test]
fn a_deployment_holds_where_it_is_asked() {
    let deploying =
        Scene::calm().around(|around| around.deployment = Fact::Known(Some("v42".to_owned())));
    holds(&deploying, "hands_off", "v42 is being rolled out");
    passes(&deploying.with(|scene| scene.runbook.guards.hands_off.during_deployment = false));
}

#[test]
fn what_hands_cannot_read_holds_where_the_runbook_asks_for_it() {
    let unreadable = || Fact::Unreadable("no permission".to_owned());
    let changed = Scene::calm().around(|around| around.changed = unreadable());
    holds(&changed, "hands_off", "no permission");
    passes(&changed.with(|scene| scene.runbook.guards.hands_off.after_human_change = None));
    let deployment = Scene::calm().around(|around| around.deployment = Fact::default());
    holds(&deployment, "hands_off", "these hands do not read it");
    let healthy = Scene::calm().around(|around| around.healthy = Fact::default());
    holds(&healthy, "last_healthy", "these hands do not read it");
    let group =
        Scene::calm().group(|group| group.healthy = Fact::Unreadable("no permission".to_owned()));
    holds(&group, "last_healthy", "no permission");
    for unread in [healthy, group] {
        passes(&unread.with(|scene| scene.runbook.guards.keep_healthy = Some(0)));
    }
    let book = Book::unreadable("not JSON".to_owned());
    holds(&Scene::calm().book(BookKey::effects(), book), "books", "not JSON");
    let blind = Reading::Unreadable("the store is away".to_owned());
    let effects = Scene::calm().with(|scene| scene.effects = blind);
    holds(&effects, "expected_effects", "the store is away");
}

#[test]
fn an_ill_member_is_no_loss_and_one_that_is_being_acted_on_does_not_count() {
    let healthy =
        |ids: &[&str]| -> BTreeSet<String> { ids.iter().map(|id| (*id).to_owned()).collect() };
    let alone = |scene: Scene| {
        let ids = healthy(&[Scene::ONE]);
        scene.group(|group| group.healthy = Fact::Known(ids.clone()))
    };
    holds(&alone(Scene::calm()), "last_healthy", "0 healthy members");
    passes(&alone(Scene::calm()).around(|around| around.healthy = Fact::Known(false)));

    let pair = |scene: Scene| {
        let ids = healthy(&[Scene::ONE, Scene::TWO]);
        scene.group(|group| group.healthy = Fact::Known(ids.clone())).with(|scene| {
            scene.runbook.guards.blast_radius.max = 2;
            scene.runbook.guards.concurrency = Some(2);
        })
    };
    passes(&pair(Scene::calm()));
    let under_way = |until| {
        let running = Scene::calm().running(&Scene::other(), until);
        pair(running.acted(Scene::TWO, &Scene::other(), -10))
    };
    holds(&under_way(1), "last_healthy", "0 healthy members");
    passes(&under_way(0));
    let own = pair(Scene::calm().acted(Scene::TWO, &run_of("inc_1", 1), -10));
    holds(&own, "last_healthy", "0 healthy members");
    let more = pair(Scene::calm()).with(|scene| scene.runbook.guards.keep_healthy = Some(2));
    holds(&more, "last_healthy", "2 must be");
}

#[test]
fn a_run_does_not_count_itself_among_those_under_way_and_none_means_none() {
    passes(&Scene::calm().running(&run_of("inc_1", 1), 100));
    holds(&Scene::calm().running(&run_of("inc_1", 2), 100), "concurrency", "inc_1");
    let two = |scene: Scene| scene.with(|scene| scene.runbook.guards.concurrency = Some(2));
    passes(&two(Scene::calm()).running(&Scene::other(), 100));
    let none = Scene::calm().with(|scene| scene.runbook.guards.concurrency = Some(0));
    holds(&none, "concurrency", "no run at all");
}

#[test]
fn windows_are_named_in_the_policy_or_written_in_place() {
    let named = |name: &str| Window::Named(name.to_owned());
    let policy = "time_intervals: [{name: this-year, time_intervals: [{years: ['2026']}]}, \
                  {name: other-years, time_intervals: [{years: ['2027:2030']}]}]";
    let within = |only: &[&str], never: &[&str]| {
        let windows = |names: &[&str]| names.iter().map(|name| named(name)).collect();
        Scene::calm().with(|scene| {
            scene.policy = policy::read(policy).unwrap();
            scene.runbook.guards.only_within = windows(only);
            scene.runbook.guards.never_within = windows(never);
        })
    };
    passes(&within(&["this-year"], &["other-years"]));
    passes(&within(&["other-years", "this-year"], &[]));
    holds(&within(&["other-years"], &[]), "time_window", "not within `other-years`");
    holds(&within(&[], &["this-year"]), "time_window", "within `this-year`");
    holds(&within(&["this-year"], &["this-year"]), "time_window", "nothing may be done");
    holds(&within(&["nights"], &[]), "time_window", "no time interval `nights`");
    holds(&within(&[], &["nights"]), "time_window", "no time interval `nights`");
}

/// An effect of a reboot at -10 that lasts until 60.
fn effect(target: &str, service: &str) -> ExpectedEffect {
    let Reading::Known(mut effects) = Scene::calm().expecting(target, 60).effects else {
        panic!("it is known")
    };
    ExpectedEffect { service: service.to_owned(), ..effects.remove(0) }
}

fn expecting(effect: ExpectedEffect) -> Scene {
    Scene::calm().with(|scene| scene.effects = Reading::Known(vec![effect]))
}

#[test]
fn an_alert_of_the_acted_target_or_of_what_depends_on_its_service_is_our_own_doing() {
    holds(&expecting(effect(Scene::ONE, "shop")), "expected_effects", "self-inflicted");
    holds(&expecting(effect(Scene::TWO, "db")), "expected_effects", "self-inflicted");
    passes(&expecting(effect(Scene::TWO, "api")));
    passes(&expecting(effect(Scene::TWO, "shop")));
    let other = |names: &[&str]| {
        let alerts = names.iter().map(|name| (*name).to_owned()).collect();
        expecting(ExpectedEffect { alerts, ..effect(Scene::ONE, "shop") })
    };
    holds(&other(&["slow-api-data"]), "expected_effects", "ec2.reboot");
    passes(&other(&["host-down"]));
}

#[test]
fn what_fired_before_the_action_or_is_its_own_run_is_not_its_doing() {
    let later = ExpectedEffect { at: at(1), ..effect(Scene::ONE, "shop") };
    passes(&expecting(later));
    let own = ExpectedEffect { by: run_of("inc_1", 1), ..effect(Scene::ONE, "shop") };
    let mut scene = confirmed(0).at(0);
    scene.effects = Reading::Known(vec![own]);
    passes(&scene);
}

#[test]
fn a_self_inflicted_alert_rests_until_its_window_ends_and_calls_nobody() {
    let muted = expecting(effect(Scene::ONE, "shop")).judge().muted.unwrap();
    assert_eq!(muted.until, Some(at(60)));
}
