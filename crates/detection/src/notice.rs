//! What the detector says: an alert that fires or is over, in the plain form that intake takes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

/// Whether it begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Firing,
    Resolved,
}

impl State {
    pub fn word(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

/// One alert of a rule about one key.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    pub rule: String,
    pub state: State,
    pub severity: &'static str,
    pub service: Option<String>,
    pub title: String,
    /// The values of `per`, by name.
    pub key: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    /// Event time.
    pub starts_at: Timestamp,
    pub ends_at: Option<Timestamp>,
}

impl Notice {
    /// The same for every message about the same rule and key: `failed-logins{address="10.0.0.1",user="ana"}`.
    pub fn identity(&self) -> String {
        identity(&self.rule, &self.key)
    }

    /// As `firebreak.alert.v1`.
    pub fn plain(&self) -> Value {
        let mut labels = self.labels.clone();
        labels.extend(self.key.clone());
        labels.insert("rule".to_owned(), self.rule.clone());
        let mut plain = json!({
            "schema": "firebreak.alert.v1",
            "dedup_key": self.identity(),
            "episode": self.starts_at.to_string(),
            "status": self.state.word(),
            "severity": self.severity,
            "name": self.rule,
            "title": self.title,
            "labels": labels,
            "annotations": self.annotations,
            "starts_at": self.starts_at.to_string(),
        });
        if let Some(fields) = plain.as_object_mut() {
            fields
                .extend(self.service.clone().map(|service| ("service".to_owned(), service.into())));
            let ended = self.ends_at.map(|at| ("ends_at".to_owned(), at.to_string().into()));
            fields.extend(ended);
        }
        plain
    }

    /// The plain alert in a `CloudEvents` envelope. Sent twice, it is known as the same event.
    pub fn cloud_event(&self) -> Value {
        let at = self.ends_at.unwrap_or(self.starts_at);
        json!({
            "specversion": "1.0",
            "id": format!("{}@{}/{}", self.identity(), self.starts_at, self.state.word()),
            "source": "firebreak/detect",
            "type": format!("dev.firebreak.detect.{}", self.state.word()),
            "time": at.to_string(),
            "datacontenttype": "application/json",
            "data": self.plain(),
        })
    }
}

fn identity(rule: &str, key: &BTreeMap<String, String>) -> String {
    if key.is_empty() {
        return rule.to_owned();
    }
    let mut text = format!("{rule}{{");
    for (index, (name, value)) in key.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // Writing to a text cannot fail.
        write!(text, "{comma}{name}={value:?}").unwrap_or_default();
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_differ_have_identities_that_differ() {
        let of = |pairs: &[(&str, &str)]| {
            let key = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            identity("r", &key)
        };
        assert_eq!(of(&[]), "r");
        assert_eq!(
            of(&[("user", "ana"), ("address", "10.0.0.1")]),
            "r{address=\"10.0.0.1\",user=\"ana\"}"
        );
        assert_ne!(of(&[("a", "x\",b=\"y")]), of(&[("a", "x"), ("b", "y")]));
    }
}
