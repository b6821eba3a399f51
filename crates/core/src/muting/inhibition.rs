//! Another alert that fires explains this one, by a rule on equal labels.

use jiff::Timestamp;

use super::{Answer, Live, Mute, MuteFacts, Muted, MutedBy, Reading, Subject, heard};
use crate::alert::Alert;
use crate::incident::Incident;
use crate::policy::{InhibitRule, Policy};

pub(super) struct Inhibited;

/// Whether any rule has the alert as its target.
pub(super) fn may_apply(policy: &Policy, alert: &Alert) -> bool {
    policy.inhibit_rules.iter().any(|rule| rule.target_matchers.fit_alert(alert))
}

impl Mute for Inhibited {
    fn kind(&self) -> MutedBy {
        MutedBy::Inhibition
    }

    fn ask(&self, subject: Subject<'_>, facts: &MuteFacts<'_>, _now: Timestamp) -> Answer {
        let target = subject.alert;
        let rules = facts.policy.inhibit_rules.iter().enumerate();
        let mut rules = rules.filter(|(_, rule)| rule.target_matchers.fit_alert(target)).peekable();
        if rules.peek().is_none() {
            return heard("no inhibit rule is for it");
        }
        let live = match &facts.live {
            Reading::Known(live) => live,
            Reading::Unreadable(why) => {
                return Answer::Unreadable(format!("the firing alerts cannot be read: {why}"));
            }
        };
        for (index, rule) in rules {
            let source = sources(subject.incident, live)
                .find(|(_, source)| source.is_firing() && inhibits(rule, source, target));
            if let Some((incident, source)) = source {
                let name = rule.name.clone().unwrap_or_else(|| format!("inhibit_rules[{index}]"));
                return Answer::Muted(Muted {
                    by: MutedBy::Inhibition,
                    reason: format!(
                        "`{}` of {} explains it (rule `{name}`)",
                        source.title, incident.id
                    ),
                    id: name,
                    until: None,
                });
            }
        }
        match live.more_than {
            Some(most) => Answer::Unreadable(format!(
                "more than {most} incidents are live, and not all were looked at for one that inhibits it"
            )),
            None => heard("nothing that would inhibit it fires"),
        }
    }
}

/// The alerts that may inhibit: those of the alert's own incident as it is now, those of the others as read.
fn sources<'a>(
    own: Option<&'a Incident>,
    live: &'a Live,
) -> impl Iterator<Item = (&'a Incident, &'a Alert)> {
    let others =
        live.incidents.iter().filter(move |other| own.is_none_or(|own| own.id != other.id));
    own.into_iter()
        .chain(others)
        .flat_map(|incident| incident.firing().map(move |alert| (incident, alert)))
}

/// A label that both lack is equal. An alert that fits both sides is inhibited only by one that does not fit
/// the target side: so none inhibits itself, and no two inhibit each other.
pub(super) fn inhibits(rule: &InhibitRule, source: &Alert, target: &Alert) -> bool {
    rule.source_matchers.fit_alert(source)
        && rule.target_matchers.fit_alert(target)
        && rule.equal.iter().all(|name| source.label(name) == target.label(name))
        && !(rule.source_matchers.fit_alert(target) && rule.target_matchers.fit_alert(source))
}
