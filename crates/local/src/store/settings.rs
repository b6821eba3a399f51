//! The kill switch, the quarantine and the counters.

use std::collections::BTreeMap;

use async_trait::async_trait;
use firebreak_core::switch::KillSwitch;
use firebreak_engine::ports::{Counters, Quarantine, Quarantined, Settings, StoreError};
use rusqlite::{OptionalExtension as _, params};

use super::read::bodies;
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
impl Quarantine for SqliteStore {
    async fn keep(&self, kept: &[Quarantined]) -> Result<(), StoreError> {
        let rows = kept.iter().map(|one| Ok((one.id.clone(), one.source.clone(), text(one)?)));
        let rows: Vec<(String, String, String)> = rows.collect::<Result<_, StoreError>>()?;
        self.write(move |connection| {
            for (id, source, body) in rows {
                connection
                    .execute(
                        "INSERT OR REPLACE INTO quarantine (id, source, body) VALUES (?1, ?2, ?3)",
                        params![id, source, body],
                    )
                    .map_err(|error| failed(&error))?;
            }
            Ok(())
        })
        .await
    }

    async fn kept(
        &self,
        source: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Quarantined>, StoreError> {
        let source = source.map(str::to_owned);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(move |connection| match source {
            Some(source) => bodies(
                connection,
                "SELECT body FROM quarantine WHERE source = ?1 ORDER BY id DESC LIMIT ?2",
                &[&source, &limit],
            ),
            None => bodies(
                connection,
                "SELECT body FROM quarantine ORDER BY id DESC LIMIT ?1",
                &[&limit],
            ),
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
