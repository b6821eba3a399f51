//! What becomes of a configuration, what is said about the rest, and that no secret comes along.

use proptest::prelude::*;

use super::{Imported, NotImported, Remark, alertmanager, one_line};
use crate::alert::{Alert, Severity};
use crate::examples::alert;
use crate::matcher::Matchers;
use crate::policy;
use crate::routing::{GroupBy, Routes};

const SMALL: &str = include_str!("../../../../events/import/small.yml");
const LARGE: &str = include_str!("../../../../events/import/large.yml");
const ODD: &str = include_str!("../../../../events/import/odd.yml");
const WAYS: &str = include_str!("../../../../events/import/ways.yml");

fn import(text: &str) -> Imported {
    alertmanager(text).unwrap_or_else(|bad| panic!("{bad}"))
}

fn labelled(pairs: &[(&str, &str)]) -> Alert {
    let mut alert = alert("slow", "i-1");
    alert.severity = Severity::Info;
    alert.service = "unknown".to_owned();
    alert.labels =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    alert
}

fn remark<'a>(imported: &'a Imported, place: &str) -> &'a Remark {
    let found = imported.remarks.iter().find(|remark| remark.place == place);
    found.unwrap_or_else(|| panic!("nothing is said of {place}: {:#?}", imported.remarks))
}

#[test]
fn every_configuration_is_read_back_as_it_was_written() {
    for text in [SMALL, LARGE, ODD, WAYS, "route: { receiver: a }\nreceivers: [{ name: a }]\n"] {
        let imported = import(text);
        let read = policy::read_beside(&imported.yaml, &["channels"]).unwrap();
        assert_eq!(read, imported.policy, "{}", imported.yaml);
    }
}

#[test]
fn defaults_that_differ_are_written_out() {
    let yaml = import(SMALL).yaml;
    let body = yaml.split_inclusive('\n').filter(|line| !line.starts_with('#'));
    assert_eq!(
        body.collect::<String>(),
        "\
channels:
  chat:
    kind: webhook
    send_resolved: true
    url: https://relay.example.com/chat
route:
  channels:
  - chat
  group_by:
  - alertname
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
"
    );
    let bare = import("route: { receiver: a }\nreceivers: [{ name: a }]");
    let root = bare.policy.route.unwrap();
    assert_eq!(root.group_by, Some(Vec::new()), "all alerts are one group there");
    assert_eq!(root.channels, Some(Vec::new()), "an empty receiver tells nobody");
    assert!(bare.yaml.contains("# No `group_by`") && bare.remarks.is_empty());
}

#[test]
fn an_alert_takes_the_routes_that_it_took_there() {
    let imported = import(LARGE);
    let routes = Routes::of(&imported.policy);
    let told = |pairs: &[(&str, &str)]| -> Vec<Vec<String>> {
        let alert = labelled(pairs);
        let taken = routes.taken_by(&alert);
        taken.into_iter().map(|route| route.channels.clone().unwrap_or_default()).collect()
    };
    let default = ["default-webhook", "default-webhook-2", "default-sns"];
    assert_eq!(told(&[("team", "x")]), [default]);
    assert_eq!(told(&[("team", "db"), ("env", "dev")]), [default]);
    assert_eq!(told(&[("team", "db")]), [["dba-sns", "dba-slack"]]);
    assert_eq!(told(&[("team", "db"), ("severity", "critical")]), [["pager"]]);
    let archived = told(&[("team", "db"), ("instance", "db-1.example.com")]);
    assert_eq!(archived, [vec!["archive".to_owned()], Vec::new()], "`continue` goes on to nobody");
    let root = routes.root();
    assert_eq!(root.times.repeat_interval.as_hours(), 24);
    let [db, web] = &root.routes[..] else { panic!("two routes") };
    assert_eq!((&db.group_by, db.mute.len()), (&GroupBy::All, 2));
    assert_eq!(web.active.len(), 1, "an empty `days_of_month` limits nothing");
    assert_eq!(db.routes[0].times.repeat_interval.as_mins(), 90);
    assert_eq!(imported.policy.inhibit_rules.len(), 2);
    assert_eq!(imported.policy.inhibit_rules[1].name.as_deref(), Some("cluster down"));
    assert!(!imported.channels["default-webhook"].send_resolved);
    assert!(imported.channels["pager"].send_resolved && !imported.channels["mail"].send_resolved);
}

#[test]
fn what_is_not_as_it_was_is_said_with_line_and_remedy() {
    let imported = import(LARGE);
    for (place, line, word) in [
        ("global.smtp_auth_password", 4, "no channel for e-mail"),
        ("templates", 6, "one form"),
        ("receivers[0].webhook_configs[0]", 34, "our own signed JSON"),
        ("receivers[0].webhook_configs[0].http_config", 37, "signed instead"),
        ("receivers[0].sns_configs[0].sigv4", 43, "no secret was copied"),
        ("receivers[1].slack_configs[0]", 48, "`dba-slack` stands for it and fails"),
        ("receivers[2].pagerduty_configs[0]", 52, "no channel for pagerduty"),
        ("receivers[4].webhook_configs[0].url", 59, "may hold a secret"),
    ] {
        let remark = remark(&imported, place);
        assert!(remark.what.contains(word) && !remark.remedy.is_empty(), "{remark:?}");
        assert_eq!(remark.line, line, "{remark:?}");
    }
    assert!(imported.remarks.is_sorted());
    for remark in &imported.remarks {
        assert!(imported.yaml.contains(&format!("#   {remark}\n")), "{remark}");
    }
    for channel in ["dba-slack", "pager", "mail", "archive"] {
        assert!(imported.yaml.contains(&format!("#   {channel}\n")), "it reaches nobody yet");
        assert_eq!(imported.channels[channel].settings["url"], "https://replace-me.invalid/");
    }
}

#[test]
fn old_forms_are_read_and_odd_ones_are_named() {
    let imported = import(ODD);
    let root = imported.policy.route.clone().unwrap();
    let mut matchers: Vec<String> =
        root.routes[0].matchers.iter().map(ToString::to_string).collect();
    matchers.sort();
    let expected = r#"service=~"^(foo1|foo2|baz)$", severity="critical", version="1.10""#;
    assert_eq!(matchers.join(", "), expected);
    assert_eq!(root.routes.len(), 3, "a matcher that cannot be read takes its route out");
    assert_eq!(root.channels, None);
    assert_eq!(root.group_by.as_deref(), Some(&["a".to_owned()][..]));
    assert_eq!(root.routes[0].channels, None, "Firebreak does not tell itself");
    assert_eq!(root.routes[1].mute_time_intervals, ["sundays"]);
    assert!(root.routes[1].active_time_intervals.is_empty(), "rather too much than too little");
    assert_eq!((&root.routes[2].group_by, &root.routes[2].channels), (&None, &Some(Vec::new())));
    assert_eq!(root.group_interval.unwrap().as_secs(), 1);
    assert_eq!(imported.channels.len(), 4, "those of `files`");
    let [rule] = &imported.policy.inhibit_rules[..] else { panic!("one rule") };
    let sides = Matchers::read(r#"severity="critical",alertname=~".+""#).unwrap();
    assert_eq!(rule.source_matchers, sides);
    for place in [
        "tracing",
        "route.continue",
        "route.receiver",
        "route.group_by",
        "route.group_wait",
        "route.group_interval",
        "route.routes[0].receiver",
        "route.routes[0].mute_time_intervals",
        "route.routes[1]",
        "route.routes[2].active_time_intervals",
        "route.routes[2].mute_time_intervals",
        "route.routes[3].colour",
        "receivers[0].webhook_configs[0]",
        "receivers[2]",
        "receivers[3].webhook_configs[0].url",
        "receivers[3].webhook_configs[1].url",
        "receivers[3].opsgenie_configs[0]",
        "receivers[3].sns_configs[0]",
        "inhibit_rules[1]",
        "inhibit_rules[2]",
        "mute_time_intervals[0]",
        "mute_time_intervals[1]",
        "mute_time_intervals[3]",
    ] {
        remark(&imported, place);
    }
}

#[test]
fn a_wrong_shape_is_said_and_never_means_more_alerts_or_more_quiet() {
    let imported = import(
        "route:\n  receiver: [a]\n  group_by: {b: c}\n  routes:\n  - matchers: {a: b}\n  - match: [a]\n  - x\n  - mute_time_intervals: [[n]]\n    match: {a: }\ninhibit_rules: {a: b}\ntime_intervals: x\nreceivers: [x, {name: a, slack_configs: y, colour: red}]\n",
    );
    let root = imported.policy.route.clone().unwrap();
    let [kept] = &root.routes[..] else { panic!("one route: {root:?}") };
    assert_eq!(kept.matchers.to_string(), r#"a="""#);
    assert!(kept.mute_time_intervals.is_empty() && imported.policy.inhibit_rules.is_empty());
    for place in [
        "route.receiver",
        "route.group_by",
        "route.routes[0]",
        "route.routes[1]",
        "route.routes[2]",
        "route.routes[3].mute_time_intervals",
        "inhibit_rules",
        "time_intervals",
        "receivers[0]",
        "receivers[1].slack_configs",
        "receivers[1].colour",
    ] {
        remark(&imported, place);
    }
}

#[test]
fn no_secret_is_copied_or_told() {
    for text in [LARGE, ODD, WAYS] {
        let said = format!("{:?}", import(text));
        assert!(!said.contains("planted") && !said.contains("hooks.slack.com"), "{said}");
    }
    let wrong = "receivers: \"planted-secret\n";
    let said = alertmanager(wrong).unwrap_err();
    assert!(matches!(said, NotImported::Unreadable { .. }), "{said:?}");
    assert!(!said.to_string().contains("planted"), "{said}");
    for (url, copied) in [
        ("https://relay.example.com/team-a/alerts", true),
        ("https://relay.example.com:8443/v1/hooks", true),
        ("http://127.0.0.1:9000/hook", true),
        ("https://discord.com/api/webhooks/1", false),
        ("https://hooks.slack.com/services/T0/B0/word", false),
        ("https://example.com/hook/Zx81kQp3Lw", false),
        ("https://example.com/averyveryverylongpathsegment", false),
        ("https://example.com/a;token=b", false),
        ("https://example.com/$TOKEN", false),
        ("http://example.com/", false),
    ] {
        let text = format!(
            "route: {{receiver: a}}\nreceivers: [{{ name: a, webhook_configs: [{{ url: '{url}' }}] }}]"
        );
        let imported = import(&text);
        assert_eq!(imported.channels.len(), 1, "{url}");
        assert_eq!(imported.yaml.contains(url), copied, "{url}");
    }
}

#[test]
fn what_is_no_configuration_is_refused() {
    for text in ["", "# nothing\n", "a: b", "[1, 2]"] {
        assert_eq!(alertmanager(text), Err(NotImported::NoRoute), "{text:?}");
    }
    assert!(matches!(alertmanager("route: {"), Err(NotImported::Unreadable { .. })));
}

#[test]
fn channels_of_two_receivers_never_share_a_name() {
    let url = "webhook_configs: [{ url: https://example.com/a }";
    let text = format!(
        "route: {{}}\nreceivers: [{{ name: a-webhook, {url}] }}, {{ name: a, {url}, {{ url: https://example.com/b }}] }}]"
    );
    let imported = import(&text);
    let names: Vec<&str> = imported.channels.keys().map(String::as_str).collect();
    assert_eq!(names, ["a-webhook", "a-webhook-2", "a-webhook-3"]);
}

#[test]
fn a_very_deep_file_is_refused_and_does_not_end_the_process() {
    for (depth, is_read) in [(20, true), (40, false), (3_000, false), (100_000, false)] {
        let text = format!("route: {}", "{routes: [".repeat(depth));
        assert!(alertmanager(&text).is_err());
        let closed = format!("{text}{}", "]}".repeat(depth));
        assert_eq!(alertmanager(&closed).is_ok(), is_read, "{depth}");
    }
}

/// Fixtures with pieces taken out, doubled and put elsewhere.
fn shuffled() -> impl Strategy<Value = String> {
    let lines: Vec<&'static str> =
        [SMALL, LARGE, ODD, WAYS].iter().flat_map(|text| text.lines()).collect();
    proptest::collection::vec(proptest::sample::select(lines), 0..40)
        .prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_or_write_what_is_not_read(text in prop_oneof![any::<String>(), shuffled()]) {
        match alertmanager(&text) {
            Ok(imported) => prop_assert!(policy::read_beside(&imported.yaml, &["channels"]).is_ok()),
            Err(NotImported::Refused(why)) => prop_assert!(false, "{}", why),
            Err(NotImported::Unreadable { .. } | NotImported::NoRoute) => {}
        }
    }

    #[test]
    fn matchers_of_any_text_come_along(name in "[a-z_]{1,8}", value in any::<String>()) {
        let text = serde_json::json!({
            "route": { "receiver": "a", "routes": [{ "match": { (name.as_str()): value.as_str() } }] },
            "receivers": [{ "name": "a" }],
        });
        let imported = import(&text.to_string());
        let routes = Routes::of(&imported.policy);
        let taken = routes.taken_by(&labelled(&[(&name, &value)]))[0].id.clone();
        prop_assert_ne!(taken, "{}");
    }

    #[test]
    fn no_name_ends_a_comment(name in any::<String>()) {
        prop_assert!(!one_line(&name).chars().any(char::is_control));
    }
}
