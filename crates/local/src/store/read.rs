//! Reading the record.

use async_trait::async_trait;
use firebreak_core::book::{Book, BookKey, Books};
use firebreak_core::fingerprint::Fingerprint;
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Incident, Recorded};
use firebreak_engine::ports::{
    Append, AppendError, IncidentStore, ListPage, ListQuery, SlotKey, StoreError,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use super::{SqliteStore, append, failed, json};

#[async_trait]
impl IncidentStore for SqliteStore {
    async fn load(&self, id: &IncidentId) -> Result<Option<Incident>, StoreError> {
        let id = id.to_string();
        self.read(move |connection| {
            let body: Option<String> = connection
                .query_row("SELECT body FROM incidents WHERE id = ?1", [id], |row| row.get(0))
                .optional()
                .map_err(|error| failed(&error))?;
            body.as_deref().map(json).transpose()
        })
        .await
    }

    async fn events(&self, id: &IncidentId) -> Result<Vec<Recorded>, StoreError> {
        let id = id.to_string();
        self.read(move |connection| {
            bodies(connection, "SELECT body FROM events WHERE incident = ?1 ORDER BY seq", &[&id])
        })
        .await
    }

    async fn find(&self, slot: &SlotKey) -> Result<Option<IncidentId>, StoreError> {
        let key = append::slot_key(slot);
        self.read(move |connection| {
            let id: Option<String> = connection
                .query_row("SELECT incident FROM slots WHERE key = ?1", [key], |row| row.get(0))
                .optional()
                .map_err(|error| failed(&error))?;
            id.map(|id| id.try_into().map_err(|bad| StoreError::Corrupt(format!("{bad}"))))
                .transpose()
        })
        .await
    }

    async fn append(&self, append: &Append) -> Result<(), AppendError> {
        let append = append.clone();
        self.write(move |connection| append::append(connection, &append)).await??;
        self.announce();
        Ok(())
    }

    async fn count_repeat(
        &self,
        fingerprint: &Fingerprint,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (fingerprint, at) = (fingerprint.to_string(), at.to_string());
        self.write(move |connection| {
            connection
                .execute(
                    "INSERT INTO repeats (fingerprint, count, last) VALUES (?1, 1, ?2)
                     ON CONFLICT (fingerprint) DO UPDATE SET count = count + 1, last = max(last, excluded.last)",
                    params![fingerprint, at],
                )
                .map(drop)
                .map_err(|error| failed(&error))
        })
        .await?
    }

    async fn repeats(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<(u64, Option<Timestamp>), StoreError> {
        let fingerprint = fingerprint.to_string();
        self.read(move |connection| {
            let found: Option<(i64, String)> = connection
                .query_row(
                    "SELECT count, last FROM repeats WHERE fingerprint = ?1",
                    [fingerprint],
                    |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)),
                )
                .optional()
                .map_err(|error| failed(&error))?;
            Ok(found.map_or((0, None), |(count, last)| (count.unsigned_abs(), last.parse().ok())))
        })
        .await
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        let query = query.clone();
        self.read(move |connection| list(connection, &query)).await
    }

    async fn books(&self, keys: &[BookKey]) -> Result<Books, StoreError> {
        let keys = keys.to_vec();
        self.read(move |connection| {
            let mut books = Books::new();
            for key in keys {
                let body: Option<String> = connection
                    .query_row("SELECT body FROM books WHERE key = ?1", [key.as_str()], |row| {
                        row.get(0)
                    })
                    .optional()
                    .map_err(|error| failed(&error))?;
                if let Some(body) = body {
                    books.insert(key, json::<Book>(&body)?);
                }
            }
            Ok(books)
        })
        .await
    }
}

/// Ids sort by time, so the id is the cursor.
fn list(connection: &Connection, query: &ListQuery) -> Result<ListPage, StoreError> {
    let mut sql = "SELECT body FROM incidents WHERE 1".to_owned();
    let mut values = Vec::new();
    let mut narrow = |condition: &str, value: Option<String>| {
        if let Some(value) = value {
            sql.push_str(condition);
            values.push(value);
        }
    };
    narrow(" AND id < ?", query.cursor.clone());
    narrow(" AND status = ?", query.status.map(|status| status.as_str().to_owned()));
    narrow(" AND service = ?", query.service.clone());
    let limit = query.limit.clamp(1, 200);
    sql.push_str(" ORDER BY id DESC LIMIT ");
    sql.push_str(&(limit + 1).to_string());
    let mut statement = connection.prepare(&sql).map_err(|error| failed(&error))?;
    let rows = statement
        .query_map(params_from_iter(values), |row| row.get::<_, String>(0))
        .map_err(|error| failed(&error))?;
    let mut incidents = Vec::new();
    for body in rows {
        incidents.push(json::<Incident>(&body.map_err(|error| failed(&error))?)?);
    }
    let more = incidents.len() > limit;
    incidents.truncate(limit);
    let cursor = incidents.last().filter(|_| more).map(|last| last.id.to_string());
    Ok(ListPage { incidents, cursor })
}

/// The JSON bodies that a query of one column gives.
pub(super) fn bodies<T: serde::de::DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(|error| failed(&error))?;
    let rows = statement
        .query_map(values, |row| row.get::<_, String>(0))
        .map_err(|error| failed(&error))?;
    rows.map(|body| json(&body.map_err(|error| failed(&error))?)).collect()
}
