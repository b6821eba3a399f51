//! A policy with every section, and what is said about one that is wrong.

use super::*;

const WHOLE: &str = r#"
inhibit_rules:
  - name: node-explains-pods
    source_matchers: [alertname="NodeDown"]
    target_matchers: [alertname=~"Pod.*"]
    equal: [node]
time_intervals:
  - name: sunday-night
    time_intervals:
      - times: [{start_time: "22:00", end_time: "24:00"}]
        weekdays: [sunday]
        location: Europe/Vienna
maintenance:
  - name: move-the-database
    owner: dba
    reason: new hardware
    services: [db]
    from: 2026-11-21T02:00:00Z
    to: 2026-11-21T04:00:00+01:00
  - name: backups
    owner: dba
    reason: load is expected
    matchers: ['{job="backup"}']
    during: [sunday-night]
services:
  checkout: { depends_on: [payments], while_parent_fires: mute }
  payments: { depends_on: [db] }
flapping: { window: 30m, start: 4, stop: 1 }
expiry: { after: 24h }
sources:
  sumologic: { expire_after: never, identity: [labels.host, name], formerly: [[name]] }
  alertmanager:
    heartbeat: { every: 5m, grace: 10m, sign: any_delivery }
    proof: [bearer, hmac: { header: X-Signature, prefix: sha256= }]
shared_cause:
  domains: [service, labels.availability_zone]
  window: 3m
  more_than: { targets: 12 }
"#;

#[test]
fn a_policy_with_every_section_is_read_and_written_back() {
    let policy = read(WHOLE).unwrap();
    assert_eq!(policy.inhibit_rules.len(), 1);
    assert_eq!(policy.services.parents("checkout"), ["payments", "db"]);
    assert_eq!(policy.services.while_parent_fires("checkout"), WhileParentFires::Mute);
    assert_eq!(policy.lifetime("sumologic"), Lifetime::Never);
    assert_eq!(policy.lifetime("alertmanager").to_string(), "24h");
    let options = policy.options("sumologic");
    assert_eq!((options.identity.len(), options.formerly.len()), (2, 1));
    assert_eq!(policy.options("alertmanager"), crate::sources::Options::default());
    assert_eq!(policy.shared_cause.more_than, MoreThan { targets: 12, groups: 50 });
    let heartbeat = policy.sources["alertmanager"].heartbeat.unwrap();
    assert_eq!(heartbeat.patience().to_string(), "PT15M");
    let words = |source: &str| {
        let schemes = policy.schemes(crate::sources::find(source).unwrap());
        schemes.iter().map(crate::proof::Scheme::word).collect::<Vec<_>>()
    };
    assert_eq!(words("alertmanager"), ["bearer", "hmac"]);
    assert_eq!(words("sumologic"), ["bearer", "basic"]);
    let written = serde_saphyr::to_string(&policy).unwrap();
    assert_eq!(read(&written).unwrap(), policy, "{written}");
}

#[test]
fn nothing_at_all_is_the_default() {
    for text in ["", "# only a remark\n", "{}"] {
        assert_eq!(read(text).unwrap(), Policy::default(), "{text:?}");
    }
}

#[test]
fn every_section_is_listed_and_nothing_else_is_taken() {
    let value = serde_json::to_value(Policy::default()).unwrap();
    let fields: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, KEYS);
    let error = read("flapping: {}\nchannels: {}\n").unwrap_err().to_string();
    assert!(
        error.contains("line 2") && error.contains("channels") && error.contains("services"),
        "{error}"
    );
    assert!(read_beside("flapping: {}\nchannels: {a: b}\n", &["channels"]).is_ok());
}

#[test]
fn what_is_wrong_is_named_with_place_and_remedy() {
    for (yaml, expected) in [
        ("flapping: {begin: 3}", &["line 1", "begin"][..]),
        ("flapping: {start: 3, stop: 3}", &["flapping.stop", "below"]),
        ("flapping: {start: 1}", &["flapping.start", "2 to 32"]),
        ("flapping: {window: 0s}", &["flapping.window"]),
        ("sources: {sumologic: {proof: []}}", &["sources.sumologic.proof", "leave it out"]),
        ("sources: {sumologic: {proof: [hmac]}}", &["sources.sumologic.proof", "signs"]),
        ("sources: {sumologic: {proof: [magic]}}", &["line 1", "magic", "bearer"]),
        ("expiry: {after: soon}", &["line 1", "never"]),
        ("shared_cause: {domains: [zone]}", &["line 1", "labels.cluster"]),
        (
            "shared_cause: {more_than: {targets: 0}}",
            &["shared_cause.more_than.targets", "1 to 200"],
        ),
        ("shared_cause: {window: 0s}", &["shared_cause.window"]),
        (
            "sources: {alertmanager: {heartbeat: {every: 1s, grace: 0s}}}",
            &["sources.alertmanager.heartbeat.every", "10s"],
        ),
        ("sources: {alertmanager: {heartbeat: {every: 1m}}}", &["grace"]),
        ("expiry: {after: 5s}", &["a minute"]),
        ("expiry:\n  after: 1h\nsources:\n  sumo: {}\n", &["sources.sumo", "sumologic"]),
        (
            "sources:\n  sumologic:\n    identity: [labels.host, pod]\n",
            &["line 3", "`pod`", "labels.<name>"],
        ),
        (
            "inhibit_rules:\n  - source_matchers: []\n    target_matchers: [a=b]\n",
            &["line 2", "at least one"],
        ),
        (
            "inhibit_rules:\n  - source_matchers: [a=b]\n    target_matchers:\n      - 'a=~\"[\"'\n",
            &["line 4", "not an expression"],
        ),
        (
            "services: {a: {depends_on: [b]}, b: {depends_on: [c]}, c: {depends_on: [b]}}",
            &["circle", "b -> c -> b"],
        ),
        ("services: {a: {depends_on: [a]}}", &["services.a.depends_on", "a -> a"]),
        ("time_intervals: [{name: x, time_intervals: []}]", &["time_intervals[0]", "never hold"]),
        ("time_intervals: [{name: x, time_intervals: [{times: []}]}]", &["times", "never hold"]),
        (
            "time_intervals: [{name: x, time_intervals: [{}]}, {name: x, time_intervals: [{}]}]",
            &["time_intervals[1].name", "twice"],
        ),
    ] {
        let error = read(yaml).expect_err(yaml).to_string();
        for part in expected {
            assert!(error.contains(part), "{yaml}: {error}");
        }
    }
}

#[test]
fn a_window_says_when_why_and_for_what() {
    let window = |rest: &str| {
        let yaml = format!("maintenance: [{{name: w, owner: o, reason: r, {rest}}}]");
        read(&yaml).map(drop).map_err(|bad| bad.to_string())
    };
    let once = "from: 2026-11-21T02:00:00Z, to: 2026-11-21T04:00:00Z";
    assert_eq!(window(&format!("services: [db], {once}")), Ok(()));
    for (rest, expected) in [
        (once.to_owned(), "would mute every alert"),
        (format!("matchers: ['a=~\".*\"'], {once}"), "would mute every alert"),
        ("services: [db]".to_owned(), "`during` for work that recurs"),
        (format!("services: [db], during: [x], {once}"), "`during` for work that recurs"),
        ("services: [db], during: [x]".to_owned(), "no time interval `x`"),
        ("services: [db], from: 2026-11-21T02:00:00Z".to_owned(), "`from` and `to`"),
        (
            "services: [db], from: 2026-11-21T02:00:00Z, to: 2026-11-21T02:00:00Z".to_owned(),
            "after `from`",
        ),
    ] {
        let error = window(&rest).expect_err(&rest);
        assert!(
            error.contains("maintenance[0] (`w`)") && error.contains(expected),
            "{rest}: {error}"
        );
    }
}

#[test]
fn the_policies_that_the_guides_show_are_valid() {
    for guide in ["senders.md", "sources.md"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(guide);
        let text = std::fs::read_to_string(path).unwrap();
        let blocks: Vec<String> = text
            .split("```yaml\n")
            .skip(1)
            .map(|rest| rest.split("```").next().unwrap().to_owned())
            .collect();
        assert!(!blocks.is_empty(), "{guide} shows no policy");
        for block in blocks {
            if let Err(error) = read(&block) {
                panic!("{guide}: {error}\n{block}");
            }
        }
    }
}
