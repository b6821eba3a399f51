//! Slots: read a hundred at once, pointed at incidents within a transaction.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, ReturnValuesOnConditionCheckFailure as OnFailure, Update,
};
use firebreak_core::ids::IncidentId;
use firebreak_engine::ports::{Slot, SlotKey, SlotWrite, StoreError};

use super::keys::{self, Item, Key};
use super::{DynamoStore, unavailable};

/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
const MOST_AT_ONCE: usize = 100;

/// Pauses before what was left out of an answer is asked for again.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(20),
    Duration::from_millis(60),
    Duration::from_millis(150),
    Duration::from_millis(400),
];

impl DynamoStore {
    pub(super) async fn slots(
        &self,
        keys: &[SlotKey],
    ) -> Result<BTreeMap<SlotKey, Slot>, StoreError> {
        let mut slots = BTreeMap::new();
        for some in keys.chunks(MOST_AT_ONCE) {
            let by_pk: HashMap<String, &SlotKey> =
                some.iter().map(|key| (Key::slot(key).pk, key)).collect();
            for item in self.some(some).await? {
                let key = by_pk.get(&keys::text(&item, "pk")?);
                if let (Some(key), Some(incident)) = (key, keys::pointed_at(&item)?) {
                    slots.insert((*key).clone(), Slot { incident, seen: keys::seen(&item)? });
                }
            }
        }
        Ok(slots)
    }

    async fn some(&self, keys: &[SlotKey]) -> Result<Vec<Item>, StoreError> {
        let mut wanted: Vec<Item> = keys.iter().map(|key| Key::slot(key).to_item()).collect();
        let mut items = Vec::with_capacity(wanted.len());
        let mut pauses = PAUSES.iter();
        while !wanted.is_empty() {
            let asked = KeysAndAttributes::builder().consistent_read(true).set_keys(Some(wanted));
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.table, asked.build().expect("keys are set above"))
                .send()
                .await
                .map_err(|error| unavailable(&error))?;
            items.extend(
                answer
                    .responses
                    .and_then(|mut found| found.remove(&self.table))
                    .into_iter()
                    .flatten(),
            );
            let left = answer.unprocessed_keys.and_then(|mut left| left.remove(&self.table));
            wanted = left.map(|left| left.keys).unwrap_or_default();
            if wanted.is_empty() {
                break;
            }
            let Some(pause) = pauses.next() else {
                let left = format!("{} slots could not be read in time", wanted.len());
                return Err(StoreError::Unavailable(left));
            };
            tokio::time::sleep(*pause).await;
        }
        Ok(items)
    }
}

/// On condition that the slot points where it was read to point.
pub(super) fn pointer(slot: &SlotWrite, table: &str) -> UpdateBuilder {
    let incident = |id: &IncidentId| AttributeValue::S(id.as_str().to_owned());
    let update = Update::builder()
        .table_name(table)
        .set_key(Some(Key::slot(&slot.key).to_item()))
        .expression_attribute_values(":incident", incident(&slot.incident))
        .return_values_on_condition_check_failure(OnFailure::AllOld);
    let update = match &slot.seen {
        None => update.update_expression("SET incident_id = :incident"),
        Some(seen) => update
            .update_expression("SET incident_id = :incident, seen = :seen")
            .expression_attribute_values(":seen", keys::json_text(seen)),
    };
    match &slot.expected {
        None => update.condition_expression("attribute_not_exists(incident_id)"),
        Some(expected) => update
            .condition_expression("incident_id = :expected")
            .expression_attribute_values(":expected", incident(expected)),
    }
}
