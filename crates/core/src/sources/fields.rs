//! Reading single fields of a sender's message: text or number, absent or not, links, the service.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::alert::Link;

/// Labels that may name the service, the most telling first: a scrape job is less so than an application.
pub(super) const SERVICE_LABELS: [&str; 13] = [
    "service",
    "service_name",
    "service.name",
    "svc",
    "app",
    "application",
    "app_kubernetes_io_name",
    "app.kubernetes.io/name",
    "job",
    "deployment",
    "statefulset",
    "daemonset",
    "workload",
];

/// A scalar as text, exactly as sent; senders put numbers and booleans where text is expected, and the reverse.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A scalar as text, or `None` when it is one of the ways in which senders write "nothing".
pub(super) fn present(value: &Value) -> Option<String> {
    text(value).filter(|text| !is_absent(text))
}

/// Whether a text stands for "nothing": empty, a null word, or a variable that was never filled in.
pub(super) fn is_absent(text: &str) -> bool {
    let text = text.trim();
    matches!(text, "" | "<no value>" | "[no value]")
        || text.eq_ignore_ascii_case("null")
        || text.eq_ignore_ascii_case("n/a")
        || is_placeholder(text)
}

/// Whether a text is a template variable as written: `{{Name}}`, `$NAME` or `$TAGS[name]`.
pub(super) fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    let in_braces = text.len() > 4 && text.starts_with("{{") && text.ends_with("}}");
    let name = text.strip_prefix('$').map(|rest| match rest.split_once('[') {
        Some((name, key)) if key.len() > 1 && key.ends_with(']') => name,
        _ => rest,
    });
    in_braces || name.is_some_and(is_variable_name)
}

fn is_variable_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// The service that the labels name.
pub(super) fn service(labels: &BTreeMap<String, String>) -> Option<String> {
    SERVICE_LABELS
        .iter()
        .filter_map(|label| labels.get(*label))
        .find(|value| !is_absent(value))
        .cloned()
}

/// A link that is safe to show: only web addresses, because the text comes from outside.
pub(super) fn link(title: &str, url: Option<&str>) -> Option<Link> {
    let url = url?.trim();
    let is_web = ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme));
    is_web.then(|| Link { title: title.to_owned(), url: url.to_owned() })
}

/// The identifier at the start of a piece of an address.
pub(super) fn leading_id(text: &str) -> Option<String> {
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
        .unwrap_or(text.len());
    text.get(..end).filter(|id| !id.is_empty()).map(str::to_owned)
}

/// Shortens a text to at most `limit` bytes at a character boundary.
pub(super) fn shorten(text: &str, limit: usize) -> String {
    text.get(..text.floor_char_boundary(limit)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_words_for_nothing_are_absent() {
        for nothing in [
            "",
            "  ",
            "null",
            "NULL",
            "N/A",
            "n/a",
            "<no value>",
            "[no value]",
            "$ALERT_ID",
            "$TAGS[service]",
            "{{Name}}",
            " {{ x.y }} ",
        ] {
            assert!(is_absent(nothing), "{nothing:?}");
        }
        for something in [
            "0",
            "none",
            "$5",
            "$alert",
            "$TAGS[",
            "a[b]",
            "{{",
            "{{}}",
            "a {{Name}}",
            "nullable",
            "false",
        ] {
            assert!(!is_absent(something), "{something:?}");
        }
    }

    #[test]
    fn scalars_of_any_kind_are_text() {
        assert_eq!(text(&json!(73.0)).as_deref(), Some("73.0"));
        assert_eq!(
            text(&json!(1_626_189_692_042_000_001_i64)).as_deref(),
            Some("1626189692042000001")
        );
        assert_eq!(text(&json!(false)).as_deref(), Some("false"));
        assert_eq!(text(&json!({"a": 1})), None);
        assert_eq!(present(&json!("N/A")), None);
    }

    #[test]
    fn only_web_addresses_become_links() {
        assert!(link("a", Some("https://example.test/x")).is_some());
        for bad in ["javascript:alert(1)", "", "/graph", "data:text/html,x"] {
            assert_eq!(link("a", Some(bad)), None, "{bad}");
        }
    }

    #[test]
    fn shortening_keeps_characters_whole() {
        assert_eq!(shorten("aé", 2), "a");
        assert_eq!(shorten("aé", 9), "aé");
    }
}
