//! Model check: every order in which two workers can go about one target, with the real engine and no luck involved.
//!
//! `advance` and `act` of the engine run as they are. An operation stops before each access to something shared;
//! the checker tries every worker at every stop, and a crash, a lost reply, a lost answer of the store, a second
//! delivery of an order and a jump in time wherever the [`Scope`] allows one. [`Promise`] says what must hold in
//! each state, [`Mutant`] which bugs must be found.
//!
//! One thing is taken for granted, as the time-outs of the functions see to it: whoever carries out an order is
//! done or dead [`TIME_OUT`] after it began, and so is the call that it made.

mod check;
mod effects;
mod mutant;
mod operation;
mod promise;
mod protocol;
mod scope;
mod state;

pub use check::{Checked, Found, check, killer};
pub use mutant::Mutant;
pub use operation::TIME_OUT;
pub use promise::Promise;
pub use scope::{Allowed, SCOPES, Scope};

#[cfg(test)]
mod tests;
