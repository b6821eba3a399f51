//! When each source was last heard of.

use async_trait::async_trait;
use firebreak_core::heartbeat::{Heard, Watch};
use firebreak_engine::ports::{Heartbeats, StoreError};
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::outbox::sortable;
use super::{SqliteStore, failed, json, text};

#[async_trait]
impl Heartbeats for SqliteStore {
    async fn hear(&self, heard: &Heard) -> Result<(), StoreError> {
        let Heard { source, name, last } = heard.clone();
        self.write(move |connection| {
            connection
                .execute(
                    "INSERT INTO heartbeats (source, name, last) VALUES (?1, ?2, ?3)
                     ON CONFLICT (source, name) DO UPDATE SET last = max(last, excluded.last)",
                    params![source, name, sortable(last)],
                )
                .map(drop)
                .map_err(|error| failed(&error))
        })
        .await
    }

    async fn heard(&self) -> Result<Vec<Heard>, StoreError> {
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT source, name, last FROM heartbeats ORDER BY source, name")
                .map_err(|error| failed(&error))?;
            let rows = statement
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)))
                .map_err(|error| failed(&error))?;
            rows.map(|row| {
                let (source, name, last) = row.map_err(|error| failed(&error))?;
                let last: Timestamp = last
                    .parse()
                    .map_err(|bad: jiff::Error| StoreError::Corrupt(bad.to_string()))?;
                Ok(Heard { source, name, last })
            })
            .collect()
        })
        .await
    }

    async fn forget(&self, source: &str, name: &str) -> Result<bool, StoreError> {
        let (source, name) = (source.to_owned(), name.to_owned());
        self.write(move |connection| {
            let gone = connection
                .execute("DELETE FROM heartbeats WHERE source = ?1 AND name = ?2", [source, name])
                .map_err(|error| failed(&error))?;
            Ok(gone == 1)
        })
        .await
    }

    async fn watch(&self) -> Result<Option<Watch>, StoreError> {
        self.read(|connection| {
            let body: Option<String> = connection
                .query_row("SELECT body FROM settings WHERE name = 'watch'", [], |row| row.get(0))
                .optional()
                .map_err(|error| failed(&error))?;
            body.as_deref().map(json).transpose()
        })
        .await
    }

    async fn set_watch(&self, watch: &Watch) -> Result<(), StoreError> {
        let body = text(watch)?;
        self.write(move |connection| {
            connection
                .execute(
                    "INSERT INTO settings (name, body) VALUES ('watch', ?1)
                     ON CONFLICT (name) DO UPDATE SET body = excluded.body",
                    [body],
                )
                .map(drop)
                .map_err(|error| failed(&error))
        })
        .await
    }
}
