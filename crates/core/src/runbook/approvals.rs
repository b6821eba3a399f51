//! Who must say yes before a plan is carried out, and what counts as one person's yes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many people must approve a plan, and which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Approvals {
    /// How many different people must say yes.
    #[schemars(range(min = 1))]
    pub of: u32,
    /// Whose yes counts, by name; anybody's where it is empty. A no counts whoever says it.
    pub from: Vec<String>,
    /// The yes of who asked for the run does not count.
    pub not_by_requester: bool,
}

impl Default for Approvals {
    fn default() -> Self {
        Self { of: 1, from: Vec::new(), not_by_requester: true }
    }
}

/// Why a person's yes does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoVoice {
    /// `from` does not name the person.
    NotNamed,
    /// The person asked for the run.
    Requester,
}

impl Approvals {
    /// Whether a yes of the person counts for a run that `requester` asked for.
    pub fn hears(&self, by: &str, requester: Option<&str>) -> Result<(), NoVoice> {
        if !self.from.is_empty() && !self.from.iter().any(|name| is_same(name, by)) {
            return Err(NoVoice::NotNamed);
        }
        if self.not_by_requester && requester.is_some_and(|requester| is_same(requester, by)) {
            return Err(NoVoice::Requester);
        }
        Ok(())
    }

    /// How many more people must say yes.
    pub fn missing(&self, given: usize) -> usize {
        (self.of.max(1) as usize).saturating_sub(given)
    }
}

/// Whether two names are one person's: they are typed by hand, so case and blanks around do not tell people apart.
pub fn is_same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yes_counts_once_a_name_and_only_of_those_who_are_asked() {
        let two = Approvals {
            of: 2,
            from: vec!["Ann".to_owned(), "bob".to_owned()],
            ..Approvals::default()
        };
        assert_eq!(two.hears(" ann", None), Ok(()));
        assert_eq!(two.hears("carol", None), Err(NoVoice::NotNamed));
        assert_eq!(two.hears("bob", Some("BOB")), Err(NoVoice::Requester));
        assert_eq!((two.missing(0), two.missing(2), two.missing(5)), (2, 0, 0));
        let lax = Approvals { not_by_requester: false, ..two };
        assert_eq!(lax.hears("bob", Some("bob")), Ok(()));
    }
}
