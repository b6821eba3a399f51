//! So much of its failure domain fires that the alert is a symptom: the parent is the one to be looked at.

use jiff::Timestamp;

use super::{Answer, Mute, MuteFacts, Muted, MutedBy, Reading, Subject, heard};
use crate::shared_cause::{DomainKey, Suspicion, domains_of};

pub(super) struct PartOfSharedCause;

/// The first suspicion that the alert falls under. `Err` says why nobody knows.
fn suspicion_of<'a>(
    subject: Subject<'_>,
    facts: &'a MuteFacts<'_>,
) -> Result<Option<(&'a DomainKey, &'a Suspicion)>, String> {
    let domains = domains_of(subject.alert, &facts.policy.shared_cause);
    if domains.is_empty() {
        return Ok(None);
    }
    match &facts.suspected {
        Reading::Unreadable(why) => {
            Err(format!("what fires in its failure domains cannot be read: {why}"))
        }
        Reading::Known(suspected) => {
            Ok(domains.iter().find_map(|domain| suspected.get_key_value(domain)))
        }
    }
}

fn muted(domain: &DomainKey, suspicion: &Suspicion) -> Answer {
    let parent =
        suspicion.parent.as_ref().map_or_else(|| "its parent".to_owned(), ToString::to_string);
    let (targets, groups) = (suspicion.suspected.targets, suspicion.suspected.groups);
    let domain = domain.as_str();
    Answer::Muted(Muted {
        by: MutedBy::SharedCause,
        id: parent.clone(),
        until: None,
        reason: format!(
            "{parent} suspects one cause for {targets} targets and {groups} rules of {domain} that fire together"
        ),
    })
}

impl Mute for PartOfSharedCause {
    fn kind(&self) -> MutedBy {
        MutedBy::SharedCause
    }

    /// Only where somebody is told of the parent instead.
    fn ask(&self, subject: Subject<'_>, facts: &MuteFacts<'_>, _now: Timestamp) -> Answer {
        match suspicion_of(subject, facts) {
            Err(why) => Answer::Unreadable(why),
            Ok(Some((domain, suspicion))) if suspicion.parent.is_some() => muted(domain, suspicion),
            Ok(Some(_)) => heard("a shared cause is suspected, and nobody was told of it yet"),
            Ok(None) => heard("no shared cause is suspected"),
        }
    }

    fn ask_for_acting(
        &self,
        subject: Subject<'_>,
        facts: &MuteFacts<'_>,
        _now: Timestamp,
    ) -> Answer {
        match suspicion_of(subject, facts) {
            Err(why) => Answer::Unreadable(why),
            Ok(Some((domain, suspicion))) => muted(domain, suspicion),
            Ok(None) => heard("no shared cause is suspected"),
        }
    }
}
