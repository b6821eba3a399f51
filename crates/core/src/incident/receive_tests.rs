//! What deliveries do to an incident: repeats, late arrivals, resolves, reopening and limits.

use std::sync::Arc;

use jiff::SignedDuration;

use super::{MOST_ALERTS, Received, Verdict, receive};
use crate::alert::{Alert, AlertStatus, Identity};
use crate::examples::{at, draft};
use crate::fingerprint::Field;
use crate::ids::IncidentId;
use crate::incident::{Command, Event, Incident, Recorded, Status};

const GROUP: &str = "grp1_a";
const REOPEN: SignedDuration = SignedDuration::from_mins(10);

/// A delivery of `instance`'s alert whose episode began at `starts`.
fn fires(instance: &str, starts: i64, title: &str) -> Alert {
    let mut draft = draft("slow-api-data", instance);
    draft.starts_at = at(starts);
    title.clone_into(&mut draft.title);
    draft.seal()
}

fn ends(instance: &str, starts: i64, ends: i64) -> Alert {
    let mut draft = draft("slow-api-data", instance);
    draft.starts_at = at(starts);
    draft.status = AlertStatus::Resolved;
    draft.ends_at = Some(at(ends));
    draft.seal()
}

/// The incident after `events` at `seconds`.
fn then(incident: Option<Incident>, seconds: i64, events: Vec<Event>) -> Incident {
    let id = IncidentId::try_from("inc_1".to_owned()).unwrap();
    let after = events.into_iter().fold(incident, |incident, event| {
        let seq = incident.as_ref().map_or(1, |incident| incident.version + 1);
        let recorded = Recorded { incident: id.clone(), seq, at: at(seconds), event, prev: None };
        Some(match incident {
            None => Incident::open(&recorded).unwrap(),
            Some(incident) => incident.apply(&recorded).unwrap(),
        })
    });
    after.expect("at least one event")
}

/// The incident after deliveries, each at its second.
fn after(deliveries: &[(i64, Alert)]) -> Incident {
    let incident =
        deliveries.iter().fold(None, |incident: Option<Incident>, (seconds, alert)| match receive(
            incident.as_ref(),
            &Arc::new(alert.clone()),
            &alert.group_key(),
            REOPEN,
            at(*seconds),
        ) {
            Received::Append { events, .. } => Some(then(incident, *seconds, events)),
            Received::Open { events } => Some(then(None, *seconds, events)),
            Received::Nothing { .. } => incident,
        });
    incident.expect("something was opened")
}

#[track_caller]
fn check(
    history: &[(i64, Alert)],
    (seconds, alert): (i64, Alert),
    verdict: Verdict,
    expected: &[&str],
) {
    let incident = (!history.is_empty()).then(|| after(history));
    let alert = Arc::new(alert);
    let received = receive(incident.as_ref(), &alert, &alert.group_key(), REOPEN, at(seconds));
    let (said, events) = match received {
        Received::Append { verdict, events } => (verdict, events),
        Received::Open { events } => (Verdict::Opened, events),
        Received::Nothing { verdict } => (verdict, Vec::new()),
    };
    let names: Vec<&str> = events.iter().map(Event::name).collect();
    assert_eq!((said, names.as_slice()), (verdict, expected));
}

const ONE: &str = "i-0abc12345";
const TWO: &str = "i-0def12345";

#[test]
fn the_first_alert_opens_an_incident() {
    let opened = ["incident.opened", "alert.fired"];
    check(&[], (0, fires(ONE, 0, "slow")), Verdict::Opened, &opened);
}

#[test]
fn an_exact_repeat_is_a_duplicate() {
    let history = [(0, fires(ONE, 0, "slow"))];
    check(&history, (60, fires(ONE, 0, "slow")), Verdict::Duplicate, &[]);
}

#[test]
fn a_repeat_that_says_something_new_updates() {
    let history = [(0, fires(ONE, 0, "slow"))];
    check(&history, (60, fires(ONE, 0, "slower")), Verdict::Updated, &["alert.updated"]);
}

#[test]
fn an_older_version_of_a_firing_alert_changes_nothing() {
    let history = [(0, fires(ONE, 10, "slow"))];
    check(&history, (60, fires(ONE, 5, "slower")), Verdict::Duplicate, &[]);
}

#[test]
fn another_alert_of_the_group_joins() {
    let history = [(0, fires(ONE, 0, "slow"))];
    check(&history, (1, fires(TWO, 1, "slow")), Verdict::Updated, &["alert.fired"]);
}

#[test]
fn the_last_resolve_resolves_the_incident_and_no_earlier_one() {
    let history = [(0, fires(ONE, 0, "slow")), (1, fires(TWO, 1, "slow"))];
    check(&history, (9, ends(ONE, 0, 9)), Verdict::Resolved, &["alert.resolved"]);
    let history = [&history[..], &[(9, ends(ONE, 0, 9))]].concat();
    let both = ["alert.resolved", "incident.resolved"];
    check(&history, (10, ends(TWO, 1, 10)), Verdict::Resolved, &both);
}

#[test]
fn a_resolve_of_nothing_opens_nothing() {
    check(&[], (0, ends(ONE, 0, 0)), Verdict::Resolved, &[]);
    let history = [(0, fires(TWO, 0, "slow"))];
    check(&history, (1, ends(ONE, 0, 1)), Verdict::Resolved, &[]);
}

#[test]
fn a_second_resolve_is_a_duplicate() {
    let history = [(0, fires(ONE, 0, "slow")), (9, ends(ONE, 0, 9))];
    check(&history, (10, ends(ONE, 0, 9)), Verdict::Duplicate, &[]);
}

#[test]
fn a_late_firing_of_a_closed_episode_changes_nothing() {
    let history = [(0, fires(ONE, 0, "slow")), (9, ends(ONE, 0, 9))];
    check(&history, (10, fires(ONE, 0, "slow")), Verdict::Duplicate, &[]);
    check(&history, (10, fires(ONE, -5, "slower")), Verdict::Duplicate, &[]);
}

#[test]
fn a_late_resolve_of_an_older_episode_changes_nothing() {
    let history = [(0, fires(ONE, 0, "slow")), (9, ends(ONE, 0, 9)), (20, fires(ONE, 20, "slow"))];
    check(&history, (21, ends(ONE, 0, 9)), Verdict::Duplicate, &[]);
}

#[test]
fn a_late_resolve_does_not_end_an_episode_whose_predecessor_it_was_for() {
    // The resolve of the first episode is still under way when the second one fires, in the same words.
    let history = [(0, fires(ONE, 0, "slow")), (20, fires(ONE, 20, "slow"))];
    assert!(after(&history).is_firing());
    check(&history, (21, ends(ONE, 0, 9)), Verdict::Duplicate, &[]);
}

#[test]
fn a_new_episode_reopens_until_the_window_is_over() {
    let history = [(0, fires(ONE, 0, "slow")), (9, ends(ONE, 0, 9))];
    let reopened = ["incident.reopened", "alert.fired"];
    check(&history, (20, fires(ONE, 20, "slow")), Verdict::Updated, &reopened);
    check(&history, (9 + 600, fires(ONE, 600, "slow")), Verdict::Updated, &reopened);
    let opened = ["incident.opened", "alert.fired"];
    check(&history, (9 + 601, fires(ONE, 600, "slow")), Verdict::Opened, &opened);
}

#[test]
fn a_closed_incident_is_never_reopened() {
    let incident = after(&[(0, fires(ONE, 0, "slow")), (9, ends(ONE, 0, 9))]);
    let closed = Event::Closed { reason: "nothing came back".to_owned() };
    let incident = then(Some(incident), 10, vec![closed]);
    let received =
        receive(Some(&incident), &Arc::new(fires(ONE, 11, "slow")), GROUP, REOPEN, at(11));
    assert!(matches!(received, Received::Open { .. }), "{received:?}");
}

#[test]
fn an_alert_that_a_person_resolved_by_hand_comes_back_only_with_a_new_episode() {
    let incident = after(&[(0, fires(ONE, 0, "slow"))]);
    let resolve = Command::Resolve { by: "ada".to_owned(), reason: "known".to_owned() };
    let events = resolve.decide(&incident, at(5)).unwrap();
    let incident = then(Some(incident), 5, events);
    assert_eq!(incident.status, Status::Resolved);
    let repeat = receive(Some(&incident), &Arc::new(fires(ONE, 0, "slow")), GROUP, REOPEN, at(6));
    assert_eq!(repeat, Received::Nothing { verdict: Verdict::Duplicate });
    let anew = receive(Some(&incident), &Arc::new(fires(ONE, 6, "slow")), GROUP, REOPEN, at(6));
    let Received::Append { events, .. } = anew else { panic!("{anew:?}") };
    let names: Vec<&str> = events.iter().map(Event::name).collect();
    assert_eq!(names, ["incident.reopened", "alert.fired"]);
    let later =
        receive(Some(&incident), &Arc::new(fires(ONE, 900, "slow")), GROUP, REOPEN, at(900));
    assert!(matches!(later, Received::Open { .. }), "{later:?}");
}

#[test]
fn an_alert_joins_an_escalated_incident_and_pages_nobody_twice() {
    let incident = after(&[(0, fires(ONE, 0, "slow"))]);
    let escalated = Event::Escalated { reason: "a test".to_owned() };
    let incident = then(Some(incident), 1, vec![escalated]);
    let received = receive(Some(&incident), &Arc::new(fires(TWO, 2, "slow")), GROUP, REOPEN, at(2));
    let Received::Append { events, .. } = received else { panic!("{received:?}") };
    assert!(matches!(events[..], [Event::AlertFired { .. }]));
}

#[test]
fn an_incident_takes_so_many_alerts_and_the_next_opens_another() {
    let history: Vec<(i64, Alert)> =
        (0..MOST_ALERTS).map(|nth| (0, fires(&format!("i-{nth:08}"), 0, "slow"))).collect();
    let opened = ["incident.opened", "alert.fired"];
    check(&history, (1, fires("i-99999999", 1, "slow")), Verdict::Opened, &opened);
    check(&history, (1, fires("i-00000000", 0, "slower")), Verdict::Updated, &["alert.updated"]);
    check(&history, (1, ends("i-00000000", 0, 1)), Verdict::Resolved, &["alert.resolved"]);
}

#[test]
fn alerts_that_nothing_identifies_stand_alone() {
    let weak = |title: &str| {
        let mut draft = draft("slow-api-data", ONE);
        draft.identity = [("id".to_owned(), Field::Missing)].into();
        title.clone_into(&mut draft.title);
        draft.seal()
    };
    let (one, other) = (weak("one"), weak("other"));
    assert_eq!((one.identity, other.identity), (Identity::Weak, Identity::Weak));
    assert_ne!(one.group_key(), other.group_key());
    assert_ne!(one.group_key(), fires(ONE, 0, "one").group_key());
    assert_eq!(one.group_key(), weak("one").group_key());
}

#[test]
fn a_resolve_without_an_end_ends_the_episode_it_names() {
    let mut over = ends(ONE, 0, 0);
    over.ends_at = None;
    let both = ["alert.resolved", "incident.resolved"];
    check(&[(0, fires(ONE, 0, "slow"))], (9, over.clone()), Verdict::Resolved, &both);
    check(&[(0, fires(ONE, 20, "slow"))], (21, over), Verdict::Duplicate, &[]);
}

/// Like `fires`, by a sender that names its episodes and says of each message only when it was sent.
fn named(alert: Alert, episode: &str) -> Alert {
    Alert { episode: Some(episode.to_owned()), ..alert }
}

#[test]
fn a_named_episode_goes_on_whenever_its_messages_are_sent() {
    let first = (0, named(fires(ONE, 0, "slow"), "a"));
    let again = |seconds, title| (seconds, named(fires(ONE, seconds, title), "a"));
    check(std::slice::from_ref(&first), again(60, "slow"), Verdict::Duplicate, &[]);
    check(std::slice::from_ref(&first), again(60, "slower"), Verdict::Updated, &["alert.updated"]);

    let incident = after(&[first.clone(), again(60, "slower")]);
    let member = incident.alerts.values().next().unwrap();
    assert_eq!((member.alert.title.as_str(), member.alert.starts_at), ("slower", at(0)));
    assert_eq!(member.fired_at, at(0));

    let over = (90, named(ends(ONE, 90, 90), "a"));
    check(&[first, over], again(80, "slower"), Verdict::Duplicate, &[]);
}

#[test]
fn a_resolve_of_another_named_episode_changes_nothing() {
    let history =
        [(0, named(fires(ONE, 0, "slow"), "a")), (20, named(fires(ONE, 20, "slow"), "b"))];
    check(&history, (30, named(ends(ONE, 30, 30), "a")), Verdict::Duplicate, &[]);
    let both = ["alert.resolved", "incident.resolved"];
    check(&history, (30, named(ends(ONE, 30, 30), "b")), Verdict::Resolved, &both);
    // A recovery that does not name its episode is judged by its time alone.
    check(&history, (30, ends(ONE, 30, 30)), Verdict::Resolved, &both);
}

#[test]
fn a_new_named_episode_reopens_even_within_the_same_second() {
    let history = [(0, named(fires(ONE, 0, "slow"), "a")), (0, named(ends(ONE, 0, 0), "a"))];
    let reopened = ["incident.reopened", "alert.fired"];
    check(&history, (1, named(fires(ONE, 0, "slow"), "b")), Verdict::Updated, &reopened);
    check(&history, (1, named(fires(ONE, -9, "slow"), "b")), Verdict::Duplicate, &[]);
}

#[test]
fn a_message_that_does_not_say_when_its_episode_began_is_no_news_while_it_fires() {
    let sent = |seconds, title| (seconds, fires(ONE, seconds, title).without_start());
    let first = [sent(0, "slow")];
    check(&first, sent(60, "slow"), Verdict::Duplicate, &[]);
    check(&first, sent(60, "slower"), Verdict::Updated, &["alert.updated"]);
    let member = after(&[sent(0, "slow"), sent(60, "slower")]).alerts.into_values().next().unwrap();
    assert_eq!((member.fired_at, member.alert.starts_at), (at(0), at(0)));

    let over = [sent(0, "slow"), (90, ends(ONE, 90, 90))];
    check(&over, sent(80, "slow"), Verdict::Duplicate, &[]);
    check(&over, sent(0, "slow"), Verdict::Duplicate, &[]);
    let reopened = ["incident.reopened", "alert.fired"];
    check(&over, sent(100, "slow"), Verdict::Updated, &reopened);
}
