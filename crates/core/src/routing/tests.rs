//! Which routes an alert takes, what they inherit, and which alerts end up in one group.

use jiff::SignedDuration;

use super::{GroupBy, Routes, Times};
use crate::alert::{Alert, Identity, Severity};
use crate::examples::{alert, at, draft};
use crate::policy;

const TREE: &str = r#"
time_intervals:
  - name: nights
    time_intervals: [{times: [{start_time: "00:00", end_time: "06:00"}]}]
  - name: office
    time_intervals: [{weekdays: ["monday:friday"]}]
route:
  channels: [chat]
  group_by: [alertname, cluster]
  group_interval: 2m
  routes:
    - matchers: [team="db"]
      channels: [dba]
      group_by: ["..."]
      mute_time_intervals: [nights]
      routes:
        - matchers: [severity="critical"]
          channels: [pager]
          repeat_interval: 1h
        - matchers: [severity="warning"]
    - matchers: [severity="critical"]
      continue: true
      channels: [pager]
      group_wait: 5s
    - matchers: ['service=~"a.*"']
      group_by: [service]
    - matchers: ['service=~"a.*"']
      channels: []
"#;

fn routes(yaml: &str) -> Routes {
    Routes::of(&policy::read(yaml).unwrap_or_else(|bad| panic!("{bad}")))
}

fn labelled(pairs: &[(&str, &str)]) -> Alert {
    let mut alert = alert("slow", "i-1");
    // What it was understood as would stand for labels it lacks.
    alert.severity = Severity::Info;
    alert.service = "unknown".to_owned();
    alert.labels =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    alert
}

fn taken(tree: &str, pairs: &[(&str, &str)]) -> Vec<String> {
    routes(tree).taken_by(&labelled(pairs)).into_iter().map(|route| route.id.clone()).collect()
}

#[test]
fn the_first_that_fits_is_taken_depth_first_and_continue_goes_on() {
    for (labels, expected) in [
        (&[("service", "x"), ("severity", "info")][..], &["{}"][..]),
        (&[("team", "db"), ("severity", "info")], &[r#"{}/{team="db"}"#]),
        (&[("team", "db"), ("severity", "critical")], &[r#"{}/{team="db"}/{severity="critical"}"#]),
        (&[("service", "x"), ("severity", "critical")], &[r#"{}/{severity="critical"}"#]),
        (
            &[("service", "ab"), ("severity", "critical")],
            &[r#"{}/{severity="critical"}"#, r#"{}/{service=~"a.*"}"#],
        ),
    ] {
        assert_eq!(taken(TREE, labels), expected, "{labels:?}");
    }
}

#[test]
fn options_come_from_above_and_time_intervals_do_not() {
    let routes = routes(TREE);
    let [db, critical, service, again] = &routes.root().routes[..] else { panic!("four routes") };
    let minutes = SignedDuration::from_mins;
    assert_eq!(routes.root().times, Times { group_interval: minutes(2), ..Times::WRITTEN });
    assert_eq!(db.times, routes.root().times);
    assert_eq!(db.group_by, GroupBy::All);
    assert_eq!(db.mute.len(), 1);
    let [pager, plain] = &db.routes[..] else { panic!("two routes") };
    assert_eq!(
        (pager.times.repeat_interval, pager.times.group_interval),
        (minutes(60), minutes(2))
    );
    assert_eq!(pager.group_by, GroupBy::All);
    assert!(pager.mute.is_empty() && plain.mute.is_empty());
    assert_eq!(plain.channels.as_deref(), Some(&["dba".to_owned()][..]));
    assert_eq!(critical.times.group_wait, SignedDuration::from_secs(5));
    assert_eq!(service.channels.as_deref(), Some(&["chat".to_owned()][..]));
    assert!(!again.leads_to("chat") && service.leads_to("chat"));
    assert_eq!(again.id, r#"{}/{service=~"a.*"}/1"#);
}

#[test]
fn a_group_is_a_route_and_the_values_of_its_labels() {
    let routes = routes(TREE);
    let key = |pairs: &[(&str, &str)]| routes.group_key(&labelled(pairs));
    let one = key(&[("alertname", "Slow"), ("cluster", "a"), ("pod", "p-1")]);
    assert_eq!(one, key(&[("alertname", "Slow"), ("cluster", "a"), ("pod", "p-2")]));
    assert_ne!(one, key(&[("alertname", "Slow"), ("cluster", "b")]));
    assert_ne!(one, key(&[("alertname", "Slow"), ("cluster", "a"), ("severity", "critical")]));
    let absent = key(&[("alertname", "Slow")]);
    assert_eq!(absent, key(&[("alertname", "Slow"), ("cluster", "")]));
    assert_ne!(absent, one);
    let all = key(&[("team", "db"), ("pod", "p-1")]);
    assert_ne!(all, key(&[("team", "db"), ("pod", "p-2")]));
    assert_eq!(all, key(&[("pod", "p-1"), ("team", "db")]));
}

#[test]
fn what_nothing_identifies_is_in_no_group_with_what_something_does() {
    let routes = routes("route: { group_by: [] }");
    let strong = labelled(&[]);
    let weak =
        |title: &str| Alert { identity: Identity::Weak, title: title.to_owned(), ..labelled(&[]) };
    assert_eq!(routes.group_key(&weak("one")), routes.group_key(&weak("other")));
    assert_ne!(routes.group_key(&weak("one")), routes.group_key(&strong));
}

#[test]
fn without_group_by_a_rule_of_a_service_is_a_group() {
    let routes = routes("route: {}");
    assert_eq!(routes.group_key(&alert("slow", "i-1")), routes.group_key(&alert("slow", "i-2")));
    assert_ne!(routes.group_key(&alert("slow", "i-1")), routes.group_key(&alert("full", "i-1")));
    let mut other = draft("slow", "i-1");
    other.service = Some("shop".to_owned());
    assert_ne!(routes.group_key(&alert("slow", "i-1")), routes.group_key(&other.seal()));
}

#[test]
fn without_a_route_groups_stay_what_they_were() {
    let alert = alert("slow", "i-1");
    assert_eq!(Routes::default().group_key(&alert), alert.group_key());
    assert_eq!(Routes::of(&policy::read("").unwrap()), Routes::default());
    assert_eq!(Routes::default().root().times.group_wait, SignedDuration::ZERO);
    assert!(Routes::default().root().leads_to("any"));
}

#[test]
fn another_route_beside_it_does_not_move_a_group() {
    let before = "route: { routes: [{ matchers: [a=x] }, { matchers: [b=y] }] }";
    let after =
        "route: { routes: [{ matchers: [c=z] }, { matchers: [b=y] }, { matchers: [a=x] }] }";
    for labels in [&[("a", "x")][..], &[("b", "y")]] {
        let alert = labelled(labels);
        assert_eq!(routes(before).group_key(&alert), routes(after).group_key(&alert));
    }
}

#[test]
fn time_intervals_keep_a_route_quiet() {
    let tree = TREE.replace("mute_time_intervals: [nights]", "active_time_intervals: [office]");
    let (muted, active) = (routes(TREE), routes(&tree));
    let (muted, active) = (&muted.root().routes[0], &active.root().routes[0]);
    let (day, night) = (at(0), at(14 * 3600));
    assert_eq!(day.to_string(), "2026-11-18T11:06:40Z", "a Wednesday");
    assert_eq!(muted.hush(day), None);
    let hush = muted.hush(night).unwrap();
    assert_eq!(hush.because, "the route is muted during `nights`");
    assert_eq!(hush.until.unwrap().to_string(), "2026-11-19T06:00:00Z");
    assert_eq!(active.hush(night), None);
    assert_eq!(active.hush(day), None);
    let weekend = at(72 * 3600);
    assert!(active.hush(weekend).unwrap().because.contains("`office`"));
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (yaml, expected) in [
        ("route: { matchers: [a=b] }", "route.matchers: the root takes every alert"),
        ("route: { continue: true }", "route.continue"),
        ("route: { mute_time_intervals: [x] }", "route.mute_time_intervals: the root hears"),
        ("route: { group_by: [a, a] }", "route.group_by: `a` stands there twice"),
        ("route: { group_by: [a, ...] }", "route.group_by: `...` stands for all labels"),
        ("route: { group_interval: 0s }", "route.group_interval: must be at least a second"),
        ("route: { group_wait: -5s }", "route.group_wait: a duration cannot be negative"),
        (
            "route: { routes: [{ matchers: [a=b], routes: [{ active_time_intervals: [x] }] }] }",
            "route.routes[0].routes[0].active_time_intervals: there is no time interval `x`",
        ),
        ("route: { receiver: a }", "receiver"),
    ] {
        let said = policy::read(yaml).unwrap_err().to_string();
        assert!(said.contains(expected), "{yaml} said: {said}");
    }
    let channels = serde_json::from_str(r#"{"chat": {"kind": "sns"}, "dba": {"kind": "sns"}}"#);
    let unknown = routes(TREE).unknown_channels(&channels.unwrap());
    assert_eq!(unknown[0].0, "route.routes[0].routes[0].channels");
    assert_eq!(unknown[0].1, "there is no channel `pager`; there are chat, dba");
    assert_eq!(unknown.len(), 2);
}
