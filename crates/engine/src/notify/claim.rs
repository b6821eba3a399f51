//! The claim of a message: of several who look at the same moment one sends it, and the others look again later.

use firebreak_core::incident::Incident;
use firebreak_core::proof::Nonce;
use firebreak_core::telling::{Message, Says};
use jiff::{SignedDuration, Timestamp};

use super::Notifier;
use crate::ports::Remembered;

/// Over and above the patience with a channel; whoever has not recorded the outcome by then is gone.
const GRACE: SignedDuration = SignedDuration::from_secs(5);

/// Whether the message is this one's to send; else until when it is another one's. A claim that cannot be written
/// keeps nobody from being told.
pub(super) async fn claim(
    notifier: &Notifier<'_>,
    incident: &Incident,
    channel: &str,
    message: &Message,
) -> Result<(), Timestamp> {
    let Some(claims) = notifier.claims else { return Ok(()) };
    let now = notifier.clock.now();
    let patience = SignedDuration::try_from(notifier.pace.patience).unwrap_or(SignedDuration::MAX);
    let until = now.saturating_add(patience.saturating_add(GRACE)).unwrap_or(now);
    // Each attempt after a recorded failure is a message of its own.
    let attempt = attempts(incident, channel, message);
    let key = format!("tell:{channel}:{}:{attempt}", message.id);
    match claims.remember(&Nonce { key, until }, now).await {
        Ok(Remembered::Fresh) => Ok(()),
        Ok(Remembered::Seen) => Err(until),
        Err(error) => {
            tracing::warn!(event_id = message.id, channel, %error, "told without a claim");
            Ok(())
        }
    }
}

fn attempts(incident: &Incident, channel: &str, message: &Message) -> u32 {
    let failed = match &message.says {
        Says::Alarm(urgent) => urgent.failed.get(channel).copied(),
        Says::Flush(_) | Says::Silently(_) => {
            incident.heard.get(channel).and_then(|heard| heard.failed)
        }
    };
    failed.map_or(0, |failed| failed.attempts)
}
