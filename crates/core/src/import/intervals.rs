//! `time_intervals`, and `mute_time_intervals` as they were once called.

use serde::Deserialize as _;
use serde_json::Value;

use super::Work;
use super::node::{Entry, Node};
use crate::policy::NamedInterval;
use crate::policy::time_interval::TimeInterval;

pub(super) fn carry(section: &Entry, work: &mut Work) {
    if !matches!(section.value, Node::Null | Node::List(_)) {
        work.say(section.line, &section.key, "left out: it is not a list", "write one");
    }
    for (index, (line, interval)) in section.value.items().iter().enumerate() {
        let read = named(interval).and_then(|named| match work.intervals.get(&named.name) {
            Some(_) => Err("another one has this name already".to_owned()),
            None => Ok(named),
        });
        match read {
            Ok(named) => work.intervals.0.push(named),
            Err(why) => work.say(
                *line,
                format!("{}[{index}]", section.key),
                format!("left out: {why}"),
                "write it by hand under `time_intervals`, and name it in the routes again",
            ),
        }
    }
}

/// An interval of which a part is not understood might keep people from hearing.
fn named(interval: &Node) -> Result<NamedInterval, String> {
    let unknown = |entry: &&Entry| !["name", "time_intervals"].contains(&entry.key.as_str());
    if let Some(entry) = interval.entries().iter().find(unknown) {
        return Err(format!("`{}` is not known here", entry.key));
    }
    let name = interval.get("name").and_then(|entry| entry.value.text()).map(str::trim);
    let name = name.filter(|name| !name.is_empty()).ok_or("it has no name")?;
    let parts = interval.get("time_intervals").map_or(&[][..], |entry| entry.value.items());
    if parts.is_empty() {
        return Err("it is empty and never holds".to_owned());
    }
    let time_intervals = parts.iter().map(|(_, node)| part(node)).collect::<Result<_, _>>()?;
    Ok(NamedInterval { name: name.to_owned(), time_intervals })
}

/// An empty field limits nothing there, and is an error here.
fn part(fields: &Node) -> Result<TimeInterval, String> {
    if let Some(location) = fields.get("location")
        && location.value.text() == Some("Local")
    {
        return Err(
            "`location: Local` is the clock of one machine; name a zone such as `Europe/Vienna`"
                .to_owned(),
        );
    }
    let given: Value = match fields {
        Node::Map(entries) => entries
            .iter()
            .filter(|entry| !entry.value.is_empty())
            .map(|entry| (entry.key.clone(), entry.value.plain()))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Node::Null | Node::Scalar(_) | Node::List(_) => fields.plain(),
    };
    TimeInterval::deserialize(given).map_err(|error| error.to_string())
}
