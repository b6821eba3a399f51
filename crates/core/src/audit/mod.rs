//! The record as evidence: each event carries the hash of the one before it, so that no later change goes unseen.

mod hash;

pub use hash::EventHash;
