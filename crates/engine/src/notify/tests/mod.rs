//! Who is told what, how often, and what happens when a channel, the secrets or another writer gets in the way.

mod muted;
mod world;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use firebreak_core::channels::{Reply, Request};
use firebreak_core::incident::{Event, Outcome};
use firebreak_core::policy;
use firebreak_core::proof::Nonce;
use firebreak_core::routing::Routes;
use firebreak_core::runbook;
use firebreak_core::trace::Trace;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use self::world::{HOOK, OTHER, TOPIC, World, at, escalated, fired, id, lock, reopened, resolved};
use super::{Looked, Notifier, Pace, Report, Tick, check_channels, on_event, on_tick, tell_all};
use crate::ports::{Nonces, Remembered, Sender, StoreError};

#[tokio::test]
async fn every_channel_hears_of_an_alert_once_however_often_somebody_looks() {
    let world = World::new();
    world.opens();
    assert_eq!(world.told().await, ["hook", "oncall", "other"]);
    let again = world.tell().await.unwrap();
    assert!(again.delivered.is_empty() && again.missed.is_empty());
    assert_eq!(again.next_at, Some(at(4 * 3600)), "the reminder");
    assert_eq!(world.arrived("2"), World::once(&[HOOK, TOPIC, OTHER]));
}

#[tokio::test]
async fn one_dead_channel_is_named_and_stops_no_other() {
    let world = World::new();
    world.answers(HOOK, &[503]);
    world.opens();
    let report = world.tell().await.unwrap();
    assert_eq!(report.delivered.len(), 2);
    let [missed] = &report.missed[..] else { panic!("{report:?}") };
    assert_eq!((missed.channel.as_str(), missed.again), ("hook", true));
    assert_eq!(report.next_at, Some(at(5)));
    assert_eq!(world.arrived("2")[HOOK], 3);
    world.answers(HOOK, &[200]);
    assert_eq!(world.told().await, Vec::<String>::new(), "it is not time yet");
    world.wait(5);
    assert_eq!(world.told().await, ["hook"]);
    assert_eq!(world.arrived("2")[TOPIC], 1, "the others are not told again");
}

#[tokio::test]
async fn a_passing_failure_is_overcome_within_one_call() {
    let world = World::new();
    world.answers(HOOK, &[0, 503, 200]);
    world.answers(TOPIC, &[0, 200]);
    world.opens();
    assert_eq!(world.told().await.len(), 3);
    assert_eq!(world.arrived("2")[HOOK], 3);
}

#[tokio::test]
async fn a_refusal_is_recorded_and_tried_again_much_later() {
    let world = World::new();
    world.answers(HOOK, &[410]);
    world.opens();
    let report = world.tell().await.unwrap();
    assert_eq!((report.missed.len(), report.delivered.len()), (1, 2));
    assert!(!report.missed[0].again);
    assert_eq!(report.next_at, Some(at(300)));
    assert_eq!(world.arrived("2")[HOOK], 1);
    let recorded = lock(&world.events).clone();
    assert!(recorded.iter().any(|event| matches!(
        &event.event,
        Event::Notified { channel, delivered: false, refused: true, about: 2, .. } if channel == "hook"
    )));
}

#[tokio::test]
async fn a_channel_that_fails_in_the_middle_gets_its_next_message_later() {
    let world = World::new();
    world.opens();
    world.tell().await.unwrap();
    world.happens(escalated());
    world.answers(HOOK, &[503]);
    let resolve = world.resolves();
    world.wait(20);
    let report = world.tell().await.unwrap();
    let of_hook: Vec<_> = report.delivered.iter().filter(|(name, _)| name == "hook").collect();
    assert!(of_hook.is_empty(), "{report:?}");
    assert_eq!(world.arrived(&format!("{}.resolved", resolve.seq)), World::once(&[TOPIC, OTHER]));
    world.answers(HOOK, &[200]);
    world.wait(5);
    let report = world.tell().await.unwrap();
    let ids: Vec<&str> = report.delivered.iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(ids.len(), 2, "the alarm, then the resolve: {ids:?}");
    assert!(ids[1].ends_with(".resolved"));
}

#[tokio::test]
async fn secrets_that_cannot_be_read_stop_only_the_channels_that_need_one() {
    let world = World::new();
    let secret = lock(&world.secret).take();
    world.opens();
    let report = world.tell().await.unwrap();
    assert!(report.missed.iter().all(|missed| missed.again && missed.channel != "oncall"));
    assert_eq!(world.arrived("2"), World::once(&[TOPIC]));
    *lock(&world.secret) = secret;
    world.wait(5);
    assert_eq!(world.told().await, ["hook", "other"]);
}

#[tokio::test]
async fn a_channel_without_its_secret_is_refused_with_the_remedy() {
    let mut world = World::new();
    let unset = world.channels["hook"].clone();
    world.channels.insert("unset".to_owned(), unset);
    world.opens();
    let report = world.tell().await.unwrap();
    assert_eq!(report.missed[0].reason, "its secret is missing: add `unset` under `channels`");
}

#[tokio::test]
async fn the_resolve_goes_to_those_who_got_the_page_and_to_nobody_else() {
    let world = World::new();
    world.answers(HOOK, &[400]);
    world.opens();
    world.tell().await.unwrap();
    world.answers(HOOK, &[200]);
    world.resolves();
    world.wait(10);
    assert_eq!(world.told().await, ["oncall", "other"]);
    assert_eq!(world.told().await, Vec::<String>::new());
    assert_eq!(world.arrived("7.resolved"), World::once(&[TOPIC, OTHER]));
}

#[tokio::test]
async fn nobody_hears_the_end_of_what_nobody_heard_of() {
    let world = World::new();
    world.opens();
    world.resolves();
    assert_eq!(world.tell().await.unwrap(), Report::default());
    assert!(lock(&world.sent).is_empty());
}

#[tokio::test]
async fn a_resolve_while_the_page_is_on_its_way_follows_it() {
    let world = World::new();
    world.opens();
    lock(&world.meanwhile).extend(resolved());
    world.tell().await.unwrap();
    world.wait(10);
    world.tell().await.unwrap();
    let resolves = lock(&world.sent).iter().filter(|(_, id)| id.ends_with(".resolved")).count();
    assert_eq!((lock(&world.sent).len(), resolves), (6, 3));
    assert_eq!(world.tell().await.unwrap(), Report::default());
}

#[tokio::test]
async fn what_came_back_before_its_resolve_was_told_goes_on() {
    let world = World::new();
    world.opens();
    world.tell().await.unwrap();
    world.resolves();
    world.wait(5);
    world.happens(reopened());
    world.happens(fired(&world.alert()));
    world.wait(5);
    assert_eq!(world.told().await, Vec::<String>::new());
    world.resolves();
    world.wait(10);
    assert_eq!(world.told().await.len(), 3);
}

#[tokio::test]
async fn somebody_else_who_told_the_same_is_not_recorded_twice() {
    let world = World::new();
    world.opens();
    let notifier = world.notifier();
    let incident = id();
    let (one, other) = tokio::join!(tell_all(&notifier, &incident), tell_all(&notifier, &incident));
    assert_eq!(one.unwrap().delivered.len() + other.unwrap().delivered.len(), 6, "both sent");
    let recorded = lock(&world.events)
        .iter()
        .filter(|event| matches!(event.event, Event::Notified { .. }))
        .count();
    assert_eq!(recorded, 3);
    assert_eq!(
        world.arrived("2"),
        [(HOOK, 2), (TOPIC, 2), (OTHER, 2)].map(|(at, n)| (at.to_owned(), n)).into()
    );
}

/// The claims of several processes.
#[derive(Default)]
struct Claims(Mutex<BTreeMap<String, Timestamp>>);

#[async_trait]
impl Nonces for Claims {
    async fn is_known(&self, nonce: &Nonce, now: Timestamp) -> Result<bool, StoreError> {
        Ok(lock(&self.0).get(&nonce.key).is_some_and(|until| now < *until))
    }

    async fn remember(&self, nonce: &Nonce, now: Timestamp) -> Result<Remembered, StoreError> {
        if self.is_known(nonce, now).await? {
            return Ok(Remembered::Seen);
        }
        lock(&self.0).insert(nonce.key.clone(), nonce.until);
        Ok(Remembered::Fresh)
    }
}

#[tokio::test]
async fn of_two_processes_at_once_one_sends_and_the_other_looks_again() {
    let world = World::new();
    world.opens();
    let claims = Claims::default();
    let notifier = Notifier { claims: Some(&claims), ..world.notifier() };
    let incident = id();
    let (one, other) = tokio::join!(tell_all(&notifier, &incident), tell_all(&notifier, &incident));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.delivered.len() + other.delivered.len(), 3, "each channel once");
    assert_eq!(world.arrived("2").values().sum::<usize>(), 3);
    assert_eq!(other.next_at, Some(at(10)), "should the other one die");
}

#[tokio::test]
async fn who_dies_with_a_claim_keeps_nobody_from_being_told() {
    let world = World::new();
    world.opens();
    let claims = Claims::default();
    let key = "tell:hook:inc_01A:2:0".to_owned();
    lock(&claims.0).insert(key, at(10));
    let notifier = Notifier { claims: Some(&claims), ..world.notifier() };
    let first = tell_all(&notifier, &id()).await.unwrap();
    assert_eq!((first.delivered.len(), first.next_at), (2, Some(at(10))));
    world.wait(10);
    assert_eq!(tell_all(&notifier, &id()).await.unwrap().delivered.len(), 1);
}

#[tokio::test]
async fn a_failure_on_record_leaves_no_claim_behind() {
    let world = World::new();
    world.answers(HOOK, &[503, 503, 503, 200]);
    world.opens();
    let claims = Claims::default();
    let notifier = Notifier { claims: Some(&claims), ..world.notifier() };
    assert_eq!(tell_all(&notifier, &id()).await.unwrap().missed.len(), 1);
    world.wait(5);
    assert_eq!(tell_all(&notifier, &id()).await.unwrap().delivered.len(), 1);
}

#[tokio::test]
async fn an_event_that_is_not_the_latest_is_left_to_who_is_woken_by_that() {
    let world = World::new();
    let fired = world.opens();
    let escalated = world.happens(escalated());
    let notifier = world.notifier();
    assert_eq!(on_event(&notifier, &fired).await.unwrap(), Looked::default());
    let looked = on_event(&notifier, &escalated).await.unwrap();
    let ids: Vec<&str> = looked.report.delivered.iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(ids.iter().filter(|id| id.ends_with(":3")).count(), 3, "the alarm");
    assert_eq!(ids.iter().filter(|id| id.ends_with(":2")).count(), 3, "and the page");
    let next = Tick { incident_id: id(), news: 3, at: at(4 * 3600) };
    assert_eq!(looked.next, Some(next));
}

#[tokio::test]
async fn a_tick_that_is_early_follows_itself_and_one_that_is_stale_does_nothing() {
    let mut world = World::new();
    world.routes = Routes::of(&policy::read("route: {}").unwrap());
    let fired = world.opens();
    let tick = on_event(&world.notifier(), &fired).await.unwrap().next.unwrap();
    assert_eq!(tick, Tick { incident_id: id(), news: 2, at: at(30) });
    let written = serde_json::to_string(&tick).unwrap();
    assert_eq!(serde_json::from_str::<Tick>(&written).unwrap(), tick);

    world.wait(20);
    let early = on_tick(&world.notifier(), &tick).await.unwrap();
    assert_eq!(early.next.as_ref(), Some(&tick));
    world.wait(10);
    let looked = on_tick(&world.notifier(), &tick).await.unwrap();
    assert_eq!(looked.report.delivered.len(), 3);
    let again = on_tick(&world.notifier(), &tick).await.unwrap();
    assert_eq!((again.report.delivered.len(), again.next), (0, looked.next), "as after the first");

    world.resolves();
    world.wait(400);
    assert_eq!(on_tick(&world.notifier(), &tick).await.unwrap(), Looked::default(), "stale");
    let late = Tick { at: at(10_000), ..tick };
    assert_eq!(on_tick(&world.notifier(), &late).await.unwrap(), Looked::default(), "stale");
}

#[tokio::test]
async fn a_group_wait_is_waited_for() {
    let mut world = World::new();
    world.routes = Routes::of(&policy::read("route: { channels: [oncall] }").unwrap());
    world.opens();
    let report = world.tell().await.unwrap();
    assert_eq!((report.delivered.len(), report.next_at), (0, Some(at(30))));
    world.wait(30);
    assert_eq!(world.told().await, ["oncall"]);
}

fn runbook_for(channels: &str) -> Event {
    let yaml = format!(
        "runbook: r\nowner: o\nwhen: \"true\"\ntargets: {{ ec2.instance: alert.labels.i }}\n\
         steps:\n  - action: ec2.reboot\n    verify: {{ within: 5m, all: [ec2.status_ok] }}\n\
         escalate: {{ channels: [{channels}] }}\n"
    );
    Event::RunStarted {
        run: 1,
        runbook: Box::new(runbook::read(&yaml).unwrap()),
        driver: "d".to_owned(),
        settle_until: at(0),
        deadline: at(0) + SignedDuration::from_hours(1),
        trace: Trace::default(),
        requested_by: None,
        mode: None,
    }
}

async fn escalation(channels: &str) -> BTreeMap<String, usize> {
    let world = World::new();
    world.opens();
    world.happens(runbook_for(channels));
    let reason = "useless".to_owned();
    world.happens(Event::RunEnded { run: 1, outcome: Outcome::Useless, reason });
    world.happens(escalated());
    world.tell().await.unwrap();
    world.arrived("5")
}

#[tokio::test]
async fn an_escalation_goes_to_the_channels_of_the_runbook_or_to_all() {
    assert_eq!(escalation("oncall").await, World::once(&[TOPIC]));
    assert_eq!(escalation("").await, World::once(&[HOOK, TOPIC, OTHER]));
    assert_eq!(escalation("oncall, gone").await, World::once(&[TOPIC]));
    assert_eq!(escalation("gone").await, World::once(&[HOOK, TOPIC, OTHER]), "fails open");
}

#[tokio::test]
async fn a_channel_that_never_answers_does_not_hold_up_the_others() {
    struct Silent<'a>(&'a World);

    #[async_trait]
    impl Sender for Silent<'_> {
        async fn send(&self, request: &Request) -> Reply {
            if matches!(request, Request::Http(http) if http.url == HOOK) {
                std::future::pending::<()>().await;
            }
            self.0.send(request).await
        }
    }

    let world = World::new();
    world.opens();
    let pace = Pace { rests: [Duration::ZERO; 2], patience: Duration::from_millis(20) };
    let sender = Silent(&world);
    let notifier = Notifier { sender: &sender, pace, ..world.notifier() };
    let report = tell_all(&notifier, &id()).await.unwrap();
    let [missed] = &report.missed[..] else { panic!("the hook never answered: {report:?}") };
    assert!(missed.again);
    assert_eq!(world.arrived("2"), World::once(&[TOPIC, OTHER]));
}

#[test]
fn settings_are_checked_before_anything_is_sent() {
    assert_eq!(check_channels(&World::new().channels), Ok(()));
    let wrong =
        json!({"a": {"kind": "webhook", "url": "http://example.com"}, "b": {"kind": "fax"}});
    let problems = check_channels(&serde_json::from_value(wrong).unwrap()).unwrap_err();
    assert_eq!(problems.len(), 2);
}
