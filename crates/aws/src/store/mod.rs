//! The record in one DynamoDB table: incidents, events, slots, books, settings, quarantine and counters.
//!
//! The shape of the table is `terraform/wiring/table.json`, the keys are in [`keys`]. An incident's events are
//! its audit trail and its outbox: the stream of the table carries each of them to the bus.

mod append;
mod conflict;
mod counters;
mod heartbeats;
mod incidents;
mod keys;
mod list;
mod live;
mod nonces;
mod quarantine;
mod settings;
mod silences;
mod slots;
#[cfg(feature = "ticks")]
mod ticks;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use firebreak_engine::ports::StoreError;
use futures::stream::{self, StreamExt as _};

use crate::failure;
use keys::{Item, Key};

/// Calls of one piece of work that are under way at once.
const AT_ONCE: usize = 16;

/// Every part of the store, on one table.
#[derive(Debug, Clone)]
pub struct DynamoStore {
    client: Client,
    table: String,
}

impl DynamoStore {
    pub fn new(config: &SdkConfig, table: impl Into<String>) -> Self {
        Self { client: Client::new(config), table: table.into() }
    }

    /// Reads one item as it is after every write that was answered before.
    async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| unavailable(&error))?;
        Ok(answer.item)
    }

    async fn put(&self, item: Item) -> Result<(), StoreError> {
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .send()
            .await
            .map_err(|error| unavailable(&error))?;
        Ok(())
    }

    /// Reads all items of a partition in order, or those whose sort key begins with `prefix`.
    async fn partition(&self, pk: &str, prefix: Option<&str>) -> Result<Vec<Item>, StoreError> {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .expression_attribute_values(":pk", text(pk))
            .consistent_read(true);
        let query = match prefix {
            None => query.key_condition_expression("pk = :pk"),
            Some(prefix) => query
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":prefix", text(prefix)),
        };
        query
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<Item>, _>>()
            .await
            .map_err(|error| unavailable(&error))
    }
}

/// The answers to calls, in their order.
fn side_by_side<F: Future>(
    calls: impl Iterator<Item = F>,
) -> stream::Buffered<stream::Iter<std::vec::IntoIter<F>>> {
    stream::iter(calls.collect::<Vec<F>>()).buffered(AT_ONCE)
}

/// What a failed call means to the callers of a store.
fn unavailable<E, R>(error: &SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    let words = failure::words(error);
    match failure::code(error) {
        // The request itself is wrong, such as an item above 400 KB: the same again would be as well.
        Some("ValidationException" | "ItemCollectionSizeLimitExceededException") => {
            StoreError::Corrupt(words)
        }
        _ => StoreError::Unavailable(words),
    }
}
