//! `notifier`: woken by an event from the bus or by a tick of its own, it tells everybody what is due to them.

mod delivery;

use std::sync::Arc;

use delivery::{Delivery, Unreadable, Woken};
use firebreak_aws::client;
use firebreak_aws::lambda::{self, environment};
use firebreak_aws::secrets::ManagedSecrets;
use firebreak_aws::store::DynamoStore;
use firebreak_aws::ticks::TickQueue;
use firebreak_aws::topics::TopicSender;
use firebreak_core::channels::Channels;
use firebreak_core::policy::Policy;
use firebreak_core::routing::Routes;
use firebreak_engine::notify::{
    Missed, Notifier, NotifyError, Pace, check_channels, on_event, on_tick,
};
use firebreak_engine::ports::{StoreError, SystemClock};
use firebreak_http::{Client, HttpSender, Timeouts};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::start_logging();
    let names = ["TABLE_NAME", "SECRET_ID", "CHANNELS", "TICK_QUEUE_URL"];
    let [table, secret, channels, ticks] = lambda::required(&environment, names)?;
    let channels = read_channels(&channels)?;
    let policy = lambda::policy(&environment)?;
    let routes = read_routes(&policy, &channels);
    let config = client::load().await;
    let store = DynamoStore::new(&config, table);
    let secrets = ManagedSecrets::new(&config, secret);
    let topics = Arc::new(TopicSender::new(&config));
    let sender = HttpSender::new(Client::new(Timeouts::default())?, Some(topics));
    let ticks = TickQueue::new(&config, ticks);
    let notifier = Notifier {
        store: &store,
        clock: &SystemClock,
        channels: &channels,
        routes: &routes,
        policy: &policy,
        claims: Some(&store),
        secrets: &secrets,
        sender: &sender,
        pace: Pace::default(),
    };
    let wiring = Wiring { notifier, store: &store, ticks: &ticks };
    run(service_fn(|event: LambdaEvent<Delivery>| wiring.tell(event.payload))).await
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

/// A route to a channel that is not set up must not keep those that are from being told.
fn read_routes(policy: &Policy, channels: &Channels) -> Routes {
    let routes = Routes::of(policy);
    for (place, problem) in routes.unknown_channels(channels) {
        tracing::error!(place, problem, "a route leads nowhere");
    }
    routes
}

struct Wiring<'a> {
    notifier: Notifier<'a>,
    store: &'a DynamoStore,
    ticks: &'a TickQueue,
}

impl Wiring<'_> {
    /// A channel that was not told is tried again by a later tick; the error is for the alarm that watches for them.
    async fn tell(&self, delivery: Delivery) -> Result<(), Failure> {
        let mut missed = Vec::new();
        for woken in delivery.woken()? {
            missed.extend(self.look(woken).await?);
        }
        if missed.is_empty() { Ok(()) } else { Err(Failure::Missed(missed)) }
    }

    async fn look(&self, woken: Woken) -> Result<Vec<Missed>, Failure> {
        let looked = match &woken {
            Woken::ByEvent(recorded) => on_event(&self.notifier, recorded).await?,
            Woken::ByTick(tick) => on_tick(&self.notifier, tick).await?,
        };
        if let Some(next) = &looked.next {
            let now = self.notifier.clock.now();
            match woken {
                Woken::ByTick(tick) if tick == *next => self.ticks.hop(next, now).await,
                Woken::ByTick(_) | Woken::ByEvent(_) => self.ticks.set(self.store, next, now).await,
            }?;
        }
        let (told, missed) = (looked.report.delivered.len(), looked.report.missed);
        tracing::info!(told, missed = missed.len(), next = ?looked.next, "looked");
        Ok(missed)
    }
}

/// Why a delivery must come again, or end among the dead letters.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error(transparent)]
    Notify(#[from] NotifyError),
    #[error("the next look could not be set: {0}")]
    Tick(#[from] StoreError),
    #[error("not told: {}", list(.0))]
    Missed(Vec<Missed>),
}

fn list(missed: &[Missed]) -> String {
    let reasons: Vec<String> =
        missed.iter().map(|missed| format!("{} ({})", missed.channel, missed.reason)).collect();
    reasons.join(", ")
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        let error_type = match &failure {
            Failure::Unreadable(_) => "Unreadable",
            Failure::Notify(NotifyError::NotFound(_)) => "NotFound",
            Failure::Notify(NotifyError::Contended(_)) => "Contended",
            Failure::Notify(NotifyError::Store(_)) => "Store",
            Failure::Notify(NotifyError::Refused(never)) => match *never {},
            Failure::Tick(_) => "Tick",
            Failure::Missed(_) => "Undelivered",
        };
        let error_message = failure.to_string();
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
        let missed =
            Missed { channel: "hook".to_owned(), reason: "answered 404".to_owned(), again: false };
        let diagnostic = Diagnostic::from(Failure::Missed(vec![missed]));
        assert_eq!(diagnostic.error_type, "Undelivered");
        assert_eq!(diagnostic.error_message, "not told: hook (answered 404)");
    }
}
