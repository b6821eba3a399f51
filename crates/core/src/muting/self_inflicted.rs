//! One of our own actions is expected to have caused the alert: people are told, and no runbook acts on it.

use jiff::Timestamp;

use super::{Answer, Mute, MuteFacts, Muted, MutedBy, Reading, Subject, heard};
use crate::book::RunRef;
use crate::self_inflicted::ExpectedEffect;

pub(super) struct OurOwnDoing;

/// The expected effect that explains the alert, the one that lasts longest. `Err` says why nobody knows.
fn cause<'a>(
    subject: Subject<'_>,
    facts: &'a MuteFacts<'_>,
    now: Timestamp,
) -> Result<Option<&'a ExpectedEffect>, String> {
    let effects = match &facts.effects {
        Reading::Known(effects) => effects,
        Reading::Unreadable(why) => {
            return Err(format!("what our own actions may cause cannot be read: {why}"));
        }
    };
    let member = subject.incident.and_then(|of| of.alerts.get(&subject.alert.fingerprint));
    let began =
        member.filter(|member| member.alert.is_firing()).map_or(now, |member| member.fired_at);
    // A run that is under way judges its own effects by its evidence.
    let own: Option<RunRef> =
        subject.incident.and_then(|incident| Some(incident.active_run()?.reference(&incident.id)));
    Ok(effects
        .iter()
        .filter(|effect| own.as_ref() != Some(&effect.by))
        .filter(|effect| effect.explains(subject.alert, began, &facts.policy.services, now))
        .max_by_key(|effect| effect.until))
}

fn words(effect: &ExpectedEffect) -> String {
    let ExpectedEffect { action, target, at, by, .. } = effect;
    format!(
        "self-inflicted: {action} of {} at {at} ({}) is expected to cause it",
        target.id, by.incident
    )
}

impl Mute for OurOwnDoing {
    fn kind(&self) -> MutedBy {
        MutedBy::SelfInflicted
    }

    fn ask(&self, subject: Subject<'_>, facts: &MuteFacts<'_>, now: Timestamp) -> Answer {
        match cause(subject, facts, now) {
            Err(why) => Answer::Unreadable(why),
            Ok(None) => heard("no action of ours is expected to cause it"),
            Ok(Some(effect)) => heard(format!("{}; it is told all the same", words(effect))),
        }
    }

    fn ask_for_acting(
        &self,
        subject: Subject<'_>,
        facts: &MuteFacts<'_>,
        now: Timestamp,
    ) -> Answer {
        match cause(subject, facts, now) {
            Err(why) => Answer::Unreadable(why),
            Ok(None) => heard("no action of ours is expected to cause it"),
            Ok(Some(effect)) => Answer::Muted(Muted {
                by: MutedBy::SelfInflicted,
                id: effect.by.incident.to_string(),
                until: Some(effect.until),
                reason: words(effect),
            }),
        }
    }
}
