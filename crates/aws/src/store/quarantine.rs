//! What could not be understood, one partition per source.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use firebreak_core::sources::SOURCES;
use firebreak_engine::ports::{Quarantine, Quarantined, StoreError};
use futures::future::try_join_all;
use futures::stream::TryStreamExt as _;
use jiff::SignedDuration;

use super::keys::{self, Attributes, Item, Key};
use super::{DynamoStore, side_by_side, unavailable};

/// Long enough for a person to look, short enough that other people's texts do not stay for ever.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

#[async_trait]
impl Quarantine for DynamoStore {
    async fn keep(&self, kept: &[Quarantined]) -> Result<(), StoreError> {
        let puts = kept.iter().map(|one| self.put(item(one)));
        side_by_side(puts).try_collect().await
    }

    async fn kept(
        &self,
        source: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Quarantined>, StoreError> {
        let sources: Vec<&str> = match source {
            Some(source) => vec![source],
            None => SOURCES.iter().map(|source| source.name()).collect(),
        };
        let kept = sources.into_iter().map(|source| self.kept_of(source, limit));
        let mut kept: Vec<Quarantined> = try_join_all(kept).await?.into_iter().flatten().collect();
        kept.sort_by(|one, other| other.id.cmp(&one.id));
        kept.truncate(limit);
        Ok(kept)
    }
}

impl DynamoStore {
    async fn kept_of(&self, source: &str, limit: usize) -> Result<Vec<Quarantined>, StoreError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(keys::quarantine(source)))
            .scan_index_forward(false)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX).max(1))
            .into_paginator()
            .items()
            .send();
        let mut kept = Vec::new();
        while kept.len() < limit {
            let Some(item) = pages.next().await else { break };
            kept.push(quarantined(&item.map_err(|error| unavailable(&error))?)?);
        }
        Ok(kept)
    }
}

fn item(kept: &Quarantined) -> Item {
    let item = Attributes::of(&Key::quarantined(&kept.source, &kept.id))
        .text("source", &kept.source)
        .text("at", kept.at.to_string())
        .text("code", &kept.code)
        .text("error", &kept.message)
        .text("body", &kept.raw)
        .number("expires_at", &(kept.at + KEPT_FOR).as_second());
    match kept.index {
        Some(index) => item.number("index", &index).done(),
        None => item.done(),
    }
}

fn quarantined(item: &Item) -> Result<Quarantined, StoreError> {
    let index = item.contains_key("index").then(|| keys::count(item, "index")).transpose()?;
    Ok(Quarantined {
        id: keys::text(item, "sk")?,
        source: keys::text(item, "source")?,
        at: keys::timestamp(item, "at")?,
        index: index.and_then(|index| usize::try_from(index).ok()),
        code: keys::text(item, "code")?,
        message: keys::text(item, "error")?,
        raw: keys::text(item, "body")?,
    })
}
