//! Fuzzing of everything that reads what others wrote: odd inputs made from good ones, and what must hold for any.
#![expect(clippy::panic, reason = "a broken promise is a panic, which the run catches and keeps")]

pub mod corpus;
mod mutate;
pub mod run;
pub mod targets;
