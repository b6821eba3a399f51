//! The key of a group: by which route, and with which values of its labels.

use super::{GroupBy, Route};
use crate::alert::{Alert, Identity};
use crate::fingerprint::digest;

/// An alert that nothing identifies is in no group with one that something does: it may notify and never acts.
pub(super) fn key(route: &Route, alert: &Alert) -> String {
    let labels = labels(route, alert);
    let parts = labels.iter().flat_map(|(name, value)| [*name, *value]);
    let domain = match alert.identity {
        Identity::Strong => "group:v2",
        Identity::Weak => "group:v2:weak",
    };
    format!("grp2_{}", digest(domain, std::iter::once(route.id.as_str()).chain(parts)))
}

/// Names and values that make the group; a label that the alert lacks is simply absent.
pub(super) fn labels<'a>(route: &'a Route, alert: &'a Alert) -> Vec<(&'a str, &'a str)> {
    let mut labels: Vec<(&str, &str)> = match &route.group_by {
        GroupBy::Rule => {
            vec![("source", &alert.source), ("service", &alert.service), ("alertname", &alert.name)]
        }
        GroupBy::All => {
            alert.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
        }
        GroupBy::Labels(names) => {
            names.iter().map(|name| (name.as_str(), alert.label(name))).collect()
        }
    };
    labels.retain(|(_, value)| !value.is_empty());
    labels.sort_unstable();
    labels
}
