//! The kill switch and the counters.

use std::collections::BTreeMap;

use async_trait::async_trait;
use firebreak_core::switch::KillSwitch;
use firebreak_engine::ports::{Counters, Settings, StoreError};
use rusqlite::OptionalExtension as _;

use super::{SqliteStore, failed, json, text};

#[async_trait]
impl Settings for SqliteStore {
    async fn kill_switch(&self) -> Result<KillSwitch, StoreError> {
        self.read(|connection| {
            let body: Option<String> = connection
                .query_row("SELECT body FROM settings WHERE name = 'kill_switch'", [], |row| {
                    row.get(0)
                })
                .optional()
                .map_err(|error| failed(&error))?;
            body.as_deref().map_or_else(|| Ok(KillSwitch::default()), json)
        })
        .await
    }

    async fn set_kill_switch(&self, switch: &KillSwitch) -> Result<(), StoreError> {
        let body = text(switch)?;
        self.write(move |connection| {
            connection
                .execute(
                    "INSERT INTO settings (name, body) VALUES ('kill_switch', ?1)
                     ON CONFLICT (name) DO UPDATE SET body = excluded.body",
                    [body],
                )
                .map(drop)
                .map_err(|error| failed(&error))
        })
        .await
    }
}

#[async_trait]
impl Counters for SqliteStore {
    async fn count(&self, name: &str) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write(move |connection| {
            connection
                .execute(
                    "INSERT INTO counters (name, count) VALUES (?1, 1)
                     ON CONFLICT (name) DO UPDATE SET count = count + 1",
                    [name],
                )
                .map(drop)
                .map_err(|error| failed(&error))
        })
        .await
    }

    async fn counts(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        self.read(|connection| {
            let mut statement = connection
                .prepare("SELECT name, count FROM counters")
                .map_err(|error| failed(&error))?;
            let rows = statement
                .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))
                .map_err(|error| failed(&error))?;
            rows.collect::<Result<_, _>>().map_err(|error| failed(&error))
        })
        .await
    }
}
