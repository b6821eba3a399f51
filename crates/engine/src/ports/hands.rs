//! Hands: the only things that touch infrastructure, one per action.

use async_trait::async_trait;
use firebreak_core::evidence::{Evidence, Observation, Questions};
use firebreak_core::guards::RowPermit;
use firebreak_core::ledger::Row;
use firebreak_core::runbook::Step;
use firebreak_core::target::Target;

/// The provider could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(pub String);

/// A call that did not come back with a yes.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The provider certainly did nothing: it said no, or was never reached.
    #[error("{0}")]
    Refused(String),
    /// It may have taken effect: no answer, or one that says nothing either way.
    #[error("{0}")]
    Unknown(String),
}

#[async_trait]
pub trait Hands: Send + Sync {
    /// The registry name of the action that these hands carry out.
    fn action(&self) -> &'static str;

    /// Reads the target as it is now. A target that does not exist is an observation without identity. What is
    /// asked and cannot be read is `Fact::Unreadable` with the reason: the guard that asks for it then holds.
    async fn observe(
        &self,
        target: &Target,
        asked: Questions<'_>,
    ) -> Result<Observation, ReadError>;

    /// Makes the call once; never retries one that may have been sent. Answers with the provider's words.
    async fn apply(&self, permit: &RowPermit) -> Result<String, ApplyError>;

    /// Reads every signal of the action for the row's target. What cannot be read is `Unreadable`.
    async fn check(&self, row: &Row, step: &Step) -> Vec<Evidence>;

    /// Puts back what `row.planned.undo` holds. Safe to repeat, also where the action never took effect.
    async fn undo(&self, row: &Row, step: &Step) -> Result<String, ReadError>;
}

/// The hands that one process has.
#[derive(Default)]
pub struct HandsSet(Vec<Box<dyn Hands>>);

impl HandsSet {
    pub fn new(hands: Vec<Box<dyn Hands>>) -> Self {
        Self(hands)
    }

    pub fn of(&self, action: &str) -> Option<&dyn Hands> {
        self.0.iter().map(AsRef::as_ref).find(|hands| hands.action() == action)
    }

    pub fn actions(&self) -> Vec<&'static str> {
        self.0.iter().map(|hands| hands.action()).collect()
    }
}
