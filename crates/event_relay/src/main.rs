//! `event_relay`: carries domain events from the stream of the table to the bus, at least once and in order.

mod batch;
mod record;

use batch::{Reply, Undelivered};
use firebreak_aws::bus::Bus;
use firebreak_aws::{client, lambda};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use record::Records;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::start_logging();
    let [bus] = lambda::required(&lambda::environment, ["EVENT_BUS_NAME"])?;
    let bus = Bus::new(&client::load().await, bus);
    run(service_fn(|event: LambdaEvent<Records>| relay(&bus, event.payload))).await
}

async fn relay(bus: &Bus, records: Records) -> Result<Reply, Undelivered> {
    let batch = batch::read(&records);
    if let Some((position, poison)) = &batch.poison {
        tracing::error!(position, %poison, "a record cannot be relayed");
    }
    let sent = bus.put(&batch.entries).await;
    if let Err(error) = &sent {
        tracing::warn!(%error, entries = batch.entries.len(), "the rest must come again");
    }
    batch.reply(sent)
}

impl From<Undelivered> for Diagnostic {
    fn from(error: Undelivered) -> Self {
        Diagnostic { error_type: error.kind().to_owned(), error_message: error.to_string() }
    }
}
