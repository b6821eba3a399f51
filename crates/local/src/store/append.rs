//! The one write path: an append is one transaction, on condition of everything that was read.

use firebreak_engine::ports::{Append, AppendError, Conflict, SlotKey, SlotWrite, StoreError};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::{failed, text};

pub(super) fn append(connection: &mut Connection, append: &Append) -> Result<(), AppendError> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| failed(&error))?;
    write_incident(&transaction, append)?;
    for slot in &append.slots {
        write_slot(&transaction, slot)?;
    }
    for write in &append.books {
        let body = text(&write.book)?;
        let before = write.book.version.saturating_sub(1);
        let found: Option<i64> = transaction
            .query_row("SELECT version FROM books WHERE key = ?1", [write.key.as_str()], |row| {
                row.get(0)
            })
            .optional()
            .map_err(|error| failed(&error))?;
        if found.unwrap_or(0) != number(before)? {
            return Err(AppendError::Conflict(Conflict::Book { key: write.key.clone() }));
        }
        execute(
            &transaction,
            "INSERT INTO books (key, version, body) VALUES (?1, ?2, ?3)
             ON CONFLICT (key) DO UPDATE SET version = excluded.version, body = excluded.body",
            params![write.key.as_str(), number(write.book.version)?, body],
        )?;
    }
    transaction.commit().map_err(|error| failed(&error).into())
}

fn write_incident(transaction: &Transaction<'_>, append: &Append) -> Result<(), AppendError> {
    let incident = &append.incident;
    let first = append.events.first().map_or(incident.version, |event| event.seq);
    let found: Option<i64> = transaction
        .query_row("SELECT version FROM incidents WHERE id = ?1", [incident.id.as_str()], |row| {
            row.get(0)
        })
        .optional()
        .map_err(|error| failed(&error))?;
    if found.unwrap_or(0) != number(first.saturating_sub(1))? {
        return Err(AppendError::Conflict(Conflict::Version));
    }
    execute(
        transaction,
        "INSERT INTO incidents (id, version, status, service, active, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (id) DO UPDATE SET version = excluded.version, status = excluded.status,
           service = excluded.service, active = excluded.active, body = excluded.body",
        params![
            incident.id.as_str(),
            number(incident.version)?,
            incident.status.as_str(),
            incident.service,
            incident.active_run().is_some(),
            text(incident)?
        ],
    )?;
    for recorded in &append.events {
        execute(
            transaction,
            "INSERT INTO events (incident, seq, name, body) VALUES (?1, ?2, ?3, ?4)",
            params![
                recorded.incident.as_str(),
                number(recorded.seq)?,
                recorded.event.name(),
                text(recorded)?
            ],
        )?;
    }
    Ok(())
}

fn write_slot(transaction: &Transaction<'_>, slot: &SlotWrite) -> Result<(), AppendError> {
    let key = slot_key(&slot.key);
    let held: Option<String> = transaction
        .query_row("SELECT incident FROM slots WHERE key = ?1", [&key], |row| row.get(0))
        .optional()
        .map_err(|error| failed(&error))?;
    if held.as_deref() != slot.expected.as_ref().map(firebreak_core::ids::IncidentId::as_str) {
        let held_by = held.and_then(|id| id.try_into().ok());
        return Err(AppendError::Conflict(Conflict::Slot { key: slot.key.clone(), held_by }));
    }
    execute(
        transaction,
        "INSERT INTO slots (key, incident) VALUES (?1, ?2)
         ON CONFLICT (key) DO UPDATE SET incident = excluded.incident",
        params![key, slot.incident.as_str()],
    )
}

pub(super) fn slot_key(key: &SlotKey) -> String {
    match key {
        SlotKey::Fingerprint(fingerprint) => format!("fingerprint:{fingerprint}"),
        SlotKey::Group(group) => format!("group:{group}"),
    }
}

fn execute(
    transaction: &Transaction<'_>,
    sql: &str,
    values: impl rusqlite::Params,
) -> Result<(), AppendError> {
    transaction.execute(sql, values).map(drop).map_err(|error| failed(&error).into())
}

fn number(value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}
