//! The route tree: receivers become channels, old forms of matchers the one form.

use firebreak_core::matcher::{Comparison, Matcher, Matchers};
use serde_json::{Map, Value, json};

use super::node::{Entry, Node};
use super::{Work, duration};

pub(super) fn root(route: &Entry, work: &mut Work) -> Value {
    let mut ours = node(&route.value, route.line, "route", work).unwrap_or_default();
    if !ours.contains_key("group_by") {
        // Alertmanager's default; ours would be source, service and rule.
        ours.insert("group_by".to_owned(), json!([]));
        let text = "none is written: as in Alertmanager all alerts of this route are one group; leave `group_by` out for one incident per rule and service";
        work.say(route.line, "route.group_by", text);
    }
    for refused in ["matchers", "continue", "mute_time_intervals", "active_time_intervals"] {
        if ours.remove(refused).is_some() {
            work.say(
                route.line,
                format!("route.{refused}"),
                "the first route takes every alert; left out",
            );
        }
    }
    Value::Object(ours)
}

/// `None`: a route whose matchers cannot be read would take alerts that are not its own.
fn node(route: &Node, line: u64, place: &str, work: &mut Work) -> Option<Map<String, Value>> {
    let mut ours = Map::new();
    match matchers(route, ["match", "match_re", "matchers"]) {
        Ok(matchers) if matchers.is_empty() => {}
        Ok(matchers) => drop(ours.insert("matchers".to_owned(), json!(matchers))),
        Err(problem) => {
            let text =
                format!("left out with all below it, its alerts go to the route above: {problem}");
            work.say(line, place, text);
            return None;
        }
    }
    for entry in route.entries() {
        let at = format!("{place}.{}", entry.key);
        let written = match entry.key.as_str() {
            "match" | "match_re" | "matchers" => None,
            "receiver" => receiver(entry, &at, work).map(|channels| ("channels", json!(channels))),
            "group_by" => Some(("group_by", json!(entry.value.texts()))),
            "continue" => entry.value.is_true().then_some(("continue", Value::Bool(true))),
            key @ ("group_wait" | "group_interval" | "repeat_interval") => {
                let ours = entry.value.text().and_then(duration::ours);
                if ours.is_none() {
                    work.say(
                        entry.line,
                        &at,
                        "it is not a duration such as `5m`; the default holds",
                    );
                }
                ours.map(|duration| (key, json!(duration)))
            }
            key @ ("mute_time_intervals" | "active_time_intervals") => {
                let names = intervals(entry, &at, work);
                (!names.is_empty()).then(|| (key, json!(names)))
            }
            "routes" => Some(("routes", below(entry, &at, work))),
            _ => {
                work.say(entry.line, &at, "there is nothing like it here");
                None
            }
        };
        if let Some((key, value)) = written {
            ours.insert(key.to_owned(), value);
        }
    }
    Some(ours)
}

fn below(entry: &Entry, place: &str, work: &mut Work) -> Value {
    let routes = entry.value.items().iter().enumerate();
    let routes = routes.filter_map(|(index, (line, route))| {
        node(route, *line, &format!("{place}[{index}]"), work).map(Value::Object)
    });
    Value::Array(routes.collect())
}

fn receiver(entry: &Entry, place: &str, work: &mut Work) -> Option<Vec<String>> {
    let known = entry.value.text().and_then(|name| work.receivers.get(name)).cloned();
    if known.is_none() {
        work.say(
            entry.line,
            place,
            "there is no such receiver; the channels of the route above hold",
        );
    }
    known
}

/// An interval that could not be carried over is not named: then the route tells, rather than keep quiet.
fn intervals(entry: &Entry, place: &str, work: &mut Work) -> Vec<String> {
    let names = entry.value.texts();
    let (known, gone): (Vec<String>, Vec<String>) =
        names.into_iter().partition(|name| work.intervals.contains_key(name));
    if !gone.is_empty() {
        let text = format!("left out, the route tells at those times: {}", gone.join(", "));
        work.say(entry.line, place, text);
    }
    known
}

/// The matchers of the three ways to write them, as texts; all of them must fit.
pub(super) fn matchers(of: &Node, keys: [&str; 3]) -> Result<Vec<String>, String> {
    let [equal, regex, list] = keys;
    let mut written = Vec::new();
    for (key, comparison) in [(equal, Comparison::Equal), (regex, Comparison::Matches)] {
        for entry in of.get(key).map(|entry| entry.value.entries()).unwrap_or_default() {
            let value = entry.value.text().unwrap_or_default();
            let matcher = Matcher::new(&entry.key, comparison, value)
                .map_err(|problem| format!("`{key}.{}`: {problem}", entry.key))?;
            written.push(matcher.to_string());
        }
    }
    for text in of.get(list).map(|entry| entry.value.texts()).unwrap_or_default() {
        let matchers = Matchers::read(&text).map_err(|bad| bad.to_string())?;
        written.extend(matchers.iter().map(ToString::to_string));
    }
    Ok(written)
}
