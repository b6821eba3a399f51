//! `breaker`: how many bad outcomes over all runbooks stop every new action.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::Problem;

/// With the `failures`-th run that was useless, harmful or of unknown outcome `within` this time nothing new is
/// acted on until a person resets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Breaker {
    pub failures: usize,
    pub within: SignedDuration,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { failures: 5, within: SignedDuration::from_hours(1) }
    }
}

impl Breaker {
    /// More than so many are not remembered.
    const MOST: usize = 100;
    const LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);

    pub(super) fn problems(&self) -> Vec<Problem> {
        if !(1..=Self::MOST).contains(&self.failures) {
            return vec![("breaker.failures".to_owned(), format!("use 1 to {}", Self::MOST))];
        }
        if self.within <= SignedDuration::ZERO || self.within > Self::LONGEST {
            let text = "use a time of up to 168h, such as `1h`".to_owned();
            return vec![("breaker.within".to_owned(), text)];
        }
        Vec::new()
    }
}
