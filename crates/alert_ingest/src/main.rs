//! `alert_ingest`: webhooks and events of the own account come in, an answer goes out when what they say is durable.

mod doors;
mod invocation;
mod own_account;
mod queue;

mod caller;

use std::sync::Arc;

use firebreak_aws::client;
use firebreak_aws::lambda::{self, environment};
use firebreak_aws::secrets::ManagedSecrets;
use firebreak_aws::spill::QueueSpill;
use firebreak_aws::store::DynamoStore;
use firebreak_aws::topic_host::SnsEndpoint;
use firebreak_core::routing::Routes;
use firebreak_core::storm::StormSettings;
use firebreak_engine::fallback::Fallback;
use firebreak_engine::ports::{Clock, Settings as _, SystemClock};
use firebreak_engine::prove::Certificates;
use firebreak_engine::queue::{Queue, QueueSettings};
use firebreak_web::metrics::Metrics;
use firebreak_web::webhooks::Webhooks;
use jiff::SignedDuration;
use lambda_http::{Error, LambdaEvent, lambda_runtime, service_fn};

use crate::doors::Doors;

/// Each of many environments sees a part of a storm, and all of them count in one item.
const STORMS: StormSettings = StormSettings {
    begins_at: 5,
    ends_below: 2,
    flush_every: SignedDuration::from_secs(10),
    trusted_for: SignedDuration::from_secs(2),
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::start_logging();
    let [table, secret] = lambda::required(&environment, ["TABLE_NAME", "SECRET_ID"])?;
    let config = client::load().await;
    let store = Arc::new(DynamoStore::new(&config, table));
    let secrets = Arc::new(ManagedSecrets::new(&config, secret));
    warm(&store, &secrets).await;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let fallback = match environment("SPILL_QUEUE_URL") {
        Some(url) => Fallback::new(Arc::new(QueueSpill::new(&config, url)), Arc::clone(&clock)),
        None => Fallback::none(Arc::clone(&clock)),
    };
    let policy = Arc::new(lambda::policy(&environment)?);
    let (queue, _writing) = Queue::start(QueueSettings {
        store: Arc::<DynamoStore>::clone(&store),
        clock: Arc::clone(&clock),
        routes: Arc::new(Routes::of(&policy)),
        policy: Arc::clone(&policy),
        reopen_within: lambda::reopen_within(&environment)?,
        storms: STORMS,
    });
    let metrics = Metrics::of(queue.meter());
    let doors = Doors::of(Webhooks {
        queue,
        store,
        fallback,
        ears: Arc::default(),
        clock,
        secrets,
        certificates: Arc::new(Certificates::of(Arc::new(SnsEndpoint::default()))),
        metrics,
        policy,
    });
    lambda_runtime::run(service_fn(|invoked: LambdaEvent<_>| doors.answer(invoked))).await
}

/// Opens both connections at once, so that the first alert does not wait for two handshakes. A failure here
/// is told again by the request that meets it.
async fn warm(store: &DynamoStore, secrets: &ManagedSecrets) {
    let (read, secret) = tokio::join!(store.kill_switch(), secrets.warm());
    if let Err(error) = read {
        tracing::warn!(%error, "the store is not warm");
    }
    if let Err(error) = secret {
        tracing::warn!(%error, "the secret is not warm");
    }
}
