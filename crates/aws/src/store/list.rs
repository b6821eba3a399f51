//! Lists of incidents: the index holds one list per status, newest first; a page merges those asked for.

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use firebreak_core::incident::{Incident, Status};
use firebreak_engine::ports::{ListPage, ListQuery, StoreError};
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

use super::keys;
use super::{DynamoStore, unavailable};

const MOST: usize = 200;

/// How many items a filter by service looks at before it settles for what it has.
const MOST_ROUNDS: usize = 10;

/// What a caller carries from page to page: everything above this place was given.
#[derive(Debug, Serialize, Deserialize)]
struct Cursor {
    below: String,
}

/// A stretch of one status' list.
struct Stretch {
    /// With their places, newest first.
    incidents: Vec<(String, Incident)>,
    /// How far the list was read; `None` to its end.
    read_to: Option<String>,
}

impl DynamoStore {
    pub(super) async fn page(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        let limit = query.limit.clamp(1, MOST);
        let mut below = query.cursor.as_deref().map(decode).transpose()?;
        let mut page = ListPage::default();
        for _ in 0..MOST_ROUNDS {
            let (incidents, next) = self.round(query, limit, below).await?;
            page.incidents.extend(incidents);
            page.cursor = next.as_deref().map(encode);
            below = next;
            if below.is_none() || !page.incidents.is_empty() {
                break;
            }
        }
        Ok(page)
    }

    /// The incidents below a place, and the place to go on from.
    async fn round(
        &self,
        query: &ListQuery,
        limit: usize,
        below: Option<String>,
    ) -> Result<(Vec<Incident>, Option<String>), StoreError> {
        let statuses: &[Status] = match &query.status {
            Some(status) => std::slice::from_ref(status),
            None => &Status::ALL,
        };
        let stretches = statuses
            .iter()
            .map(|status| self.stretch(*status, query.service.as_deref(), limit, below.as_deref()));
        let stretches = try_join_all(stretches).await?;
        // Above the place that every list was read to, nothing is missing.
        let complete_to = stretches.iter().filter_map(|stretch| stretch.read_to.clone()).max();
        let mut found: Vec<(String, Incident)> =
            stretches.into_iter().flat_map(|stretch| stretch.incidents).collect();
        // An incident that changes its status while both lists are read may be in both: the later one counts.
        found.sort_by(|(one_place, one), (other_place, other)| {
            (other_place, other.version).cmp(&(one_place, one.version))
        });
        found.dedup_by(|(later, _), (earlier, _)| later == earlier);
        found.retain(|(place, _)| complete_to.as_ref().is_none_or(|to| place >= to));
        let next = if found.len() > limit {
            found.truncate(limit);
            found.last().map(|(place, _)| place.clone())
        } else {
            complete_to
        };
        let incidents = found.into_iter().map(|(_, incident)| incident).collect();
        Ok((incidents, next))
    }

    async fn stretch(
        &self,
        status: Status,
        service: Option<&str>,
        limit: usize,
        below: Option<&str>,
    ) -> Result<Stretch, StoreError> {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        // A filter takes away after the limit: look at more.
        let look_at = if service.is_some() { MOST } else { limit };
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("board")
            .scan_index_forward(false)
            .limit(i32::try_from(look_at).unwrap_or(i32::MAX))
            .expression_attribute_values(":board", text(&keys::board(status)));
        query = match below {
            None => query.key_condition_expression("board_pk = :board"),
            Some(place) => query
                .key_condition_expression("board_pk = :board AND board_sk < :below")
                .expression_attribute_values(":below", text(place)),
        };
        if let Some(service) = service {
            query = query
                .filter_expression("service = :service")
                .expression_attribute_values(":service", text(service));
        }
        let answer = query.send().await.map_err(|error| unavailable(&error))?;
        let read_to = answer
            .last_evaluated_key
            .as_ref()
            .map(|key| keys::text(key, "board_sk"))
            .transpose()?;
        let incidents = answer.items().iter();
        let incidents =
            incidents.map(|item| Ok((keys::text(item, "board_sk")?, keys::json(item, "body")?)));
        Ok(Stretch { incidents: incidents.collect::<Result<_, StoreError>>()?, read_to })
    }
}

fn encode(place: &str) -> String {
    let cursor = Cursor { below: place.to_owned() };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
}

/// A cursor that is none of ours cannot be followed; trying again changes nothing.
fn decode(cursor: &str) -> Result<String, StoreError> {
    URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|json| serde_json::from_slice::<Cursor>(&json).ok())
        .map(|cursor| cursor.below)
        .ok_or_else(|| StoreError::Corrupt("the cursor is not one that a list gave".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_and_a_forged_one_is_refused() {
        assert_eq!(decode(&encode("2026-11-21#inc_A")).unwrap(), "2026-11-21#inc_A");
        assert!(decode("!").is_err() && decode("e30").is_err());
    }
}
