//! Approval tokens: the one word that names an incident, its run and the exact plan that waits for a person.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::IncidentId;

/// `<incident id>.<run>.<plan hash>`. It names what is decided; who may decide is proved elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ApprovalToken {
    pub incident: IncidentId,
    pub run: u32,
    pub plan_hash: String,
}

/// Why a text is not an approval token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an approval token reads `<incident id>.<run>.<plan hash>`; {0}")]
pub struct BadToken(&'static str);

pub fn approval_token(incident: &IncidentId, run: u32, plan_hash: &str) -> ApprovalToken {
    ApprovalToken { incident: incident.clone(), run, plan_hash: plan_hash.to_owned() }
}

impl ApprovalToken {
    /// Where it is decided, from the root of the API.
    pub fn path(&self) -> String {
        format!("/api/approvals/{self}")
    }
}

impl std::fmt::Display for ApprovalToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.incident, self.run, self.plan_hash)
    }
}

impl FromStr for ApprovalToken {
    type Err = BadToken;

    /// Takes the one spelling that [`approval_token`] gives, and no other.
    fn from_str(text: &str) -> Result<Self, BadToken> {
        let mut parts = text.split('.');
        let (Some(incident), Some(run), Some(plan_hash), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(BadToken("this has not three parts"));
        };
        let incident = IncidentId::try_from(incident.to_owned())
            .map_err(|_| BadToken("its first part is no incident id"))?;
        let run = number(run).ok_or(BadToken("its second part is no run number"))?;
        if !is_hash(plan_hash) {
            return Err(BadToken("its third part is no plan hash"));
        }
        Ok(Self { incident, run, plan_hash: plan_hash.to_owned() })
    }
}

fn number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| plain)
}

fn is_hash(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl TryFrom<String> for ApprovalToken {
    type Error = BadToken;

    fn try_from(text: String) -> Result<Self, BadToken> {
        text.parse()
    }
}

impl From<ApprovalToken> for String {
    fn from(token: ApprovalToken) -> Self {
        token.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_reads_back_as_what_it_was_made_of() {
        let incident = IncidentId::try_from("inc_01J".to_owned()).unwrap();
        let token = approval_token(&incident, 12, "plan1_0af9");
        assert_eq!(token.path(), "/api/approvals/inc_01J.12.plan1_0af9");
        assert_eq!(token.to_string().parse(), Ok(token));
    }

    #[test]
    fn no_other_spelling_is_taken() {
        for bad in [
            "",
            "inc_01J",
            "inc_01J.1",
            "inc_01J.1.",
            "inc_01J.1.plan1_a.b",
            "inc_01J.01.plan1_a",
            "inc_01J.0.plan1_a",
            "inc_01J.+1.plan1_a",
            "inc_01J.4294967296.plan1_a",
            "01J.1.plan1_a",
            "inc_01J.1.plan1-a",
            " inc_01J.1.plan1_a",
            "inc_01J.1.plan1_a\n",
        ] {
            assert!(bad.parse::<ApprovalToken>().is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_is_spelt_the_same_again(text in "inc_[A-Z0-9]{1,3}\\.[0-9+]{1,3}\\.[a-z0-9_.]{1,6}|.{0,20}") {
            if let Ok(token) = text.parse::<ApprovalToken>() {
                prop_assert_eq!(token.to_string(), text);
            }
        }
    }
}
