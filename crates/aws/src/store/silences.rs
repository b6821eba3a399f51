//! Silences in one partition: they are few, and each decision reads all that may hold.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use firebreak_core::muting::{Silence, SilenceId};
use firebreak_engine::ports::{PutError, Silences, StoreError};
use jiff::Timestamp;

use super::keys::{self, Attributes, Item, Key};
use super::{DynamoStore, unavailable};
use crate::failure;

#[async_trait]
impl Silences for DynamoStore {
    async fn silences(&self, since: Timestamp) -> Result<Vec<Silence>, StoreError> {
        let items = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .filter_expression("ends_at > :since")
            .expression_attribute_values(":pk", AttributeValue::S(keys::SILENCES.to_owned()))
            .expression_attribute_values(":since", AttributeValue::S(sortable(since)))
            .scan_index_forward(false)
            .consistent_read(true)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<Item>, _>>()
            .await
            .map_err(|error| unavailable(&error))?;
        items.iter().map(|item| keys::json(item, "body")).collect()
    }

    async fn silence(&self, id: &SilenceId) -> Result<Option<Silence>, StoreError> {
        let item = self.get(&Key::silence(id)).await?;
        item.map(|item| keys::json(&item, "body")).transpose()
    }

    async fn put_silence(&self, silence: &Silence) -> Result<(), PutError> {
        let item = Attributes::of(&Key::silence(&silence.id))
            .number("version", &silence.version)
            .text("ends_at", sortable(silence.ends_at))
            .json("body", silence)
            .number("expires_at", &(silence.ends_at + Silence::KEPT_FOR).as_second())
            .done();
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = if silence.version == 1 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            let before = AttributeValue::N((silence.version - 1).to_string());
            put.condition_expression("version = :before")
                .expression_attribute_values(":before", before)
        };
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error) if failure::code(&error) == Some("ConditionalCheckFailedException") => {
                Err(PutError::Conflict)
            }
            Err(error) => Err(unavailable(&error).into()),
        }
    }
}

/// A fixed number of fraction digits keeps the order of times as text.
fn sortable(at: Timestamp) -> String {
    format!("{at:.9}")
}
