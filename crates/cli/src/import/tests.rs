//! Configurations of all sorts: what comes out loads, what does not is named, and no secret is in either.

use firebreak_core::routing::GroupBy;
use jiff::SignedDuration;

use super::*;
use crate::settings::Settings;

const SMALL: &str = include_str!("fixtures/small.yml");
const LARGE: &str = include_str!("fixtures/large.yml");
const ODD: &str = include_str!("fixtures/odd.yml");

fn imported(text: &str) -> (Imported, Settings, Routes) {
    let imported = alertmanager(text).unwrap_or_else(|why| panic!("{why}"));
    let settings = settings::parse(&imported.yaml).unwrap();
    let routes = Routes::of(&settings.policy);
    (imported, settings, routes)
}

/// Every `s3cr3t-…` of the fixtures.
fn shows_no_secret(imported: &Imported) {
    for text in imported.remarks.iter().map(ToString::to_string).chain([imported.yaml.clone()]) {
        assert!(!text.contains("s3cr3t"), "{text}");
    }
}

fn remark<'a>(imported: &'a Imported, place: &str) -> &'a Remark {
    let found = imported.remarks.iter().find(|remark| remark.place == place);
    found.unwrap_or_else(|| panic!("nothing is said of {place}: {:#?}", imported.remarks))
}

#[test]
fn a_small_one_becomes_one_channel_and_one_route() {
    let (imported, settings, routes) = imported(SMALL);
    let channels: Vec<&String> = settings.channels.keys().collect();
    assert_eq!(channels, ["team"]);
    assert_eq!(routes.root().channels.as_deref(), Some(&["team".to_owned()][..]));
    assert_eq!(
        routes.root().group_by,
        GroupBy::Labels(Vec::new()),
        "all alerts are one group there"
    );
    assert_eq!(routes.root().times.group_wait, SignedDuration::from_secs(30));
    assert_eq!(remark(&imported, "route.group_by").line, 1);
    assert!(remark(&imported, "receivers[0].webhook_configs").text.contains("Standard Webhooks"));
}

#[test]
fn a_large_one_keeps_routes_times_rules_and_intervals() {
    let (imported, settings, routes) = imported(LARGE);
    shows_no_secret(&imported);
    let [watchdog, pager, chat] = &routes.root().routes[..] else { panic!("three routes") };
    assert_eq!(routes.root().times.repeat_interval, SignedDuration::from_hours(24));
    assert_eq!(watchdog.channels, Some(Vec::new()), "nobody");
    assert!(pager.goes_on && pager.matchers.iter().count() == 2);
    assert_eq!(pager.channels.as_ref().map(Vec::len), Some(4));
    assert_eq!((chat.group_by.clone(), chat.mute.len(), chat.active.len()), (GroupBy::All, 1, 1));
    assert_eq!(chat.matchers.to_string(), r#"severity="warning", service=~"api|shop""#);
    assert_eq!(settings.policy.inhibit_rules.len(), 2);
    assert_eq!(settings.policy.time_intervals.0.len(), 2);
    let topics = settings.channels.values().filter(|channel| channel.kind == "sns").count();
    let silent = settings.channels.values().filter(|channel| !channel.send_resolved).count();
    assert_eq!((topics, silent), (1, 2), "the topic; slack and one webhook want no resolves");
    assert_eq!(remark(&imported, "global.smtp_auth_password").line, 4);
    assert_eq!(remark(&imported, "templates").line, 6);
    assert!(remark(&imported, "receivers[1].slack_configs").text.contains("fails until"));
    assert!(remark(&imported, "receivers[2].webhook_configs.url").text.contains("not copied"));
    assert!(imported.remarks.is_sorted());
}

#[test]
fn an_odd_one_loads_and_everything_left_out_is_named() {
    let (imported, settings, routes) = imported(ODD);
    let [strange, plain] = &routes.root().routes[..] else { panic!("two routes are left") };
    assert_eq!(strange.matchers.to_string(), r#""größe"="x", b!~"c""#);
    assert_eq!(
        (strange.mute.len(), plain.active.len()),
        (1, 0),
        "what is unknown keeps nobody quiet"
    );
    assert_eq!(strange.channels, routes.root().channels);
    assert_eq!(settings.policy.inhibit_rules.len(), 0);
    assert_eq!(settings.channels.len(), 3, "two receivers that would share a name do not");
    for (place, line) in [
        ("mute_time_intervals[0]", 3),
        ("mute_time_intervals[1]", 5),
        ("tracing", 7),
        ("route.group_wait", 10),
        ("route.routes[0]", 12),
        ("route.routes[1].receiver", 16),
        ("route.routes[1].mute_time_intervals", 17),
        ("route.routes[2].active_time_intervals", 19),
        ("route.routes[2].colour", 20),
        ("receivers[0].webhook_configs.url", 25),
        ("receivers[0].webhook_configs.max_alerts", 26),
        ("inhibit_rules[0]", 30),
        ("inhibit_rules[1]", 32),
    ] {
        assert_eq!(remark(&imported, place).line, line, "{place}");
    }
}

#[test]
fn what_is_no_configuration_is_refused_without_showing_it() {
    for text in ["", "a: b", "[1, 2]", "route: {receiver: x"] {
        let why = alertmanager(text).unwrap_err();
        assert!(why.contains("no `route`") || why.contains("not YAML"), "{text:?}: {why}");
    }
    let why = alertmanager("global: {smtp_auth_password: \"s3cr3t\nroute:\n").unwrap_err();
    assert!(!why.contains("s3cr3t"), "{why}");
}

#[test]
fn remarks_stand_in_the_file_as_well() {
    let (imported, _, _) = imported(ODD);
    for remark in &imported.remarks {
        assert!(
            imported.yaml.contains(&format!("#   {}", one_line(&remark.to_string()))),
            "{remark}"
        );
    }
    assert!(imported.yaml.contains("#   one-2"), "{}", imported.yaml);
}

#[test]
fn an_address_that_may_be_a_secret_is_not_copied() {
    for (url, copied) in [
        ("https://relay.example.com/team-a/alerts", true),
        ("https://relay.example.com:8443/v1/hooks", true),
        ("https://hooks.slack.com/services/T0/B0/word", false),
        ("https://discord.com/api/webhooks/1/word", false),
        ("https://example.com/hook/Zx81kQp3Lw", false),
        ("https://example.com/averyveryverylongpathsegment", false),
        ("https://example.com/a;token=b", false),
        ("https://example.com/$TOKEN", false),
    ] {
        let text = format!(
            "route: {{receiver: a}}\nreceivers: [{{name: a, webhook_configs: [{{url: '{url}'}}]}}]"
        );
        let yaml = alertmanager(&text).unwrap().yaml;
        assert_eq!(yaml.contains(url), copied, "{url}: {yaml}");
    }
}
