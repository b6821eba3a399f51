//! Identifiers as types: a string with a rule cannot be mistaken for another one.

use serde::{Deserialize, Serialize};

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} `{value}` is not valid: {rule}")]
pub struct InvalidId {
    pub kind: &'static str,
    pub value: String,
    pub rule: &'static str,
}

/// Declares a newtype over a checked string that serialises as that string.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(value: String) -> Result<Self, InvalidId> {
                let check: fn(&str) -> bool = $check;
                if check(&value) { Ok(Self(value)) } else { Err(InvalidId { kind: $kind, value, rule: $rule }) }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn word(text: &str, extra: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && text.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
}

text_id!(
    /// `inc_` and a ULID: sorts by the time at which the incident was opened.
    IncidentId,
    "incident id",
    "it is `inc_` followed by letters and digits",
    |text| text.strip_prefix("inc_").is_some_and(|rest| word(rest, ""))
);

text_id!(
    /// The name of a runbook, as written in its file.
    RunbookName,
    "runbook name",
    "use letters, digits, `-`, `_` and `.` (128 at most)",
    |text| word(text, "-_.")
);

text_id!(
    /// The name of an action in the registry, such as `ec2.reboot`.
    ActionName,
    "action name",
    "use letters, digits, `_` and `.` (128 at most)",
    |text| word(text, "_.")
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_refuse_what_breaks_their_rule() {
        assert!(IncidentId::try_from("inc_01J".to_owned()).is_ok());
        for bad in ["", "inc_", "01J", "inc_a b", "inc_a#b"] {
            assert!(IncidentId::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<RunbookName>("\"a/b\"").is_err());
    }
}
