//! Silences in SQLite; those that nobody needs to look at any more go with the next write.

use async_trait::async_trait;
use firebreak_core::muting::{Silence, SilenceId};
use firebreak_engine::ports::{PutError, Silences, StoreError};
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::outbox::sortable;
use super::read::bodies;
use super::{SqliteStore, failed, json, text};

#[async_trait]
impl Silences for SqliteStore {
    async fn silences(&self, since: Timestamp) -> Result<Vec<Silence>, StoreError> {
        let since = sortable(since);
        self.read(move |connection| {
            let sql = "SELECT body FROM silences WHERE ends_at > ?1 ORDER BY id DESC";
            bodies(connection, sql, &[&since])
        })
        .await
    }

    async fn silence(&self, id: &SilenceId) -> Result<Option<Silence>, StoreError> {
        let id = id.to_string();
        self.read(move |connection| {
            let body: Option<String> = connection
                .query_row("SELECT body FROM silences WHERE id = ?1", [id], |row| row.get(0))
                .optional()
                .map_err(|error| failed(&error))?;
            body.as_deref().map(json).transpose()
        })
        .await
    }

    async fn put_silence(&self, silence: &Silence) -> Result<(), PutError> {
        let (id, body) = (silence.id.to_string(), text(silence)?);
        let ends_at = sortable(silence.ends_at);
        let forgotten = sortable(silence.updated_at - Silence::KEPT_FOR);
        let version = i64::try_from(silence.version)
            .map_err(|error| StoreError::Corrupt(error.to_string()))?;
        self.write(move |connection| {
            let failed = |error| failed(&error);
            connection
                .execute("DELETE FROM silences WHERE ends_at < ?1", [forgotten])
                .map_err(failed)?;
            let found: Option<i64> = connection
                .query_row("SELECT version FROM silences WHERE id = ?1", [&id], |row| row.get(0))
                .optional()
                .map_err(failed)?;
            if found.unwrap_or(0) != version - 1 {
                return Err(PutError::Conflict);
            }
            connection
                .execute(
                    "INSERT INTO silences (id, version, ends_at, body) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (id) DO UPDATE SET version = excluded.version,
                       ends_at = excluded.ends_at, body = excluded.body",
                    params![id, version, ends_at, body],
                )
                .map(drop)
                .map_err(|error| failed(error).into())
        })
        .await
    }
}
