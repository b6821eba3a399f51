//! Who is told what, how often, and what happens when a channel, the secrets or another writer gets in the way.

mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use firebreak_core::channels::{Reply, Request};
use firebreak_core::incident::{Event, Outcome};
use firebreak_core::runbook;
use firebreak_core::trace::Trace;
use jiff::SignedDuration;
use serde_json::json;

use self::world::{HOOK, OTHER, TOPIC, World, at, escalated, lock, opened, reopened, resolved};
use super::{Notifier, NotifyError, Pace, Report, check_channels, notify};
use crate::ports::Sender;

#[tokio::test]
async fn every_channel_hears_of_an_event_once_however_often_it_comes() {
    let world = World::new();
    let event = world.happens(opened());
    let first = world.notify(&event).await.unwrap();
    assert_eq!(first.delivered, ["hook", "oncall", "other"]);
    assert_eq!(world.notify(&event).await.unwrap(), Report::default());
    assert_eq!(world.arrived(&event), World::once(&[HOOK, TOPIC, OTHER]));
    let mut told = world.incident().told[&1].clone();
    told.sort();
    assert_eq!(told, ["hook", "oncall", "other"]);
}

#[tokio::test]
async fn an_event_that_nobody_needs_to_know_goes_nowhere() {
    let world = World::new();
    world.happens(opened());
    let noted = world.happens(Event::Noted { by: "ada".to_owned(), text: "hm".to_owned() });
    assert_eq!(world.notify(&noted).await.unwrap(), Report::default());
    assert!(lock(&world.sent).is_empty());
}

#[tokio::test]
async fn one_dead_channel_is_named_and_stops_no_other() {
    let world = World::new();
    world.answers(HOOK, &[503]);
    let event = world.happens(opened());
    let Err(NotifyError::Undelivered(missed)) = world.notify(&event).await else {
        panic!("the hook was not told")
    };
    assert_eq!(missed.len(), 1);
    assert_eq!((missed[0].channel.as_str(), missed[0].again), ("hook", true));
    assert_eq!(world.arrived(&event)[HOOK], 3);
    world.answers(HOOK, &[200]);
    assert_eq!(world.notify(&event).await.unwrap().delivered, ["hook"]);
    assert_eq!(world.arrived(&event)[TOPIC], 1, "the others are not told again");
}

#[tokio::test]
async fn a_passing_failure_is_overcome_within_one_call() {
    let world = World::new();
    world.answers(HOOK, &[0, 503, 200]);
    world.answers(TOPIC, &[0, 200]);
    let event = world.happens(opened());
    assert_eq!(world.notify(&event).await.unwrap().delivered.len(), 3);
    assert_eq!(world.arrived(&event)[HOOK], 3);
}

#[tokio::test]
async fn a_refusal_is_recorded_and_not_tried_again() {
    let world = World::new();
    world.answers(HOOK, &[410]);
    let event = world.happens(opened());
    let report = world.notify(&event).await.unwrap();
    assert_eq!((report.refused.len(), report.delivered.len()), (1, 2));
    assert_eq!(world.arrived(&event)[HOOK], 1);
    let recorded = lock(&world.events).clone();
    assert!(recorded.iter().any(|event| matches!(
        &event.event,
        Event::Notified { channel, delivered: false, about: 1, .. } if channel == "hook"
    )));
}

#[tokio::test]
async fn a_page_that_reached_nobody_is_an_error_even_when_all_refused() {
    let world = World::new();
    world.answers(HOOK, &[404]);
    world.answers(OTHER, &[404]);
    world.answers(TOPIC, &[0]);
    let event = world.happens(opened());
    let said = world.notify(&event).await.unwrap_err().to_string();
    assert_eq!(
        said,
        "not told: hook (answered 404), oncall (connection reset), other (answered 404)"
    );
}

#[tokio::test]
async fn secrets_that_cannot_be_read_stop_only_the_channels_that_need_one() {
    let world = World::new();
    let secret = lock(&world.secret).take();
    let event = world.happens(opened());
    let Err(NotifyError::Undelivered(missed)) = world.notify(&event).await else {
        panic!("nobody could sign")
    };
    assert!(missed.iter().all(|missed| missed.again && missed.channel != "oncall"));
    assert_eq!(world.arrived(&event), World::once(&[TOPIC]));
    *lock(&world.secret) = secret;
    assert_eq!(world.notify(&event).await.unwrap().delivered, ["hook", "other"]);
}

#[tokio::test]
async fn a_channel_without_its_secret_is_refused_with_the_remedy() {
    let mut world = World::new();
    let unset = world.channels["hook"].clone();
    world.channels.insert("unset".to_owned(), unset);
    let event = world.happens(opened());
    let report = world.notify(&event).await.unwrap();
    assert_eq!(report.refused[0].reason, "its secret is missing: add `unset` under `channels`");
}

#[tokio::test]
async fn the_resolve_goes_to_those_who_got_the_page_and_to_nobody_else() {
    let world = World::new();
    world.answers(HOOK, &[400]);
    let page = world.happens(opened());
    world.notify(&page).await.unwrap();
    world.answers(HOOK, &[200]);
    let resolve = world.happens(resolved());
    world.notify(&resolve).await.unwrap();
    world.notify(&resolve).await.unwrap();
    assert_eq!(world.arrived(&resolve), World::once(&[TOPIC, OTHER]));
}

#[tokio::test]
async fn nobody_hears_the_end_of_what_nobody_heard_of() {
    let world = World::new();
    world.happens(opened());
    let resolve = world.happens(resolved());
    assert_eq!(world.notify(&resolve).await.unwrap(), Report::default());
    assert!(lock(&world.sent).is_empty());
}

#[tokio::test]
async fn a_page_that_comes_after_its_resolve_still_gets_it() {
    let world = World::new();
    let page = world.happens(opened());
    let resolve = world.happens(resolved());
    world.notify(&resolve).await.unwrap();
    world.notify(&page).await.unwrap();
    assert_eq!(world.arrived(&page), World::once(&[HOOK, TOPIC, OTHER]));
    assert_eq!(world.arrived(&resolve), World::once(&[HOOK, TOPIC, OTHER]));
    world.notify(&page).await.unwrap();
    world.notify(&resolve).await.unwrap();
    assert_eq!(lock(&world.sent).len(), 6);
}

#[tokio::test]
async fn a_resolve_while_the_page_is_on_its_way_follows_it() {
    let world = World::new();
    let page = world.happens(opened());
    lock(&world.meanwhile).push(resolved());
    world.notify(&page).await.unwrap();
    let resolve = lock(&world.events)[1].clone();
    assert_eq!(resolve.event.name(), "incident.resolved");
    assert_eq!(world.arrived(&resolve), World::once(&[HOOK, TOPIC, OTHER]));
}

#[tokio::test]
async fn a_late_resolve_does_not_end_the_page_of_what_came_back() {
    let world = World::new();
    let page = world.happens(opened());
    world.notify(&page).await.unwrap();
    let late = world.happens(resolved());
    let back = world.happens(reopened());
    world.notify(&back).await.unwrap();
    assert_eq!(world.notify(&late).await.unwrap(), Report::default());
    let last = world.happens(resolved());
    world.notify(&last).await.unwrap();
    world.notify(&late).await.unwrap();
    assert_eq!(world.arrived(&late), BTreeMap::new());
    assert_eq!(world.arrived(&last), World::once(&[HOOK, TOPIC, OTHER]));
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
    }
}

async fn escalation(channels: &str) -> BTreeMap<String, usize> {
    let world = World::new();
    world.happens(opened());
    world.happens(runbook_for(channels));
    let reason = "useless".to_owned();
    world.happens(Event::RunEnded { run: 1, outcome: Outcome::Useless, reason });
    let event = world.happens(escalated());
    world.notify(&event).await.unwrap();
    world.arrived(&event)
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
    let event = world.happens(opened());
    let pace = Pace { rests: [Duration::ZERO; 2], patience: Duration::from_millis(20) };
    let sender = Silent(&world);
    let channels = &world.channels;
    let notifier =
        Notifier { store: &world, clock: &world, channels, secrets: &world, sender: &sender, pace };
    let Err(NotifyError::Undelivered(missed)) = notify(&notifier, &event).await else {
        panic!("the hook never answered")
    };
    assert_eq!(missed.len(), 1);
    assert!(missed[0].again);
    assert_eq!(world.arrived(&event), World::once(&[TOPIC, OTHER]));
}

#[test]
fn settings_are_checked_before_anything_is_sent() {
    assert_eq!(check_channels(&World::new().channels), Ok(()));
    let wrong =
        json!({"a": {"kind": "webhook", "url": "http://example.com"}, "b": {"kind": "fax"}});
    let problems = check_channels(&serde_json::from_value(wrong).unwrap()).unwrap_err();
    assert_eq!(problems.len(), 2);
}
