//! Scripted stories on a virtual clock: the table row by row, failures, restarts, mutes and alarms.

mod model;
mod properties;
mod world;

use std::sync::Arc;

use jiff::SignedDuration;

use self::world::{Doing, HOUR, ONE_CHANNEL, World};
use crate::alert::Severity;
use crate::incident::{Command, Event};

#[test]
fn a_new_group_waits_to_fill_and_is_told_once() {
    let mut world = World::usual();
    world.fires("a");
    world.until(10);
    world.fires("b");
    world.until(HOUR);
    assert_eq!(world.story(), ["30 first a b/"]);
}

#[test]
fn what_fired_and_cleared_before_the_first_look_is_never_told() {
    let mut world = World::usual();
    world.fires("a");
    world.until(10);
    world.resolves("a");
    world.until(HOUR);
    assert_eq!(world.story(), Vec::<String>::new());
}

#[test]
fn one_that_clears_and_fires_again_within_the_wait_does_not_begin_it_anew() {
    let mut world = World::usual();
    for (at, fires) in [(0, true), (10, false), (20, true), (25, false), (29, true)] {
        world.until(at);
        if fires { world.fires("a") } else { world.resolves("a") }
    }
    world.until(HOUR);
    assert_eq!(world.story(), ["30 first a/"]);
}

#[test]
fn one_that_fires_again_after_an_empty_look_waits_anew() {
    let mut world = World::usual();
    for (at, fires) in [(0, true), (10, false), (31, true), (40, false), (45, true)] {
        world.until(at);
        if fires { world.fires("a") } else { world.resolves("a") }
    }
    world.until(HOUR);
    assert_eq!(world.story(), ["61 first a/"]);
}

#[test]
fn new_alerts_are_told_at_the_next_tick_together() {
    let mut world = World::usual();
    world.fires("a");
    world.until(40);
    world.fires("b");
    world.until(200);
    world.fires("c");
    world.until(HOUR);
    assert_eq!(world.story(), ["30 first a/", "330 new_alerts a b c/"]);
}

#[test]
fn the_resolve_of_all_comes_at_the_next_tick() {
    let mut world = World::usual();
    world.fires("a");
    world.until(1000);
    world.resolves("a");
    world.until(HOUR);
    assert_eq!(world.story(), ["30 first a/", "1230 all_resolved /a"]);
    assert_eq!(world.timer("chat"), None);
}

#[test]
fn without_send_resolved_the_log_is_cleared_and_nothing_sent() {
    let mut world = World::new(r#"{"chat": {"kind": "sns", "send_resolved": false}}"#, "route: {}");
    world.fires("a");
    world.fires("b");
    world.until(100);
    world.resolves("a");
    world.until(1000);
    world.resolves("b");
    world.until(2000);
    world.fires("a");
    world.until(HOUR);
    assert_eq!(world.story(), ["30 first a b/", "1230 silent all_resolved /", "2030 first a/b"]);
}

#[test]
fn what_fires_and_clears_between_two_ticks_is_not_told() {
    let mut world = World::usual();
    world.fires("a");
    world.until(40);
    world.resolves("a");
    world.until(400);
    world.fires("b");
    world.until(410);
    world.resolves("b");
    world.until(HOUR);
    assert_eq!(world.story(), ["30 first a/", "330 all_resolved /a"]);
}

#[test]
fn some_resolved_is_told_of_what_was_told() {
    let mut world = World::usual();
    world.fires("a");
    world.fires("b");
    world.until(100);
    world.fires("c");
    world.until(110);
    world.resolves("c");
    world.resolves("b");
    world.until(HOUR);
    assert_eq!(world.story(), ["30 first a b/", "330 some_resolved a/b"]);
}

#[test]
fn a_repeat_comes_when_nothing_is_new_for_long_and_only_on_a_tick() {
    let mut world = World::new(ONE_CHANNEL, "route: { repeat_interval: 12m }");
    world.fires("a");
    world.until(2000);
    assert_eq!(world.story(), ["30 first a/", "930 repeat a/", "1830 repeat a/"]);
    let ids: Vec<&str> = world.told.iter().map(|told| told.id.as_str()).collect();
    assert_eq!(ids, ["inc_1:2", "inc_1:2.1", "inc_1:2.2"]);
}

#[test]
fn nobody_who_has_it_is_reminded() {
    let mut world = World::new(ONE_CHANNEL, "route: { repeat_interval: 10m }");
    world.fires("a");
    world.until(60);
    world.happens(Event::Acknowledged { by: "ada".to_owned() });
    world.until(HOUR);
    world.fires("b");
    world.until(2 * HOUR);
    assert_eq!(world.story(), ["30 first a/", "3630 new_alerts a b/"]);
}

#[test]
fn the_same_again_is_told_once() {
    let mut world = World::usual();
    world.fires("a");
    world.until(40);
    world.resolves("a");
    world.until(50);
    world.fires("a");
    world.until(HOUR);
    assert_eq!(world.story(), ["30 first a/"]);
}

#[test]
fn an_alert_that_gets_worse_is_news() {
    let mut world = World::usual();
    world.fires("a");
    world.until(40);
    let worse = world.alert("a", Severity::Critical);
    world.happens(Event::AlertUpdated { alert: Arc::new(worse) });
    world.look_at_all();
    world.until(HOUR);
    assert_eq!(world.story(), ["30 first a/", "330 new_alerts a/"]);
}

#[test]
fn an_alert_that_waited_elsewhere_is_told_at_once() {
    let mut world = World::usual();
    world.fires("a");
    world.until(10);
    let mut late = world.alert("b", Severity::Warning);
    late.starts_at -= SignedDuration::from_mins(2);
    world.fires_as(late);
    world.until(HOUR);
    assert_eq!(world.story(), ["10 first a b/"]);
}

#[test]
fn a_group_of_which_nothing_fires_at_its_look_is_gone() {
    let mut world = World::usual();
    world.fires("a");
    world.until(5);
    world.resolves("a");
    world.until(10);
    world.fires("b");
    world.until(15);
    world.resolves("b");
    world.until(50);
    world.fires("c");
    world.until(HOUR);
    assert_eq!(world.story(), ["80 first c/"]);
}

#[test]
fn an_alert_joins_the_wait_that_another_began() {
    let mut world = World::usual();
    world.fires("a");
    world.until(5);
    world.resolves("a");
    world.until(10);
    world.fires("b");
    world.until(HOUR);
    assert_eq!(world.story(), ["30 first b/"]);
}

#[test]
fn after_a_restart_nothing_is_told_twice_and_what_is_late_at_once() {
    let mut world = World::usual();
    world.fires("a");
    world.down_until(20);
    world.until(60);
    world.fires("b");
    world.down_until(1000);
    world.down_until(1001);
    world.until(1100);
    world.resolves("a");
    world.resolves("b");
    world.until(HOUR);
    assert_eq!(world.story(), ["30 first a/", "1000 new_alerts a b/", "1300 all_resolved /a b"]);
}

#[test]
fn a_failed_send_is_tried_again_and_then_says_what_is_true_by_then() {
    let mut world = World::usual();
    world.failing.insert("chat".to_owned(), 3);
    world.fires("a");
    world.until(40);
    assert_eq!(world.timer("chat"), Some(45), "30, 35, then 10 s later");
    world.fires("b");
    world.until(HOUR);
    assert_eq!(world.story(), ["65 first a b/"]);
    assert_eq!(world.attempts, 4);
}

#[test]
fn a_page_that_never_went_out_is_not_followed_by_a_resolve() {
    let mut world = World::usual();
    world.failing.insert("chat".to_owned(), u32::MAX);
    world.fires("a");
    world.until(100);
    world.resolves("a");
    world.until(HOUR);
    assert_eq!(world.timer("chat"), None);
    world.failing.clear();
    world.look_at_all();
    assert_eq!(world.story(), Vec::<String>::new());
}

#[test]
fn a_resolve_that_cannot_be_brought_is_given_up_after_a_day() {
    let mut world = World::usual();
    world.fires("a");
    world.until(100);
    world.failing.insert("chat".to_owned(), u32::MAX);
    world.resolves("a");
    world.until(22 * HOUR);
    assert!(world.timer("chat").is_some());
    world.until(26 * HOUR);
    assert_eq!(world.timer("chat"), None);
    assert_eq!(world.story(), ["30 first a/"]);
}

#[test]
fn a_resolve_while_the_page_is_under_way_follows_it() {
    let mut world = World::usual();
    world.fires("a");
    world.meanwhile.push(("a", Doing::Resolves));
    world.until(HOUR);
    assert_eq!(world.story(), ["30 first a/", "330 all_resolved /a"]);
}

#[test]
fn an_alert_that_comes_back_while_its_resolve_is_under_way_is_told() {
    let mut world = World::usual();
    world.fires("a");
    world.until(40);
    world.resolves("a");
    world.meanwhile.push(("a", Doing::Fires));
    world.until(HOUR);
    assert_eq!(world.story(), ["30 first a/", "330 all_resolved /a", "360 first a/"]);
    let mut world = World::usual();
    world.fires("a");
    world.fires("b");
    world.until(40);
    world.resolves("a");
    world.meanwhile.push(("a", Doing::Fires));
    world.until(HOUR);
    assert_eq!(world.story(), ["30 first a b/", "330 some_resolved b/a", "630 new_alerts a b/"]);
}

#[test]
fn what_is_muted_is_not_told_until_the_mute_ends() {
    let mut world = World::usual();
    world.fires("a");
    world.mutes("a");
    world.until(40);
    assert!(world.told.is_empty());
    assert_eq!(world.due("chat").quiet[0].hush.because, "a silence");
    world.until(1000);
    world.unmutes("a");
    world.until(HOUR);
    assert_eq!(world.story(), ["1230 first a/"]);
}

#[test]
fn whoever_got_the_page_gets_the_resolve_through_any_mute() {
    let mut world = World::usual();
    world.fires("a");
    world.fires("b");
    world.until(40);
    world.mutes("a");
    world.mutes("b");
    world.resolves("a");
    world.until(1000);
    world.resolves("b");
    world.until(HOUR);
    assert_eq!(world.story(), ["30 first a b/", "330 some_resolved b/a", "1230 all_resolved /a b"]);
}

#[test]
fn an_alert_that_is_muted_after_its_page_is_neither_over_nor_new_again() {
    let mut world = World::new(ONE_CHANNEL, "route: { repeat_interval: 1h }");
    world.fires("a");
    world.fires("b");
    world.until(40);
    world.mutes("a");
    world.resolves("b");
    world.until(400);
    world.fires("c");
    world.until(2 * HOUR);
    world.mutes("c");
    world.until(4 * HOUR);
    world.unmutes("a");
    world.unmutes("c");
    world.until(5 * HOUR);
    world.resolves("a");
    world.resolves("c");
    world.until(6 * HOUR);
    let story = world.story();
    assert_eq!(story[..3], ["30 first a b/", "330 some_resolved a/b", "630 new_alerts a c/b"]);
    assert_eq!(story[3], "4230 repeat a c/b");
    assert!(story[4].ends_with("repeat a c/b"), "{story:?}");
    assert!(world.told[4].at >= 4 * HOUR, "a reminder of what is muted: {story:?}");
    assert!(story[5].ends_with("all_resolved /a b c"), "{story:?}");
}

#[test]
fn an_alarm_is_told_at_once_through_any_mute_and_gets_its_resolve() {
    let policy = "time_intervals: [{ name: always, time_intervals: [{}] }]\n\
                  route: { routes: [{ matchers: [severity=~.+], mute_time_intervals: [always] }] }";
    let mut world = World::new(ONE_CHANNEL, policy);
    world.fires("a");
    world.mutes("a");
    world.until(5);
    world.happens(Event::Escalated { reason: "useless".to_owned() });
    world.look_at_all();
    world.until(HOUR);
    world.resolves("a");
    world.until(2 * HOUR);
    assert_eq!(world.story(), ["5 escalated /", "3600 all_resolved /"]);
    assert_eq!(world.timer("chat"), None);
}

#[test]
fn an_alarm_that_cannot_be_brought_is_tried_for_a_day() {
    let mut world = World::new(ONE_CHANNEL, "route: { channels: [] }");
    world.failing.insert("chat".to_owned(), 6);
    world.fires("a");
    world.happens(Event::Escalated { reason: "useless".to_owned() });
    world.look_at_all();
    world.until(HOUR);
    assert_eq!(world.story(), ["315 escalated /"]);
    let mut world = World::new(ONE_CHANNEL, "route: { channels: [] }");
    world.failing.insert("chat".to_owned(), u32::MAX);
    world.fires("a");
    world.happens(Event::Escalated { reason: "useless".to_owned() });
    world.look_at_all();
    world.until(30 * HOUR);
    assert_eq!((world.timer("chat"), world.told.len()), (None, 0));
}

#[test]
fn an_alarm_is_heard_by_the_channels_of_the_routes_and_else_by_all() {
    let channels = r#"{"chat": {"kind": "sns"}, "pager": {"kind": "sns"}}"#;
    for (route, expected) in [
        ("route: { channels: [pager] }", &["pager"][..]),
        ("route: { channels: [] }", &["chat", "pager"]),
        ("route: { channels: [gone] }", &["chat", "pager"]),
        ("{}", &["chat", "pager"]),
    ] {
        let mut world = World::new(channels, route);
        world.fires("a");
        world.told.clear();
        world.happens(Event::Escalated { reason: "useless".to_owned() });
        world.look_at_all();
        let mut told: Vec<&str> = world.told.iter().map(|told| told.channel.as_str()).collect();
        told.sort_unstable();
        assert_eq!(told, expected, "{route}");
    }
}

#[test]
fn continue_adds_channels_for_the_alerts_that_it_is_for() {
    let channels = r#"{"chat": {"kind": "sns"}, "pager": {"kind": "sns"}}"#;
    let policy = r#"
route:
  channels: [chat]
  routes:
    - matchers: [severity="critical"]
      channels: [pager]
      group_wait: 0s
      continue: true
    - matchers: ['severity=~".+"']
"#;
    let mut world = World::new(channels, policy);
    world.fires("a");
    let bad = world.alert("b", Severity::Critical);
    world.fires_as(bad);
    world.until(1000);
    world.resolves("b");
    world.until(2000);
    let of = |channel: &str| {
        let told = world.told.iter().filter(|told| told.channel == channel);
        told.map(|told| format!("{} {} {}", told.at, told.why, told.firing)).collect::<Vec<_>>()
    };
    assert_eq!(of("chat"), ["30 first a b", "1230 some_resolved a"]);
    assert_eq!(of("pager"), ["0 first b", "1200 all_resolved "]);
}

#[test]
fn a_route_is_quiet_in_its_intervals_and_open_after_them() {
    // The story begins at 11:06:40.
    let policy = r#"
time_intervals:
  - name: noon
    time_intervals: [{times: [{start_time: "11:00", end_time: "12:00"}]}]
route:
  routes:
    - matchers: ['severity=~".+"']
      mute_time_intervals: [noon]
"#;
    let mut world = World::new(ONE_CHANNEL, policy);
    world.fires("a");
    world.until(2 * HOUR);
    assert_eq!(world.story(), ["3200 first a/"], "12:00:00");
}

#[test]
fn without_a_route_the_page_is_out_at_once_and_the_resolve_soon() {
    let mut world = World::new(ONE_CHANNEL, "{}");
    world.fires("a");
    world.until(3);
    world.fires("b");
    world.until(12);
    world.resolves("a");
    world.until(13);
    world.resolves("b");
    world.until(5 * HOUR);
    assert_eq!(world.story(), ["0 first a/", "10 new_alerts a b/", "20 all_resolved /a b"]);
}

#[test]
fn a_resolve_by_hand_is_told() {
    let mut world = World::usual();
    world.fires("a");
    world.until(100);
    let command = Command::Resolve { by: "ada".to_owned(), reason: "known".to_owned() };
    for event in command.decide(world.incident(), crate::examples::at(100)).unwrap() {
        world.happens(event);
    }
    world.look_at_all();
    world.until(HOUR);
    assert_eq!(world.story(), ["30 first a/", "330 all_resolved /a"]);
}

#[test]
fn harm_is_told_at_once() {
    let mut world = World::usual();
    world.fires("a");
    world.is_harmed();
    world.until(100);
    assert_eq!(world.story(), ["0 harmful /", "30 first a/"]);
}

#[test]
fn harm_that_led_to_an_escalation_already_is_told_with_it() {
    let mut world = World::usual();
    world.failing.insert("chat".to_owned(), 1);
    world.fires("a");
    world.is_harmed();
    world.happens(Event::Escalated { reason: "an action did harm: worse".to_owned() });
    world.look_at_all();
    world.until(100);
    assert_eq!(world.story(), ["0 escalated /", "30 first a/"]);
}

#[test]
fn what_could_not_be_read_mutes_nothing_and_is_said() {
    let mut world = World::usual();
    let doubt = "the silences cannot be read: timeout".to_owned();
    world.mutes.doubts.push(doubt.clone());
    world.fires("a");
    world.until(30);
    assert_eq!(world.story(), ["30 first a/"]);
    assert_eq!(world.notes, [format!("told although it may be muted: {doubt}")]);
}
