//! A service that the alert's service depends on has a firing incident: the parent is the one to be mended.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Answer, Mute, MuteFacts, Muted, MutedBy, Reading, Subject, heard};
use crate::ids::IncidentId;
use crate::policy::WhileParentFires;

pub(super) struct ParentFires;

/// The incident of a service that explains those of the services that depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    pub incident: IncidentId,
    pub service: String,
}

/// The firing incident of the nearest service that the alert's service depends on, the oldest of that service.
///
/// `Err` says why nobody knows whether there is one.
pub fn parent_of(subject: Subject<'_>, facts: &MuteFacts<'_>) -> Result<Option<Parent>, String> {
    let parents = facts.policy.services.parents(&subject.alert.service);
    if parents.is_empty() {
        return Ok(None);
    }
    let live = match &facts.live {
        Reading::Known(live) => live,
        Reading::Unreadable(why) => {
            return Err(format!("the live incidents cannot be read: {why}"));
        }
    };
    for service in parents {
        let firing = live.incidents.iter().filter(|incident| {
            incident.service == service
                && incident.is_firing()
                && subject.incident.is_none_or(|own| own.id != incident.id)
        });
        if let Some(parent) = firing.min_by(|one, other| one.id.cmp(&other.id)) {
            let (incident, service) = (parent.id.clone(), service.to_owned());
            return Ok(Some(Parent { incident, service }));
        }
    }
    match live.more_than {
        Some(most) => Err(format!(
            "more than {most} incidents are live, and not all were looked at for one of a service it depends on"
        )),
        None => Ok(None),
    }
}

impl ParentFires {
    fn answer(subject: Subject<'_>, facts: &MuteFacts<'_>, wish: WhileParentFires) -> Answer {
        let service = &subject.alert.service;
        match parent_of(subject, facts) {
            Err(why) => Answer::Unreadable(why),
            Ok(None) => heard("nothing that its service depends on fires"),
            Ok(Some(parent)) => {
                let reason = format!(
                    "{service} depends on {}, whose {} is firing",
                    parent.service, parent.incident
                );
                match wish {
                    WhileParentFires::Tell => heard(format!("{reason}; it is told all the same")),
                    WhileParentFires::Mute => Answer::Muted(Muted {
                        by: MutedBy::Dependency,
                        id: parent.incident.to_string(),
                        until: None,
                        reason,
                    }),
                }
            }
        }
    }
}

impl Mute for ParentFires {
    fn kind(&self) -> MutedBy {
        MutedBy::Dependency
    }

    fn ask(&self, subject: Subject<'_>, facts: &MuteFacts<'_>, _now: Timestamp) -> Answer {
        let wish = facts.policy.services.while_parent_fires(&subject.alert.service);
        Self::answer(subject, facts, wish)
    }

    /// A child does not act, whatever people are told.
    fn ask_for_acting(
        &self,
        subject: Subject<'_>,
        facts: &MuteFacts<'_>,
        _now: Timestamp,
    ) -> Answer {
        Self::answer(subject, facts, WhileParentFires::Mute)
    }
}
