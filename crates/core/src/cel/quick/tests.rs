//! The quick form against the interpreter: the same answer for any plain condition and any event.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::cel::Subject;

/// The slots of one JSON event, filled by walking it.
struct Walked<'a> {
    event: &'a Value,
    paths: &'a [Vec<String>],
}

impl Slots for Walked<'_> {
    fn held(&self, slot: usize) -> Option<Held<'_>> {
        let mut at = self.event;
        for name in &self.paths[slot] {
            at = at.as_object()?.get(name)?;
        }
        Some(match at {
            Value::Null => Held::Null,
            Value::Bool(truth) => Held::Bool(*truth),
            Value::Number(number) => Held::Number(number.as_f64().unwrap()),
            Value::String(text) => Held::Text(text),
            Value::Array(_) => Held::List,
            Value::Object(_) => Held::Map,
        })
    }
}

fn both(condition: &str, event: &Value) -> (Option<Result<bool, Absent>>, Result<bool, Absent>) {
    let expression = Expression::new(condition);
    let mut paths: Vec<Vec<String>> = Vec::new();
    let quick = expression.quick("event", &mut |path| {
        paths.iter().position(|known| known == path).unwrap_or_else(|| {
            paths.push(path.to_vec());
            paths.len() - 1
        })
    });
    let quick = quick.map(|quick| quick.holds(&Walked { event, paths: &paths }));
    let slow = expression.holds_for(&Subject::named("event", event)).map_err(|_| Absent);
    (quick, slow)
}

#[test]
fn what_rules_ask_has_a_quick_form() {
    let event = json!({"service": "shop", "fields": {"path": "/api/data", "latency_ms": 3001.5, "status": 503, "who": {"user": "ana"}}});
    for (condition, expected) in [
        (r#"event.fields.path == "/api/data" && event.fields.latency_ms > 3000"#, Ok(true)),
        (r#"event.service in ["shop", "cart"]"#, Ok(true)),
        (r#"event.fields.status >= 500 && event.fields["status"] < 600"#, Ok(true)),
        (r#"event.fields.who.user.startsWith("an")"#, Ok(true)),
        (r#"event.fields.path.matches("^/api/(data|list)$")"#, Ok(true)),
        ("has(event.fields.who.user) && !has(event.fields.who.address)", Ok(true)),
        ("has(event.fields.nobody.user)", Err(Absent)),
        ("event.fields.nothing > 3", Err(Absent)),
        ("event.fields.nothing > 3 || event.fields.status == 503", Ok(true)),
        (r#"double("12.5") == 12.5"#, Ok(true)),
    ] {
        assert_eq!(both(condition, &event), (Some(expected), expected), "{condition}");
    }
    for left_to_the_interpreter in
        ["event.fields.a + 1 > 2", "event.fields.tags.exists(tag, tag == \"x\")"]
    {
        assert_eq!(both(left_to_the_interpreter, &event).0, None, "{left_to_the_interpreter}");
    }
}

fn operand() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[abc]".prop_map(|name| format!("event.fields.{name}")),
        1 => Just("event.fields.a.b".to_owned()),
        1 => Just("event.service".to_owned()),
        1 => Just("double(event.fields.b)".to_owned()),
        2 => (-3i64..4).prop_map(|number| number.to_string()),
        1 => Just("1.5".to_owned()),
        2 => "[ab1]{0,2}".prop_map(|text| format!("\"{text}\"")),
        1 => Just("true".to_owned()),
        1 => Just("null".to_owned()),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    let plain = prop_oneof![
        (operand(), prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]), operand())
            .prop_map(|(left, sign, right)| format!("{left} {sign} {right}")),
        (operand(), operand()).prop_map(|(of, other)| format!("{of} in [1, \"a\", {other}]")),
        (operand(), prop::sample::select(vec!["contains", "startsWith", "endsWith", "matches"]))
            .prop_map(|(text, test)| format!("{text}.{test}(\"a\")")),
        "[abc]".prop_map(|name| format!("has(event.fields.{name})")),
        Just("has(event.fields.a.b)".to_owned()),
        "[abc]".prop_map(|name| format!("event.fields.{name}")),
    ];
    plain.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(one, two)| format!("({one}) && ({two})")),
            (inner.clone(), inner.clone()).prop_map(|(one, two)| format!("({one}) || ({two})")),
            inner.prop_map(|one| format!("!({one})")),
        ]
    })
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3i64..4).prop_map(Value::from),
        Just(json!(1.5)),
        "[ab1]{0,2}".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!([1, "a"])),
        Just(json!({"b": 1})),
        Just(json!({"c": "a"})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn the_answer_is_the_interpreters(
        condition in condition(),
        fields in prop::collection::btree_map("[abc]", value(), 0..4),
    ) {
        let event = json!({"service": "a", "fields": fields});
        let (quick, slow) = both(&condition, &event);
        if let Some(quick) = quick {
            prop_assert_eq!(quick, slow, "{} of {}", condition, event);
        }
    }
}
