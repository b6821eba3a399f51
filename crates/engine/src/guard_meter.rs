//! How often each guard was asked and held: a guard that is never asked, or always holds, should be noticed.

use std::sync::atomic::{AtomicU64, Ordering};

use firebreak_core::guards::GUARDS;
use firebreak_core::ids::IncidentId;
use firebreak_core::trace::GuardFinding;

/// The counts of one process, since it began.
#[derive(Debug)]
pub struct GuardMeter(Vec<Count>);

#[derive(Debug, Default)]
struct Count {
    asked: AtomicU64,
    held: AtomicU64,
}

/// What is known of one guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardCount {
    pub guard: &'static str,
    pub asked: u64,
    pub held: u64,
}

impl Default for GuardMeter {
    fn default() -> Self {
        Self(GUARDS.iter().map(|_| Count::default()).collect())
    }
}

impl GuardMeter {
    /// Counts what the guards said, and logs it where one held.
    pub(crate) fn count(&self, incident: &IncidentId, findings: &[GuardFinding]) {
        for finding in findings {
            let at = GUARDS.iter().position(|guard| guard.name() == finding.guard);
            let Some(count) = at.and_then(|at| self.0.get(at)) else { continue };
            count.asked.fetch_add(1, Ordering::Relaxed);
            if finding.holds() {
                count.held.fetch_add(1, Ordering::Relaxed);
                tracing::info!(%incident, guard = finding.guard, "a guard holds");
            }
        }
        if !findings.is_empty() {
            tracing::debug!(%incident, asked = findings.len(), "guards were asked");
        }
    }

    /// Of every guard of the registry, in its order.
    pub fn counts(&self) -> Vec<GuardCount> {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let of = |(guard, count): (&&dyn firebreak_core::guards::Guard, &Count)| GuardCount {
            guard: guard.name(),
            asked: read(&count.asked),
            held: read(&count.held),
        };
        GUARDS.iter().zip(&self.0).map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use firebreak_core::guards::Scene;

    use super::*;

    #[test]
    fn each_guard_is_counted_by_what_it_said() {
        let meter = GuardMeter::default();
        let incident = Scene::calm().incident.id;
        meter.count(&incident, &Scene::calm().judge().findings);
        meter.count(&incident, &Scene::calm().at(601).judge().findings);
        let counts = meter.counts();
        assert_eq!(counts.len(), GUARDS.len());
        for GuardCount { guard, asked, held } in counts {
            assert_eq!((asked, held), (2, u64::from(guard == "max_age")), "{guard}");
        }
    }
}
