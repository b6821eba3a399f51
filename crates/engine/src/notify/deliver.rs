//! One message to one channel: up to three attempts, as long as another one could help.

use firebreak_core::channels::{self, Channel, ChannelSettings, Delivery};
use firebreak_core::notification::Notification;

use super::{Missed, Notifier};

/// Answers with the receiver's words, or with why it was not told.
pub(super) async fn deliver(
    notifier: &Notifier<'_>,
    name: &str,
    message: &Notification,
) -> Result<String, Missed> {
    let missed = |reason: String, again| Missed { channel: name.to_owned(), reason, again };
    let Some(settings) = notifier.channels.get(name) else {
        return Err(missed("no channel of this name is set up".to_owned(), false));
    };
    let Some(channel) = channels::find(&settings.kind) else {
        return Err(missed(format!("there is no channel kind `{}`", settings.kind), false));
    };
    let patience = notifier.pace.patience;
    match tokio::time::timeout(patience, attempts(notifier, name, channel, settings, message)).await
    {
        Ok(Ok(detail)) => Ok(detail),
        Ok(Err(Failed { reason, again })) => Err(missed(reason, again)),
        Err(_) => Err(missed(format!("no outcome within {} s", patience.as_secs()), true)),
    }
}

struct Failed {
    reason: String,
    again: bool,
}

async fn attempts(
    notifier: &Notifier<'_>,
    name: &str,
    channel: &dyn Channel,
    settings: &ChannelSettings,
    message: &Notification,
) -> Result<String, Failed> {
    let secret = secret(notifier, name, channel).await?;
    let mut rests = notifier.pace.rests.iter();
    loop {
        let request = channel
            .request(settings, secret.as_deref(), message, notifier.clock.now())
            .map_err(|reason| Failed { reason, again: false })?;
        match channel.classify(&notifier.sender.send(&request).await) {
            Delivery::Delivered { detail } => return Ok(detail),
            Delivery::Refused { reason } => return Err(Failed { reason, again: false }),
            Delivery::Again { reason } => match rests.next() {
                Some(rest) => {
                    tracing::warn!(event_id = message.event_id, channel = name, reason, "again");
                    tokio::time::sleep(*rest).await;
                }
                None => return Err(Failed { reason, again: true }),
            },
        }
    }
}

async fn secret(
    notifier: &Notifier<'_>,
    name: &str,
    channel: &dyn Channel,
) -> Result<Option<String>, Failed> {
    if !channel.needs_secret() {
        return Ok(None);
    }
    match notifier.secrets.of_channel(name).await {
        Ok(Some(secret)) => Ok(Some(secret)),
        Ok(None) => {
            let reason = format!("its secret is missing: add `{name}` under `channels`");
            Err(Failed { reason, again: false })
        }
        Err(error) => Err(Failed { reason: error.to_string(), again: true }),
    }
}
