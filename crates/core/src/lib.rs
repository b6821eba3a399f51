//! What an incident is and what to do about it: pure decisions, without clock, randomness or I/O.

pub mod ids;
pub mod fingerprint;
pub mod alert;
pub mod sources;
pub mod proof;
