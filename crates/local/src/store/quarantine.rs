//! What could not be understood: what is said of it beside its packed body.

use async_trait::async_trait;
use firebreak_engine::delivery::PackedBody;
use firebreak_engine::ports::{Quarantine, QuarantineQuery, Quarantined, StoreError};
use rusqlite::{OptionalExtension as _, params};

use super::outbox::sortable;
use super::read::bodies;
use super::{SqliteStore, failed, json, text};

#[async_trait]
impl Quarantine for SqliteStore {
    async fn keep(&self, kept: &Quarantined, body: &PackedBody) -> Result<(), StoreError> {
        let (id, source, head) = (kept.id.clone(), kept.source.clone(), text(kept)?);
        let (version, body) = (number(kept.version), body.bytes().to_vec());
        let received_at = sortable(kept.received_at);
        let forgotten = sortable(kept.received_at - Quarantined::KEPT_FOR);
        self.write(move |connection| {
            connection
                .execute("DELETE FROM quarantine WHERE received_at < ?1", [forgotten])
                .map_err(|error| failed(&error))?;
            connection
                .execute(
                    "INSERT INTO quarantine (id, source, version, received_at, head, body)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO NOTHING",
                    params![id, source, version, received_at, head, body],
                )
                .map(drop)
                .map_err(|error| failed(&error))
        })
        .await
    }

    async fn kept(&self, query: &QuarantineQuery) -> Result<Vec<Quarantined>, StoreError> {
        let query = query.clone();
        let limit = i64::try_from(query.limit.clamp(1, 200)).unwrap_or(200);
        self.read(move |connection| {
            bodies(
                connection,
                "SELECT head FROM quarantine
                 WHERE (?1 IS NULL OR source = ?1) AND (?2 IS NULL OR id < ?2) ORDER BY id DESC LIMIT ?3",
                &[&query.source, &query.before, &limit],
            )
        })
        .await
    }

    async fn quarantined(&self, id: &str) -> Result<Option<(Quarantined, PackedBody)>, StoreError> {
        let id = id.to_owned();
        self.read(move |connection| {
            let found: Option<(String, Vec<u8>)> = connection
                .query_row("SELECT head, body FROM quarantine WHERE id = ?1", [id], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()
                .map_err(|error| failed(&error))?;
            found.map(|(head, body)| Ok((json(&head)?, PackedBody::from_bytes(body)))).transpose()
        })
        .await
    }

    async fn amend(&self, kept: &Quarantined) -> Result<bool, StoreError> {
        let (id, head, version) = (kept.id.clone(), text(kept)?, number(kept.version));
        self.write(move |connection| {
            let changed = connection
                .execute(
                    "UPDATE quarantine SET head = ?2, version = ?3 WHERE id = ?1 AND version = ?3 - 1",
                    params![id, head, version],
                )
                .map_err(|error| failed(&error))?;
            Ok(changed == 1)
        })
        .await
    }
}

fn number(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}
