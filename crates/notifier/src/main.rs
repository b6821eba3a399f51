//! `notifier`: an event from the bus comes in, everybody who must know is told.

mod delivery;

use std::sync::Arc;

use delivery::{Delivery, Unreadable};
use firebreak_aws::client;
use firebreak_aws::lambda::{self, environment};
use firebreak_aws::secrets::ManagedSecrets;
use firebreak_aws::store::DynamoStore;
use firebreak_aws::topics::TopicSender;
use firebreak_core::channels::Channels;
use firebreak_engine::notify::{Notifier, NotifyError, Pace, check_channels, notify};
use firebreak_engine::ports::SystemClock;
use firebreak_http::{Client, HttpSender, Timeouts};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::start_logging();
    let names = ["TABLE_NAME", "SECRET_ID", "CHANNELS"];
    let [table, secret, channels] = lambda::required(&environment, names)?;
    let channels = read_channels(&channels)?;
    let config = client::load().await;
    let store = DynamoStore::new(&config, table);
    let secrets = ManagedSecrets::new(&config, secret);
    let topics = Arc::new(TopicSender::new(&config));
    let sender = HttpSender::new(Client::new(Timeouts::default())?, Some(topics));
    let notifier = Notifier {
        store: &store,
        clock: &SystemClock,
        channels: &channels,
        secrets: &secrets,
        sender: &sender,
        pace: Pace::default(),
    };
    run(service_fn(|event: LambdaEvent<Delivery>| tell(&notifier, event.payload))).await
}

/// A channel with a mistake is told of in the log and refused when its turn comes; the others work.
fn read_channels(json: &str) -> Result<Channels, Error> {
    let channels: Channels = serde_json::from_str(json).map_err(|error| {
        format!("CHANNELS must be a JSON object of channels by name, each with its `kind`: {error}")
    })?;
    for problem in check_channels(&channels).err().unwrap_or_default() {
        tracing::error!(problem, "a channel cannot work");
    }
    Ok(channels)
}

async fn tell(notifier: &Notifier<'_>, delivery: Delivery) -> Result<(), Failure> {
    let recorded = delivery.recorded()?;
    let report = notify(notifier, &recorded).await?;
    let event_id = recorded.event_id();
    tracing::info!(event_id, told = report.delivered.len(), refused = report.refused.len(), "done");
    Ok(())
}

/// Why the event must come again, or end in the dead-letter queue.
#[derive(Debug)]
enum Failure {
    Unreadable(Unreadable),
    Notify(NotifyError),
}

impl From<Unreadable> for Failure {
    fn from(error: Unreadable) -> Self {
        Failure::Unreadable(error)
    }
}

impl From<NotifyError> for Failure {
    fn from(error: NotifyError) -> Self {
        Failure::Notify(error)
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        let (error_type, error_message) = match failure {
            Failure::Unreadable(error) => ("Unreadable", error.to_string()),
            Failure::Notify(error) => {
                let kind = match &error {
                    NotifyError::NotFound(_) => "NotFound",
                    NotifyError::Contended(_) => "Contended",
                    NotifyError::Store(_) => "Store",
                    NotifyError::Undelivered(_) => "Undelivered",
                };
                (kind, error.to_string())
            }
        };
        tracing::error!(error_type, error_message, "not everybody was told");
        Diagnostic { error_type: error_type.to_owned(), error_message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_read_and_a_mistake_in_one_keeps_the_others() {
        let json = r#"{"oncall":{"kind":"sns","topic_arn":"arn:aws:sns:eu-central-1:123456789012:t"},"bad":{"kind":"fax"}}"#;
        assert_eq!(read_channels(json).unwrap().len(), 2);
        let said = read_channels("[]").unwrap_err().to_string();
        assert!(said.starts_with("CHANNELS must be a JSON object"), "{said}");
    }

    #[test]
    fn a_failure_is_named_for_the_dashboard() {
        let diagnostic = Diagnostic::from(Failure::Notify(NotifyError::Undelivered(Vec::new())));
        assert_eq!(diagnostic.error_type, "Undelivered");
    }
}
