//! Parameters that are filled in from the alert: `${...}` holds CEL; the result is a value, never a command.

use std::ops::Range;

use serde_json::{Map, Value};

use super::Step;
use crate::alert::Alert;
use crate::cel::{ALERT, Expression, Flaw, Subject, Wanted};

/// A piece of a text.
enum Piece<'a> {
    Plain(&'a str),
    /// The expression, and where it stands in the text.
    Filled(&'a str, Range<usize>),
}

/// The parameters of a step for one alert, each of the form that its action takes.
pub fn resolve(step: &Step, alert: &Alert) -> Result<Map<String, Value>, String> {
    if !step.with.values().any(is_filled) {
        return Ok(step.with.clone());
    }
    let subject = Subject::of(alert);
    let mut resolved = Map::new();
    for (name, value) in &step.with {
        let value = fill(value, &subject).map_err(|why| format!("with.{name}: {why}"))?;
        resolved.insert(name.clone(), value);
    }
    step.spec().check_parameters(&resolved).map_err(|problem| format!("with: {problem}"))?;
    Ok(resolved)
}

/// Whether the value waits for an alert.
pub(super) fn is_filled(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains("${"))
}

/// What is wrong with the expressions of one text; ranges are in bytes of the text.
pub(super) fn flaws(text: &str) -> Vec<Flaw> {
    let pieces = match pieces(text) {
        Ok(pieces) => pieces,
        Err(begin) => {
            let message = "`${` is not closed by `}`".to_owned();
            return vec![Flaw { at: begin..text.len(), message, help: None }];
        }
    };
    let mut flaws = Vec::new();
    for piece in pieces {
        let Piece::Filled(expression, at) = piece else { continue };
        for flaw in Expression::new(expression).check(&ALERT, Wanted::Value) {
            let within = at.start + flaw.at.start..at.start + flaw.at.end;
            flaws.push(Flaw { at: within, ..flaw });
        }
    }
    flaws
}

fn fill(value: &Value, subject: &Subject) -> Result<Value, String> {
    let Some(text) = value.as_str().filter(|_| is_filled(value)) else { return Ok(value.clone()) };
    let pieces = pieces(text).map_err(|_| "`${` is not closed by `}`".to_owned())?;
    let of = |expression: &str| {
        Expression::new(expression).json(subject).map_err(|no_value| no_value.to_string())
    };
    if let [Piece::Filled(expression, _)] = pieces.as_slice() {
        return of(expression);
    }
    let mut filled = String::new();
    for piece in pieces {
        match piece {
            Piece::Plain(plain) => filled.push_str(plain),
            Piece::Filled(expression, _) => match of(expression)? {
                Value::String(text) => filled.push_str(&text),
                value @ (Value::Number(_) | Value::Bool(_)) => filled.push_str(&value.to_string()),
                other @ (Value::Null | Value::Array(_) | Value::Object(_)) => {
                    return Err(format!("`{expression}` gave {other}, which is no part of a text"));
                }
            },
        }
    }
    Ok(Value::String(filled))
}

/// Cuts a text at its `${...}`; braces and quotes within an expression are counted. An error is where it began.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, usize> {
    let mut pieces = Vec::new();
    let mut rest = 0;
    while let Some(found) = text.get(rest..).and_then(|tail| tail.find("${")) {
        let begin = rest + found;
        if let Some(plain) = text.get(rest..begin).filter(|plain| !plain.is_empty()) {
            pieces.push(Piece::Plain(plain));
        }
        let inside = begin + 2;
        let tail = text.get(inside..).unwrap_or_default();
        let length = closing(tail).ok_or(begin)?;
        let at = inside..inside + length;
        pieces.push(Piece::Filled(text.get(at.clone()).unwrap_or_default(), at));
        rest = inside + length + 1;
    }
    if let Some(plain) = text.get(rest..).filter(|plain| !plain.is_empty()) {
        pieces.push(Piece::Plain(plain));
    }
    Ok(pieces)
}

/// Where the brace that closes the expression stands.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut quote: Option<char> = None;
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if open == letter => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, '{') => depth += 1,
            (None, '}') if depth == 0 => return Some(at),
            (None, '}') => depth -= 1,
            (Some(_) | None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::examples;

    fn filled(text: &str) -> Result<Value, String> {
        fill(&json!(text), &Subject::of(&examples::alert("slow-api-data", "i-0abc12345")))
    }

    #[test]
    fn an_expression_alone_keeps_its_type_and_in_a_text_becomes_text() {
        assert_eq!(filled("plain"), Ok(json!("plain")));
        assert_eq!(filled("${size(alert.labels)}"), Ok(json!(2)));
        assert_eq!(filled("${alert.severity == 'critical'}"), Ok(json!(true)));
        assert_eq!(filled("on ${alert.labels.instance_id}!"), Ok(json!("on i-0abc12345!")));
        assert_eq!(filled("${'}'}${1 + 1}"), Ok(json!("}2")));
        assert_eq!(filled("${{'a': 'b'}.a}"), Ok(json!("b")));
        assert!(filled("${alert.labels.zone}").is_err());
        assert!(filled("x ${alert.labels}").unwrap_err().contains("no part of a text"));
        assert!(filled("${alert.name").unwrap_err().contains("not closed"));
    }

    #[test]
    fn flaws_are_placed_in_the_whole_text() {
        let text = "on ${alert.nam} and ${alert.title}";
        let found = flaws(text);
        assert_eq!(found.len(), 1);
        assert_eq!(text.get(found[0].at.clone()), Some("nam"));
    }

    #[test]
    fn what_an_alert_says_is_data_and_never_an_expression() {
        let mut draft = examples::draft("slow-api-data", "i-0abc12345");
        draft.title = "${alert.name}; rm -rf /".to_owned();
        let subject = Subject::of(&draft.seal());
        assert_eq!(fill(&json!("${alert.title}"), &subject), Ok(json!("${alert.name}; rm -rf /")));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-z${}'\" .+ä]{0,30}") {
            drop(filled(&text));
            for flaw in flaws(&text) {
                prop_assert!(text.get(flaw.at).is_some());
            }
        }
    }
}
