//! The one write path: an append is one transaction, on condition of everything that was read.

use std::sync::mpsc;

use firebreak_core::book::{BookKey, BookWrite};
use firebreak_core::ids::IncidentId;
use firebreak_engine::ports::{Append, AppendError, Conflict, SlotKey, StoreError};
use rusqlite::types::FromSql;
use rusqlite::{Connection, OptionalExtension as _, Savepoint, params};

use super::packed::pack;
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
    /// What an audit compares with the events, beside the body that only this program reads.
    head: Option<String>,
    opened_at: String,
    updated_at: String,
    body: Vec<u8>,
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
            head: incident.head.map(|head| head.to_string()),
            opened_at: incident.opened_at.to_string(),
            updated_at: incident.updated_at.to_string(),
            body: pack(incident)?,
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
        self.slots.iter().try_for_each(|slot| slot.write(connection))?;
        self.books.iter().try_for_each(|book| book.write(connection))
    }
}

type Made = Result<Rows, StoreError>;

/// So many appends, whose rows are still being made by somebody else: the first are written meanwhile.
pub(super) struct Coming {
    pub(super) count: usize,
    pub(super) rows: mpsc::Receiver<Made>,
}

impl Coming {
    /// Each on its own: the answer of one says nothing of the others.
    pub(super) fn write(
        self,
        savepoint: &mut Savepoint<'_>,
    ) -> Result<Vec<Result<(), AppendError>>, StoreError> {
        let mut written = Vec::with_capacity(self.count);
        let mut rows = self.rows.iter();
        while let Some(made) = rows.next() {
            // A part that can be undone alone has its price, a copy of each page that it changes, and nearly all fit.
            let fits = made.as_ref().is_ok_and(|rows| rows.write(savepoint).is_ok());
            written.push(made);
            if !fits {
                savepoint.rollback().map_err(|error| failed(&error))?;
                written.extend(rows);
                complete(&written, self.count)?;
                return apart(savepoint, &written);
            }
        }
        complete(&written, self.count)?;
        Ok(written.iter().map(|_| Ok(())).collect())
    }
}

fn complete(made: &[Made], count: usize) -> Result<(), StoreError> {
    let broke_off = || StoreError::Unavailable("the appends broke off".to_owned());
    (made.len() == count).then_some(()).ok_or_else(broke_off)
}

fn apart(
    savepoint: &mut Savepoint<'_>,
    appends: &[Made],
) -> Result<Vec<Result<(), AppendError>>, StoreError> {
    let one = |rows: &Made| {
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) => return Ok(Err(error.clone().into())),
        };
        let part = savepoint.savepoint().map_err(|error| failed(&error))?;
        let answer = rows.write(&part);
        if answer.is_ok() {
            part.commit().map_err(|error| failed(&error))?;
        }
        Ok(answer)
    };
    appends.iter().map(one).collect()
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
        let Self { id, before, version, status, service, active, head, body, .. } = self;
        let (opened, updated) = (&self.opened_at, &self.updated_at);
        let written = if *before == 0 {
            execute(
                connection,
                "INSERT INTO incidents (id, version, status, service, active, head, updated_at, body, opened_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING",
                params![id, version, status, service, active, head, updated, body, opened],
            )
        } else {
            execute(
                connection,
                "UPDATE incidents SET version = ?2, status = ?3, service = ?4, active = ?5, head = ?6,
                   updated_at = ?7, body = ?8 WHERE id = ?1 AND version = ?9",
                params![id, version, status, service, active, head, updated, body, before],
            )
        };
        written?.then_some(()).ok_or(AppendError::Conflict(Conflict::Version))
    }
}

impl SlotRow {
    fn write(&self, connection: &Connection) -> Result<(), AppendError> {
        let key = slot_key(&self.key);
        let written = match &self.expected {
            None => execute(
                connection,
                "INSERT INTO slots (key, incident, seen) VALUES (?1, ?2, ?3)
                 ON CONFLICT (key) DO NOTHING",
                params![key, self.incident, self.seen],
            ),
            Some(expected) => execute(
                connection,
                "UPDATE slots SET incident = ?2, seen = ?3 WHERE key = ?1 AND incident = ?4",
                params![key, self.incident, self.seen, expected.as_str()],
            ),
        };
        if written? {
            return Ok(());
        }
        let held: Option<String> =
            first(connection, "SELECT incident FROM slots WHERE key = ?1", [&key])?;
        let held_by = held.and_then(|id| id.try_into().ok());
        Err(AppendError::Conflict(Conflict::Slot { key: self.key.clone(), held_by }))
    }
}

impl BookRow {
    fn write(&self, connection: &Connection) -> Result<(), AppendError> {
        let sql = if self.version == 1 {
            "INSERT INTO books (key, version, body) VALUES (?1, ?2, ?3) ON CONFLICT (key) DO NOTHING"
        } else {
            "UPDATE books SET version = ?2, body = ?3 WHERE key = ?1 AND version = ?2 - 1"
        };
        let written =
            execute(connection, sql, params![self.key.as_str(), self.version, self.body])?;
        let conflict = || AppendError::Conflict(Conflict::Book { key: self.key.clone() });
        written.then_some(()).ok_or_else(conflict)
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

/// Whether a row was written.
fn execute(
    connection: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
) -> Result<bool, AppendError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute(values))
        .map(|rows| rows > 0)
        .map_err(|error| failed(&error).into())
}

fn number(value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}
