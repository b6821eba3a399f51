//! Use cases and the ports they need: the same flow for the functions, the local binary and the tests.

pub mod ids;
pub mod ports;
