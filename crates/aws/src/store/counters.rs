//! Counters: a few shards each, so that a storm does not meet at one item; read as their sum.

use std::collections::BTreeMap;

use async_trait::async_trait;
use firebreak_engine::ports::{Counters, StoreError};
use futures::future::try_join_all;
use jiff::Timestamp;

use super::keys::{self, Attributes, Key};
use super::{DynamoStore, unavailable};

const SHARDS: u32 = 8;

#[async_trait]
impl Counters for DynamoStore {
    async fn count(&self, name: &str) -> Result<(), StoreError> {
        // Any spread will do: the digits below a microsecond are as good as dice.
        let shard = Timestamp::now().subsec_nanosecond().unsigned_abs() / 100 % SHARDS;
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::counter(name, shard).to_item()))
            .update_expression("ADD n :one")
            .expression_attribute_values(":one", keys::number(&1))
            .return_values(aws_sdk_dynamodb::types::ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|error| unavailable(&error))?;
        let n = answer.attributes.map_or(Ok(1), |item| keys::count(&item, "n"))?;
        if n == 1 {
            self.put(Attributes::of(&Key::counter_name(name)).done()).await?;
        }
        Ok(())
    }

    async fn counts(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        let names = self.partition(keys::COUNTER_NAMES, None).await?;
        let names: Result<Vec<String>, StoreError> =
            names.iter().map(|item| keys::text(item, "sk")).collect();
        let sums = names?.into_iter().map(|name| async move {
            let shards = self.partition(&keys::counter(&name), None).await?;
            let counts: Result<Vec<u64>, StoreError> =
                shards.iter().map(|item| keys::count(item, "n")).collect();
            Ok::<_, StoreError>((name, counts?.into_iter().sum()))
        });
        Ok(try_join_all(sums).await?.into_iter().collect())
    }
}
