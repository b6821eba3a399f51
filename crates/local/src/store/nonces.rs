//! Nonces of signed deliveries, forgotten when their time is over.

use async_trait::async_trait;
use firebreak_core::proof::Nonce;
use firebreak_engine::ports::{Nonces, Remembered, StoreError};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{SqliteStore, failed};

/// So many are forgotten when one is remembered, so that no single write takes long.
const FORGOTTEN_AT_ONCE: i64 = 64;

#[async_trait]
impl Nonces for SqliteStore {
    async fn is_known(&self, nonce: &Nonce, now: Timestamp) -> Result<bool, StoreError> {
        let key = nonce.key.clone();
        self.read(move |connection| {
            let until: Option<i64> = connection
                .query_row("SELECT until FROM nonces WHERE key = ?1", [key], |row| row.get(0))
                .optional()
                .map_err(|error| failed(&error))?;
            Ok(until.is_some_and(|until| now.as_second() < until))
        })
        .await
    }

    async fn remember(&self, nonce: &Nonce, now: Timestamp) -> Result<Remembered, StoreError> {
        let nonce = nonce.clone();
        self.write(move |connection| {
            remember(connection, &nonce, now).map_err(|error| failed(&error))
        })
        .await
    }
}

fn remember(
    connection: &Connection,
    nonce: &Nonce,
    now: Timestamp,
) -> rusqlite::Result<Remembered> {
    let written = connection.execute(
        "INSERT INTO nonces (key, until) VALUES (?1, ?2)
         ON CONFLICT (key) DO UPDATE SET until = excluded.until WHERE until <= ?3",
        params![nonce.key, nonce.until.as_second(), now.as_second()],
    )?;
    connection.execute(
        "DELETE FROM nonces WHERE key IN (SELECT key FROM nonces WHERE until <= ?1 LIMIT ?2)",
        params![now.as_second(), FORGOTTEN_AT_ONCE],
    )?;
    Ok(if written == 0 { Remembered::Seen } else { Remembered::Fresh })
}
