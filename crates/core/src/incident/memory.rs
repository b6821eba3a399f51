//! What an incident remembers of an alert across its deliveries: when it changed its state, and what it named.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Event, Incident, Mark, Member, Recorded};
use crate::alert::{Alert, AlertStatus};
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

impl Incident {
    /// What an event about one alert changes of it; `None` where the incident has no such alert.
    pub(super) fn follow(&mut self, recorded: &Recorded) -> Option<()> {
        let (event, at) = (&recorded.event, recorded.at);
        let here = Mark { seq: recorded.seq, at };
        if let Event::AlertFired { alert } = event {
            self.remember(alert, at, here, at);
        } else if let Event::AlertUpdated { alert } = event {
            self.update(alert, here);
        } else if let Event::AlertResolved { fingerprint, ends_at } = event {
            let member = self.alerts.get_mut(fingerprint)?;
            if member.alert.is_firing() {
                member.remember_changes(&[at]);
            }
            member.end(*ends_at, here);
        } else if let Event::AlertExpired { fingerprint, ends_at, .. } = event {
            let member = self.alerts.get_mut(fingerprint)?;
            member.end(*ends_at, here);
            member.expired = true;
        } else if let Event::AlertRecurred { fingerprint, changes, .. } = event {
            self.alerts.get_mut(fingerprint)?.remember_changes(changes);
        } else if let Event::AlertFlapping { fingerprint, .. } = event {
            self.alerts.get_mut(fingerprint)?.flapping_said = Some(at);
        } else if let Event::AlertCollapsed { fingerprint, .. } = event {
            self.alerts.get(fingerprint)?;
        }
        Some(())
    }

    /// News of the same episode does not make it younger.
    fn update(&mut self, alert: &Arc<Alert>, here: Mark) {
        let known = self.alerts.get(&alert.fingerprint);
        let goes_on = |of: &Alert| alert.goes_on_with(of.episode.as_deref(), of.starts_at);
        match known.filter(|known| goes_on(&known.alert)) {
            Some(known) => {
                let fired_at = known.fired_at;
                let worse = alert.severity > known.alert.severity;
                let news = if worse { here } else { known.news };
                let merged = Arc::new(Alert {
                    starts_at: known.alert.starts_at.min(alert.starts_at),
                    // An end that was promised is not taken back.
                    ends_at: known.alert.ends_at.max(alert.ends_at),
                    received_at: known.alert.received_at.into_iter().chain(alert.received_at).min(),
                    ..Alert::clone(alert)
                });
                self.remember(&merged, fired_at, news, here.at);
            }
            None => self.remember(alert, here.at, here, here.at),
        }
    }

    fn remember(&mut self, alert: &Arc<Alert>, fired_at: Timestamp, news: Mark, at: Timestamp) {
        self.severity = self.severity.max(alert.severity);
        let before = self.alerts.remove(&alert.fingerprint);
        let mut member = Member {
            alert: Arc::clone(alert),
            fired_at,
            news,
            updated_at: Some(at),
            changes: Vec::new(),
            flapping_said: None,
            targets: BTreeSet::new(),
            expired: false,
        };
        member.take_over(before.as_ref(), at);
        self.alerts.insert(alert.fingerprint.clone(), member);
    }
}

/// One time in which an alert fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Episode {
    pub from: Timestamp,
    /// `None` while it fires.
    pub until: Option<Timestamp>,
}

impl Member {
    fn end(&mut self, ends_at: Timestamp, here: Mark) {
        let alert = Arc::make_mut(&mut self.alert);
        alert.status = AlertStatus::Resolved;
        alert.ends_at = Some(ends_at);
        self.news = here;
    }

    /// Takes over what was known of the alert before this delivery.
    fn take_over(&mut self, before: Option<&Member>, at: Timestamp) {
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
    fn remember_changes(&mut self, more: &[Timestamp]) {
        self.changes.extend(more);
        self.changes.sort_unstable();
        let surplus = self.changes.len().saturating_sub(Flapping::MOST_CHANGES);
        self.changes.drain(..surplus);
    }

    /// When its present episode reached us, though it may have waited to be taken in.
    pub fn arrived_at(&self) -> Timestamp {
        self.alert.received_at.map_or(self.fired_at, |at| at.min(self.fired_at))
    }

    /// The times in which it fired, by our clock, newest first, as far as its changes of state are remembered. The
    /// last is the present one.
    pub fn episodes(&self) -> Vec<Episode> {
        let until = (!self.alert.is_firing()).then_some(self.news.at);
        let mut all = vec![Episode { from: self.fired_at, until }];
        let earlier = self.changes.iter().copied().rev();
        let mut earlier = earlier.skip_while(|at| *at > self.fired_at).peekable();
        // Without a change at its beginning it took over from an episode whose end nobody told us.
        let mut until = match earlier.next_if_eq(&self.fired_at) {
            Some(_) => earlier.next(),
            None => Some(self.fired_at),
        };
        while let (Some(end), Some(from)) = (until, earlier.next()) {
            all.push(Episode { from, until: Some(end) });
            until = earlier.next();
        }
        all
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::{alert, at};

    fn member(fired_at: i64, until: Option<i64>, changes: &[i64]) -> Member {
        let mut alert = alert("slow", "i-1");
        let mut news = Mark::default();
        if let Some(until) = until {
            alert.status = AlertStatus::Resolved;
            news.at = at(until);
        }
        Member {
            alert: Arc::new(alert),
            fired_at: at(fired_at),
            news,
            updated_at: None,
            changes: changes.iter().map(|change| at(*change)).collect(),
            flapping_said: None,
            targets: BTreeSet::new(),
            expired: false,
        }
    }

    #[test]
    fn episodes_are_read_from_the_changes_of_state() {
        for (of, expected) in [
            (member(0, None, &[0]), vec![(0, None)]),
            (member(20, None, &[0, 10, 20]), vec![(20, None), (0, Some(10))]),
            (member(20, Some(30), &[0, 10, 20, 30]), vec![(20, Some(30)), (0, Some(10))]),
            (member(10, None, &[0, 10, 10]), vec![(10, None), (0, Some(10))]),
            (member(20, None, &[10, 20]), vec![(20, None)]),
            (member(20, None, &[0]), vec![(20, None), (0, Some(20))]),
            (member(20, None, &[]), vec![(20, None)]),
        ] {
            let read: Vec<_> = of.episodes().into_iter().map(|one| (one.from, one.until)).collect();
            let expected: Vec<_> =
                expected.into_iter().map(|(from, until)| (at(from), until.map(at))).collect();
            assert_eq!(read, expected, "{:?}", of.changes);
        }
    }
}
