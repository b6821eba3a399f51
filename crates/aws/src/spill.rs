//! The spill on AWS: a FIFO queue, one group per source, so that what waits is taken in in its order.
//!
//! Queue and mapping are described in `terraform/wiring/spill.json`; the mapping hands the messages back to intake.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use firebreak_engine::ports::{Spill, SpillError, Spilled};

use crate::failure;

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>; the queue is
/// made with the same limit. A body of 1 MiB of ordinary JSON takes a fifth of it, being compressed.
const MOST_MESSAGE: usize = 1024 * 1024;

/// [`Spill`] on one queue.
#[derive(Debug, Clone)]
pub struct QueueSpill {
    client: Client,
    url: String,
}

impl QueueSpill {
    pub fn new(config: &SdkConfig, url: impl Into<String>) -> Self {
        Self { client: Client::new(config), url: url.into() }
    }
}

#[async_trait]
impl Spill for QueueSpill {
    async fn put(&self, spilled: &Spilled) -> Result<(), SpillError> {
        let message = spilled.to_message();
        let size = message.len();
        if size > MOST_MESSAGE {
            return Err(SpillError::TooLarge { size, most: MOST_MESSAGE });
        }
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(message)
            .message_group_id(&spilled.delivery.source)
            // A repeat by the SDK is the same message.
            .message_deduplication_id(&spilled.id)
            .send()
            .await
            .map_err(|error| SpillError::Unavailable(failure::words(&error)))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_queue_is_made_as_the_adapter_needs_it() {
        let wiring: Value =
            serde_json::from_str(include_str!("../../../terraform/wiring/spill.json")).unwrap();
        assert_eq!(wiring["queue"]["FifoQueue"], "true");
        assert_eq!(wiring["queue"]["MaximumMessageSize"], MOST_MESSAGE.to_string());
        assert_eq!(wiring["mapping"]["FunctionResponseTypes"][0], "ReportBatchItemFailures");
    }
}
