//! The kill switch: one record that stops every new action. What puts things back still runs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The stored state. Without a record the switch is off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KillSwitch {
    pub engaged: Option<Engaged>,
    /// The latest release: what was planned before it is dropped, never done late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Released>,
}

/// Who stopped the actions, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engaged {
    pub by: String,
    pub reason: String,
    pub at: Timestamp,
}

/// Who let actions go on, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    pub by: String,
    pub at: Timestamp,
}

impl KillSwitch {
    pub fn engaged(by: String, reason: String, at: Timestamp) -> Self {
        Self { engaged: Some(Engaged { by, reason, at }), released: None }
    }

    pub fn released(by: String, at: Timestamp) -> Self {
        Self { engaged: None, released: Some(Released { by, at }) }
    }
}

/// What is known of the switch at the moment of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SwitchReading {
    Known(KillSwitch),
    /// It could not be read: nothing may be acted on.
    Unreadable(String),
}
