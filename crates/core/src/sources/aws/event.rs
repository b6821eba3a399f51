//! An event of Amazon EventBridge, and how single fields of AWS messages are read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::arn::Arn;
use crate::sources::fields::present;
use crate::sources::times::{self, Time};
use crate::sources::{Delivery, Problem};

pub(super) const REMEDY: &str =
    "let the rule hand over the whole event, without `InputPath` and `InputTransformer`";

/// An event as it lies on the bus. AWS times it to the second; details often know more.
#[derive(Debug)]
pub(super) struct Event<'a> {
    pub(super) source: String,
    pub(super) detail_type: String,
    pub(super) detail: &'a Map<String, Value>,
    pub(super) account: Option<String>,
    pub(super) region: Option<String>,
    /// When it happened, or came where it does not say when it happened.
    pub(super) at: Timestamp,
    pub(super) is_dated: bool,
    pub(super) resources: Vec<String>,
}

impl<'a> Event<'a> {
    /// Whether an object is an event at all.
    pub(super) fn is_one(object: &Map<String, Value>) -> bool {
        object.contains_key("detail-type") && object.contains_key("source")
    }

    pub(super) fn read(
        object: &'a Map<String, Value>,
        delivery: &Delivery<'_>,
    ) -> Result<Self, Problem> {
        let text = |name: &str| {
            text_of(object, name).ok_or_else(|| Problem::field(name, "is missing", REMEDY))
        };
        let detail = object.get("detail").or_else(|| object.get("alarmData"));
        let detail = detail
            .and_then(Value::as_object)
            .ok_or_else(|| Problem::field("detail", "is not an object", REMEDY))?;
        let time = time_of(object, "time");
        let resources = object.get("resources").and_then(Value::as_array);
        Ok(Self {
            source: text("source")?,
            detail_type: text("detail-type")?,
            detail,
            account: text_of(object, "account"),
            region: text_of(object, "region"),
            at: time.unwrap_or(delivery.received_at),
            is_dated: time.is_some(),
            resources: resources.into_iter().flatten().filter_map(present).collect(),
        })
    }

    pub(super) fn detail(&self, name: &str) -> Option<String> {
        text_of(self.detail, name)
    }

    /// A field that the event says nothing without.
    pub(super) fn required(&self, name: &str) -> Result<String, Problem> {
        self.detail(name)
            .ok_or_else(|| Problem::field(&format!("detail.{name}"), "is missing", REMEDY))
    }

    pub(super) fn time(&self, name: &str) -> Option<Timestamp> {
        time_of(self.detail, name)
    }

    /// The first resource of a service, such as the alarm among the resources of its event.
    pub(super) fn resource(&self, service: &str) -> Option<Arn> {
        self.resources.iter().filter_map(|text| Arn::read(text)).find(|arn| arn.service == service)
    }
}

/// A field by its name, whatever its case: the same field is `name` on the bus and `Name` in a topic.
pub(super) fn field<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| {
        object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    })
}

pub(super) fn text_of(object: &Map<String, Value>, name: &str) -> Option<String> {
    field(object, name).and_then(present)
}

pub(super) fn object_of<'a>(
    object: &'a Map<String, Value>,
    name: &str,
) -> Option<&'a Map<String, Value>> {
    field(object, name).and_then(Value::as_object)
}

/// The objects of a list; what is no list has none.
pub(super) fn objects_of<'a>(
    object: &'a Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = &'a Map<String, Value>> {
    field(object, name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

pub(super) fn time_of(object: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    time(field(object, name)?)
}

/// Spaces inside a time are dropped where that makes it one: the vendor's own examples have them.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    let as_moment = |value: &Value| match times::time(Some(value)) {
        Time::At(at) => Some(at),
        Time::Absent | Time::Unreadable => None,
    };
    as_moment(value).or_else(|| {
        let whole: String = value.as_str()?.split_whitespace().collect();
        as_moment(&Value::String(whole))
    })
}

/// `InstanceId` as `instance_id`: one spelling of a label, whichever service speaks of the thing.
pub(super) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut chars = name.trim().chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        let next_is_lower = chars.peek().is_some_and(char::is_ascii_lowercase);
        let starts_word = c.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit())
            || c.is_uppercase() && before.is_uppercase() && next_is_lower;
        if c.is_alphanumeric() {
            if starts_word {
                snake.push('_');
            }
            snake.extend(c.to_lowercase());
        } else if before.is_alphanumeric() {
            snake.push('_');
        }
        before = c;
    }
    snake.trim_end_matches('_').to_owned()
}

/// Labels or annotations, without those that say nothing.
pub(super) fn texts<const N: usize>(
    pairs: [(&str, Option<String>); N],
) -> BTreeMap<String, String> {
    pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_of_every_service_are_read() {
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        for (value, expected) in [
            (json!("2019-10-02T17:04:40.989+0000"), at("2019-10-02T17:04:40.989Z")),
            (json!("2023-08-04T12: 36: 15.490+0000"), at("2023-08-04T12:36:15.490Z")),
            (json!("Thu, 02 Aug 2018 05:30:00 GMT"), at("2018-08-02T05:30:00Z")),
            (json!("Thu, 2 Aug 2018 05:30:00 +0200"), at("2018-08-02T03:30:00Z")),
            (json!(1_772_359_200_000_i64), at("2026-03-01T10:00:00Z")),
            (json!("1970-01-01T00:00:00Z"), None),
            (json!("Thu, 01 Jan 1970 00:00:00 GMT"), None),
            (json!("Friday 22 July, 2022 15:57:45 UTC"), None),
            (json!("2018-08-02 05:30"), None),
            (json!(null), None),
        ] {
            assert_eq!(time(&value), expected, "{value}");
        }
    }

    #[test]
    fn names_of_dimensions_become_names_of_labels() {
        for (name, expected) in [
            ("InstanceId", "instance_id"),
            ("DBInstanceIdentifier", "db_instance_identifier"),
            ("AutoScalingGroupName", "auto_scaling_group_name"),
            ("LoadBalancer", "load_balancer"),
            ("Availability Zone", "availability_zone"),
            ("service.name", "service_name"),
            ("service", "service"),
            ("Ec2Id", "ec2_id"),
            ("ECSTask-Arn ", "ecs_task_arn"),
            ("--", ""),
        ] {
            assert_eq!(snake_case(name), expected, "{name}");
        }
    }
}
