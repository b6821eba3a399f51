//! Ports: what the use cases need from the world, in our own words. Each has a contract in its comments.

mod clock;
mod hands;
mod heartbeats;
mod nonces;
mod quarantine;
mod secrets;
mod sender;
mod silences;
mod spill;
mod store;
mod topic_host;

pub use firebreak_core::storm::Repeats;

pub use clock::{Clock, SystemClock};
pub use hands::{ApplyError, Hands, HandsSet, ReadError};
pub use heartbeats::Heartbeats;
pub use nonces::{Nonces, Remembered};
pub use quarantine::{KeptProblem, Quarantine, QuarantineQuery, Quarantined, Replayed};
pub use secrets::{SecretError, SecretSource};
pub use sender::Sender;
pub use silences::{PutError, Silences};
pub use spill::{Backlog, NotSpilled, Spill, SpillError, Spilled};
pub use store::{
    Append, AppendError, Conflict, Counters, IncidentStore, ListPage, ListQuery, Settings, Slot,
    SlotKey, SlotWrite, Store, StoreError, TellingStore,
};
pub use topic_host::{MOST_CERTIFICATE, TopicHost, TopicHostError};
