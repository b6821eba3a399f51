//! `breaker`: not too many actions did no good lately.

use super::{Case, Example, Guard, Scene, hold, pass};
use crate::book::{Book, BookKey};
use crate::breaker::{Breaker, Tripped};
use crate::trace::Ruling;

pub(super) struct NotTripped;

impl Guard for NotTripped {
    fn name(&self) -> &'static str {
        "breaker"
    }

    fn summary(&self) -> &'static str {
        "Holds everything once too many runs of all runbooks did no good, until a person resets it."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        let Some(breaker) = case.book(&BookKey::breaker()).breaker else {
            return pass("it never tripped");
        };
        if let Some(tripped) = &breaker.tripped {
            return hold(
                format!("tripped at {}: {}", tripped.at, tripped.because),
                "look at those runs, then `firebreak breaker reset --reason ...`",
            );
        }
        if let Some(reset) = breaker.reset.filter(|reset| case.was_confirmed_before(reset.at)) {
            return hold(
                format!("planned before {} reset the breaker at {}", reset.by, reset.at),
                "nothing: old work is dropped; it is acted on when it fires anew",
            );
        }
        pass(format!("{} bad outcomes are counted", breaker.failures.len()))
    }

    fn example(&self, calm: &Scene) -> Example {
        let because = "5 runs did no good".to_owned();
        let tripped = Tripped { at: calm.now, because };
        let of = |tripped| {
            let breaker = Some(Breaker { tripped, ..Breaker::default() });
            calm.clone().book(BookKey::breaker(), Book { breaker, ..Book::default() })
        };
        Example { holds: of(Some(tripped)), passes: of(None) }
    }
}
