//! Reading one line of a log: JSON or logfmt, with a time, a service, a level, a message and fields.

mod json;
mod logfmt;
mod time;

use std::collections::HashMap;

use foldhash::fast::RandomState;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::event::{Event, Field};
use crate::paths::{Branch, Paths};
use crate::rules::LogShape;

/// Why a line is no event. The text says what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("it is neither a JSON object nor logfmt (`key=value ...`)")]
    Format,
    #[error("the JSON is not complete or not valid")]
    Json,
    #[error("it has no time; name the field that holds it under `log.time`")]
    NoTime,
    #[error("its time cannot be read; write RFC 3339 or seconds since 1970")]
    Time,
    #[error("its time is more than five minutes ahead of the clock")]
    Ahead,
}

/// How far a clock of a sender may be ahead.
const MOST_AHEAD_MS: i64 = 5 * 60 * 1000;

/// Whether the whole of each line is needed, by expressions that have no quick form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Slots,
    Whole,
}

/// The parts of an event that have a name of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Time,
    Service,
    Level,
    Message,
}

/// Reads lines into the slots that rules ask for.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    /// The names of what every event has; of a name that stands for two, the first.
    named: HashMap<String, Part, RandomState>,
    need: Need,
    fields: Branch,
    /// Slots of service, level and message, where somebody asks for them.
    parts: [Option<usize>; 3],
}

impl Reader {
    /// After every rule has taken its slots.
    pub(crate) fn new(shape: LogShape, need: Need, paths: &Paths) -> Self {
        let slot = |name| paths.next(Paths::ROOT, name).and_then(|branch| paths.slot_of(branch));
        let fields = paths.next(Paths::ROOT, "fields").unwrap_or(Paths::ROOT);
        let mut named = HashMap::default();
        for (part, names) in [
            (Part::Time, shape.time),
            (Part::Service, shape.service),
            (Part::Level, shape.level),
            (Part::Message, shape.message),
        ] {
            for name in names {
                named.entry(name).or_insert(part);
            }
        }
        Self { named, need, fields, parts: ["service", "level", "message"].map(slot) }
    }

    pub(crate) fn read<'a>(
        &self,
        line: &'a str,
        now: Timestamp,
        paths: &Paths,
    ) -> Result<Event<'a>, Malformed> {
        let line = line.trim();
        let mut found = Found { at: None, slots: vec![None; paths.len()] };
        if line.starts_with('{') {
            json::read(self, line, paths, &mut found)?;
        } else {
            logfmt::read(self, line, paths, &mut found)?;
        }
        let at = found.at.ok_or(Malformed::NoTime)??;
        if at > now.as_millisecond().saturating_add(MOST_AHEAD_MS) {
            return Err(Malformed::Ahead);
        }
        let whole = (self.need == Need::Whole).then(|| self.whole(line));
        Ok(Event::new(at, found.slots, whole))
    }

    fn part(&self, name: &str) -> Option<Part> {
        self.named.get(name).copied()
    }

    fn slot_of(&self, part: Part) -> Option<usize> {
        let [service, level, message] = self.parts;
        match part {
            Part::Time => None,
            Part::Service => service,
            Part::Level => level,
            Part::Message => message,
        }
    }

    /// The event as expressions see it, for the interpreter.
    fn whole(&self, line: &str) -> Value {
        let entries: Map<String, Value> = if line.starts_with('{') {
            serde_json::from_str(line).unwrap_or_default()
        } else {
            logfmt::entries(line)
        };
        let mut event = Map::new();
        let mut fields = Map::new();
        for (name, value) in entries {
            let own = match self.part(&name) {
                Some(Part::Time) => continue,
                Some(Part::Service) => "service",
                Some(Part::Level) => "level",
                Some(Part::Message) => "message",
                None => {
                    match value {
                        Value::Object(inner) if name == "fields" => fields.extend(inner),
                        value => drop(fields.insert(name, value)),
                    }
                    continue;
                }
            };
            event.insert(own.to_owned(), value);
        }
        event.insert("fields".to_owned(), Value::Object(fields));
        Value::Object(event)
    }
}

/// What is known of a line so far.
struct Found<'a> {
    at: Option<Result<i64, Malformed>>,
    slots: Vec<Option<Field<'a>>>,
}

impl<'a> Found<'a> {
    fn set(&mut self, slot: Option<usize>, field: Field<'a>) {
        if let Some(place) = slot.and_then(|slot| self.slots.get_mut(slot)) {
            *place = Some(field);
        }
    }

    fn time(&mut self, field: &Field<'_>) {
        let read = match field {
            Field::Text(text) => time::of_text(text),
            Field::Number(number) => time::of_number(*number),
            _ => None,
        };
        // Of several names the one that can be read is the time.
        if !matches!(self.at, Some(Ok(_))) {
            self.at = Some(read.ok_or(Malformed::Time));
        }
    }
}

#[cfg(test)]
mod tests;
