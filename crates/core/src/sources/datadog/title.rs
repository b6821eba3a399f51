//! The title of a Datadog event, `[P2] [Triggered on {service:api}] Too slow`: in the default payload it is all there is.

/// What the brackets before a monitor's name say.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Title {
    /// Whether a person pressed "Test notifications".
    pub(super) is_test: bool,
    /// `P1` to `P5`.
    pub(super) priority: Option<String>,
    pub(super) transition: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) name: String,
}

/// What has become of a monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transition {
    Alert,
    Warn,
    NoData,
    /// Still as it was before, whatever that is.
    Again,
    Recovered,
}

impl Transition {
    /// Reads the words of `$ALERT_TRANSITION`; an unknown one is `None`.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        let word = super::json::normalised_key(word);
        match word.as_str() {
            "triggered" | "retriggered" | "alert" | "realert" => Some(Transition::Alert),
            "warn" | "rewarn" => Some(Transition::Warn),
            "nodata" | "renodata" => Some(Transition::NoData),
            "renotify" | "renotified" => Some(Transition::Again),
            _ if word.starts_with("recovered") => Some(Transition::Recovered),
            _ => None,
        }
    }
}

/// Whether a word is a monitor's priority. `$PRIORITY` of an event is `normal` or `low` and none.
pub(super) fn is_priority(word: &str) -> bool {
    matches!(word.as_bytes(), [b'P' | b'p', b'1'..=b'5'])
}

impl Title {
    pub(super) fn read(text: &str) -> Self {
        let mut title = Title::default();
        let mut rest = text.trim();
        while let Some((word, after)) = bracketed(rest) {
            let (transition, scope) = match word.split_once(" on ") {
                Some((transition, scope)) => (transition, Some(scope)),
                None => (word, None),
            };
            if word == "TEST" && !title.is_test {
                title.is_test = true;
            } else if is_priority(word) && title.priority.is_none() {
                title.priority = Some(word.to_owned());
            } else if Transition::from_word(transition).is_some() {
                title.transition = Some(transition.to_owned());
                title.scope = scope.map(|scope| scope.trim_matches(['{', '}']).to_owned());
                rest = after;
                break;
            } else {
                break;
            }
            rest = after;
        }
        rest.clone_into(&mut title.name);
        title
    }
}

/// What stands between the brackets at the start, and what follows. A scope in braces may hold brackets itself.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('[')?;
    let first = inside.find(']')?;
    let end = match inside.find('{') {
        Some(brace) if brace < first => inside.find("}]").map(|end| end + 1)?,
        _ => first,
    };
    Some((inside.get(..end)?, inside.get(end + 1..)?.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, parts: [Option<&str>; 3], name: &str) {
        let title = Title::read(text);
        let read = [&title.priority, &title.transition, &title.scope].map(Option::as_deref);
        assert_eq!((read, title.name.as_str()), (parts, name), "{text}");
    }

    #[test]
    fn brackets_before_the_name_are_read() {
        let scope = Some("service:api,host:a");
        check(
            "[P2] [Triggered on {service:api,host:a}] Too slow",
            [Some("P2"), Some("Triggered"), scope],
            "Too slow",
        );
        check("[Re-Triggered] Too slow", [None, Some("Re-Triggered"), None], "Too slow");
        check("[P4] [No Data] Heart", [Some("P4"), Some("No Data"), None], "Heart");
        check("[Recovered on {a:b[1]}] x", [None, Some("Recovered"), Some("a:b[1]")], "x");
        assert!(Title::read("[TEST] [P1] [Triggered] x").is_test);
    }

    #[test]
    fn brackets_of_the_name_stay_with_it() {
        check(
            "[P3] [Triggered] [Synthetics] [Recovered] Login",
            [Some("P3"), Some("Triggered"), None],
            "[Synthetics] [Recovered] Login",
        );
        for plain in ["[New issue] Crash", "No brackets", "[unclosed", "[]", ""] {
            check(plain, [None; 3], plain);
        }
    }

    #[test]
    fn every_word_for_a_transition_is_known() {
        use Transition::{Again, Alert, NoData, Recovered, Warn};
        for (word, expected) in [
            ("Triggered", Some(Alert)),
            ("Re-Triggered", Some(Alert)),
            ("Warn", Some(Warn)),
            ("Re-Warn", Some(Warn)),
            ("No Data", Some(NoData)),
            ("Re-No Data", Some(NoData)),
            ("Renotify", Some(Again)),
            ("Recovered", Some(Recovered)),
            ("Recovered to OK", Some(Recovered)),
            ("Null", None),
            ("", None),
        ] {
            assert_eq!(Transition::from_word(word), expected, "{word}");
        }
    }
}
