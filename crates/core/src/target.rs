//! What an action acts on: always a non-empty list of explicit ids; no way to say "everything" exists.

use serde::{Deserialize, Serialize};

/// One thing of one kind, such as `ec2.instance` `i-0abc`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Target {
    pub kind: String,
    pub id: String,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.id)
    }
}

/// Why a list of targets cannot be acted on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTargets {
    #[error("the target expression gave no ids; an empty list never means everything")]
    Empty,
    #[error("`{id}` is not a {kind} id: {rule}")]
    Id { kind: String, id: String, rule: &'static str },
}

/// At least one target, each named once, in a stable order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Target>", into = "Vec<Target>")]
pub struct Targets(Vec<Target>);

impl Targets {
    /// Sorted and without repeats. Whether each id has the right form is the action's to say.
    pub fn new(mut targets: Vec<Target>) -> Result<Self, BadTargets> {
        targets.sort();
        targets.dedup();
        if targets.is_empty() { Err(BadTargets::Empty) } else { Ok(Self(targets)) }
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Target> {
        self.0.iter()
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl<'a> IntoIterator for &'a Targets {
    type Item = &'a Target;
    type IntoIter = std::slice::Iter<'a, Target>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl TryFrom<Vec<Target>> for Targets {
    type Error = BadTargets;

    fn try_from(targets: Vec<Target>) -> Result<Self, BadTargets> {
        Self::new(targets)
    }
}

impl From<Targets> for Vec<Target> {
    fn from(targets: Targets) -> Self {
        targets.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_of_targets_is_an_error_and_never_everything() {
        assert_eq!(Targets::new(Vec::new()), Err(BadTargets::Empty));
        let read = serde_json::from_str::<Targets>("[]");
        assert!(read.unwrap_err().to_string().contains("never means everything"));
    }
}
