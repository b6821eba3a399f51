//! A copy of the record, line by line: an export of the local store, or of the DynamoDB table.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::EventHash;
use crate::ids::IncidentId;

/// What an export of the local store says of each incident after its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadLine {
    pub incident: IncidentId,
    /// The number of its last event.
    pub version: u64,
    /// The hash of its last event.
    pub head: EventHash,
}

/// The last line of an export of the local store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportEnd {
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    pub incidents: usize,
    pub events: u64,
}

impl ExportEnd {
    /// Whether it left incidents out that it was not asked for.
    pub fn is_partial(&self) -> bool {
        self.from.is_some() || self.to.is_some()
    }

    pub fn line(&self) -> Value {
        json!({"export": self})
    }
}

/// An event as its line has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) line: usize,
    pub(super) seq: u64,
    pub(super) prev: Option<EventHash>,
    pub(super) hash: EventHash,
}

/// One incident of the copy.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Chain {
    /// In the order of the copy.
    pub(super) entries: Vec<Entry>,
    /// Its number and hash of the last event, as the copy says apart from the events.
    pub(super) heads: Vec<(u64, EventHash)>,
    /// The copy promises an order.
    pub(super) ordered: bool,
}

/// A copy that is being read.
#[derive(Debug, Clone, Default)]
pub struct Copy {
    pub(super) chains: BTreeMap<IncidentId, Chain>,
    pub(super) end: Option<ExportEnd>,
    /// Something followed the last line.
    pub(super) goes_on: bool,
    pub(super) unreadable: Vec<(usize, String)>,
    pub(super) ours: bool,
}

enum Line {
    Event { incident: IncidentId, entry: Entry, ordered: bool },
    Head(HeadLine),
    End(ExportEnd),
    Other,
}

impl Copy {
    /// Takes one line in, by its number from 1. Empty lines are none.
    pub fn take(&mut self, number: usize, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        self.goes_on |= self.end.is_some();
        match read(number, text) {
            Ok(Line::Event { incident, entry, ordered }) => {
                self.ours |= ordered;
                let chain = self.chains.entry(incident).or_default();
                chain.ordered |= ordered;
                chain.entries.push(entry);
            }
            Ok(Line::Head(HeadLine { incident, version, head })) => {
                self.chains.entry(incident).or_default().heads.push((version, head));
            }
            Ok(Line::End(end)) => self.end = Some(end),
            Ok(Line::Other) => {}
            Err(why) => self.unreadable.push((number, why)),
        }
    }

    pub fn incidents(&self) -> usize {
        self.chains.len()
    }

    pub fn events(&self) -> usize {
        self.chains.values().map(|chain| chain.entries.len()).sum()
    }
}

fn read(number: usize, text: &str) -> Result<Line, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
    if let Some(item) = value.get("Item") {
        return of_table(number, item);
    }
    if let Some(end) = value.get("export") {
        let end = serde_json::from_value(end.clone());
        return end.map(Line::End).map_err(|error| format!("no end of an export: {error}"));
    }
    if value.get("head").is_some() {
        let head = serde_json::from_value(value);
        return head.map(Line::Head).map_err(|error| format!("no head of an incident: {error}"));
    }
    event(number, &value, true)
}

fn event(number: usize, value: &Value, ordered: bool) -> Result<Line, String> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let incident = text("incident").ok_or("an event without `incident`")?;
    let incident = IncidentId::try_from(incident.to_owned()).map_err(|bad| bad.to_string())?;
    let seq = value.get("seq").and_then(Value::as_u64).ok_or("an event without `seq`")?;
    let prev = match value.get("prev") {
        None => None,
        Some(prev) => {
            let prev = prev.as_str().unwrap_or_default().to_owned();
            Some(EventHash::try_from(prev).map_err(|bad| format!("`prev`: {bad}"))?)
        }
    };
    let entry = Entry { line: number, seq, prev, hash: EventHash::of(value) };
    Ok(Line::Event { incident, entry, ordered })
}

/// An item of an export in DynamoDB JSON; what is neither an event nor a state says nothing here.
fn of_table(number: usize, item: &Value) -> Result<Line, String> {
    let text = |name: &str| item.pointer(&format!("/{name}/S")).and_then(Value::as_str);
    let Some(incident) = text("pk").and_then(|pk| pk.strip_prefix("INC#")) else {
        return Ok(Line::Other);
    };
    let sk = text("sk").unwrap_or_default();
    let body = || -> Result<Value, String> {
        let body = text("body").ok_or_else(|| format!("the item {incident} {sk} has no `body`"))?;
        serde_json::from_str(body).map_err(|error| format!("`body` of {incident} {sk}: {error}"))
    };
    if let Some(digits) = sk.strip_prefix("EVT#") {
        let seq: u64 =
            digits.parse().map_err(|_| format!("`{digits}` is no number of an event"))?;
        let at = text("at").ok_or_else(|| format!("the item {incident} {sk} has no `at`"))?;
        let mut value = json!({"incident": incident, "seq": seq, "at": at, "event": body()?});
        if let (Some(prev), Some(members)) = (text("prev"), value.as_object_mut()) {
            members.insert("prev".to_owned(), prev.into());
        }
        return event(number, &value, false);
    }
    if sk != "META" {
        return Ok(Line::Other);
    }
    let state = body()?;
    let part = |name: &str| state.get(name).cloned().unwrap_or_default();
    let head = json!({"incident": incident, "version": part("version"), "head": part("head")});
    let head = serde_json::from_value(head);
    head.map(Line::Head).map_err(|error| format!("the state of {incident}: {error}"))
}
