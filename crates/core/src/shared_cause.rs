//! Suspecting a shared cause: counting what begins to fire in one failure domain, exactly and in little room.
//!
//! The count stands in the book of the domain and is written in the transaction that records the firing, so that no
//! two writers can both believe that the limit is not reached yet.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alert::{Alert, AlertStatus, Draft, Severity};
use crate::book::BookKey;
use crate::fingerprint::digest;
use crate::ids::IncidentId;
use crate::incident::target_of;
use crate::policy::SharedCause;

/// The source of what Firebreak itself says; its alerts belong to no domain.
pub const OWN_SOURCE: &str = "firebreak";

/// The rule of the parent's alert, for conditions and routes.
pub const RULE: &str = "shared-cause";

/// One failure domain, such as `service=checkout`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DomainKey(String);

impl DomainKey {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn book(&self) -> BookKey {
        BookKey::domain(&self.0)
    }
}

/// The domains that an alert belongs to, in the order of the policy.
pub fn domains_of(alert: &Alert, policy: &SharedCause) -> Vec<DomainKey> {
    if alert.source == OWN_SOURCE {
        return Vec::new();
    }
    let named = policy.domains.iter().filter_map(|field| Some((field, field.of(alert)?)));
    named.map(|(field, value)| DomainKey(format!("{field}={value}"))).collect()
}

/// What lately began to fire in a domain, and whether that is suspected to have one cause.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// By hash; no more than one above the limit.
    targets: BTreeMap<String, Firing>,
    groups: BTreeMap<String, Firing>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspected: Option<Suspected>,
    /// In the book of all domains alone: those in which a cause is suspected.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub open: BTreeSet<DomainKey>,
}

/// A suspicion as it stands, with the incident in which people are told of it, once there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspicion {
    pub suspected: Suspected,
    pub parent: Option<IncidentId>,
}

/// The suspicions that stand, by domain.
pub type Suspicions = BTreeMap<DomainKey, Suspicion>;

/// The latest time at which it began to fire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firing {
    pub at: Timestamp,
    pub incident: IncidentId,
    pub severity: Severity,
}

/// The suspicion; it stands until the members are over, or a person says that it is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspected {
    pub since: Timestamp,
    pub targets: usize,
    pub groups: usize,
    pub severity: Severity,
}

/// What a firing alert comes to in its domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noted {
    /// The domain was suspected before.
    Member,
    /// One more that is counted; the domain is to be written.
    Counted(Domain),
    /// One more than is allowed: the domain is to be written, and the parent to be opened.
    Crossed(Domain),
}

impl Domain {
    /// Counts an alert that begins to fire in `incident`.
    pub fn note(
        &self,
        alert: &Alert,
        incident: &IncidentId,
        at: Timestamp,
        policy: &SharedCause,
    ) -> Noted {
        if self.suspected.is_some() {
            return Noted::Member;
        }
        let mut domain = self.clone();
        let firing = Firing { at, incident: incident.clone(), severity: alert.severity };
        let target = target_of(alert).unwrap_or_else(|| alert.fingerprint.to_string());
        enter(&mut domain.targets, short(&target), &firing);
        enter(&mut domain.groups, short(&alert.group_key()), &firing);
        // Deliveries may be late, so the window ends with the latest of all and not with this one.
        let latest = domain.firings().map(|firing| firing.at).max().unwrap_or(at);
        let within =
            |_: &String, firing: &mut Firing| latest.duration_since(firing.at) < policy.window;
        domain.targets.retain(within);
        domain.groups.retain(within);
        let (targets, groups) = (domain.targets.len(), domain.groups.len());
        if targets <= policy.more_than.targets && groups <= policy.more_than.groups {
            return Noted::Counted(domain);
        }
        let severity = domain.firings().map(|firing| firing.severity).max();
        let severity = severity.unwrap_or(alert.severity);
        domain.suspected = Some(Suspected { since: latest, targets, groups, severity });
        Noted::Crossed(domain)
    }

    /// The incidents of what was counted.
    pub fn members(&self) -> BTreeSet<&IncidentId> {
        self.firings().map(|firing| &firing.incident).collect()
    }

    fn firings(&self) -> impl Iterator<Item = &Firing> {
        self.targets.values().chain(self.groups.values())
    }
}

fn enter(known: &mut BTreeMap<String, Firing>, key: String, firing: &Firing) {
    let known = known.entry(key).or_insert_with(|| firing.clone());
    if known.at < firing.at {
        known.clone_from(firing);
    }
}

fn short(text: &str) -> String {
    let mut short = digest("domain:v1", [text]);
    short.truncate(16);
    short
}

/// The alert that opens the parent; the same for the same suspicion, so that it can be raised again.
pub fn parent(domain: &DomainKey, suspected: &Suspected) -> Alert {
    alert(domain, suspected, AlertStatus::Firing, None)
}

/// The alert that ends the parent.
pub fn parent_over(domain: &DomainKey, suspected: &Suspected, at: Timestamp) -> Alert {
    alert(domain, suspected, AlertStatus::Resolved, Some(at))
}

fn alert(
    domain: &DomainKey,
    suspected: &Suspected,
    status: AlertStatus,
    ends_at: Option<Timestamp>,
) -> Alert {
    let (field, value) = domain.as_str().split_once('=').unwrap_or((domain.as_str(), ""));
    let Suspected { targets, groups, .. } = suspected;
    let texts = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
    };
    Draft {
        source: OWN_SOURCE,
        identity: [("shared_cause".to_owned(), domain.as_str().into())].into(),
        status,
        severity: suspected.severity,
        service: (field == "service").then(|| value.to_owned()),
        name: RULE.to_owned(),
        title: format!("suspected shared cause: {targets} targets and {groups} rules of {domain} fire together", domain = domain.as_str()),
        labels: texts(&[("domain", field), ("value", value)]),
        annotations: texts(&[(
            "remedy",
            "look for what they have in common (a deployment, a zone, a dependency); their own runbooks hold until this is resolved",
        )]),
        episode: None,
        starts_at: suspected.since,
        ends_at,
        links: Vec::new(),
    }
    .seal()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::examples;
    use crate::examples::at;
    use crate::policy::{DomainField, MoreThan};

    fn policy(targets: usize, groups: usize) -> SharedCause {
        SharedCause { more_than: MoreThan { targets, groups }, ..SharedCause::default() }
    }

    fn incident(n: usize) -> IncidentId {
        IncidentId::try_from(format!("inc_{n}")).unwrap()
    }

    /// Notes alerts of (rule, thing, second) until one crosses; the number of those before it.
    fn noted(policy: &SharedCause, firings: &[(&str, String, i64)]) -> (Domain, Option<usize>) {
        let mut domain = Domain::default();
        for (index, (rule, thing, second)) in firings.iter().enumerate() {
            match domain.note(&examples::alert(rule, thing), &incident(index), at(*second), policy)
            {
                Noted::Member => {}
                Noted::Counted(next) => domain = next,
                Noted::Crossed(next) => return (next, Some(index)),
            }
        }
        (domain, None)
    }

    fn things(count: usize, rule: &'static str) -> Vec<(&'static str, String, i64)> {
        (0..count).map(|n| (rule, format!("i-{n}"), 1)).collect()
    }

    #[test]
    fn one_target_more_than_is_allowed_is_a_suspicion() {
        let of = policy(20, 10);
        assert_eq!(noted(&of, &things(20, "slow")).1, None);
        let (domain, crossed) = noted(&of, &things(21, "slow"));
        assert_eq!(crossed, Some(20));
        let suspected = domain.suspected.as_ref().unwrap();
        assert_eq!((suspected.targets, suspected.groups), (21, 1));
        assert_eq!(domain.members().len(), 21);
        let more = domain.note(&examples::alert("slow", "i-99"), &incident(99), at(2), &of);
        assert_eq!(more, Noted::Member);
    }

    #[test]
    fn one_group_more_than_is_allowed_is_a_suspicion() {
        let rules = ["a", "b", "c", "d"];
        let firings: Vec<(&str, String, i64)> =
            rules.iter().map(|rule| (*rule, "i-1".to_owned(), 1)).collect();
        assert_eq!(noted(&policy(20, 4), &firings).1, None);
        assert_eq!(noted(&policy(20, 3), &firings).1, Some(3));
    }

    #[test]
    fn the_same_again_and_what_left_the_window_do_not_count() {
        let of = policy(2, 10);
        let again = vec![("slow", "i-1".to_owned(), 1); 50];
        assert_eq!(noted(&of, &again).1, None);
        let spread =
            |gap: i64| -> Vec<_> { (0..9).map(|n| ("slow", format!("i-{n}"), n * gap)).collect() };
        assert_eq!(noted(&of, &spread(150)).1, None);
        assert_eq!(noted(&of, &spread(149)).1, Some(2));
    }

    #[test]
    fn what_firebreak_says_itself_and_an_unknown_service_are_in_no_domain() {
        let of = SharedCause {
            domains: vec![DomainField::Service, DomainField::Label("zone".to_owned())],
            ..SharedCause::default()
        };
        let mut alert = examples::alert("slow", "i-1");
        let keys = |alert: &Alert| -> Vec<String> {
            domains_of(alert, &of).iter().map(|key| key.as_str().to_owned()).collect()
        };
        assert_eq!(keys(&alert), ["service=api"]);
        alert.labels.insert("zone".to_owned(), "eu-west-1a".to_owned());
        assert_eq!(keys(&alert), ["service=api", "labels.zone=eu-west-1a"]);
        alert.service = "unknown".to_owned();
        assert_eq!(keys(&alert), ["labels.zone=eu-west-1a"]);
        let (domain, _) = noted(&policy(1, 1), &things(2, "slow"));
        let key = DomainKey("service=api".to_owned());
        assert!(keys(&parent(&key, domain.suspected.as_ref().unwrap())).is_empty());
    }

    #[test]
    fn the_parent_is_the_same_alert_however_often_it_is_raised_and_ends_as_itself() {
        let (domain, _) = noted(&policy(1, 5), &things(2, "slow"));
        let suspected = domain.suspected.unwrap();
        let key = DomainKey("service=api".to_owned());
        let first = parent(&key, &suspected);
        assert_eq!(parent(&key, &suspected), first);
        assert_eq!((first.service.as_str(), first.name.as_str()), ("api", RULE));
        assert!(first.title.contains("2 targets") && first.title.contains("service=api"));
        let over = parent_over(&key, &suspected, at(60));
        assert_eq!(over.fingerprint, first.fingerprint);
        assert!(!over.is_firing());
    }

    proptest! {
        /// Whatever fires in whatever order, the record stays small and the count is that of a plain look.
        #[test]
        fn the_count_is_exact_and_bounded(
            firings in proptest::collection::vec((0usize..4, 0usize..8, 0i64..900), 1..60),
        ) {
            let of = policy(5, 3);
            let rules = ["a", "b", "c", "d"];
            let mut domain = Domain::default();
            for (index, (rule, thing, second)) in firings.iter().enumerate() {
                let alert = examples::alert(rules[*rule], &format!("i-{thing}"));
                let seen = &firings[..=index];
                let latest = seen.iter().map(|(_, _, at)| *at).max().unwrap();
                let window: Vec<_> = seen.iter().filter(|(_, _, at)| latest - at < 300).collect();
                let targets: BTreeSet<_> = window.iter().map(|(_, t, _)| t).collect();
                let groups: BTreeSet<_> = window.iter().map(|(r, _, _)| r).collect();
                let crosses = targets.len() > 5 || groups.len() > 3;
                match domain.note(&alert, &incident(index), at(*second), &of) {
                    Noted::Counted(next) => {
                        prop_assert!(!crosses);
                        prop_assert!(next.targets.len() <= 5 && next.groups.len() <= 3);
                        domain = next;
                    }
                    Noted::Crossed(next) => {
                        prop_assert!(crosses);
                        prop_assert_eq!(next.targets.len(), targets.len());
                        break;
                    }
                    Noted::Member => prop_assert!(false, "nothing was suspected yet"),
                }
            }
        }
    }
}
