//! What an alarm measures: metrics, dimensions and threshold, in the spelling of the bus and of topics.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::event::{field, object_of, objects_of, snake_case, text_of};
use crate::sources::fields::present;

/// What all metrics of an alarm agree on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Metrics {
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    /// By label name.
    pub(super) dimensions: BTreeMap<String, String>,
    pub(super) expression: Option<String>,
    pub(super) statistic: Option<String>,
    pub(super) period: Option<String>,
    pub(super) threshold: Option<String>,
}

impl Metrics {
    /// `configuration` of an event, or `Trigger` of a message.
    pub(super) fn read(configuration: &Map<String, Value>) -> Self {
        let mut read = Self { threshold: text_of(configuration, "threshold"), ..Self::default() };
        let mut agreed: BTreeMap<String, Option<String>> = BTreeMap::new();
        let mut measured: Vec<(Option<String>, Option<String>)> = Vec::new();
        if text_of(configuration, "MetricName").is_some() {
            read.add(configuration, configuration, &mut agreed, &mut measured);
        }
        for query in objects_of(configuration, "metrics") {
            if let Some(stat) = object_of(query, "metricStat") {
                let metric = object_of(stat, "metric").unwrap_or(stat);
                read.add(stat, metric, &mut agreed, &mut measured);
            }
            if let Some(expression) = text_of(query, "expression") {
                match &mut read.expression {
                    Some(all) => all.extend(["; ", &expression]),
                    none => *none = Some(expression),
                }
                read.period = read.period.take().or_else(|| text_of(query, "period"));
            }
        }
        read.dimensions =
            agreed.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let one = |all: Vec<Option<String>>| {
            let first = all.first().cloned().flatten();
            first.filter(|_| all.iter().all(|other| Some(other) == all.first()))
        };
        let (namespaces, names) = measured.into_iter().unzip();
        (read.namespace, read.name) = (one(namespaces), one(names));
        read
    }

    fn add(
        &mut self,
        stat: &Map<String, Value>,
        metric: &Map<String, Value>,
        agreed: &mut BTreeMap<String, Option<String>>,
        measured: &mut Vec<(Option<String>, Option<String>)>,
    ) {
        let name = text_of(metric, "MetricName").or_else(|| text_of(metric, "name"));
        measured.push((text_of(metric, "namespace"), name));
        for (name, value) in dimensions(metric) {
            agreed
                .entry(snake_case(&name))
                .and_modify(|known| {
                    if known.as_ref() != Some(&value) {
                        *known = None;
                    }
                })
                .or_insert(Some(value));
        }
        let statistic = ["stat", "statistic", "extendedStatistic"];
        let statistic = statistic.iter().find_map(|name| text_of(stat, name));
        self.statistic = self.statistic.take().or(statistic);
        self.period = self.period.take().or_else(|| text_of(stat, "period"));
    }
}

/// A map on the bus, a list of names and values in a topic.
fn dimensions(metric: &Map<String, Value>) -> Vec<(String, String)> {
    match field(metric, "dimensions") {
        Some(Value::Object(map)) => {
            map.iter().filter_map(|(name, value)| Some((name.clone(), present(value)?))).collect()
        }
        _ => objects_of(metric, "dimensions")
            .filter_map(|pair| Some((text_of(pair, "name")?, text_of(pair, "value")?)))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(configuration: &Value) -> Metrics {
        Metrics::read(configuration.as_object().unwrap())
    }

    fn stat(dimensions: &Value, name: &str) -> Value {
        json!({"metricStat": {
            "metric": {"namespace": "AWS/EC2", "name": name, "dimensions": dimensions},
            "period": 86400, "stat": "Sum",
        }})
    }

    #[test]
    fn dimensions_on_which_metrics_disagree_are_no_labels() {
        let one = json!({"InstanceId": "i-1", "AutoScalingGroupName": "web"});
        let other = json!({"InstanceId": "i-2", "AutoScalingGroupName": "web"});
        let metrics = read(&json!({"metrics": [
            {"expression": "a / b", "returnData": true},
            stat(&one, "NetworkIn"), stat(&other, "NetworkOut"), stat(&one, "NetworkIn"),
        ]}));
        let agreed = [("auto_scaling_group_name".to_owned(), "web".to_owned())];
        assert_eq!(metrics.dimensions, agreed.into());
        assert_eq!((metrics.namespace.as_deref(), metrics.name), (Some("AWS/EC2"), None));
        assert_eq!(
            (metrics.period.as_deref(), metrics.expression.as_deref()),
            (Some("86400"), Some("a / b"))
        );
    }

    #[test]
    fn both_spellings_say_the_same() {
        let bus =
            read(&json!({"metrics": [stat(&json!({"InstanceId": "i-1"}), "CPUUtilization")]}));
        let topic = read(&json!({
            "MetricName": "CPUUtilization", "Namespace": "AWS/EC2", "StatisticType": "Statistic",
            "Statistic": "Sum", "Unit": null, "Dimensions": [{"value": "i-1", "name": "InstanceId"}],
            "Period": 86400,
        }));
        assert_eq!(bus, topic);
        assert_eq!(read(&json!({"metrics": 5, "dimensions": "x"})), Metrics::default());
    }
}
