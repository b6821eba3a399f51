//! What must hold in every state that can be reached.

use crate::state::State;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// Never two effects at once on one target.
    OneAtATime,
    /// Never more than one effect for a row of the ledger.
    OncePerRow,
    /// No effect whose row is not on record as sent.
    IntentFirst,
    /// No effect by an order whose fence is not that of the claim.
    FenceRespected,
    /// Never more targets of the group than its budget.
    WithinBudget,
    /// Wherever it comes to rest every run has ended, and it always comes to rest.
    EverythingEnds,
}

impl Promise {
    pub const ALL: &[Promise] = &[
        Promise::OneAtATime,
        Promise::OncePerRow,
        Promise::IntentFirst,
        Promise::FenceRespected,
        Promise::WithinBudget,
        Promise::EverythingEnds,
    ];

    pub fn words(self) -> &'static str {
        match self {
            Promise::OneAtATime => "never two effects at once on one target",
            Promise::OncePerRow => "never more than one effect for a row",
            Promise::IntentFirst => "every effect was on record as sent before",
            Promise::FenceRespected => "no effect by an order with another fence than the claim",
            Promise::WithinBudget => "never more targets than the budget of the group",
            Promise::EverythingEnds => "every run ends, whatever happens on the way",
        }
    }

    pub(crate) fn holds(self, state: &State, budget: u32) -> bool {
        let effects = &state.world.effects;
        match self {
            Promise::OneAtATime => {
                let mut targets: Vec<&str> =
                    effects.under_way.iter().map(|effect| effect.target.as_str()).collect();
                is_distinct(&mut targets)
            }
            Promise::OncePerRow => {
                let mut rows: Vec<_> =
                    effects.all().map(|effect| (effect.incident, effect.run, effect.row)).collect();
                is_distinct(&mut rows)
            }
            Promise::IntentFirst => !state.flaws.unrecorded,
            Promise::FenceRespected => !state.flaws.fence,
            Promise::WithinBudget => {
                let mut targets: Vec<&str> =
                    effects.all().map(|effect| effect.target.as_str()).collect();
                targets.sort_unstable();
                targets.dedup();
                targets.len() <= budget as usize
            }
            Promise::EverythingEnds => !state.spins() && (!state.is_at_rest() || state.has_ended()),
        }
    }
}

fn is_distinct<T: Ord>(items: &mut [T]) -> bool {
    items.sort_unstable();
    items.iter().zip(items.iter().skip(1)).all(|(one, next)| one != next)
}
