//! The local platform as a whole, with a fake world: driven, killed, restarted, told of.
#![expect(clippy::unwrap_used, reason = "a failing helper should panic")]
#![expect(clippy::indexing_slicing, reason = "a missing key should panic")]
#![expect(clippy::panic, reason = "a helper says what it did not expect")]
#![expect(clippy::print_stdout, reason = "a child tells its parent")]

mod approval;
mod audit;
mod batch;
mod driver;
mod heartbeats;
mod identity;
mod killed_driver;
mod killed_store;
mod lost_replies;
mod muting;
mod poison;
mod process;
mod quarantine;
mod queue;
mod shared_cause;
mod telling;
mod trust;
mod world;
