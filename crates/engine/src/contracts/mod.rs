//! Contracts of the ports, written once: every adapter is run against the same promises.

pub mod examples;
pub mod store;

pub use store::{CHECKS, Check, store_contract};
