//! When each source was last heard of: one partition, an item for each name.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use firebreak_core::heartbeat::{Heard, Watch};
use firebreak_engine::ports::{Heartbeats, StoreError};

use super::keys::{self, Attributes, Item, Key};
use super::{DynamoStore, unavailable};
use crate::failure;

#[async_trait]
impl Heartbeats for DynamoStore {
    async fn hear(&self, heard: &Heard) -> Result<(), StoreError> {
        // Nine fraction digits, so that texts sort as times do.
        let last = AttributeValue::S(format!("{:.9}", heard.last));
        let sent = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(
                Attributes::of(&Key::heartbeat(&heard.source, &heard.name))
                    .text("source", &heard.source)
                    .text("name", &heard.name)
                    .text("last", format!("{:.9}", heard.last))
                    .done(),
            ))
            // `last` is a word of the expression language.
            .condition_expression(
                "attribute_not_exists(pk) OR attribute_exists(forgotten) OR #last < :last",
            )
            .expression_attribute_names("#last", "last")
            .expression_attribute_values(":last", last)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) if failure::code(&error) == Some("ConditionalCheckFailedException") => {
                Ok(())
            }
            Err(error) => Err(unavailable(&error)),
        }
    }

    async fn heard(&self) -> Result<Vec<Heard>, StoreError> {
        let items = self.partition(keys::HEARTBEATS, None).await?;
        let known = items.iter().filter(|item| !item.contains_key("forgotten"));
        let mut heard = known.map(of_item).collect::<Result<Vec<Heard>, _>>()?;
        heard.sort_unstable();
        Ok(heard)
    }

    async fn forget(&self, source: &str, name: &str) -> Result<bool, StoreError> {
        // The functions may not delete; a mark does as well.
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::heartbeat(source, name).to_item()))
            .update_expression("SET forgotten = :yes")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(forgotten)")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(true),
            Err(error) if failure::code(&error) == Some("ConditionalCheckFailedException") => {
                Ok(false)
            }
            Err(error) => Err(unavailable(&error)),
        }
    }

    async fn watch(&self) -> Result<Option<Watch>, StoreError> {
        let item = self.get(&Key::watch()).await?;
        item.map(|item| keys::json(&item, "body")).transpose()
    }

    async fn set_watch(&self, watch: &Watch) -> Result<(), StoreError> {
        self.put(Attributes::of(&Key::watch()).json("body", watch).done()).await
    }
}

fn of_item(item: &Item) -> Result<Heard, StoreError> {
    Ok(Heard {
        source: keys::text(item, "source")?,
        name: keys::text(item, "name")?,
        last: keys::timestamp(item, "last")?,
    })
}
