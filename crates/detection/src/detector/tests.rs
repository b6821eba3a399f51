//! Rules on small streams: when alerts begin and end, in whatever order the lines come.

use proptest::prelude::{
    ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, proptest,
};

use super::*;
use crate::State;
use crate::rules;

const BEGIN: i64 = 1_795_521_600_000;
const BEGIN_SECONDS: f64 = 1_795_521_600.0;

fn now() -> Timestamp {
    "2027-01-01T00:00:00Z".parse().unwrap()
}

fn detector(rule: &str) -> Detector {
    let rule = rule.trim().replace('\n', "\n    ");
    let text = format!("lateness: 10s\nrules:\n  - rule: r\n    owner: o\n    {rule}\n");
    Detector::new(rules::read(&text).unwrap_or_else(|wrong| panic!("{text}\n{wrong}")))
}

fn line(second: f64, rest: &str) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "small")]
    let at = BEGIN + (second * 1000.0) as i64;
    format!("{{\"time\":{at},{rest}}}")
}

/// State, key and second of each alert.
fn told(detector: &mut Detector) -> Vec<(State, String, f64)> {
    let notices = detector.take();
    let second = |at: Timestamp| {
        ((at.as_duration().as_secs_f64() - BEGIN_SECONDS) * 1000.0).round() / 1000.0
    };
    notices
        .into_iter()
        .map(|one| {
            let key: Vec<String> = one.key.into_values().collect();
            (one.state, key.join(","), second(one.ends_at.unwrap_or(one.starts_at)))
        })
        .collect()
}

fn run(rule: &str, lines: &[(f64, &str)]) -> Vec<(State, String, f64)> {
    let mut detector = detector(rule);
    for (second, rest) in lines {
        detector.read(&line(*second, rest), now()).unwrap();
    }
    detector.finish();
    told(&mut detector)
}

fn fired(key: &str, second: f64) -> (State, String, f64) {
    (State::Firing, key.to_owned(), second)
}

fn resolved(key: &str, second: f64) -> (State, String, f64) {
    (State::Resolved, key.to_owned(), second)
}

const SLOW: &str = "when: event.fields.path == \"/api/data\" && event.fields.latency_ms > 3000\n\
                    count: { more_than: 5, within: 10m }";

#[test]
fn more_than_five_slow_requests_in_ten_minutes() {
    let slow = r#""path":"/api/data","latency_ms":3001"#;
    let ok = r#""path":"/api/data","latency_ms":3000"#;
    let mut lines: Vec<(f64, &str)> = (0..5).map(|n| (f64::from(n) * 60.0, slow)).collect();
    lines.push((299.0, ok));
    assert_eq!(run(SLOW, &lines), []);
    lines.push((599.999, slow));
    lines.push((2000.0, ok));
    assert_eq!(run(SLOW, &lines), [fired("", 599.999), resolved("", 600.0)]);
    lines[6].0 = 600.0;
    assert_eq!(run(SLOW, &lines), [], "the first is exactly ten minutes old and counts no more");
}

#[test]
fn a_burst_is_counted_for_each_user_and_address() {
    let rule = "when: event.fields.outcome == \"failed\"\nper: { user: event.fields.user, address: event.fields.address }\ncount: { more_than: 2, within: 1m, clear: 0 }";
    let ana = r#""outcome":"failed","user":"ana","address":"10.0.0.1""#;
    let elsewhere = r#""outcome":"failed","user":"ana","address":"10.0.0.2""#;
    let nobody = r#""outcome":"failed","user":"ana""#;
    let lines = [
        (0.0, ana),
        (1.0, ana),
        (2.0, elsewhere),
        (3.0, nobody),
        (4.0, ana),
        (30.0, ana),
        (200.0, nobody),
    ];
    assert_eq!(run(rule, &lines), [fired("10.0.0.1,ana", 4.0), resolved("10.0.0.1,ana", 90.0)]);
}

#[test]
fn a_share_is_judged_once_a_moment_is_complete() {
    let rule =
        "ratio: { of: event.fields.status >= 500, more_than: 0.5, within: 10s, at_least: 4 }";
    let (bad, good) = (r#""status":500"#, r#""status":200"#);
    let lines = [
        (0.0, good),
        (1.0, bad),
        (2.0, bad),
        (3.0, bad),
        (3.0, good),
        (3.0, good),
        (4.0, bad),
        (50.0, good),
    ];
    // At 3 s it is 3 of 6; at 4 s 4 of 7; at 11 s 3 of 5 are left, at 12 s 2 of 4, which is not more than a half.
    assert_eq!(run(rule, &lines), [fired("", 4.0), resolved("", 12.0)]);
}

#[test]
fn a_limit_holds_for_a_while_and_clears_lower() {
    let rule = "per: { host: event.fields.host }\nthreshold: { value: event.fields.cpu, above: 90, clear: 80, stale_after: 60s }\nfor: 20s\nkeep_firing: 5s";
    let cpu = |value: u32| format!(r#""host":"a","cpu":{value}"#);
    let values: Vec<(f64, String)> = [
        (0.0, 95),
        (10.0, 85),
        (15.0, 95),
        (30.0, 96),
        (40.0, 85),
        (50.0, 79),
        (52.0, 85),
        (53.0, 70),
        (70.0, 70),
    ]
    .into_iter()
    .map(|(second, value)| (second, cpu(value)))
    .collect();
    let lines: Vec<(f64, &str)> =
        values.iter().map(|(second, text)| (*second, text.as_str())).collect();
    let told = run(rule, &lines);
    assert_eq!(told, [fired("a", 15.0), resolved("a", 58.0)]);
}

#[test]
fn a_value_that_nobody_repeats_says_nothing_any_more() {
    let rule = "threshold: { value: event.fields.cpu, above: 90, stale_after: 60s }";
    let told = run(rule, &[(0.0, r#""cpu":95"#), (100.0, r#""other":1"#)]);
    assert_eq!(told, [fired("", 0.0), resolved("", 60.0)]);
}

#[test]
fn silence_is_found_and_ends() {
    let rule = "when: event.service == \"backup\"\nabsence: { within: 60s }";
    let (other, backup) = (r#""service":"x""#, r#""service":"backup""#);
    let lines = [(0.0, other), (59.0, backup), (200.0, other), (250.0, backup), (260.0, other)];
    assert_eq!(run(rule, &lines), [fired("", 119.0), resolved("", 250.0)]);
    assert_eq!(
        run(rule, &[(0.0, other), (61.0, other)]),
        [fired("", 60.0)],
        "from the first line on"
    );
}

#[test]
fn a_host_that_is_gone_for_long_is_forgotten() {
    let rule = "per: { host: event.fields.host }\nabsence: { within: 60s, forget_after: 5m }";
    let lines = [(0.0, r#""host":"a""#), (1.0, r#""host":"b""#), (1000.0, r#""host":"c""#)];
    let told = run(rule, &lines);
    assert_eq!(
        told,
        [fired("a", 60.0), fired("b", 61.0), resolved("a", 300.0), resolved("b", 301.0)]
    );
}

#[test]
fn time_goes_on_with_the_clock_when_no_line_comes() {
    let mut detector = detector("when: event.service == \"backup\"\nabsence: { within: 60s }");
    detector.read(&line(0.0, r#""service":"backup""#), now()).unwrap();
    detector.tick(now() + jiff::SignedDuration::from_secs(69));
    assert_eq!(told(&mut detector), []);
    detector.tick(now() + jiff::SignedDuration::from_secs(71));
    assert_eq!(told(&mut detector), [fired("", 60.0)]);
}

#[test]
fn what_comes_too_late_is_counted_and_left_out() {
    let mut detector = detector("count: { more_than: 2, within: 60s }");
    for second in [0.0, 20.0, 10.5, 9.0, 21.0] {
        detector.read(&line(second, r#""a":1"#), now()).unwrap();
    }
    detector.finish();
    assert_eq!((detector.tally().late, detector.tally().events), (1, 5));
    assert_eq!(told(&mut detector), [fired("", 20.0)]);
}

#[test]
fn bad_lines_are_counted_and_sampled_and_stop_nothing() {
    let mut detector = detector("count: { more_than: 0, within: 60s }");
    for _ in 0..20 {
        detector.read("Traceback (most recent call last):", now()).unwrap_err();
    }
    detector.read(&line(1.0, r#""a":1"#), now()).unwrap();
    detector.finish();
    let tally = detector.tally();
    assert_eq!((tally.lines, tally.events, tally.malformed, tally.samples.len()), (21, 1, 20, 5));
    assert_eq!(tally.samples[1].line, 2);
    assert_eq!(told(&mut detector).len(), 1);
}

#[test]
fn keys_are_bounded_and_what_fires_is_not_forgotten() {
    let text = "lateness: 0s\nkeys: 3\nrules:\n  - rule: r\n    owner: o\n    per: { user: event.fields.user }\n    count: { more_than: 1, within: 1h }\n";
    let mut detector = Detector::new(rules::read(text).unwrap());
    let mut second = 0.0;
    let mut see = |detector: &mut Detector, user: &str| {
        second += 1.0;
        detector.read(&line(second, &format!("\"user\":\"{user}\"")), now()).unwrap();
    };
    for user in ["ana", "ana", "b", "c", "d", "e"] {
        see(&mut detector, user);
    }
    detector.finish();
    assert_eq!((detector.keys(), detector.tally().evicted, detector.firing()), (3, 2, 1));
    for user in ["d", "e", "f", "f", "f"] {
        see(&mut detector, user);
    }
    detector.finish();
    assert_eq!((detector.tally().refused, detector.firing()), (3, 3));
}

#[test]
fn a_misspelt_field_is_named_in_the_end() {
    let mut detector =
        detector("when: event.fields.latncy_ms > 3\ncount: { more_than: 0, within: 1m }");
    detector.read(&line(0.0, r#""latency_ms":5"#), now()).unwrap();
    assert_eq!(detector.unmet(), ["fields.latncy_ms"]);
}

#[test]
fn the_forest_names_the_feature_that_is_unlike_the_rest() {
    let rule = "per: { service: event.service }\nunusual: { features: { latency: event.fields.ms, size: event.fields.bytes }, more_than: 2, within: 10s, warm_up: 256 }";
    let mut detector = detector(rule);
    let mut rng = fastrand::Rng::with_seed(1);
    for second in 0..600_u32 {
        let ms = if (500..505).contains(&second) { 900.0 } else { 20.0 + 5.0 * rng.f64() };
        let rest = format!(r#""service":"shop","ms":{ms},"bytes":{}"#, 500.0 + 100.0 * rng.f64());
        detector.read(&line(f64::from(second), &rest), now()).unwrap();
    }
    detector.finish();
    let notices = detector.take();
    let states: Vec<State> = notices.iter().map(|one| one.state).collect();
    assert_eq!(states, [State::Firing, State::Resolved]);
    let firing = &notices[0];
    assert_eq!(firing.service.as_deref(), Some("shop"));
    assert!(firing.annotations["contributions"].starts_with("latency"), "{firing:?}");
}

/// A little of everything, in order of time.
fn stream() -> impl Strategy<Value = Vec<(i64, u8, bool, u8)>> {
    let event = (0i64..4000, 0u8..3, any::<bool>(), 0u8..100);
    prop::collection::vec(event, 1..80).prop_map(|steps| {
        let mut at = 0;
        steps
            .into_iter()
            .map(|(step, user, bad, cpu)| {
                // Never two at the same moment: their order among each other would matter to the latest value.
                at += step + 1;
                (at, user, bad, cpu)
            })
            .collect()
    })
}

const MANY: &str = "
lateness: 10s
rules:
  - { rule: count, owner: o, per: { user: event.fields.user }, count: { more_than: 2, within: 10s, clear: 1 } }
  - { rule: ratio, owner: o, ratio: { of: event.fields.bad, more_than: 0.4, within: 15s, at_least: 3 }, keep_firing: 2s }
  - { rule: cpu, owner: o, per: { user: event.fields.user }, threshold: { value: event.fields.cpu, above: 50, stale_after: 20s }, for: 3s }
  - { rule: silent, owner: o, per: { user: event.fields.user }, absence: { within: 7s } }
  - { rule: odd, owner: o, unusual: { features: { cpu: event.fields.cpu }, more_than: 0, warm_up: 64, sensitivity: 2 } }
";

fn written(event: &(i64, u8, bool, u8)) -> String {
    let (at, user, bad, cpu) = event;
    format!(r#"{{"time":{},"service":"s","user":"{user}","bad":{bad},"cpu":{cpu}}}"#, BEGIN + at)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_order_of_arrival_within_the_lateness_changes_nothing(events in stream(), delays in prop::collection::vec(0i64..9000, 80)) {
        let run = |lines: Vec<String>| {
            let mut detector = Detector::new(rules::read(MANY).unwrap());
            for line in lines {
                detector.read(&line, now()).unwrap();
            }
            detector.finish();
            prop_assert_eq!(detector.tally().late, 0);
            Ok(detector.take())
        };
        let in_order = run(events.iter().map(written).collect())?;
        let mut arrivals: Vec<_> = events.iter().zip(&delays).map(|(event, delay)| (event.0 + delay, event)).collect();
        // The first stays the first: from it on things are expected.
        arrivals[0].0 = i64::MIN;
        arrivals.sort_by_key(|(arrival, _)| *arrival);
        let shuffled = run(arrivals.into_iter().map(|(_, event)| written(event)).collect())?;
        prop_assert_eq!(in_order, shuffled);
    }

    #[test]
    fn a_detector_that_was_saved_and_restored_says_the_same(events in stream(), cut in 0usize..80) {
        let fresh = || Detector::new(rules::read(MANY).unwrap());
        let (mut whole, mut first, mut second) = (fresh(), fresh(), fresh());
        let cut = cut.min(events.len());
        for event in &events {
            whole.read(&written(event), now()).unwrap();
        }
        for event in &events[..cut] {
            first.read(&written(event), now()).unwrap();
        }
        let restored = second.restore(&first.save()).unwrap();
        prop_assert_eq!(restored.rules, 5);
        for event in &events[cut..] {
            second.read(&written(event), now()).unwrap();
        }
        whole.finish();
        second.finish();
        let mut parts = first.take();
        parts.extend(second.take());
        prop_assert_eq!(whole.take(), parts);
        prop_assert_eq!(whole.tally(), second.tally());
    }

    #[test]
    fn every_alert_that_ends_has_begun(events in stream()) {
        let mut detector = Detector::new(rules::read(MANY).unwrap());
        for event in &events {
            detector.read(&written(event), now()).unwrap();
        }
        detector.finish();
        let mut open = std::collections::BTreeMap::new();
        for notice in detector.take() {
            match notice.state {
                State::Firing => prop_assert!(open.insert(notice.identity(), notice.starts_at).is_none()),
                State::Resolved => prop_assert_eq!(open.remove(&notice.identity()), Some(notice.starts_at)),
            }
        }
        prop_assert_eq!(open.len(), detector.firing());
    }
}

#[test]
fn a_state_of_another_version_or_rule_is_not_taken_up() {
    let old = detector("count: { more_than: 2, within: 60s }");
    let mut changed = detector("count: { more_than: 3, within: 60s }");
    assert_eq!(changed.restore(&old.save()).unwrap().anew, ["r"]);
    let newer = old.save().replace("\"version\":1", "\"version\":2");
    assert!(changed.restore(&newer).unwrap_err().to_string().contains("version 2"));
    assert!(changed.restore("{}").is_err());
}
