//! Everything that calls out over HTTP: the sender of notifications, and the hands that set flags.

mod client;
mod flag;
mod origins;
mod sender;
mod set_flag;
mod topic_host;

pub use client::{Client, NoClient, Timeouts, install_crypto};
pub use origins::{BadOrigin, Origins};
pub use sender::HttpSender;
pub use set_flag::HttpSetFlag;
pub use topic_host::SnsEndpoint;

#[cfg(test)]
mod testing;
