//! Trust: what each action of a runbook showed in each environment, and how far it may therefore go by itself.
//!
//! The record of a runbook stands in its book. It is written in the transaction that ends a run or closes an
//! incident, so that no verdict is lost and none counts twice.

mod environment;
mod ladder;
mod standing;

use serde::{Deserialize, Serialize};

pub use environment::{DEFAULT, environments};
pub use ladder::{Allowed, Misplaced, Outlook, Wish, allowed, learn, outlook, set};
pub use standing::{Change, Learnt, Lesson, Place, Standing, Tally};

use crate::ids::ActionName;

/// All that is known of the actions of one runbook.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrustRecord {
    standings: Vec<Standing>,
}

/// Alerts name the environment, so there is a limit; the ones beyond it share one record.
const MOST_STANDINGS: usize = 64;
const OTHERS: &str = "others";

impl TrustRecord {
    pub fn standings(&self) -> &[Standing] {
        &self.standings
    }

    /// Where the action stands in the environment; `None` where nothing is known.
    pub fn at(&self, action: &ActionName, environment: &str) -> Option<&Standing> {
        let find = |environment: &str| {
            self.standings.iter().find(|standing| standing.is_at(action, environment))
        };
        find(environment).or_else(|| find(OTHERS).filter(|_| self.is_full()))
    }

    fn is_full(&self) -> bool {
        self.standings.len() >= MOST_STANDINGS
    }

    fn at_mut(&mut self, place: &Place) -> &mut Standing {
        let environment = match self.at(&place.action, &place.environment) {
            Some(known) => known.environment.clone(),
            None if self.is_full() => OTHERS.to_owned(),
            None => place.environment.clone(),
        };
        let here = |standing: &Standing| standing.is_at(&place.action, &environment);
        let index = self.standings.iter().position(here).unwrap_or_else(|| {
            self.standings.push(Standing::new(place.action.clone(), &environment));
            self.standings.len() - 1
        });
        self.standings.get_mut(index).expect("it was found or made")
    }
}
