//! What could not be understood: one partition per source to list, one per delivery for its body, in parts that fit an item.

use async_trait::async_trait;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError as Failure;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use firebreak_core::shared_cause::OWN_SOURCE;
use firebreak_core::sources::SOURCES;
use firebreak_engine::delivery::PackedBody;
use firebreak_engine::ports::{Quarantine, QuarantineQuery, Quarantined, StoreError};
use futures::future::try_join_all;

use super::keys::{self, Attributes, Item, Key};
use super::{DynamoStore, unavailable};
use crate::failure;

/// An item has at most 400 KB; names and keys need a little of it.
const PART: usize = 380 * 1024;

#[async_trait]
impl Quarantine for DynamoStore {
    async fn keep(&self, kept: &Quarantined, body: &PackedBody) -> Result<(), StoreError> {
        let expires_at = (kept.received_at + Quarantined::KEPT_FOR).as_second();
        let bytes = body.bytes();
        // An empty body has one part too, so that it is found.
        let parts = bytes.chunks(PART).chain(bytes.is_empty().then_some(bytes));
        let parts = parts.enumerate().map(|(number, part)| {
            let mut item = Attributes::of(&Key::quarantined_body(&kept.id, number))
                .text("source", &kept.source)
                .number("expires_at", &expires_at)
                .done();
            item.insert("body".to_owned(), AttributeValue::B(Blob::new(part)));
            Put::builder().table_name(&self.table).set_item(Some(item))
        });
        let head = Put::builder()
            .table_name(&self.table)
            .set_item(Some(head(kept)))
            .condition_expression("attribute_not_exists(pk)");
        let writes = std::iter::once(head).chain(parts).map(|put| {
            let put = put.build().expect("table and item are set above");
            TransactWriteItem::builder().put(put).build()
        });
        let sent = self
            .client
            .transact_write_items()
            .set_transact_items(Some(writes.collect()))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) if is_kept_already(&error) => Ok(()),
            Err(error) => Err(unavailable(&error)),
        }
    }

    async fn kept(&self, query: &QuarantineQuery) -> Result<Vec<Quarantined>, StoreError> {
        let limit = query.limit.clamp(1, 200);
        let sources: Vec<&str> = match &query.source {
            Some(source) => vec![source],
            None => SOURCES.iter().map(|source| source.name()).chain([OWN_SOURCE]).collect(),
        };
        let before = query.before.as_deref();
        let kept = sources.into_iter().map(|source| self.kept_of(source, before, limit));
        let mut kept: Vec<Quarantined> = try_join_all(kept).await?.into_iter().flatten().collect();
        kept.sort_by(|one, other| other.id.cmp(&one.id));
        kept.truncate(limit);
        Ok(kept)
    }

    async fn quarantined(&self, id: &str) -> Result<Option<(Quarantined, PackedBody)>, StoreError> {
        let parts = self.partition(&keys::quarantined_body(id), None).await?;
        let Some(first) = parts.first() else { return Ok(None) };
        let source = keys::text(first, "source")?;
        let Some(head) = self.get(&Key::quarantined(&source, id)).await? else { return Ok(None) };
        let mut body = Vec::new();
        for part in &parts {
            let bytes = part.get("body").and_then(|value| value.as_b().ok());
            let bytes = bytes.ok_or_else(|| keys::corrupt(part, "`body` is missing"))?;
            body.extend_from_slice(bytes.as_ref());
        }
        Ok(Some((keys::json(&head, "head")?, PackedBody::from_bytes(body))))
    }

    async fn amend(&self, kept: &Quarantined) -> Result<bool, StoreError> {
        let sent = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(head(kept)))
            .condition_expression("version = :before")
            .expression_attribute_values(":before", keys::number(&kept.version.saturating_sub(1)))
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
}

impl DynamoStore {
    async fn kept_of(
        &self,
        source: &str,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Quarantined>, StoreError> {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .expression_attribute_values(":pk", text(&keys::quarantine(source)))
            .scan_index_forward(false)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let query = match before {
            None => query.key_condition_expression("pk = :pk"),
            Some(before) => query
                .key_condition_expression("pk = :pk AND sk < :before")
                .expression_attribute_values(":before", text(before)),
        };
        let mut pages = query.into_paginator().items().send();
        let mut kept = Vec::new();
        while kept.len() < limit {
            let Some(item) = pages.next().await else { break };
            kept.push(keys::json(&item.map_err(|error| unavailable(&error))?, "head")?);
        }
        Ok(kept)
    }
}

fn head(kept: &Quarantined) -> Item {
    Attributes::of(&Key::quarantined(&kept.source, &kept.id))
        .number("version", &kept.version)
        .number("expires_at", &(kept.received_at + Quarantined::KEPT_FOR).as_second())
        .json("head", kept)
        .done()
}

fn is_kept_already(error: &SdkError<Failure>) -> bool {
    let Some(Failure::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return false;
    };
    let reasons = cancelled.cancellation_reasons();
    reasons.first().is_some_and(|reason| reason.code() == Some("ConditionalCheckFailed"))
}
