//! Commands that talk to a running platform or check files.

pub(crate) mod approve;
pub(crate) mod audit;
pub(crate) mod breaker;
pub(crate) mod detect;
pub(crate) mod doctor;
pub(crate) mod iam;
pub(crate) mod import;
pub(crate) mod incidents;
pub(crate) mod kill_switch;
pub(crate) mod policy;
pub(crate) mod quarantine;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod routes;
pub(crate) mod runbook;
pub(crate) mod send;
pub(crate) mod silence;
pub(crate) mod simulate;
pub(crate) mod sources;
pub(crate) mod trust;
pub(crate) mod why;
