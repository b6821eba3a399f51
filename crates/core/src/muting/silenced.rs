//! A person silenced the alert.

use jiff::Timestamp;

use super::{Answer, Mute, MuteFacts, Muted, MutedBy, Reading, Subject, heard};

pub(super) struct Silenced;

impl Mute for Silenced {
    fn kind(&self) -> MutedBy {
        MutedBy::Silence
    }

    fn ask(&self, subject: Subject<'_>, facts: &MuteFacts<'_>, now: Timestamp) -> Answer {
        let silences = match &facts.silences {
            Reading::Known(silences) => silences,
            Reading::Unreadable(why) => {
                return Answer::Unreadable(format!("the silences cannot be read: {why}"));
            }
        };
        let holding = silences.iter().filter(|silence| silence.mutes(subject.alert, now));
        match holding.max_by_key(|silence| silence.ends_at) {
            Some(silence) => Answer::Muted(Muted {
                by: MutedBy::Silence,
                id: silence.id.to_string(),
                until: Some(silence.ends_at),
                reason: format!(
                    "silenced by {} ({}): {}",
                    silence.owner, silence.id, silence.reason
                ),
            }),
            None => heard("no active silence fits it"),
        }
    }
}
