//! The kill switch: one record that stops every new action. What puts things back still runs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The stored state. Without a record the switch is off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KillSwitch {
    pub engaged: Option<Engaged>,
}

/// Who stopped the actions, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engaged {
    pub by: String,
    pub reason: String,
    pub at: Timestamp,
}

/// What is known of the switch at the moment of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SwitchReading {
    Known(KillSwitch),
    /// It could not be read: nothing may be acted on.
    Unreadable(String),
}
