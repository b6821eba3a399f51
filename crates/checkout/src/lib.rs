//! A small checkout service that can be made slow, faulty or degraded on purpose, so that there is something to heal.

mod flags;
mod knobs;
mod metrics;
mod routes;
mod server;

pub use knobs::{ErrorRate, Knobs, LatencyMs};
pub use routes::router;
pub use server::{Running, start};
