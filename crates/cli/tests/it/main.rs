//! The platform as a user runs it: the real binary, real HTTP, real files, and no mercy.
#![expect(clippy::unwrap_used, reason = "a failing helper should panic")]
#![expect(clippy::indexing_slicing, reason = "a missing key should panic")]
#![expect(clippy::panic, reason = "a helper says what it waited for")]

mod agents;
mod audit;
mod chaos;
mod demo;
mod detect;
mod killed;
mod platform;
mod report;
mod routes;
mod sources;
mod surface;
