//! Routes: which alerts belong together, and which channels hear of them when.

use crate::alert::Alert;

/// The route tree of a configuration. Without one, alerts of one source, service and rule belong together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes {}

impl Routes {
    /// Alerts with the same key belong to one incident while it is open.
    ///
    /// Computed once, at intake, and kept on the incident: another configuration changes it for later alerts only.
    pub fn group_key(&self, alert: &Alert) -> String {
        alert.group_key()
    }
}
