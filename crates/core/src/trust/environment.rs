//! The environments that an incident is about, as its alerts name them.

use std::collections::BTreeSet;

use crate::incident::Incident;
use crate::policy::Trust;

/// Where alerts name none.
pub const DEFAULT: &str = "default";

/// What is no plain word: a sender must not be able to invent names without end.
const ODD: &str = "others";
const LONGEST: usize = 32;

/// At least one. Where alerts of several are in one incident, the least trusted decides.
pub fn environments(incident: &Incident, rules: &Trust) -> BTreeSet<String> {
    let named: BTreeSet<String> = incident
        .alerts
        .values()
        .filter_map(|member| {
            let labels = &member.alert.labels;
            rules.environment.iter().find_map(|label| labels.get(label))
        })
        .map(|name| word(name))
        .collect();
    if named.is_empty() { BTreeSet::from([DEFAULT.to_owned()]) } else { named }
}

fn word(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    match name.as_str() {
        "" => DEFAULT.to_owned(),
        _ if name.len() > LONGEST || !name.chars().all(plain) => ODD.to_owned(),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn a_name_is_one_plain_word_in_lower_case() {
        assert_eq!(word(" Prod "), "prod");
        assert_eq!(word(""), "default");
        assert_eq!(word("eu/west"), "others");
        assert_eq!(word(&"x".repeat(33)), "others");
    }
}
