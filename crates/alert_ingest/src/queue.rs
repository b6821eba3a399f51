//! A batch of a queue: deliveries that could not be stored, and events that a rule or a topic puts there.

use std::collections::BTreeSet;

use firebreak_core::sources::Delivery;
use firebreak_engine::ports::{NotSpilled, Spilled};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::own_account::OwnAccount;

/// What the mapping is to hand over again.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Reply {
    #[serde(rename = "batchItemFailures")]
    failures: Vec<Failure>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Failure {
    #[serde(rename = "itemIdentifier")]
    message_id: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Batch {
    #[serde(rename = "Records")]
    messages: Vec<Message>,
}

#[derive(Debug, Deserialize)]
struct Message {
    #[serde(rename = "messageId")]
    id: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Attributes {
    /// There in queues that keep the order.
    message_group_id: Option<String>,
    /// Milliseconds since 1970, as text.
    sent_timestamp: Option<String>,
}

/// Takes each message in. What fails is named, and with it what comes after it in its group, which must not overtake.
pub(crate) async fn take(account: &OwnAccount, batch: Batch) -> Reply {
    let mut reply = Reply::default();
    let mut held: BTreeSet<String> = BTreeSet::new();
    for message in batch.messages {
        let group = message.attributes.message_group_id.clone();
        let waits = group.as_ref().is_some_and(|group| held.contains(group));
        if waits || message.take(account).await.is_err() {
            held.extend(group);
            reply.failures.push(Failure { message_id: message.id });
        }
    }
    reply
}

/// A message that must come again; why is in the log.
struct Again;

impl Message {
    async fn take(&self, account: &OwnAccount) -> Result<(), Again> {
        match Spilled::from_message(&self.body) {
            Ok(spilled) => self.done(account.spilled(&spilled).await),
            Err(NotSpilled::Newer { found }) => {
                tracing::error!(found, "a delivery was spilled by a newer version");
                Err(Again)
            }
            Err(NotSpilled::Shape(_)) => self.event(account).await,
        }
    }

    /// What nobody understands is kept under the name of the common entrance.
    async fn event(&self, account: &OwnAccount) -> Result<(), Again> {
        let sent = self.attributes.sent_timestamp.as_ref().and_then(|text| text.parse().ok());
        let sent = sent.and_then(|sent| Timestamp::from_millisecond(sent).ok());
        let delivery = Delivery {
            body: self.body.as_bytes(),
            content_type: None,
            headers: &[],
            received_at: sent.unwrap_or_else(|| account.now()),
        };
        self.done(account.take(account.events(), &delivery).await)
    }

    fn done<T, E: std::fmt::Display>(&self, taken: Result<T, E>) -> Result<(), Again> {
        taken.map(drop).map_err(|error| {
            tracing::warn!(message = self.id, %error, "a message is taken in later");
            Again
        })
    }
}
