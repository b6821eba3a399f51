//! The one write path: an append is one transaction, on condition of everything that was read.

use firebreak_core::book::{BookKey, BookWrite};
use firebreak_core::ids::IncidentId;
use firebreak_engine::ports::{Append, AppendError, Conflict, SlotKey, StoreError};
use rusqlite::types::FromSql;
use rusqlite::{Connection, OptionalExtension as _, Savepoint, params};

use super::{failed, text};

/// An append as rows: made by whoever asks, so that the thread that writes does nothing but write.
pub(super) struct Rows {
    incident: IncidentRow,
    events: Vec<EventRow>,
    slots: Vec<SlotRow>,
    books: Vec<BookRow>,
}

struct IncidentRow {
    id: String,
    before: i64,
    version: i64,
    status: &'static str,
    service: String,
    active: bool,
    body: String,
}

struct EventRow {
    seq: i64,
    name: &'static str,
    body: String,
}

struct SlotRow {
    key: SlotKey,
    expected: Option<IncidentId>,
    incident: String,
    seen: Option<String>,
}

struct BookRow {
    key: BookKey,
    version: i64,
    body: String,
}

impl Rows {
    pub(super) fn of(append: &Append) -> Result<Self, StoreError> {
        let Append { incident, events, slots, books } = append;
        let first = events.first().map_or(incident.version, |event| event.seq);
        let row = IncidentRow {
            id: incident.id.to_string(),
            before: number(first.saturating_sub(1))?,
            version: number(incident.version)?,
            status: incident.status.as_str(),
            service: incident.service.clone(),
            active: incident.active_run().is_some(),
            body: text(incident)?,
        };
        let events = events.iter().map(|recorded| {
            let (seq, name) = (number(recorded.seq)?, recorded.event.name());
            Ok(EventRow { seq, name, body: text(recorded)? })
        });
        let slots = slots.iter().map(|slot| {
            Ok(SlotRow {
                key: slot.key.clone(),
                expected: slot.expected.clone(),
                incident: slot.incident.to_string(),
                seen: slot.seen.as_ref().map(text).transpose()?,
            })
        });
        let books = books.iter().map(BookRow::of);
        Ok(Self {
            incident: row,
            events: events.collect::<Result<_, StoreError>>()?,
            slots: slots.collect::<Result<_, StoreError>>()?,
            books: books.collect::<Result<_, StoreError>>()?,
        })
    }

    /// Within a transaction of the caller, who undoes it all when this fails.
    pub(super) fn write(&self, connection: &Connection) -> Result<(), AppendError> {
        self.incident.write(connection)?;
        for event in &self.events {
            execute(
                connection,
                "INSERT INTO events (incident, seq, name, body) VALUES (?1, ?2, ?3, ?4)",
                params![self.incident.id, event.seq, event.name, event.body],
            )?;
        }
        for slot in &self.slots {
            slot.write(connection)?;
        }
        for book in &self.books {
            book.write(connection)?;
        }
        Ok(())
    }
}

/// Each on its own: the answer of one says nothing of the others.
pub(super) fn write_all(
    savepoint: &mut Savepoint<'_>,
    appends: Vec<Result<Rows, StoreError>>,
) -> Result<Vec<Result<(), AppendError>>, StoreError> {
    let one = |rows: Result<Rows, StoreError>| {
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) => return Ok(Err(error.into())),
        };
        let part = savepoint.savepoint().map_err(|error| failed(&error))?;
        let answer = rows.write(&part);
        if answer.is_ok() {
            part.commit().map_err(|error| failed(&error))?;
        }
        Ok(answer)
    };
    appends.into_iter().map(one).collect()
}

/// Books without an incident.
pub(super) struct BookRows(Vec<BookRow>);

impl BookRows {
    pub(super) fn of(books: &[BookWrite]) -> Result<Self, StoreError> {
        books.iter().map(BookRow::of).collect::<Result<_, _>>().map(Self)
    }

    /// Within a transaction of the caller, who undoes it all when this fails.
    pub(super) fn write(&self, connection: &Connection) -> Result<(), AppendError> {
        self.0.iter().try_for_each(|book| book.write(connection))
    }
}

impl BookRow {
    fn of(write: &BookWrite) -> Result<Self, StoreError> {
        let version = number(write.book.version)?;
        Ok(BookRow { key: write.key.clone(), version, body: text(&write.book)? })
    }
}

impl IncidentRow {
    fn write(&self, connection: &Connection) -> Result<(), AppendError> {
        let found: Option<i64> =
            first(connection, "SELECT version FROM incidents WHERE id = ?1", [&self.id])?;
        if found.unwrap_or(0) != self.before {
            return Err(AppendError::Conflict(Conflict::Version));
        }
        execute(
            connection,
            "INSERT INTO incidents (id, version, status, service, active, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO UPDATE SET version = excluded.version, status = excluded.status,
               service = excluded.service, active = excluded.active, body = excluded.body",
            params![self.id, self.version, self.status, self.service, self.active, self.body],
        )
    }
}

impl SlotRow {
    fn write(&self, connection: &Connection) -> Result<(), AppendError> {
        let key = slot_key(&self.key);
        let held: Option<String> =
            first(connection, "SELECT incident FROM slots WHERE key = ?1", [&key])?;
        if held.as_deref() != self.expected.as_ref().map(IncidentId::as_str) {
            let held_by = held.and_then(|id| id.try_into().ok());
            return Err(AppendError::Conflict(Conflict::Slot { key: self.key.clone(), held_by }));
        }
        execute(
            connection,
            "INSERT INTO slots (key, incident, seen) VALUES (?1, ?2, ?3)
             ON CONFLICT (key) DO UPDATE SET incident = excluded.incident, seen = excluded.seen",
            params![key, self.incident, self.seen],
        )
    }
}

impl BookRow {
    fn write(&self, connection: &Connection) -> Result<(), AppendError> {
        let key = self.key.as_str();
        let found: Option<i64> =
            first(connection, "SELECT version FROM books WHERE key = ?1", [key])?;
        if found.unwrap_or(0) != (self.version - 1).max(0) {
            return Err(AppendError::Conflict(Conflict::Book { key: self.key.clone() }));
        }
        execute(
            connection,
            "INSERT INTO books (key, version, body) VALUES (?1, ?2, ?3)
             ON CONFLICT (key) DO UPDATE SET version = excluded.version, body = excluded.body",
            params![key, self.version, self.body],
        )
    }
}

pub(super) fn slot_key(key: &SlotKey) -> String {
    match key {
        SlotKey::Fingerprint(fingerprint) => format!("fingerprint:{fingerprint}"),
        SlotKey::Group(group) => format!("group:{group}"),
    }
}

/// The one column of the one row, if there is a row.
fn first<T: FromSql>(
    connection: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
) -> Result<Option<T>, StoreError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.query_row(values, |row| row.get(0)).optional())
        .map_err(|error| failed(&error))
}

fn execute(
    connection: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
) -> Result<(), AppendError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute(values))
        .map(drop)
        .map_err(|error| failed(&error).into())
}

fn number(value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}
