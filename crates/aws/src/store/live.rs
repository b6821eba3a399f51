//! The incidents that are not over, from the lists of the board.

use aws_sdk_dynamodb::types::AttributeValue;
use firebreak_core::incident::{Incident, Status};
use firebreak_core::muting::Live;
use firebreak_engine::ports::StoreError;
use futures::future::try_join_all;

use super::keys;
use super::{DynamoStore, unavailable};

impl DynamoStore {
    pub(super) async fn read_live(&self, most: usize) -> Result<Live, StoreError> {
        let lists = Status::live().map(|status| self.newest(status, most + 1));
        let mut found: Vec<(String, Incident)> =
            try_join_all(lists).await?.into_iter().flatten().collect();
        // One that changes its status while the lists are read may be in two of them: the later one counts.
        found.sort_by(|(one_place, one), (other_place, other)| {
            (other_place, other.version).cmp(&(one_place, one.version))
        });
        found.dedup_by(|(later, _), (earlier, _)| later == earlier);
        Ok(Live::first(found.into_iter().map(|(_, incident)| incident).collect(), most))
    }

    /// The newest of one status with their places.
    async fn newest(
        &self,
        status: Status,
        most: usize,
    ) -> Result<Vec<(String, Incident)>, StoreError> {
        let mut items = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("board")
            .key_condition_expression("board_pk = :board")
            .expression_attribute_values(":board", AttributeValue::S(keys::board(status)))
            .scan_index_forward(false)
            .limit(i32::try_from(most).unwrap_or(i32::MAX))
            .into_paginator()
            .items()
            .send();
        let mut found = Vec::new();
        while found.len() < most {
            let Some(item) = items.next().await else { break };
            let item = item.map_err(|error| unavailable(&error))?;
            found.push((keys::text(&item, "board_sk")?, keys::json(&item, "body")?));
        }
        Ok(found)
    }
}
