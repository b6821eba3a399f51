//! Inhibit rules and time intervals, old forms and new.

use firebreak_core::policy::NamedInterval;
use serde_json::{Map, Value, json};

use super::Work;
use super::node::Entry;
use super::routes::matchers;

pub(super) fn inhibit(rules: &Entry, work: &mut Work) -> Vec<Value> {
    let mut ours = Vec::new();
    for (index, (line, rule)) in rules.value.items().iter().enumerate() {
        let place = format!("inhibit_rules[{index}]");
        let source = matchers(rule, ["source_match", "source_match_re", "source_matchers"]);
        let target = matchers(rule, ["target_match", "target_match_re", "target_matchers"]);
        let sides = match (source, target) {
            (Ok(source), Ok(target)) if !source.is_empty() && !target.is_empty() => {
                (source, target)
            }
            (Err(problem), _) | (_, Err(problem)) => {
                work.say(*line, place, format!("left out, it mutes nothing: {problem}"));
                continue;
            }
            (Ok(_), Ok(_)) => {
                let text =
                    "left out, it mutes nothing: a side without matchers would be every alert";
                work.say(*line, place, text);
                continue;
            }
        };
        let mut written = Map::new();
        written.insert("source_matchers".to_owned(), json!(sides.0));
        written.insert("target_matchers".to_owned(), json!(sides.1));
        for entry in rule.entries() {
            match entry.key.as_str() {
                "equal" => drop(written.insert("equal".to_owned(), json!(entry.value.texts()))),
                "name" => drop(written.insert("name".to_owned(), entry.value.plain())),
                key if key.starts_with("source_match") || key.starts_with("target_match") => {}
                key => {
                    let text = "there is nothing like it here";
                    work.say(entry.line, format!("{place}.{key}"), text);
                }
            }
        }
        ours.push(Value::Object(written));
    }
    ours
}

pub(super) fn intervals(section: &Entry, work: &mut Work) {
    for (index, (line, interval)) in section.value.items().iter().enumerate() {
        let place = format!("{}[{index}]", section.key);
        let mut ours = interval.plain();
        if let Some(list) = ours.get_mut("time_intervals").and_then(Value::as_array_mut) {
            for one in list.iter_mut().filter_map(Value::as_object_mut) {
                if one.get("location").is_some_and(|location| location == "Local") {
                    one.insert("location".to_owned(), json!("UTC"));
                    work.say(
                        *line,
                        &place,
                        "`Local` became UTC: name the time zone, such as `Europe/Vienna`",
                    );
                }
            }
        }
        let named: Result<NamedInterval, _> = serde_json::from_value(ours.clone());
        match named {
            Ok(named) if !named.time_intervals.is_empty() => {
                drop(work.intervals.insert(named.name, ours));
            }
            Ok(_) => work.say(*line, place, "left out: it is empty and would never hold"),
            Err(error) => work.say(*line, place, format!("left out: {error}")),
        }
    }
}
