//! From the bytes of a webhook to JSON: strict first, then one careful repair after another.
//!
//! 1. as it is; 2. without a byte order mark, out of a form, with unreadable bytes replaced; 3. with raw control
//!    characters, stray backslashes and half surrogates inside strings escaped.
//!
//! What still does not parse is [`Broken`]; a source whose sender fills in templates may then [`scan`] it for the few fields that it cannot do without.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Delivery, Intake, Problem, unique};

/// Bytes of the body that a problem shows on either side of the place.
const CONTEXT: usize = 30;
/// No field name that anyone looks for is longer.
const LONGEST_KEY: usize = 40;
/// Nor is a bare number or word; a bound here keeps the scan linear whatever the body holds.
const LONGEST_SCALAR: usize = 64;

/// A body that could be read.
pub(super) struct Parsed {
    pub(super) value: Value,
    /// What had to be repaired.
    pub(super) findings: Vec<String>,
}

/// A body that could not be read.
pub(super) struct Broken {
    pub(super) problem: Problem,
    /// The body as far as it was unwrapped, for [`scan`].
    pub(super) text: String,
}

impl Broken {
    /// Whether looking for single fields makes sense.
    pub(super) fn is_scannable(&self) -> bool {
        self.problem.code == "json"
    }
}

/// Climbs the ladder; `remedy` tells the sender's owner what to do when nothing helps.
pub(super) fn read(delivery: &Delivery<'_>, remedy: &str) -> Result<Parsed, Broken> {
    if let Ok(read) = unique::read(delivery.body) {
        return Ok(once_more(parsed(read, Vec::new())));
    }
    let (text, mut findings) = unwrap(delivery);
    if text.trim().is_empty() {
        let message = format!("the body is empty; {remedy}");
        return Err(Broken { problem: Problem { code: "empty", message }, text });
    }
    let error = match unique::read(text.as_bytes()) {
        Ok(read) => return Ok(parsed(read, findings)),
        Err(error) => error,
    };
    if let Some(mended) = mend(&text)
        && let Ok(read) = unique::read(mended.as_bytes())
    {
        findings.push(format!("the body was repaired: text in strings was not escaped; {remedy}"));
        return Ok(parsed(read, findings));
    }
    Err(Broken { problem: problem(&text, &error, remedy), text })
}

/// A text that is JSON itself, as of a sender that encodes twice, is what it says.
fn once_more(outer: Parsed) -> Parsed {
    let inner = outer.value.as_str().filter(|text| text.trim_start().starts_with(['{', '[']));
    let Some(Ok(read)) = inner.map(|text| unique::read(text.as_bytes())) else { return outer };
    parsed(read, vec!["the body was repaired: it was JSON within a JSON text".to_owned()])
}

/// What a source makes of a body that can be read; one that cannot is kept aside.
pub(super) fn intake(
    delivery: &Delivery<'_>,
    remedy: &str,
    understand: impl FnOnce(&Value, &mut Intake),
) -> Intake {
    let mut intake = Intake::default();
    match read(delivery, remedy) {
        Ok(parsed) => {
            intake.findings = parsed.findings;
            understand(&parsed.value, &mut intake);
        }
        Err(broken) => intake.reject_all(delivery, broken.problem),
    }
    intake
}

fn parsed((value, disputed): (Value, Vec<String>), mut findings: Vec<String>) -> Parsed {
    findings.extend(disputed.iter().map(|name| self::disputed(name)));
    Parsed { value, findings }
}

/// What to tell of a field that occurs twice with different values.
pub(super) fn disputed(name: &str) -> String {
    format!("`{name}` is said twice and differently; neither was believed")
}

/// Removes what may be wrapped around the JSON.
fn unwrap(delivery: &Delivery<'_>) -> (String, Vec<String>) {
    let mut findings = Vec::new();
    let mut text = match String::from_utf8_lossy(delivery.body) {
        std::borrow::Cow::Borrowed(text) => text.to_owned(),
        std::borrow::Cow::Owned(text) => {
            findings
                .push("the body was repaired: bytes that are not UTF-8 were replaced".to_owned());
            text
        }
    };
    if let Some(rest) = text.strip_prefix('\u{feff}') {
        findings.push("the body was repaired: a byte order mark was removed".to_owned());
        text = rest.to_owned();
    }
    let is_form = delivery.content_type.is_some_and(|kind| {
        kind.get(..33).unwrap_or(kind).eq_ignore_ascii_case("application/x-www-form-urlencoded")
    });
    // `curl -d` calls everything a form, so what starts like JSON is never taken for one.
    let is_json = text.trim_start().starts_with(['{', '[']);
    if !is_json
        && (is_form || text.starts_with("payload="))
        && let Some(unwrapped) = form(&text)
    {
        findings.push("the body was unwrapped from a form; send it as application/json".to_owned());
        text = unwrapped;
    }
    (text, findings)
}

/// The JSON in the field `payload`, else in the first one, else an object of all fields.
fn form(text: &str) -> Option<String> {
    let pairs = text.trim().split('&').filter_map(|pair| pair.split_once('='));
    let pairs: Vec<(String, String)> =
        pairs.map(|(key, value)| (form_decode(key), form_decode(value))).collect();
    let is_json = |value: &str| value.trim_start().starts_with(['{', '[']);
    let (_, first) = pairs.iter().find(|(key, _)| key == "payload").or(pairs.first())?;
    if is_json(first) {
        return Some(first.clone());
    }
    let fields: Vec<String> = pairs
        .iter()
        .map(|(key, value)| {
            let is_nested = is_json(value) && unique::read(value.as_bytes()).is_ok();
            let value = if is_nested { value.clone() } else { Value::from(&**value).to_string() };
            format!("{}:{value}", Value::from(&**key))
        })
        .collect();
    Some(format!("{{{}}}", fields.join(",")))
}

/// A part of a form or of the query of an address, in which a space is a plus.
pub(super) fn form_decode(text: &str) -> String {
    percent_decode(&text.replace('+', " "))
}

pub(super) fn percent_decode(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes();
    while let [byte, rest @ ..] = bytes {
        bytes = rest;
        match (*byte, rest) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |byte: u8| {
                    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
                };
                if let (Some(high), Some(low)) = (digit(*high), digit(*low)) {
                    decoded.push(high * 16 + low);
                    bytes = after;
                } else {
                    decoded.push(b'%');
                }
            }
            (other, _) => decoded.push(other),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Escapes what templates paste into strings without escaping it; `None` when there is nothing to mend.
fn mend(text: &str) -> Option<String> {
    let mut mended = String::with_capacity(text.len() + 64);
    let mut in_string = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let mut taken = c.len_utf8();
        match c {
            '"' => {
                in_string = !in_string;
                mended.push(c);
            }
            '\\' if in_string => {
                let (escape, length) = escape(rest);
                mended.push_str(escape);
                taken = length;
            }
            '\n' if in_string => mended.push_str("\\n"),
            '\r' if in_string => mended.push_str("\\r"),
            '\t' if in_string => mended.push_str("\\t"),
            '\0'..='\u{1f}' if in_string => mended.push_str("\\ufffd"),
            _ => mended.push(c),
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    (mended != text).then_some(mended)
}

/// What to write for the escape at the start of `text`, and how many bytes of it that covers.
fn escape(text: &str) -> (&str, usize) {
    match text.as_bytes().get(1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
            (text.get(..2).unwrap_or_default(), 2)
        }
        Some(b'u') => match unit(text) {
            Some(0xd800..=0xdbff) => match text.get(6..).and_then(unit) {
                Some(0xdc00..=0xdfff) => (text.get(..12).unwrap_or_default(), 12),
                _ => ("\\ufffd", 6),
            },
            Some(0xdc00..=0xdfff) => ("\\ufffd", 6),
            Some(_) => (text.get(..6).unwrap_or_default(), 6),
            None => ("\\\\", 1),
        },
        _ => ("\\\\", 1),
    }
}

/// The UTF-16 unit of a `\uXXXX` at the start of `text`.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
}

fn problem(text: &str, error: &serde_json::Error, remedy: &str) -> Problem {
    let what = error.to_string();
    let what = what.split(" at line ").next().unwrap_or_default();
    let place = format!("line {} column {}", error.line(), error.column());
    if what == "recursion limit exceeded" {
        let message = format!("{place}: more than 127 levels of nesting; {remedy}");
        return Problem { code: "too_deep", message };
    }
    let line_start: usize =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let at = (line_start + error.column().saturating_sub(1)).min(text.len());
    let from = text.floor_char_boundary(at.saturating_sub(CONTEXT));
    let to = text.ceil_char_boundary((at + CONTEXT).min(text.len()));
    let near = text.get(from..to).unwrap_or_default().escape_debug();
    Problem {
        code: "json",
        message: format!("{place} (byte {at}): {what}, near `{near}`; {remedy}"),
    }
}

/// Fields cut out of a broken body, by [normalised](normalised_key) name.
///
/// A field that occurs twice with different values is null: one of them may come from text that the sender pasted. A
/// field whose value is cut off is left out: a shortened id is another id.
pub(super) fn scan(text: &str, known: &[&str]) -> BTreeMap<String, Value> {
    let mut fields: BTreeMap<String, Value> = BTreeMap::new();
    for (at, _) in text.match_indices('"') {
        // An escaped quote belongs to text inside a string.
        if at.checked_sub(1).and_then(|before| text.as_bytes().get(before)) == Some(&b'\\') {
            continue;
        }
        let Some((key, value)) = pair(text.get(at + 1..).unwrap_or_default(), known) else {
            continue;
        };
        let is_disputed = fields.get(&key).is_some_and(|earlier| *earlier != value);
        fields.insert(key, if is_disputed { Value::Null } else { value });
    }
    fields
}

/// Reads `key": value` at the start of `text`, when the key is known and the value is a complete scalar.
fn pair(text: &str, known: &[&str]) -> Option<(String, Value)> {
    let window = text.as_bytes().get(..text.len().min(LONGEST_KEY))?;
    let end = window.iter().position(|byte| *byte == b'"')?;
    let key = normalised_key(text.get(..end)?);
    if !known.contains(&key.as_str()) {
        return None;
    }
    let rest = text.get(end + 1..)?.trim_start().strip_prefix(':')?.trim_start();
    if let Some(string) = rest.strip_prefix('"') {
        let mut escaped = false;
        let end = string.bytes().position(|byte| {
            let closes = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            closes
        })?;
        let literal = rest.get(..end + 2)?;
        let mended = mend(literal);
        return Some((key, serde_json::from_str(mended.as_deref().unwrap_or(literal)).ok()?));
    }
    let window = rest.as_bytes().get(..rest.len().min(LONGEST_SCALAR))?;
    let end =
        window.iter().position(|byte| matches!(byte, b',' | b'}') || byte.is_ascii_whitespace())?;
    let value: Value = serde_json::from_str(rest.get(..end)?).ok()?;
    (!value.is_object() && !value.is_array()).then_some((key, value))
}

/// A field name without case and separators: `TriggerType`, `triggerType` and `trigger_type` are the same field.
pub(super) fn normalised_key(key: &str) -> String {
    key.chars()
        .filter(|c| !matches!(c, '_' | '-' | ' ' | '.'))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    fn read_as(body: &[u8], content_type: Option<&str>) -> Result<Parsed, Broken> {
        read(
            &Delivery { body, content_type, headers: &[], received_at: Timestamp::UNIX_EPOCH },
            "mend the template",
        )
    }

    fn check(body: &[u8], expected: &Value, repaired: usize) {
        let parsed =
            read_as(body, None).unwrap_or_else(|broken| panic!("{}", broken.problem.message));
        assert_eq!(
            (&parsed.value, parsed.findings.len()),
            (expected, repaired),
            "{:?}",
            parsed.findings
        );
    }

    #[test]
    fn each_rung_repairs_what_it_is_for() {
        check(br#"{"a":1}"#, &json!({"a": 1}), 0);
        check(b"\xef\xbb\xbf{\"a\":1}", &json!({"a": 1}), 1);
        check(br#""{\"a\":1}""#, &json!({"a": 1}), 1);
        check(br#""no json""#, &json!("no json"), 0);
        check(b"{\"a\":\"x\xff\"}", &json!({"a": "x\u{fffd}"}), 1);
        check(b"payload=%7B%22a%22%3A%22b+c%22%7D&x=1", &json!({"a": "b c"}), 1);
        check(b"{\"a\":\"x\n\ty\r\"}", &json!({"a": "x\n\ty\r"}), 1);
        check(
            br#"{"q":"where m matches /\d+/","u":"a\u00e9"}"#,
            &json!({"q": "where m matches /\\d+/", "u": "aé"}),
            1,
        );
        check(
            br#"{"cut":"\ud83d","pair":"\ud83d\ude00"}"#,
            &json!({"cut": "\u{fffd}", "pair": "😀"}),
            1,
        );
    }

    #[test]
    fn a_form_is_told_from_json_that_is_called_a_form() {
        let form = Some("application/x-www-form-urlencoded; charset=utf-8");
        assert_eq!(read_as(br#"{"a":"b&c=d"}"#, form).ok().unwrap().value, json!({"a": "b&c=d"}));
        assert_eq!(read_as(b"anything=%5B1%5D", form).ok().unwrap().value, json!([1]));
        let fields = read_as(b"a=b+c&o=%7B%22id%22%3A%221%22%7D&d=1&d=2&e=", form).ok().unwrap();
        assert_eq!(fields.value, json!({"a": "b c", "o": {"id": "1"}, "d": null, "e": ""}));
        assert_eq!(fields.findings.len(), 2, "{:?}", fields.findings);
    }

    #[test]
    fn a_problem_names_place_surroundings_and_remedy() {
        let broken = read_as(b"{\n \"a\": 1,\n \"b\": oops\n}", None).err().unwrap();
        assert_eq!(broken.problem.code, "json");
        for part in ["line 3 column 7", "byte 17", "oops", "mend the template"] {
            assert!(broken.problem.message.contains(part), "{part} in {}", broken.problem.message);
        }
    }

    #[test]
    fn depth_is_limited() {
        let deep = format!("{}1{}", "[".repeat(500_000), "]".repeat(500_000));
        let broken = read_as(deep.as_bytes(), None).err().unwrap();
        assert_eq!((broken.problem.code, broken.is_scannable()), ("too_deep", false));
        assert_eq!(read_as(b" \n", None).err().unwrap().problem.code, "empty");
    }

    #[test]
    fn the_scanner_takes_whole_undisputed_fields_only() {
        let known = ["name", "triggertype", "value", "id"];
        let text = r#"{"Name": "a\"b", "text": "{\"id\":\"forged\"}", "trigger_type" :"Critical", "value": 7 , oops "#;
        let expected =
            [("name", json!("a\"b")), ("triggertype", json!("Critical")), ("value", json!(7))];
        assert_eq!(scan(text, &known), expected.map(|(key, value)| (key.to_owned(), value)).into());
        for disputed in [r#"{"id":"1","x":{"id":"2"}"#, r#"{"id":"1","id":"2","id":"1","id":"1""#] {
            assert_eq!(
                scan(disputed, &known),
                [("id".to_owned(), Value::Null)].into(),
                "{disputed}"
            );
        }
        assert_eq!(scan(r#"{"id":"1","x":{"id":"1"}"#, &known).len(), 1);
        assert_eq!(scan(r#"{"id":"00000"#, &known), BTreeMap::new());
        assert_eq!(scan(r#"{"value":12"#, &known), BTreeMap::new());
    }
}
