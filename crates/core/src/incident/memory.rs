//! What an incident remembers of an alert across its deliveries: when it changed its state, and what it named.

use jiff::Timestamp;

use super::Member;
use crate::alert::Alert;
use crate::policy::Flapping;

/// Labels that name the thing that an alert is about; those that an alert has are taken together.
const TARGET_LABELS: &[&str] = &[
    "instance_id",
    "instance",
    "host",
    "hostname",
    "node",
    "namespace",
    "pod",
    "container",
    "cluster",
    "device",
    "resource",
    "target",
];

/// More different things under one fingerprint, and it does not identify any of them.
pub const MOST_TARGETS: usize = 8;

/// What a name of a thing may take in the record.
const MOST_TEXT: usize = 160;

/// The thing that the alert names, if its labels name one: `instance=10.0.0.1, device=sda`.
pub fn target_of(alert: &Alert) -> Option<String> {
    let named: Vec<String> = TARGET_LABELS
        .iter()
        .filter_map(|label| Some((label, alert.labels.get(*label)?)))
        .filter(|(_, value)| !value.is_empty())
        .map(|(label, value)| format!("{label}={value}"))
        .collect();
    let mut target = named.join(", ");
    target.truncate(target.floor_char_boundary(MOST_TEXT));
    (!target.is_empty()).then_some(target)
}

impl Member {
    /// Takes over what was known of the alert before this delivery.
    pub(super) fn follow(&mut self, before: Option<&Member>, at: Timestamp) {
        if let Some(before) = before {
            self.changes.clone_from(&before.changes);
            self.flapping_said = before.flapping_said;
            self.targets.clone_from(&before.targets);
        }
        let fired_before = before.is_some_and(|before| before.alert.is_firing());
        if self.alert.is_firing() && !fired_before {
            self.remember_changes(&[at]);
        }
        // One more than is allowed shows that there were too many.
        if self.targets.len() <= MOST_TARGETS {
            self.targets.extend(target_of(&self.alert));
        }
    }

    /// Adds changes of state, also earlier ones, as far as any rule looks back.
    pub(super) fn remember_changes(&mut self, more: &[Timestamp]) {
        self.changes.extend(more);
        self.changes.sort_unstable();
        let surplus = self.changes.len().saturating_sub(Flapping::MOST_CHANGES);
        self.changes.drain(..surplus);
    }

    /// When it was last heard of, as far as the incident knows; exact repeats are counted elsewhere.
    pub fn heard_at(&self) -> Timestamp {
        self.updated_at.unwrap_or(self.fired_at)
    }

    /// Whether its fingerprint stood for too many different things.
    pub fn has_collapsed(&self) -> bool {
        self.targets.len() > MOST_TARGETS
    }
}
