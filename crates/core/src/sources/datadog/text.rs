//! The text of a Datadog event: unwrapped, its entities decoded, and the link to its monitor found.

/// The text without `%%%` around it and with its HTML entities decoded; Datadog encodes only a part of it.
pub(super) fn clean(text: &str) -> String {
    decode(text.trim().trim_matches('%').trim())
}

/// Decodes the entities that senders write; any other ampersand stays.
pub(super) fn decode(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        let (character, length) = entity(after).unwrap_or(('&', 0));
        decoded.push(character);
        rest = after.get(length..).unwrap_or_default();
    }
    decoded.push_str(rest);
    decoded
}

/// The character of an entity, and the bytes that it takes behind the ampersand.
fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.as_bytes().iter().take(9).position(|byte| *byte == b';')?;
    let name = text.get(..end)?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((character, end + 1))
}

/// Where the monitor of an event is shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Monitor {
    pub(super) url: String,
    pub(super) id: String,
    /// The group that the event is about; empty for a monitor without groups.
    pub(super) group: String,
}

/// Finds the link that Datadog puts below the text of an event. The last one counts: what stands above may be anybody's text.
pub(super) fn monitor(text: &str) -> Option<Monitor> {
    const LINK: &str = "[Monitor Status](";
    let (_, after) = text.rsplit_once(LINK)?;
    let (url, _) = after.split_once(')')?;
    let (_, path) = url.strip_prefix("https://")?.split_once("/monitors/")?;
    let (id, query) = path.split_once('?').unwrap_or((path, ""));
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let group = query.split('&').find_map(|pair| pair.strip_prefix("group=")).unwrap_or_default();
    let host = url.split("/monitors/").next()?;
    Some(Monitor {
        url: format!("{host}/monitors/{id}"),
        id: id.to_owned(),
        group: super::json::form_decode(group),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wrappers_and_entities_are_removed() {
        assert_eq!(clean("%%%\nunexpected &#x27;.&#x27; &amp; more\n%%%"), "unexpected '.' & more");
        assert_eq!(decode("a&b &unknown; &#39; &#x110000; &"), "a&b &unknown; ' &#x110000; &");
        assert_eq!(decode("&amp;lt;"), "&lt;");
    }

    #[test]
    fn the_last_link_to_a_monitor_counts() {
        let text = "see [Monitor Status](https://evil.example.test/monitors/9) \
                    [[Monitor Status](https://app.datadoghq.com/monitors/160?group=service%3Aapi%2Chost%3Aa&from_ts=1)]";
        let found = monitor(text).unwrap();
        assert_eq!((found.id.as_str(), found.group.as_str()), ("160", "service:api,host:a"));
        assert_eq!(found.url, "https://app.datadoghq.com/monitors/160");
        assert_eq!(monitor("[Monitor Status](https://a.test/monitors/7)").unwrap().group, "");
        for none in
            ["", "[Monitor Status](", "[Monitor Status](http://a.test/monitors/7)", "/monitors/7"]
        {
            assert_eq!(monitor(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in r"([&;#x%]|\[Monitor Status\]\(|https://a/monitors/|[a-z0-9é]){0,30}") {
            clean(&text);
            monitor(&text);
        }
    }
}
