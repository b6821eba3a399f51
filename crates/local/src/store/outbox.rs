//! The events as an outbox: followed by durable cursors, with the timers and the undelivered beside them.

use firebreak_core::ids::IncidentId;
use firebreak_core::incident::Recorded;
use firebreak_engine::ports::StoreError;
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{SqliteStore, failed, json};

/// An event's place in the whole stream, with what one needs to know to follow it. What it says is not read:
/// an event that cannot be read must not hold up those behind it.
pub(crate) struct Outgoing {
    pub(crate) position: i64,
    pub(crate) incident: IncidentId,
    pub(crate) name: String,
}

/// A message that did not get through yet.
pub(crate) struct Undelivered {
    pub(crate) position: i64,
    /// 0 for one that was never tried.
    pub(crate) attempts: u32,
    pub(crate) recorded: Result<Recorded, StoreError>,
}

impl SqliteStore {
    /// What comes after the named cursor, oldest first.
    pub(crate) async fn outgoing(
        &self,
        cursor: &'static str,
        limit: u32,
    ) -> Result<Vec<Outgoing>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection
                .prepare_cached(
                    "SELECT position, incident, name FROM events WHERE position >
                       coalesce((SELECT position FROM cursors WHERE name = ?1), 0)
                     ORDER BY position LIMIT ?2",
                )
                .map_err(|error| failed(&error))?;
            let rows = statement
                .query_map(params![cursor, limit], |row| {
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

    /// Sets timers and moves the cursor, both or neither. An earlier timer of an incident stays.
    pub(crate) async fn schedule_up_to(
        &self,
        cursor: &'static str,
        position: i64,
        wake: Vec<IncidentId>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.change(move |connection| {
            for incident in &wake {
                connection.execute(
                    "INSERT INTO timers (incident, at) VALUES (?1, ?2)
                     ON CONFLICT (incident) DO UPDATE SET at = min(at, excluded.at)",
                    params![incident.as_str(), sortable(at)],
                )?;
            }
            move_cursor(connection, cursor, position)
        })
        .await
    }

    /// Queues messages and moves the cursor, both or neither.
    pub(crate) async fn queue_up_to(
        &self,
        cursor: &'static str,
        position: i64,
        messages: Vec<i64>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.change(move |connection| {
            for message in &messages {
                connection.execute(
                    "INSERT INTO undelivered (position, attempts, next_at) VALUES (?1, 0, ?2)
                     ON CONFLICT (position) DO NOTHING",
                    params![message, sortable(at)],
                )?;
            }
            move_cursor(connection, cursor, position)
        })
        .await
    }

    /// Takes a timer that is still due: until `lease` nobody else should, and if this process dies it comes
    /// back then. `false`: it was taken or set anew since it was read.
    pub(crate) async fn take(
        &self,
        incident: &IncidentId,
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<bool, StoreError> {
        let incident = incident.to_string();
        self.change(move |connection| {
            let taken = connection.execute(
                "UPDATE timers SET at = ?3 WHERE incident = ?1 AND at <= ?2",
                params![incident, sortable(now), sortable(lease)],
            )?;
            Ok(taken == 1)
        })
        .await
    }

    /// Sets the next time of a taken timer, or removes it; unless somebody woke the incident meanwhile, then
    /// that earlier time stays.
    pub(crate) async fn give_back(
        &self,
        incident: &IncidentId,
        lease: Timestamp,
        next: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let incident = incident.to_string();
        self.change(move |connection| match next {
            Some(next) => connection
                .execute(
                    "UPDATE timers SET at = ?3 WHERE incident = ?1 AND at = ?2",
                    params![incident, sortable(lease), sortable(next)],
                )
                .map(drop),
            None => connection
                .execute(
                    "DELETE FROM timers WHERE incident = ?1 AND at = ?2",
                    params![incident, sortable(lease)],
                )
                .map(drop),
        })
        .await
    }

    /// The next timers, soonest first: more than can be driven at once.
    pub(crate) async fn timers(&self) -> Result<Vec<(IncidentId, Timestamp)>, StoreError> {
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT incident, at FROM timers ORDER BY at LIMIT 64")
                .map_err(|error| failed(&error))?;
            let rows = statement
                .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
                .map_err(|error| failed(&error))?;
            rows.map(|row| {
                let (incident, at) = row.map_err(|error| failed(&error))?;
                let at =
                    at.parse().map_err(|bad: jiff::Error| StoreError::Corrupt(bad.to_string()))?;
                Ok((incident_id(incident)?, at))
            })
            .collect()
        })
        .await
    }

    /// After a start: everything that has a timer or a run under way is looked at now. Looking early is
    /// harmless, the answer is then to wait again.
    pub(crate) async fn wake_all(&self, now: Timestamp) -> Result<(), StoreError> {
        self.change(move |connection| {
            let now = sortable(now);
            connection.execute("UPDATE timers SET at = ?1", [&now])?;
            connection
                .execute(
                    "INSERT INTO timers (incident, at) SELECT id, ?1 FROM incidents WHERE active
                     ON CONFLICT (incident) DO NOTHING",
                    [&now],
                )
                .map(drop)
        })
        .await
    }

    /// Has a message tried again later.
    pub(crate) async fn postpone(
        &self,
        position: i64,
        attempts: u32,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.change(move |connection| {
            connection
                .execute(
                    "UPDATE undelivered SET attempts = ?2, next_at = ?3 WHERE position = ?1",
                    params![position, attempts, sortable(at)],
                )
                .map(drop)
        })
        .await
    }

    pub(crate) async fn settle(&self, position: i64) -> Result<(), StoreError> {
        self.change(move |connection| {
            connection.execute("DELETE FROM undelivered WHERE position = ?1", [position]).map(drop)
        })
        .await
    }

    /// Messages whose time has come, those first that were never tried.
    pub(crate) async fn overdue(&self, now: Timestamp) -> Result<Vec<Undelivered>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection
                .prepare_cached(
                    "SELECT u.position, u.attempts, e.body FROM undelivered u
                     JOIN events e ON e.position = u.position WHERE u.next_at <= ?1
                     ORDER BY u.attempts > 0, u.position LIMIT 128",
                )
                .map_err(|error| failed(&error))?;
            let rows = statement
                .query_map([sortable(now)], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?))
                })
                .map_err(|error| failed(&error))?;
            rows.map(|row| {
                let (position, attempts, body) = row.map_err(|error| failed(&error))?;
                Ok(Undelivered { position, attempts, recorded: json(&body) })
            })
            .collect()
        })
        .await
    }

    async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write(move |savepoint| work(savepoint).map_err(|error| failed(&error))).await
    }
}

fn move_cursor(
    connection: &Connection,
    cursor: &str,
    position: i64,
) -> Result<(), rusqlite::Error> {
    connection
        .execute(
            "INSERT INTO cursors (name, position) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET position = max(position, excluded.position)",
            params![cursor, position],
        )
        .map(drop)
}

fn incident_id(text: String) -> Result<IncidentId, StoreError> {
    IncidentId::try_from(text).map_err(|bad| StoreError::Corrupt(bad.to_string()))
}

/// A time as text that sorts: always nine fraction digits.
pub(super) fn sortable(at: Timestamp) -> String {
    format!("{at:.9}")
}
