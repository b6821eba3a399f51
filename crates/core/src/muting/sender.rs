//! The sender itself mutes its alert, as CloudWatch does during a mute window.

use jiff::Timestamp;

use super::{Answer, Mute, MuteFacts, Muted, MutedBy, Subject, heard};

pub(super) struct BySender;

impl Mute for BySender {
    fn kind(&self) -> MutedBy {
        MutedBy::Sender
    }

    fn ask(&self, subject: Subject<'_>, _facts: &MuteFacts<'_>, now: Timestamp) -> Answer {
        let alert = subject.alert;
        match alert.mute.as_ref().filter(|_| alert.is_muted(now)) {
            Some(mute) => Answer::Muted(Muted {
                by: MutedBy::Sender,
                id: mute.by.clone(),
                until: mute.until,
                reason: format!("{} mutes it ({})", alert.source, mute.by),
            }),
            None => heard("its sender does not mute it"),
        }
    }
}
