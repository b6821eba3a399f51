//! The platform on one machine: SQLite as the record, a driver with durable timers, telling, local secrets.

mod audit;
mod crew;
mod draining;
mod driver;
mod following;
mod listening;
mod secrets;
mod spill;
mod store;
mod sweeping;
mod telling;

pub use audit::{AnchorFile, Anchoring, ExportError, RecordFile, Span};
pub use draining::{Drain, DrainSettings};
pub use driver::{Driver, DriverSettings};
pub use listening::{ListenSettings, Listening};
pub use secrets::{LocalSecrets, NoToken, Tokens};
pub use spill::{FileSpill, NoSpill, Waiting};
pub use store::{OpenError, SqliteStore};
pub use sweeping::{SweepSettings, Sweeping};
pub use telling::{Telling, TellingSettings};
