//! Silence as an incident: which sources should have been heard of, and were not.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alert::{Alert, AlertStatus, Draft, Severity};
use crate::policy::{Heartbeat, Policy, SignOfLife};
use crate::shared_cause::OWN_SOURCE;

/// The rule of the alert about a silent source, for conditions and routes.
pub const RULE: &str = "silent-source";

/// The name under which any delivery of a source counts.
pub const ANY_DELIVERY: &str = "any delivery";

/// The name of what is expected of a source that was never heard of.
pub const ANY_HEARTBEAT: &str = "any heartbeat";

/// When a source was last heard of under a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Heard {
    pub source: String,
    pub name: String,
    pub last: Timestamp,
}

/// More names of one source are not expected: a sender must not be able to fill the record.
pub const MOST_NAMES: usize = 64;

/// Since when silence counts. Nothing is held against a source while nobody listened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    pub since: Timestamp,
    /// The latest look.
    pub looked_at: Timestamp,
}

impl Watch {
    /// A longer time between two looks means that Firebreak itself was down.
    pub const LONGEST_GAP: jiff::SignedDuration = jiff::SignedDuration::from_mins(3);

    /// The watch as it is at the look at `now`.
    #[must_use]
    pub fn go_on(before: Option<Self>, now: Timestamp) -> Self {
        match before {
            Some(before) if now.duration_since(before.looked_at) <= Self::LONGEST_GAP => {
                Self { since: before.since, looked_at: now.max(before.looked_at) }
            }
            _ => Self { since: now, looked_at: now },
        }
    }
}

/// How one expected sign of life stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expected {
    pub source: String,
    pub name: String,
    pub last: Option<Timestamp>,
    pub state: LifeState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LifeState {
    Alive,
    /// Not heard of for long, but nobody listened for long either.
    Waiting,
    Silent,
}

impl LifeState {
    pub fn as_str(self) -> &'static str {
        match self {
            LifeState::Alive => "alive",
            LifeState::Waiting => "waiting",
            LifeState::Silent => "silent",
        }
    }
}

/// Every sign of life that the policy asks for, with how it stands.
///
/// Each name that was once heard goes on being expected; a source that was never heard of is expected all the same.
pub fn expected(policy: &Policy, heard: &[Heard], watch: Watch, now: Timestamp) -> Vec<Expected> {
    let asked = policy.sources.iter().filter_map(|(source, of)| Some((source, of.heartbeat?)));
    asked.flat_map(|(source, wish)| of_source(source, wish, heard, watch, now)).collect()
}

fn of_source(
    source: &str,
    wish: Heartbeat,
    heard: &[Heard],
    watch: Watch,
    now: Timestamp,
) -> Vec<Expected> {
    let of_any = wish.sign == SignOfLife::AnyDelivery;
    let mut known: Vec<&Heard> = heard
        .iter()
        .filter(|heard| heard.source == source && (heard.name == ANY_DELIVERY) == of_any)
        .collect();
    known.sort_unstable();
    known.truncate(MOST_NAMES);
    let state = |last: Option<Timestamp>| {
        let silent_since = |at: Timestamp| now.duration_since(at) > wish.patience();
        match last {
            Some(last) if !silent_since(last) => LifeState::Alive,
            _ if silent_since(watch.since) => LifeState::Silent,
            _ => LifeState::Waiting,
        }
    };
    let expected = |name: &str, last: Option<Timestamp>| Expected {
        source: source.to_owned(),
        name: name.to_owned(),
        last,
        state: state(last),
    };
    if known.is_empty() {
        let name = if of_any { ANY_DELIVERY } else { ANY_HEARTBEAT };
        return vec![expected(name, None)];
    }
    known.into_iter().map(|heard| expected(&heard.name, Some(heard.last))).collect()
}

impl Expected {
    /// The alert that says that it is silent; the same for the same silence.
    pub fn silent(&self, watch: Watch) -> Alert {
        self.alert(AlertStatus::Firing, self.last.unwrap_or(watch.since), None)
    }

    /// The alert that ends it.
    pub fn speaks_again(&self, now: Timestamp) -> Alert {
        self.alert(AlertStatus::Resolved, self.last.unwrap_or(now), Some(now))
    }

    fn alert(
        &self,
        status: AlertStatus,
        starts_at: Timestamp,
        ends_at: Option<Timestamp>,
    ) -> Alert {
        let texts = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
        };
        let heard = self.last.map_or("never".to_owned(), |last| format!("last at {last}"));
        Draft {
            source: OWN_SOURCE,
            identity: [
                ("silent_source".to_owned(), self.source.as_str().into()),
                ("heartbeat".to_owned(), self.name.as_str().into()),
            ]
            .into(),
            status,
            severity: Severity::Critical,
            service: Some(OWN_SOURCE.to_owned()),
            name: RULE.to_owned(),
            title: format!("silent source: {} ({})", self.source, self.name),
            labels: texts(&[("source", &self.source), ("heartbeat", &self.name)]),
            annotations: texts(&[
                ("heard", &heard),
                (
                    "remedy",
                    "whatever it watches is not heard of: check that the sender runs, reaches this address and is let in (`firebreak sources`)",
                ),
            ]),
            episode: None,
            starts_at,
            ends_at,
            links: Vec::new(),
        }
        .seal()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::at;
    use crate::policy::read;

    const POLICY: &str = "sources: {alertmanager: {heartbeat: {every: 1m, grace: 3m}}}";

    fn heard(name: &str, second: i64) -> Heard {
        Heard { source: "alertmanager".to_owned(), name: name.to_owned(), last: at(second) }
    }

    #[track_caller]
    fn states(
        policy: &str,
        all: &[Heard],
        since: i64,
        now: i64,
        expected_states: &[(&str, LifeState)],
    ) {
        let watch = Watch { since: at(since), looked_at: at(now) };
        let found = expected(&read(policy).unwrap(), all, watch, at(now));
        let found: Vec<(&str, LifeState)> =
            found.iter().map(|one| (one.name.as_str(), one.state)).collect();
        assert_eq!(found, expected_states);
    }

    #[test]
    fn a_source_is_silent_when_interval_and_grace_are_over_and_not_before() {
        let all = [heard("Watchdog", 1000)];
        states(POLICY, &all, 0, 1240, &[("Watchdog", LifeState::Alive)]);
        states(POLICY, &all, 0, 1241, &[("Watchdog", LifeState::Silent)]);
    }

    #[test]
    fn nothing_is_held_against_a_source_while_nobody_listened() {
        let all = [heard("Watchdog", 0)];
        states(POLICY, &all, 10_000, 10_240, &[("Watchdog", LifeState::Waiting)]);
        states(POLICY, &all, 10_000, 10_241, &[("Watchdog", LifeState::Silent)]);
    }

    #[test]
    fn a_source_that_was_never_heard_of_is_expected_too() {
        states(POLICY, &[], 0, 100, &[("any heartbeat", LifeState::Waiting)]);
        states(POLICY, &[], 0, 241, &[("any heartbeat", LifeState::Silent)]);
        let other = Heard { source: "sumologic".to_owned(), ..heard("Watchdog", 100) };
        states(POLICY, &[other], 0, 241, &[("any heartbeat", LifeState::Silent)]);
        states("", &[heard("Watchdog", 0)], 0, 9999, &[]);
    }

    #[test]
    fn each_name_is_expected_and_any_delivery_only_where_it_is_asked_for() {
        let all = [heard("Watchdog", 0), heard("Cluster2", 300), heard(ANY_DELIVERY, 300)];
        states(
            POLICY,
            &all,
            0,
            350,
            &[("Cluster2", LifeState::Alive), ("Watchdog", LifeState::Silent)],
        );
        let any = POLICY.replace("3m}", "3m, sign: any_delivery}");
        states(&any, &all, 0, 350, &[(ANY_DELIVERY, LifeState::Alive)]);
    }

    #[test]
    fn more_names_than_a_sender_can_have_are_not_expected() {
        let all: Vec<Heard> = (0..100).map(|n| heard(&format!("name-{n:03}"), 0)).collect();
        let watch = Watch { since: at(0), looked_at: at(1) };
        assert_eq!(expected(&read(POLICY).unwrap(), &all, watch, at(1)).len(), MOST_NAMES);
    }

    #[test]
    fn a_gap_between_two_looks_begins_the_watch_anew() {
        let first = Watch::go_on(None, at(0));
        let second = Watch::go_on(Some(first), at(180));
        assert_eq!(second, Watch { since: at(0), looked_at: at(180) });
        assert_eq!(Watch::go_on(Some(second), at(361)).since, at(361));
        // A clock that was set back breaks nothing.
        assert_eq!(Watch::go_on(Some(second), at(100)), second);
    }

    #[test]
    fn one_silence_is_one_alert_and_its_end_is_known_as_such() {
        let watch = Watch { since: at(0), looked_at: at(0) };
        let all = [heard("Watchdog", 100)];
        let policy = read(POLICY).unwrap();
        let silent = |now| expected(&policy, &all, watch, at(now)).remove(0).silent(watch);
        assert_eq!(silent(400), silent(500));
        let again = Heard { last: at(600), ..heard("Watchdog", 0) };
        let over = expected(&policy, &[again], watch, at(610)).remove(0).speaks_again(at(610));
        assert_eq!(over.fingerprint, silent(400).fingerprint);
        assert!(over.ends_at.unwrap() >= silent(400).starts_at);
    }
}
