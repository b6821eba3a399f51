//! Use cases and the ports they need: the same flow for the functions, the local binary and the tests.

pub mod breaker;
pub mod command;
#[cfg(feature = "contracts")]
pub mod contracts;
pub mod delivery;
pub mod doctor;
pub mod drain;
pub mod explain;
pub mod fallback;
pub mod guard_meter;
pub mod heartbeats;
pub mod ids;
pub mod ingest;
pub mod muting;
pub mod notify;
mod own_alerts;
pub mod policy;
pub mod ports;
pub mod propose;
pub mod prove;
pub mod quarantine;
pub mod queue;
pub mod record;
pub mod remediate;
pub mod rounds;
pub mod runbooks;
pub mod shared_cause;
pub mod silence;
pub mod sources;
pub mod sweep;
pub mod takeover;
pub mod traffic;
pub mod trust;
