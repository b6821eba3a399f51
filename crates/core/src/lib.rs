//! What an incident is and what to do about it: pure decisions, without clock, randomness or I/O.
#![warn(clippy::wildcard_enum_match_arm)]

pub mod actions;
pub mod alert;
pub mod approval;
pub mod audit;
pub mod book;
pub mod breaker;
pub mod catalogue;
pub mod cel;
pub mod channels;
pub mod counterfactual;
pub mod evidence;
pub mod explain;
pub mod export;
pub mod fingerprint;
pub mod guards;
pub mod healing;
pub mod heartbeat;
pub mod ids;
pub mod import;
pub mod incident;
pub mod ledger;
pub mod limit;
pub mod matcher;
pub mod muting;
pub mod notification;
pub mod plan;
pub mod policy;
pub mod proof;
pub mod proposal;
pub mod replay;
pub mod routing;
pub mod run;
pub mod runbook;
pub mod self_inflicted;
mod shared;
pub mod shared_cause;
pub mod sources;
pub mod storm;
pub mod switch;
pub mod target;
pub mod telling;
pub mod timeline;
pub mod trace;
pub mod trust;
pub mod yaml;

#[cfg(test)]
mod examples;
