//! A stretch of the calendar in a runbook: the name of one in the policy, or written in place.

use std::borrow::Cow;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::policy::{TimeInterval, TimeIntervals};

/// `business-hours`, or `{ weekdays: ["monday:friday"], times: [{ start_time: 09:00, end_time: 17:00 }] }`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Window {
    /// One of `time_intervals` in the policy.
    Named(String),
    Inline(Box<TimeInterval>),
}

impl Window {
    /// Whether it holds; `Err` names an interval that the policy does not have.
    pub fn contains(&self, at: Timestamp, intervals: &TimeIntervals) -> Result<bool, String> {
        match self {
            Window::Named(name) => intervals
                .get(name)
                .map(|interval| interval.contains(at))
                .ok_or_else(|| format!("the policy has no time interval `{name}`")),
            Window::Inline(interval) => Ok(interval.contains(at)),
        }
    }

    pub fn name(&self) -> Option<&str> {
        match self {
            Window::Named(name) => Some(name),
            Window::Inline(_) => None,
        }
    }

    /// For reasons: its name, or its keys.
    pub fn words(&self) -> String {
        match self {
            Window::Named(name) => format!("`{name}`"),
            Window::Inline(interval) => serde_json::to_string(interval).unwrap_or_default(),
        }
    }
}

impl<'de> Deserialize<'de> for Window {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrKeys;
        impl<'de> Visitor<'de> for NameOrKeys {
            type Value = Window;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the name of a time interval of the policy, or its keys (`weekdays`, `times`, ...)")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Window, E> {
                Ok(Window::Named(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Window, A::Error> {
                let interval = TimeInterval::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Window::Inline(Box::new(interval)))
            }
        }
        deserializer.deserialize_any(NameOrKeys)
    }
}

impl JsonSchema for Window {
    fn schema_name() -> Cow<'static, str> {
        "Window".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let ranges = |example: &str| {
            serde_json::json!({
                "type": "array", "minItems": 1, "items": { "type": ["string", "integer"] }, "examples": [[example]],
            })
        };
        json_schema!({
            "description": "The name of a time interval of the policy, or one written in place.",
            "anyOf": [
                { "type": "string", "minLength": 1 },
                {
                    "type": "object",
                    "additionalProperties": false,
                    "minProperties": 1,
                    "properties": {
                        "times": { "type": "array", "minItems": 1, "items": {
                            "type": "object",
                            "additionalProperties": false,
                            "required": ["start_time", "end_time"],
                            "properties": {
                                "start_time": { "type": "string", "examples": ["09:00"] },
                                "end_time": { "type": "string", "examples": ["17:00"] },
                            },
                        } },
                        "weekdays": ranges("monday:friday"),
                        "days_of_month": ranges("-3:-1"),
                        "months": ranges("december"),
                        "years": ranges("2026:2028"),
                        "location": { "type": "string", "examples": ["Europe/Vienna"] },
                    },
                },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::at;

    fn window(yaml: &str) -> Result<Window, String> {
        serde_saphyr::from_str(yaml).map_err(|error| error.to_string())
    }

    #[test]
    fn a_window_is_a_name_or_is_written_in_place_and_reads_back() {
        for yaml in ["business-hours", "{weekdays: ['monday:friday'], location: Europe/Vienna}"] {
            let read = window(yaml).unwrap();
            let json = serde_json::to_string(&read).unwrap();
            assert_eq!(serde_json::from_str::<Window>(&json).unwrap(), read, "{json}");
        }
    }

    #[test]
    fn a_key_that_no_interval_has_is_an_error_that_names_it() {
        let error = window("{weekday: [monday]}").unwrap_err();
        assert!(error.contains("weekday"), "{error}");
        assert!(window("[]").is_err() && window("7").is_err());
    }

    #[test]
    fn a_name_that_the_policy_lacks_is_no_answer() {
        let answer = window("nights").unwrap().contains(at(0), &TimeIntervals::default());
        assert!(answer.unwrap_err().contains("`nights`"));
        assert_eq!(
            window("{years: ['2026']}").unwrap().contains(at(0), &TimeIntervals::default()),
            Ok(true)
        );
    }
}
