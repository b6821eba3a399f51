//! The spill on the queue of an emulator: durable, in order, nothing twice, and honest about what does not fit.

use std::collections::HashMap;

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use firebreak_aws::spill::QueueSpill;
use firebreak_core::sources::Delivery;
use firebreak_engine::delivery::PackedBody;
use firebreak_engine::ids::sortable;
use firebreak_engine::ports::{Spill as _, SpillError, Spilled};
use jiff::Timestamp;
use serde_json::Value;

use crate::emulator;

const MINISTACK: &str = "FIREBREAK_TEST_MINISTACK";

/// A queue of its own, made from the file that Terraform deploys from.
async fn queue(config: &SdkConfig) -> (Client, String) {
    let wiring: Value =
        serde_json::from_str(include_str!("../../../../terraform/wiring/spill.json")).unwrap();
    let attributes: HashMap<QueueAttributeName, String> = wiring["queue"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| {
            (QueueAttributeName::from(name.as_str()), value.as_str().unwrap().to_owned())
        })
        .collect();
    let client = Client::new(config);
    let name = format!("spill-{}.fifo", sortable(Timestamp::now()));
    let made = client
        .create_queue()
        .queue_name(name)
        .set_attributes(Some(attributes))
        .send()
        .await
        .unwrap();
    (client, made.queue_url.unwrap())
}

fn spilled(source: &str, body: &[u8]) -> Spilled {
    let headers = [("ce-type".to_owned(), "alert".to_owned())];
    let delivery = Delivery {
        body,
        content_type: Some("application/json"),
        headers: &headers,
        received_at: Timestamp::now(),
    };
    Spilled::of(sortable(Timestamp::now()), source, &delivery)
}

async fn all(client: &Client, url: &str) -> Vec<Spilled> {
    let mut seen = Vec::new();
    loop {
        let received = client
            .receive_message()
            .queue_url(url)
            .max_number_of_messages(10)
            .send()
            .await
            .unwrap();
        if received.messages().is_empty() {
            return seen;
        }
        for message in received.messages() {
            seen.push(Spilled::from_message(message.body().unwrap()).unwrap());
            let handle = message.receipt_handle().unwrap();
            client.delete_message().queue_url(url).receipt_handle(handle).send().await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_was_put_is_handed_out_in_order_and_once() {
    let Some(config) = emulator::config(MINISTACK).await else { return };
    let (client, url) = queue(&config).await;
    let spill = QueueSpill::new(&config, &url);
    let mut put = Vec::new();
    for n in 0..12 {
        let one = spilled("alertmanager", format!("{{\"n\":{n}}}").as_bytes());
        spill.put(&one).await.unwrap();
        // Its answer was lost and it is sent again.
        spill.put(&one).await.unwrap();
        put.push(one);
    }
    assert_eq!(all(&client, &url).await, put);
}

#[tokio::test]
async fn a_large_body_of_json_fits_and_noise_of_that_size_is_refused() {
    let Some(config) = emulator::config(MINISTACK).await else { return };
    let (client, url) = queue(&config).await;
    let spill = QueueSpill::new(&config, &url);
    let json = r#"{"status":"firing","labels":{"alertname":"x"}},"#.repeat(1024 * 1024 / 48);
    let one = spilled("sumologic", json.as_bytes());
    spill.put(&one).await.unwrap();
    assert_eq!(all(&client, &url).await, [one]);

    let mut noise = spilled("sumologic", b"");
    noise.delivery.body = PackedBody::from_bytes(vec![7; 1024 * 1024]);
    let refused = spill.put(&noise).await;
    assert!(matches!(refused, Err(SpillError::TooLarge { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_queue_that_does_not_answer_is_unavailable() {
    let Some(config) = emulator::config(MINISTACK).await else { return };
    let (_, url) = queue(&config).await;
    let gone = QueueSpill::new(&config, format!("{url}-gone"));
    let refused = gone.put(&spilled("alertmanager", b"{}")).await;
    assert!(matches!(refused, Err(SpillError::Unavailable(_))), "{refused:?}");
}
