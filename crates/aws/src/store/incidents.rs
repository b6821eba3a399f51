//! Incidents, events, slots and books, as the port asks for them.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use firebreak_core::book::{BookKey, Books};
use firebreak_core::fingerprint::Fingerprint;
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Event, Incident, Recorded};
use firebreak_engine::ports::{
    Append, AppendError, IncidentStore, ListPage, ListQuery, SlotKey, StoreError,
};
use futures::future::try_join_all;
use jiff::Timestamp;

use super::keys::{self, Item, Key};
use super::{DynamoStore, unavailable};
use crate::failure;

/// Books that are read at once.
const AT_ONCE: usize = 20;

#[async_trait]
impl IncidentStore for DynamoStore {
    async fn load(&self, id: &IncidentId) -> Result<Option<Incident>, StoreError> {
        let item = self.get(&Key::incident(id)).await?;
        item.map(|item| keys::json(&item, "body")).transpose()
    }

    async fn events(&self, id: &IncidentId) -> Result<Vec<Recorded>, StoreError> {
        let items = self.partition(&keys::incident(id), Some(keys::EVENT)).await?;
        items.iter().map(|item| recorded(id, item)).collect()
    }

    async fn find(&self, slot: &SlotKey) -> Result<Option<IncidentId>, StoreError> {
        let item = self.get(&Key::slot(slot)).await?;
        Ok(item.as_ref().map(keys::pointed_at).transpose()?.flatten())
    }

    async fn append(&self, append: &Append) -> Result<(), AppendError> {
        self.transact(append).await
    }

    async fn count_repeat(
        &self,
        fingerprint: &Fingerprint,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let key = Key::slot(&SlotKey::Fingerprint(fingerprint.clone()));
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .update_expression("SET last_seen = :at ADD occurrences :one")
            .expression_attribute_values(":at", AttributeValue::S(at.to_string()))
            .expression_attribute_values(":one", keys::number(&1))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            // The item is just being pointed elsewhere: one count less does no harm.
            Err(error) if failure::code(&error) == Some("TransactionConflictException") => Ok(()),
            Err(error) => Err(unavailable(&error)),
        }
    }

    async fn repeats(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<(u64, Option<Timestamp>), StoreError> {
        let key = Key::slot(&SlotKey::Fingerprint(fingerprint.clone()));
        let Some(item) = self.get(&key).await? else { return Ok((0, None)) };
        let last_seen = item
            .contains_key("last_seen")
            .then(|| keys::timestamp(&item, "last_seen"))
            .transpose()?;
        Ok((keys::count(&item, "occurrences")?, last_seen))
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        self.page(query).await
    }

    async fn books(&self, keys: &[BookKey]) -> Result<Books, StoreError> {
        let mut books = Books::new();
        for some in keys.chunks(AT_ONCE) {
            let read = some.iter().map(|key| async move {
                let item = self.get(&Key::book(key)).await?;
                item.map(|item| Ok((key.clone(), keys::json(&item, "body")?))).transpose()
            });
            books.extend(try_join_all(read).await?.into_iter().flatten());
        }
        Ok(books)
    }
}

fn recorded(id: &IncidentId, item: &Item) -> Result<Recorded, StoreError> {
    let sk = keys::text(item, "sk")?;
    let seq = sk.strip_prefix(keys::EVENT).and_then(|digits| digits.parse().ok());
    Ok(Recorded {
        incident: id.clone(),
        seq: seq.ok_or_else(|| keys::corrupt(item, "the sort key has no number"))?,
        at: keys::timestamp(item, "at")?,
        event: keys::json::<Event>(item, "body")?,
    })
}
