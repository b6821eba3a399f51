//! Incidents, events, slots and books, as the port asks for them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use firebreak_core::book::{BookKey, BookWrite, Books};
use firebreak_core::fingerprint::Fingerprint;
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Event, Incident, Recorded};
use firebreak_core::muting::Live;
use firebreak_core::storm::Repeats;
use firebreak_engine::ports::{
    Append, AppendError, IncidentStore, ListPage, ListQuery, Slot, SlotKey, StoreError,
};
use futures::future::ready;
use futures::stream::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;

use super::keys::{self, Item, Key};
use super::{DynamoStore, side_by_side, unavailable};

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

    async fn load_all(
        &self,
        ids: &[IncidentId],
    ) -> Result<BTreeMap<IncidentId, Incident>, StoreError> {
        let reads = ids.iter().map(|id| async move {
            Ok::<_, StoreError>(self.load(id).await?.map(|incident| (id.clone(), incident)))
        });
        side_by_side(reads).filter_map(|read| ready(read.transpose())).try_collect().await
    }

    async fn find_all(&self, keys: &[SlotKey]) -> Result<BTreeMap<SlotKey, Slot>, StoreError> {
        self.slots(keys).await
    }

    async fn append(&self, append: &Append) -> Result<(), AppendError> {
        self.transact(append).await
    }

    /// A transaction each: in one for all, the conflict of one would cost the others another try.
    async fn append_all(&self, appends: &[Append]) -> Vec<Result<(), AppendError>> {
        let writes = appends.iter().map(|append| self.transact(append));
        side_by_side(writes).collect().await
    }

    /// Beside the slot, in an item of its own: a count must not be in the way of a transaction.
    async fn write_books(&self, books: &[BookWrite]) -> Result<(), AppendError> {
        self.transact_books(books).await
    }

    async fn count_repeats(&self, repeats: &[Repeats]) -> Result<(), StoreError> {
        let counts = repeats.iter().map(|repeated| {
            let update = self.client.update_item().table_name(&self.table);
            update
                .set_key(Some(Key::repeats(&repeated.fingerprint).to_item()))
                .update_expression("SET last_seen = :last ADD occurrences :count")
                .expression_attribute_values(":last", AttributeValue::S(repeated.last.to_string()))
                .expression_attribute_values(":count", keys::number(&repeated.count))
                .send()
        });
        side_by_side(counts)
            .try_for_each(|_| ready(Ok(())))
            .await
            .map_err(|error| unavailable(&error))
    }

    async fn repeats(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<(u64, Option<Timestamp>), StoreError> {
        let Some(item) = self.get(&Key::repeats(fingerprint)).await? else { return Ok((0, None)) };
        let last_seen = item
            .contains_key("last_seen")
            .then(|| keys::timestamp(&item, "last_seen"))
            .transpose()?;
        Ok((keys::count(&item, "occurrences")?, last_seen))
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        self.page(query).await
    }

    async fn live(&self, most: usize) -> Result<Live, StoreError> {
        self.read_live(most).await
    }

    async fn books(&self, keys: &[BookKey]) -> Result<Books, StoreError> {
        let reads = keys.iter().map(|key| async move {
            let item = self.get(&Key::book(key)).await?;
            item.map(|item| Ok((key.clone(), keys::json(&item, "body")?))).transpose()
        });
        side_by_side(reads).filter_map(|read| ready(read.transpose())).try_collect().await
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
        prev: keys::hash(item, "prev")?,
    })
}
