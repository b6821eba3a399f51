//! The record's file, read as it is: what stands in it is exported byte for byte, and never made anew.

use std::path::{Path, PathBuf};
use std::time::Duration;

use firebreak_core::audit::{EventHash, ExportEnd, Head, HeadLine, Heads};
use firebreak_core::ids::IncidentId;
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, Row};

/// Why a record could not be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(
        "{file} cannot be read: {error}; name the data folder of `firebreak serve` with --data"
    )]
    File { file: PathBuf, error: rusqlite::Error },
    /// Somebody changed it, or the disk did.
    #[error("the record of {incident} is broken: {why}")]
    Broken { incident: String, why: String },
    #[error("the export could not be written: {0}")]
    Write(#[from] std::io::Error),
}

/// Which incidents: those that something happened to between two moments, as a whole.
#[derive(Debug, Clone, Copy, Default)]
pub struct Span {
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

impl Span {
    fn meets(self, opened_at: Timestamp, updated_at: Timestamp) -> bool {
        self.from.is_none_or(|from| updated_at >= from) && self.to.is_none_or(|to| opened_at < to)
    }
}

/// The record of a data folder, read only.
pub struct RecordFile {
    file: PathBuf,
    connection: Connection,
}

struct State {
    id: String,
    version: u64,
    head: Option<String>,
    opened_at: String,
    updated_at: String,
}

const STATES: &str = "SELECT id, version, head, opened_at, updated_at FROM incidents ORDER BY id";
const EVENTS: &str = "SELECT body FROM events WHERE incident = ?1 ORDER BY seq";
/// Events whose incident is gone: nothing of ours leaves such.
const ORPHANS: &str = "SELECT body FROM events WHERE incident NOT IN (SELECT id FROM incidents)
    ORDER BY incident, seq";

impl RecordFile {
    /// Opens the file beside a platform that may be running on it.
    pub fn open(folder: &Path) -> Result<Self, ExportError> {
        let file = folder.join("firebreak.sqlite");
        // Without the right to write, SQLite could not share the log of a running platform.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(&file, flags).and_then(|connection| {
            connection.busy_timeout(Duration::from_secs(5))?;
            connection.pragma_update(None, "query_only", true)?;
            // One moment for all that is read.
            connection.execute_batch("BEGIN")?;
            Ok(connection)
        });
        match opened {
            Ok(connection) => Ok(Self { file, connection }),
            Err(error) => Err(ExportError::File { file, error }),
        }
    }

    /// Every line of an export, in order: the events of each incident, its head, and the end.
    pub fn export(
        &self,
        span: Span,
        now: Timestamp,
        mut line: impl FnMut(&str) -> std::io::Result<()>,
    ) -> Result<ExportEnd, ExportError> {
        let Span { from, to } = span;
        let mut end = ExportEnd { at: now, from, to, incidents: 0, events: 0 };
        for state in self.states()? {
            if !span.meets(state.time(&state.opened_at)?, state.time(&state.updated_at)?) {
                continue;
            }
            end.incidents += 1;
            end.events += self.bodies(EVENTS, &[&state.id], &mut line)?;
            if let Some(head) = state.head_line()? {
                line(&serde_json::to_string(&head).map_err(std::io::Error::from)?)?;
            }
        }
        if !end.is_partial() {
            end.events += self.bodies(ORPHANS, &[], &mut line)?;
        }
        line(&end.line().to_string())?;
        Ok(end)
    }

    /// The last events of all incidents that have one.
    pub fn heads(&self) -> Result<Heads, ExportError> {
        let mut heads = Heads::new();
        for state in self.states()? {
            let at = state.time(&state.updated_at)?;
            if let Some(HeadLine { incident, version, head }) = state.head_line()? {
                heads.insert(incident, Head { seq: version, hash: head, at });
            }
        }
        Ok(heads)
    }

    fn states(&self) -> Result<Vec<State>, ExportError> {
        let state = |row: &Row<'_>| {
            Ok(State {
                id: row.get(0)?,
                version: row.get::<_, i64>(1)?.unsigned_abs(),
                head: row.get(2)?,
                opened_at: row.get(3)?,
                updated_at: row.get(4)?,
            })
        };
        let read = || -> Result<Vec<State>, rusqlite::Error> {
            self.connection.prepare(STATES)?.query_map([], state)?.collect()
        };
        read().map_err(|error| self.failed(error))
    }

    fn bodies(
        &self,
        sql: &str,
        values: &[&dyn rusqlite::ToSql],
        line: &mut impl FnMut(&str) -> std::io::Result<()>,
    ) -> Result<u64, ExportError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|e| self.failed(e))?;
        let mut rows = statement.query(values).map_err(|error| self.failed(error))?;
        let mut count = 0;
        while let Some(row) = rows.next().map_err(|error| self.failed(error))? {
            line(&row.get::<_, String>(0).map_err(|error| self.failed(error))?)?;
            count += 1;
        }
        Ok(count)
    }

    fn failed(&self, error: rusqlite::Error) -> ExportError {
        ExportError::File { file: self.file.clone(), error }
    }
}

impl State {
    fn time(&self, text: &str) -> Result<Timestamp, ExportError> {
        text.parse().map_err(|error| self.broken(&error))
    }

    fn head_line(&self) -> Result<Option<HeadLine>, ExportError> {
        let Some(head) = &self.head else { return Ok(None) };
        let incident = IncidentId::try_from(self.id.clone()).map_err(|bad| self.broken(&bad))?;
        let head = EventHash::try_from(head.clone()).map_err(|bad| self.broken(&bad))?;
        Ok(Some(HeadLine { incident, version: self.version, head }))
    }

    fn broken(&self, why: &impl std::fmt::Display) -> ExportError {
        ExportError::Broken { incident: self.id.clone(), why: why.to_string() }
    }
}
