//! Reading the record.

use std::collections::BTreeMap;
use std::sync::mpsc;

use async_trait::async_trait;
use firebreak_core::book::{Book, BookKey, BookWrite, Books};
use firebreak_core::fingerprint::Fingerprint;
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Incident, Recorded, Status};
use firebreak_core::muting::Live;
use firebreak_core::storm::Repeats;
use firebreak_engine::ports::{
    Append, AppendError, IncidentStore, ListPage, ListQuery, Slot, SlotKey, StoreError,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use super::append::{self, Coming, Rows};
use super::packed::unpack;
use super::{SqliteStore, failed, json, text};

#[async_trait]
impl IncidentStore for SqliteStore {
    async fn load(&self, id: &IncidentId) -> Result<Option<Incident>, StoreError> {
        let id = id.clone();
        self.read(move |connection| load(connection, &id)).await
    }

    async fn events(&self, id: &IncidentId) -> Result<Vec<Recorded>, StoreError> {
        let id = id.to_string();
        self.read(move |connection| {
            bodies(connection, "SELECT body FROM events WHERE incident = ?1 ORDER BY seq", &[&id])
        })
        .await
    }

    async fn load_all(
        &self,
        ids: &[IncidentId],
    ) -> Result<BTreeMap<IncidentId, Incident>, StoreError> {
        let ids = ids.to_vec();
        self.read(move |connection| {
            let mut found = BTreeMap::new();
            for id in ids {
                if let Some(incident) = load(connection, &id)? {
                    found.insert(id, incident);
                }
            }
            Ok(found)
        })
        .await
    }

    async fn find_all(&self, keys: &[SlotKey]) -> Result<BTreeMap<SlotKey, Slot>, StoreError> {
        let keys = keys.to_vec();
        self.read(move |connection| {
            let mut found = BTreeMap::new();
            for key in keys {
                if let Some(slot) = find(connection, &key)? {
                    found.insert(key, slot);
                }
            }
            Ok(found)
        })
        .await
    }

    async fn append(&self, append: &Append) -> Result<(), AppendError> {
        let rows = Rows::of(append)?;
        self.write(move |savepoint| rows.write(savepoint)).await?;
        self.announce();
        Ok(())
    }

    async fn append_all(&self, appends: &[Append]) -> Vec<Result<(), AppendError>> {
        let (made, rows) = mpsc::channel();
        let coming = Coming { count: appends.len(), rows };
        let written = async {
            let writing = self.begin(move |savepoint| coming.write(savepoint)).await?;
            for append in appends {
                // Should the writer be gone, its answer says so.
                made.send(Rows::of(append)).ok();
            }
            drop(made);
            writing.done().await
        };
        let written: Result<_, StoreError> = written.await;
        self.announce();
        written.unwrap_or_else(|error| appends.iter().map(|_| Err(error.clone().into())).collect())
    }

    async fn write_books(&self, books: &[BookWrite]) -> Result<(), AppendError> {
        let rows = append::BookRows::of(books)?;
        self.write(move |savepoint| rows.write(savepoint)).await
    }

    async fn count_repeats(&self, repeats: &[Repeats]) -> Result<(), StoreError> {
        let repeats = repeats.to_vec();
        self.write(move |savepoint| {
            let mut count = savepoint
                .prepare_cached(
                    "INSERT INTO repeats (fingerprint, count, last) VALUES (?1, ?2, ?3)
                     ON CONFLICT (fingerprint) DO UPDATE
                     SET count = count + excluded.count, last = max(last, excluded.last)",
                )
                .map_err(|error| failed(&error))?;
            for repeated in &repeats {
                let more = i64::try_from(repeated.count).unwrap_or(i64::MAX);
                let values =
                    params![repeated.fingerprint.as_str(), more, repeated.last.to_string()];
                count.execute(values).map_err(|error| failed(&error))?;
            }
            Ok(())
        })
        .await
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

    async fn live(&self, most: usize) -> Result<Live, StoreError> {
        self.read(move |connection| {
            let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
            let sql = "SELECT body FROM incidents WHERE status IN (SELECT value FROM json_each(?1))
                       ORDER BY id DESC LIMIT ?2";
            let live: Vec<&str> = Status::live().map(Status::as_str).collect();
            let mut statement = connection.prepare_cached(sql).map_err(|error| failed(&error))?;
            let rows = statement
                .query_map(params![text(&live)?, limit], |row| row.get::<_, Vec<u8>>(0))
                .map_err(|error| failed(&error))?;
            let incidents = rows.map(|body| unpack(&body.map_err(|error| failed(&error))?));
            Ok(Live::first(incidents.collect::<Result<_, StoreError>>()?, most))
        })
        .await
    }

    async fn books(&self, keys: &[BookKey]) -> Result<Books, StoreError> {
        let keys = keys.to_vec();
        self.read(move |connection| {
            let mut books = Books::new();
            for key in keys {
                let body: Option<String> = connection
                    .prepare_cached("SELECT body FROM books WHERE key = ?1")
                    .and_then(|mut one| one.query_row([key.as_str()], |row| row.get(0)).optional())
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

fn load(connection: &Connection, id: &IncidentId) -> Result<Option<Incident>, StoreError> {
    let body: Option<Vec<u8>> = connection
        .prepare_cached("SELECT body FROM incidents WHERE id = ?1")
        .and_then(|mut one| one.query_row([id.as_str()], |row| row.get(0)).optional())
        .map_err(|error| failed(&error))?;
    body.as_deref().map(unpack).transpose()
}

fn find(connection: &Connection, key: &SlotKey) -> Result<Option<Slot>, StoreError> {
    let found: Option<(String, Option<String>)> = connection
        .prepare_cached("SELECT incident, seen FROM slots WHERE key = ?1")
        .and_then(|mut one| {
            one.query_row([append::slot_key(key)], |row| Ok((row.get(0)?, row.get(1)?))).optional()
        })
        .map_err(|error| failed(&error))?;
    let Some((incident, seen)) = found else { return Ok(None) };
    let incident = incident
        .try_into()
        .map_err(|bad: firebreak_core::ids::InvalidId| StoreError::Corrupt(bad.to_string()))?;
    Ok(Some(Slot { incident, seen: seen.as_deref().map(json).transpose()? }))
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
        .query_map(params_from_iter(values), |row| row.get::<_, Vec<u8>>(0))
        .map_err(|error| failed(&error))?;
    let mut incidents = Vec::new();
    for body in rows {
        incidents.push(unpack::<Incident>(&body.map_err(|error| failed(&error))?)?);
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
