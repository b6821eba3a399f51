//! HTTP surfaces as axum routers: the functions and the local binary host the same code.

mod answer;
pub mod api;
mod approvals;
mod authenticate;
mod body;
mod breaker;
pub mod console;
mod entry;
mod explain;
mod health;
pub mod metrics;
mod proposals;
mod quarantine;
mod room;
mod silences;
mod sources;
mod trust;
pub mod webhooks;
