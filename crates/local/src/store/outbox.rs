//! The events as an outbox: followed by durable cursors, which move together with the timers that they set.

use firebreak_core::ids::IncidentId;
use firebreak_core::incident::Status;
use firebreak_engine::ports::StoreError;
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::timers::set_earlier;
use super::{SqliteStore, failed};

/// An event's place in the whole stream, with what one needs to know to follow it. What it says is not read:
/// an event that cannot be read must not hold up those behind it.
pub(crate) struct Outgoing {
    pub(crate) position: i64,
    pub(crate) incident: IncidentId,
    pub(crate) name: String,
}

/// What became of the events up to a position.
pub(crate) struct Followed {
    pub(crate) cursor: &'static str,
    pub(crate) position: i64,
    /// Incidents that are to be looked at, each by all of `owners`.
    pub(crate) wake: Vec<IncidentId>,
    pub(crate) owners: Vec<String>,
    pub(crate) but: Sleepers,
}

/// Those that are not woken, whatever happened to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sleepers {
    Nobody,
    /// What is suppressed and has no run under way, as of the cursor's move: an event tells when that is over.
    Suppressed,
}

impl SqliteStore {
    /// What comes after a position, or else after where the named cursor was kept, oldest first.
    pub(crate) async fn outgoing(
        &self,
        cursor: &'static str,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Outgoing>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(move |connection| {
            let mut statement = connection
                .prepare_cached(
                    "SELECT position, incident, name FROM events WHERE position >
                       coalesce(?3, (SELECT position FROM cursors WHERE name = ?1), 0)
                     ORDER BY position LIMIT ?2",
                )
                .map_err(|error| failed(&error))?;
            let rows = statement
                .query_map(params![cursor, limit, after], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })
                .map_err(|error| failed(&error))?;
            rows.map(|row| {
                let (position, incident, name) = row.map_err(|error| failed(&error))?;
                Ok(Outgoing { position, incident: incident_id(incident)?, name })
            })
            .collect()
        })
        .await
    }

    /// Sets timers and moves the cursor, both or neither. Earlier timers stay.
    pub(crate) async fn follow(&self, to: Followed, at: Timestamp) -> Result<(), StoreError> {
        self.change(move |connection| {
            for incident in &to.wake {
                if to.but == Sleepers::Suppressed && sleeps(connection, incident)? {
                    continue;
                }
                for owner in &to.owners {
                    set_earlier(connection, owner, incident, at)?;
                }
            }
            connection
                .execute(
                    "INSERT INTO cursors (name, position) VALUES (?1, ?2)
                     ON CONFLICT (name) DO UPDATE SET position = max(position, excluded.position)",
                    params![to.cursor, to.position],
                )
                .map(drop)
        })
        .await
    }

    pub(super) async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write(move |savepoint| work(savepoint).map_err(|error| failed(&error))).await
    }
}

fn sleeps(connection: &Connection, incident: &IncidentId) -> Result<bool, rusqlite::Error> {
    connection
        .prepare_cached("SELECT 1 FROM incidents WHERE id = ?1 AND status = ?2 AND NOT active")?
        .exists(params![incident.as_str(), Status::Suppressed.as_str()])
}

pub(super) fn incident_id(text: String) -> Result<IncidentId, StoreError> {
    IncidentId::try_from(text).map_err(|bad| StoreError::Corrupt(bad.to_string()))
}

/// A time as text that sorts: always nine fraction digits.
pub(super) fn sortable(at: Timestamp) -> String {
    format!("{at:.9}")
}
