//! Whether a copy of the record is whole: what differs is named by incident and number.

use serde::Serialize;

use super::anchor::Anchors;
use super::copy::{Chain, Copy, Entry};
use crate::ids::IncidentId;

/// How a place differs from what was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrong {
    Altered,
    Missing,
    Reordered,
    Inserted,
    /// A line that is none of an export.
    Unreadable,
}

impl Wrong {
    pub fn as_str(self) -> &'static str {
        match self {
            Wrong::Altered => "altered",
            Wrong::Missing => "missing",
            Wrong::Reordered => "reordered",
            Wrong::Inserted => "inserted",
            Wrong::Unreadable => "unreadable",
        }
    }
}

/// The first place of an incident, of the anchors, or of the file itself that is not as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// `None` where it is about the file or the anchors.
    pub incident: Option<IncidentId>,
    /// The number of the event.
    pub seq: Option<u64>,
    /// The line of the copy, from 1, where there is one.
    pub line: Option<usize>,
    pub wrong: Wrong,
    pub detail: String,
}

impl Broken {
    pub(super) fn of(wrong: Wrong, detail: impl Into<String>) -> Self {
        Self { incident: None, seq: None, line: None, wrong, detail: detail.into() }
    }

    pub(super) fn at(self, incident: &IncidentId, seq: u64) -> Self {
        Self { incident: Some(incident.clone()), seq: Some(seq), ..self }
    }

    fn on(self, entry: &Entry) -> Self {
        Self { seq: Some(entry.seq), line: Some(entry.line), ..self }
    }
}

/// What was looked at, and all that is broken, first place first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub incidents: usize,
    pub events: usize,
    /// How many anchors it was held against.
    pub anchors: usize,
    /// The copy is of a part of the record, so that a whole incident that is missing is not seen.
    pub partial: bool,
    pub broken: Vec<Broken>,
}

impl Copy {
    /// Looks at every event, and holds the copy against the anchors where there are any.
    pub fn check(&self, anchors: Option<&Anchors>) -> Report {
        let mut broken: Vec<Broken> = self
            .unreadable
            .iter()
            .map(|(line, why)| Broken {
                line: Some(*line),
                ..Broken::of(Wrong::Unreadable, why.clone())
            })
            .collect();
        for (id, chain) in &self.chains {
            let first =
                chain.first_broken().map(|broken| Broken { incident: Some(id.clone()), ..broken });
            broken.extend(first);
        }
        broken.extend(self.broken_end());
        if let Some(anchors) = anchors {
            broken.extend(anchors.broken(self));
        }
        broken.dedup_by(|later, earlier| {
            later.incident.is_some() && later.incident == earlier.incident
        });
        Report {
            incidents: self.incidents(),
            events: self.events(),
            anchors: anchors.map_or(0, Anchors::len),
            partial: self.is_partial(),
            broken,
        }
    }

    pub(super) fn is_partial(&self) -> bool {
        self.end.as_ref().is_some_and(super::ExportEnd::is_partial)
    }

    /// What the last line says of the whole; an export of the table has none.
    fn broken_end(&self) -> Option<Broken> {
        let Some(end) = &self.end else {
            let detail =
                "the last line of the export is not there: lines after some place are gone";
            return self.ours.then(|| Broken::of(Wrong::Missing, detail));
        };
        if self.goes_on {
            return Some(Broken::of(
                Wrong::Inserted,
                "there are lines after the end of the export",
            ));
        }
        let (incidents, events) = (self.incidents(), self.events() as u64);
        let detail = format!(
            "the export had {} incidents and {} events, the file has {incidents} and {events}",
            end.incidents, end.events
        );
        if (incidents, events) == (end.incidents, end.events) {
            return None;
        }
        let wrong = if events > end.events { Wrong::Inserted } else { Wrong::Missing };
        Some(Broken::of(wrong, detail))
    }
}

impl Chain {
    pub(super) fn entry(&self, seq: u64) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.seq == seq)
    }

    fn first_broken(&self) -> Option<Broken> {
        let mut entries: Vec<&Entry> = self.entries.iter().collect();
        if self.ordered {
            let early = self.entries.iter().zip(self.entries.iter().skip(1));
            if let Some((before, entry)) = early.clone().find(|(one, next)| next.seq < one.seq) {
                let detail = format!("it stands after event {}", before.seq);
                return Some(Broken::of(Wrong::Reordered, detail).on(entry));
            }
        } else {
            entries.sort_by_key(|entry| entry.seq);
        }
        let mut before: Option<&Entry> = None;
        for (index, entry) in entries.iter().enumerate() {
            let expected = before.map_or(1, |before| before.seq + 1);
            if entry.seq < expected {
                let detail = format!("there are two events {}", entry.seq);
                return Some(Broken::of(Wrong::Inserted, detail).on(entry));
            }
            if entry.seq > expected {
                return Some(missing(expected, entry.seq - 1));
            }
            if entry.prev != before.map(|before| before.hash) {
                return Some(self.mismatch(before, entry, entries.get(index + 1)));
            }
            before = Some(entry);
        }
        self.broken_head(before)
    }

    /// Two neighbours do not fit: the one that differs is the one that its follower does not know either.
    fn mismatch(&self, before: Option<&Entry>, entry: &Entry, next: Option<&&Entry>) -> Broken {
        let follower = match next {
            Some(next) => next.prev,
            None => self.heads.first().map(|(_, head)| *head),
        };
        match before {
            Some(before) if follower == Some(entry.hash) => {
                let carried = entry.prev.map_or_else(|| "none".to_owned(), |prev| prev.to_string());
                let detail = format!(
                    "its hash is {}, and event {} carries {carried}",
                    before.hash, entry.seq
                );
                Broken::of(Wrong::Altered, detail).on(before)
            }
            Some(_) | None => {
                let detail = "the hash that it carries is not that of the event before it";
                Broken::of(Wrong::Altered, detail).on(entry)
            }
        }
    }

    /// What is known of the last event apart from the events.
    fn broken_head(&self, last: Option<&Entry>) -> Option<Broken> {
        let last_seq = last.map_or(0, |last| last.seq);
        let Some((version, head)) = self.heads.first() else {
            let detail =
                "the head of the incident is not there: its last events may be gone as well";
            return Some(Broken { seq: Some(last_seq + 1), ..Broken::of(Wrong::Missing, detail) });
        };
        if self.heads.len() > 1 {
            let detail = "the incident has two heads";
            return Some(Broken { seq: Some(last_seq), ..Broken::of(Wrong::Inserted, detail) });
        }
        if *version > last_seq {
            return Some(missing(last_seq + 1, *version));
        }
        let last = last?;
        if *version < last.seq {
            let detail = format!("the incident ends with event {version}");
            return Some(Broken::of(Wrong::Inserted, detail).on(last));
        }
        (last.hash != *head).then(|| {
            let detail =
                format!("its hash is {}, and the head of the incident is {head}", last.hash);
            Broken::of(Wrong::Altered, detail).on(last)
        })
    }
}

fn missing(first: u64, last: u64) -> Broken {
    let detail = match last - first {
        0 => format!("event {first} is not there"),
        _ => format!("events {first} to {last} are not there"),
    };
    Broken { seq: Some(first), ..Broken::of(Wrong::Missing, detail) }
}
