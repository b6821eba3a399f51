//! Lines as they come, and lines as they should not.

use firebreak_core::cel::quick::{Held, Slots as _};
use proptest::prelude::*;

use super::*;

const NOW: &str = "2026-11-24T12:01:00Z";
const AT: i64 = 1_795_521_600_250;

fn read<'a>(line: &'a str, asked: &[&str]) -> (Result<Event<'a>, Malformed>, Vec<usize>) {
    let mut paths = Paths::default();
    let slots: Vec<usize> = asked
        .iter()
        .map(|path| paths.slot(&path.split('.').map(str::to_owned).collect::<Vec<_>>()))
        .collect();
    let reader = Reader::new(LogShape::default(), Need::Whole, &paths);
    (reader.read(line, NOW.parse().unwrap(), &paths), slots)
}

#[test]
fn json_and_logfmt_say_the_same() {
    let asked = ["service", "fields.path", "fields.status", "fields.ok", "message"];
    for line in [
        r#"{"time":"2026-11-24T12:00:00.250Z","service":"shop","path":"/a \"b\"","status":503,"ok":false,"message":"slow"}"#,
        r#"{"@timestamp":1795521600250,"service.name":"shop","fields":{"path":"/a \"b\"","status":503.0,"ok":false},"msg":"slow","more":[1,{"a":2}]}"#,
        r#"ts=2026-11-24T12:00:00.250Z service=shop path="/a \"b\"" status=503 ok=false msg=slow debug"#,
    ] {
        let (event, slots) = read(line, &asked);
        let event = event.unwrap();
        let held: Vec<_> = slots.iter().map(|slot| event.held(*slot).unwrap()).collect();
        assert_eq!(event.at, AT, "{line}");
        assert_eq!(
            held,
            [
                Held::Text("shop"),
                Held::Text("/a \"b\""),
                Held::Number(503.0),
                Held::Bool(false),
                Held::Text("slow")
            ],
            "{line}"
        );
    }
}

#[test]
fn a_line_that_is_no_event_is_told_why() {
    for (line, why) in [
        ("", Malformed::Format),
        ("panicked at line 3", Malformed::Format),
        (r#"{"time":"2026-11-24T12:00:00Z","a":"#, Malformed::Json),
        (r#"{"time":"2026-11-24T12:00:00Z"} x"#, Malformed::Json),
        (r#"{"a":1}"#, Malformed::NoTime),
        ("service=shop", Malformed::NoTime),
        (r#"{"time":"soon"}"#, Malformed::Time),
        (r#"{"time":"2026-11-24T13:00:00Z"}"#, Malformed::Ahead),
    ] {
        assert_eq!(read(line, &["service"]).0.err(), Some(why), "{line}");
    }
}

#[test]
fn what_is_nested_is_found_by_its_path() {
    let line = r#"{"time":1795521600.25,"http":{"status":500,"headers":{"x":1}},"a.b":2}"#;
    let (event, slots) = read(line, &["fields.http.status", "fields.http", "fields.http.nothing"]);
    let event = event.unwrap();
    let held: Vec<_> = slots.iter().map(|slot| event.held(*slot)).collect();
    assert_eq!(held, [Some(Held::Number(500.0)), Some(Held::Map), None]);
}

proptest! {
    #[test]
    fn no_line_makes_it_panic(line in "[ -~ä\\n]{0,80}", head in prop::sample::select(vec!["", "{\"time\":1795521600,", "time=1795521600 a=\""])) {
        let line = format!("{head}{line}");
        let (event, slots) = read(&line, &["service", "fields.a"]);
        if let Ok(event) = event {
            prop_assert!(event.at > 0 && slots.len() == 2);
        }
    }
}
