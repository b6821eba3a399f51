//! What people wrote into the name and the description of an alarm: how bad it is, and whose.

use crate::alert::Severity;

/// What the description says after `severity:`, else a word of the name, else an error.
pub(super) fn severity(name: &str, description: Option<&str>) -> Severity {
    let said = described(description, "severity").and_then(|word| Severity::from_word(&word));
    said.or_else(|| of_name(name)).unwrap_or(Severity::Error)
}

/// The word after `key:` or `key=` in the description, also in one that is JSON.
pub(super) fn described(description: Option<&str>, key: &str) -> Option<String> {
    let text = description?;
    let lower = text.to_ascii_lowercase();
    lower.match_indices(key).find_map(|(at, _)| {
        let is_word = !lower.get(..at)?.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let rest = text.get(at + key.len()..)?.trim_start_matches(['"', '\'', ' ']);
        let rest = rest.strip_prefix([':', '=']).filter(|_| is_word)?;
        let word = rest.trim_start_matches(['"', '\'', ' ']);
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
        let end = word.find(|c: char| !is_part(c)).unwrap_or(word.len());
        Some(word.get(..end)?.trim_end_matches('.').to_owned()).filter(|word| !word.is_empty())
    })
}

/// `high`, `low` and `error` name no severity: they belong to what is measured.
fn of_name(name: &str) -> Option<Severity> {
    let words = || name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let ends = [words().next(), words().next_back()];
    words().find_map(of_word).or_else(|| ends.into_iter().flatten().find_map(of_number))
}

fn of_word(word: &str) -> Option<Severity> {
    let is_severity = matches!(
        word.to_ascii_lowercase().as_str(),
        "critical"
            | "crit"
            | "warning"
            | "warn"
            | "sev0"
            | "sev1"
            | "sev2"
            | "sev3"
            | "sev4"
            | "sev5"
    );
    is_severity.then(|| Severity::from_word(word)).flatten()
}

/// `P1` to `P5`, at an end only: in the middle of a name it may be a kind of instance.
fn of_number(word: &str) -> Option<Severity> {
    let is_number = word.len() == 2 && word.starts_with(['p', 'P']);
    is_number.then(|| Severity::from_word(word)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_severity_is_what_people_wrote_and_never_what_is_measured() {
        for (name, description, expected) in [
            ("checkout-cpu", None, Severity::Error),
            ("CPUUtilizationHigh", None, Severity::Error),
            ("high latency low traffic error rate info", None, Severity::Error),
            ("checkout-5xx-CRITICAL", None, Severity::Critical),
            ("[SEV2] orders", None, Severity::Error),
            ("disk.warning", None, Severity::Warning),
            ("P1 - orders are lost", None, Severity::Critical),
            ("orders/p4", None, Severity::Info),
            ("gpu p4 nodes down", None, Severity::Error),
            ("critical", Some("Severity: warning. Look at the queue"), Severity::Warning),
            ("orders", Some(r#"{"severity": "critical", "team": "shop"}"#), Severity::Critical),
            ("orders", Some("severity=P3"), Severity::Warning),
            ("orders", Some("the severity is not known"), Severity::Error),
            ("orders", Some("noseverity: critical"), Severity::Error),
        ] {
            assert_eq!(severity(name, description), expected, "{name}: {description:?}");
        }
    }

    #[test]
    fn a_service_is_the_word_after_its_key() {
        let of = |text| described(Some(text), "service");
        assert_eq!(of("Owner: shop. Service: check-out/api.").as_deref(), Some("check-out/api"));
        assert_eq!(of("service='orders'").as_deref(), Some("orders"));
        assert_eq!(of("É service:é").as_deref(), Some("é"));
        for nothing in ["the service is slow", "service:", "service: \"\"", "microservice: x", ""] {
            assert_eq!(of(nothing), None, "{nothing}");
        }
        assert_eq!(described(None, "service"), None);
    }
}
