//! Durable timers: when an owner (the driver, the telling of a channel) is to look at an incident.

use firebreak_core::ids::IncidentId;
use firebreak_core::incident::Status;
use firebreak_engine::ports::StoreError;
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::outbox::{incident_id, sortable};
use super::{SqliteStore, failed};

/// Which incidents get a timer when the process starts, besides those that have one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wake {
    /// Those with a run under way.
    Active,
    /// Those that are not over.
    Live,
}

impl SqliteStore {
    /// Takes a timer that is still due: until `lease` nobody else should, and if this process dies it comes
    /// back then. `false`: it was taken or set anew since it was read.
    pub(crate) async fn take(
        &self,
        owner: &str,
        incident: &IncidentId,
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<bool, StoreError> {
        let (owner, incident) = (owner.to_owned(), incident.to_string());
        self.change(move |connection| {
            let taken = connection
                .prepare_cached(
                    "UPDATE timers SET at = ?4 WHERE owner = ?1 AND incident = ?2 AND at <= ?3",
                )?
                .execute(params![owner, incident, sortable(now), sortable(lease)])?;
            Ok(taken == 1)
        })
        .await
    }

    /// Sets the next time of a taken timer, or removes it; unless somebody woke the incident meanwhile, then
    /// that earlier time stays.
    pub(crate) async fn give_back(
        &self,
        owner: &str,
        incident: &IncidentId,
        lease: Timestamp,
        next: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let (owner, incident) = (owner.to_owned(), incident.to_string());
        self.change(move |connection| match next {
            Some(next) => connection
                .prepare_cached(
                    "UPDATE timers SET at = ?4 WHERE owner = ?1 AND incident = ?2 AND at = ?3",
                )?
                .execute(params![owner, incident, sortable(lease), sortable(next)])
                .map(drop),
            None => connection
                .prepare_cached(
                    "DELETE FROM timers WHERE owner = ?1 AND incident = ?2 AND at = ?3",
                )?
                .execute(params![owner, incident, sortable(lease)])
                .map(drop),
        })
        .await
    }

    /// The next timers of an owner, soonest first: more than are worked on at once.
    pub(crate) async fn timers(
        &self,
        owner: &str,
    ) -> Result<Vec<(IncidentId, Timestamp)>, StoreError> {
        let owner = owner.to_owned();
        self.read(move |connection| {
            let mut statement = connection
                .prepare_cached(
                    "SELECT incident, at FROM timers WHERE owner = ?1 ORDER BY at LIMIT 64",
                )
                .map_err(|error| failed(&error))?;
            let rows = statement
                .query_map([owner], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
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

    /// After a start: everything that has a timer, or should have one, is looked at now. Looking early is
    /// harmless, the answer is then to wait again.
    pub(crate) async fn wake_all(
        &self,
        owner: &str,
        wake: Wake,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let owner = owner.to_owned();
        self.change(move |connection| {
            connection.execute(
                "UPDATE timers SET at = ?2 WHERE owner = ?1",
                params![owner, sortable(now)],
            )?;
            let insert = |of: &str| {
                format!(
                    "INSERT INTO timers (owner, incident, at) SELECT ?1, id, ?2 FROM incidents
                     WHERE {of} ON CONFLICT (owner, incident) DO NOTHING"
                )
            };
            match wake {
                Wake::Active => {
                    connection.execute(&insert("active"), params![owner, sortable(now)])?;
                }
                Wake::Live => {
                    for status in Status::ALL.into_iter().filter(|status| status.is_live()) {
                        let of = insert("status = ?3");
                        connection.execute(&of, params![owner, sortable(now), status.as_str()])?;
                    }
                }
            }
            Ok(())
        })
        .await
    }
}

pub(super) fn set_earlier(
    connection: &Connection,
    owner: &str,
    incident: &IncidentId,
    at: Timestamp,
) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached(
            "INSERT INTO timers (owner, incident, at) VALUES (?1, ?2, ?3)
             ON CONFLICT (owner, incident) DO UPDATE SET at = min(at, excluded.at)",
        )?
        .execute(params![owner, incident.as_str(), sortable(at)])
        .map(drop)
}
