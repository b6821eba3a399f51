//! Nonces of signed deliveries, one item each, which the table's TTL removes some time after their end.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use firebreak_core::proof::Nonce;
use firebreak_engine::ports::{Nonces, Remembered, StoreError};
use jiff::Timestamp;

use super::keys::{self, Attributes, Key, number};
use super::{DynamoStore, unavailable};

#[async_trait]
impl Nonces for DynamoStore {
    async fn is_known(&self, nonce: &Nonce, now: Timestamp) -> Result<bool, StoreError> {
        let Some(item) = self.get(&Key::nonce(&nonce.key)).await? else { return Ok(false) };
        // The TTL is lazy: what is still there may be over.
        let until = keys::count(&item, "expires_at")?;
        Ok(u64::try_from(now.as_second()).is_ok_and(|now| now < until))
    }

    async fn remember(&self, nonce: &Nonce, now: Timestamp) -> Result<Remembered, StoreError> {
        let item = Attributes::of(&Key::nonce(&nonce.key))
            .number("expires_at", &nonce.until.as_second())
            .done();
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR expires_at <= :now")
            .expression_attribute_values(":now", number(&now.as_second()))
            .send()
            .await;
        match put {
            Ok(_) => Ok(Remembered::Fresh),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(Remembered::Seen),
                _ => Err(unavailable(&error)),
            },
        }
    }
}
