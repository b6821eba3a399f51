//! Datadog: monitors through the template `firebreak.datadog.v1`, the default payload, and other templates.
//!
//! Datadog has no body of its own: it fills in a template. Field names are read without case and separators and by the
//! names that common templates give them, one level of objects included (`alert.alert_id`). What a field does not
//! say is taken from the title (`[P2] [Triggered on {scope}] name`) and from the link to the monitor below the text.
//!
//! **Identity.** The monitor and its scope (the group that fired); with no scope to tell groups apart, `$AGGREG_KEY` too,
//! or `$ALERT_CYCLE_KEY`. `$ID` is another one for each message. What cannot tell the groups of a monitor apart
//! identifies nothing, and the alert is weak.
//!
//! **Episode.** `$ALERT_CYCLE_KEY`, the same from trigger to recovery: a renotification goes on with it whenever it is sent.
//!
//! **News.** Title, state, severity and labels. The text and the transition's word differ in every message; they are kept
//! with the first one and are never news by themselves.

mod text;
mod title;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use self::text::Monitor;
use self::title::{Title, Transition, is_priority};
use super::fields::{self, is_absent, link, present, shorten};
use super::template::{self, Body, Template};
use super::times::{Time, time};
use super::{Delivery, Intake, Problem, Source, json};
use crate::alert::{Alert, AlertStatus, Draft, Severity};
use crate::fingerprint::{Field, IdentityInputs};

const NAME: &str = "datadog";
const OURS: &str = "firebreak.datadog.v1";
const REMEDY: &str = "use the template `firebreak.datadog.v1` (`datadog/payload.json`), with every variable between double quotes";
/// Bytes of one annotation; the event itself is a click away.
const LONGEST_ANNOTATION: usize = 8192;

// Names of each field, normalised, ours first.
const SCHEMA: &[&str] = &["schema"];
const CYCLE: &[&str] = &["cyclekey", "alertcyclekey"];
const AGGREG: &[&str] = &["aggregkey", "alertaggregkey", "eventaggregkey"];
const MONITOR: &[&str] = &["monitorid", "alertid"];
const TRANSITION: &[&str] = &["transition", "alerttransition"];
const TYPE: &[&str] = &["alerttype"];
const PRIORITY: &[&str] = &["alertpriority", "priority"];
const SEVERITY: &[&str] = &["severity", "alertseverity"];
const SCOPE: &[&str] = &["scope", "alertscope", "scopes"];
const DATE: &[&str] =
    &["datems", "date", "lastupdated", "dateposix", "lastupdatedposix", "eventdate"];
const ORG: &[&str] = &["orgid"];
const HOST: &[&str] = &["host", "hostname", "alerthost"];
const TAGS: &[&str] = &["tags", "eventtags", "alerttags"];
const EVENT: &[&str] = &["link", "url", "eventurl"];
const SNAPSHOT: &[&str] = &["snapshot"];
const TITLE: &[&str] = &["title", "alerttitle", "eventtitle", "monitorname"];
const TEXT: &[&str] = &["text", "textonlymsg", "body", "eventmsg", "message"];
/// Annotation names and the fields that they come from.
const ANNOTATIONS: &[(&str, &[&str])] = &[
    ("event_type", &["eventtype"]),
    ("metric", &["metric", "alertmetric"]),
    ("query", &["query", "alertquery"]),
];
const KNOWN: &[&[&str]] = &[
    SCHEMA, CYCLE, AGGREG, MONITOR, TRANSITION, TYPE, PRIORITY, SEVERITY, SCOPE, DATE, ORG, HOST,
    TAGS, EVENT, SNAPSHOT, TITLE, TEXT,
];

pub(super) struct Datadog;

impl Source for Datadog {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "Datadog monitors, best with the template firebreak.datadog.v1; the default payload and forms too"
    }

    fn identity(&self) -> &'static str {
        "organisation, monitor and scope; where no scope is sent, `$AGGREG_KEY` or `$ALERT_CYCLE_KEY`"
    }

    fn resolves(&self) -> &'static str {
        "`$ALERT_TRANSITION` is `Recovered`"
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Intake {
        template::intake(delivery, REMEDY, |body, intake| {
            let template = match body {
                Body::Whole(map) => Template::whole(flat(map), &mut intake.findings),
                Body::Broken(text) => {
                    let known: Vec<&str> = KNOWN.iter().copied().flatten().copied().collect();
                    Template::scanned(&text, &known)
                }
            };
            Message::of(template).read_into(intake, delivery)
        })
    }
}

/// One level of objects becomes fields: `alert.alert_id` is `alert_id`, `org.id` is `org_id`.
fn flat(map: Map<String, Value>) -> Map<String, Value> {
    let mut fields = Map::new();
    for (key, value) in map {
        match value {
            Value::Object(inner) => {
                let parent = json::normalised_key(&key);
                for (name, value) in inner {
                    let is_full = json::normalised_key(&name).starts_with(&parent);
                    let name = if is_full { name } else { format!("{key}_{name}") };
                    // Beside a field of that name, another spelling keeps both, so that a dispute shows.
                    let name = if fields.contains_key(&name) { format!("{name}_") } else { name };
                    fields.insert(name, value);
                }
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => {
                let key = if fields.contains_key(&key) { format!("{key}_") } else { key };
                fields.insert(key, value);
            }
        }
    }
    fields
}

struct Message {
    template: Template,
    title: Title,
    monitor: Option<Monitor>,
}

/// What a message says of its monitor.
struct State {
    transition: Transition,
    /// Whether nothing that was said means anything.
    is_in_doubt: bool,
}

impl Message {
    fn of(template: Template) -> Self {
        let title = template.text(TITLE).unwrap_or_default();
        let title = Title::read(&text::decode(&title));
        let monitor = template.text(TEXT).and_then(|text| text::monitor(&text));
        Self { template, title, monitor }
    }

    fn text(&self, names: &[&str]) -> Option<String> {
        self.template.text(names)
    }

    fn read_into(&self, intake: &mut Intake, delivery: &Delivery<'_>) -> Result<(), Problem> {
        if self.is_template_as_written() {
            intake.heartbeats.push((0, "test".to_owned()));
            return Ok(());
        }
        if !self.is_event() {
            let what = "is missing, and no title, monitor or `alert_type` stands in for it";
            return Err(Problem::field("transition", what, REMEDY));
        }
        if let Some(other) = self.text(SCHEMA).filter(|schema| schema != OURS) {
            intake.findings.push(format!("the template `{other}` is not known, read as `{OURS}`"));
        }
        let state = self.state(&mut intake.findings);
        let alert = self.alert(&state, intake, delivery);
        intake.alerts.push((0, alert));
        Ok(())
    }

    /// Whether nothing was filled in. Null is not "nothing": a disputed field is null.
    fn is_template_as_written(&self) -> bool {
        let says_nothing = |names: &&[&str]| {
            self.text(names).is_none()
                && self.template.value(names).is_none_or(|value| !value.is_null())
        };
        [TRANSITION, TYPE, MONITOR, AGGREG, CYCLE, TITLE, TEXT].iter().all(says_nothing)
            && self.template.has_placeholder()
    }

    fn is_event(&self) -> bool {
        let says = |names: &[&str]| self.text(names).is_some();
        says(TRANSITION)
            || says(TYPE)
            || says(MONITOR)
            || self.title.transition.is_some()
            || (says(TITLE) && (says(TEXT) || says(SCHEMA) || says(AGGREG)))
    }

    fn state(&self, findings: &mut Vec<String>) -> State {
        let word = self.text(TRANSITION);
        let named = word.as_deref().and_then(Transition::from_word);
        let titled = self.title.transition.as_deref().and_then(Transition::from_word);
        let by_type = match self.text(TYPE).as_deref() {
            Some("success") => Some(Transition::Recovered),
            Some("warning") => Some(Transition::Warn),
            Some("error" | "info") => Some(Transition::Alert),
            _ => None,
        };
        if self.template.value(TRANSITION).is_some_and(Value::is_null) {
            findings.push("`transition` is null: taken as firing, never acted upon".to_owned());
            return State { transition: Transition::Alert, is_in_doubt: true };
        }
        match named.or(titled) {
            Some(Transition::Again) => {
                let transition = by_type.filter(|by_type| *by_type != Transition::Recovered);
                let transition = transition.unwrap_or(Transition::Alert);
                State { transition, is_in_doubt: false }
            }
            Some(transition) => State { transition, is_in_doubt: false },
            None => {
                let is_in_doubt = by_type.is_none();
                if is_in_doubt {
                    findings.push(format!(
                        "`transition` is `{}`, which means nothing: taken as firing, never acted upon",
                        word.unwrap_or_default()
                    ));
                }
                State { transition: by_type.unwrap_or(Transition::Alert), is_in_doubt }
            }
        }
    }

    fn alert(&self, state: &State, intake: &mut Intake, delivery: &Delivery<'_>) -> Alert {
        let status = match state.transition {
            Transition::Recovered => AlertStatus::Resolved,
            Transition::Alert | Transition::Warn | Transition::NoData | Transition::Again => {
                AlertStatus::Firing
            }
        };
        let name = if self.title.name.is_empty() { "unnamed monitor" } else { &self.title.name };
        let at = match time(self.template.value(DATE)) {
            Time::At(at) => at,
            Time::Absent | Time::Unreadable => {
                intake
                    .findings
                    .push("`date_ms` is not a time; the time of arrival stands for it".to_owned());
                delivery.received_at
            }
        };
        let labels = self.labels(name, state.transition);
        let links = [
            link("Monitor", self.monitor.as_ref().map(|monitor| monitor.url.as_str())),
            link("Event", self.text(EVENT).as_deref()),
            link("Graph", self.text(SNAPSHOT).as_deref()),
        ];
        let draft = Draft {
            source: NAME,
            identity: self.identity(&mut intake.findings),
            status,
            severity: self.severity(state.transition),
            service: fields::service(&labels),
            name: name.to_owned(),
            title: name.to_owned(),
            annotations: self.annotations(),
            episode: self.text(CYCLE),
            starts_at: at,
            ends_at: (status == AlertStatus::Resolved).then_some(at),
            links: links.into_iter().flatten().collect(),
            labels,
        };
        let mut alert = if self.title.is_test {
            intake.findings.push("a test of a monitor: it is never acted upon".to_owned());
            draft.seal_in_doubt("test")
        } else if state.is_in_doubt {
            draft.seal_in_doubt("transition")
        } else {
            draft.seal()
        };
        alert.annotations.extend(self.never_news());
        // The time of the message is all there is.
        alert.without_start()
    }

    /// The group that fired, its tags in order; empty where a monitor has no groups, `None` where nothing tells.
    fn scope(&self) -> Option<String> {
        let sent = self.template.value(SCOPE).and_then(fields::text);
        let sent = sent.filter(|scope| !fields::is_placeholder(scope));
        let scope = sent
            .clone()
            .filter(|scope| !is_absent(scope))
            .or_else(|| self.title.scope.clone())
            .or_else(|| Some(self.monitor.as_ref()?.group.clone()))
            .or_else(|| sent.map(|_| String::new()))?;
        let tags = scope.split(',').map(str::trim).filter(|tag| !matches!(*tag, "" | "*"));
        Some(tags.collect::<BTreeSet<&str>>().into_iter().collect::<Vec<_>>().join(","))
    }

    fn identity(&self, findings: &mut Vec<String>) -> IdentityInputs {
        let monitor =
            self.text(MONITOR).or_else(|| self.monitor.as_ref().map(|monitor| monitor.id.clone()));
        let (scope, aggreg, cycle) = (self.scope(), self.text(AGGREG), self.text(CYCLE));
        let by_scope = scope.is_some() && monitor.is_some();
        let is_grouped = scope.as_deref().is_some_and(|scope| !scope.is_empty());
        let by_key = !(by_scope && is_grouped);
        let cycle = cycle.filter(|_| by_key && !by_scope && aggreg.is_none());
        let aggreg = aggreg.filter(|_| by_key);
        if self.template.is_scanned || (!by_scope && aggreg.is_none() && cycle.is_none()) {
            findings.push(
                "nothing tells the groups of this monitor apart: the alert is never acted upon; send `$ALERT_SCOPE`"
                    .to_owned(),
            );
            return IdentityInputs::new();
        }
        let inputs = [
            ("aggreg_key", aggreg),
            ("cycle_key", cycle),
            ("monitor.id", monitor),
            ("org.id", self.text(ORG)),
            ("scope", scope),
        ];
        let present = inputs.into_iter().filter_map(|(name, value)| Some((name, value?)));
        present.map(|(name, value)| (name.to_owned(), Field::Text(value))).collect()
    }

    /// The monitor's priority, else the type; a warning is never more than a warning.
    fn severity(&self, transition: Transition) -> Severity {
        let priority = self.text(PRIORITY).filter(|word| is_priority(word));
        let priority = priority.or_else(|| self.title.priority.clone());
        let word = priority.or_else(|| self.text(SEVERITY)).or_else(|| self.text(TYPE));
        let severity = word.and_then(|word| Severity::from_word(&word));
        let severity = severity.unwrap_or(Severity::Warning);
        if transition == Transition::Warn { severity.min(Severity::Warning) } else { severity }
    }

    fn labels(&self, name: &str, transition: Transition) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::new();
        if !self.template.is_scanned {
            labels.extend(by_key(&self.tags()));
            labels.extend(self.text(HOST).map(|host| ("host".to_owned(), host)));
            // The group that fired is surer than the tags, which may name all of its members.
            labels.extend(by_key(&self.scope().unwrap_or_default()));
        }
        let state = match transition {
            Transition::Alert | Transition::Again => "alert",
            Transition::Warn => "warn",
            Transition::NoData => "no_data",
            Transition::Recovered => "ok",
        };
        let own = [
            ("monitor", Some(name.to_owned())),
            ("monitor_id", self.text(MONITOR).or_else(|| Some(self.monitor.as_ref()?.id.clone()))),
            ("state", Some(state.to_owned())),
        ];
        for (label, value) in own.into_iter().filter_map(|(label, value)| Some((label, value?))) {
            if let Some(tag) = labels.insert(label.to_owned(), value) {
                labels.insert(format!("tag.{label}"), tag);
            }
        }
        labels
    }

    /// The tags as Datadog writes them; a template may have made a list of them.
    fn tags(&self) -> String {
        let list = self.template.value(TAGS).and_then(Value::as_array);
        let joined = list.map(|tags| tags.iter().filter_map(present).collect::<Vec<_>>().join(","));
        joined.or_else(|| self.text(TAGS)).unwrap_or_default()
    }

    fn annotations(&self) -> BTreeMap<String, String> {
        let known =
            ANNOTATIONS.iter().map(|(name, names)| Some(((*name).to_owned(), self.text(names)?)));
        known.flatten().map(|(name, text)| (name, shorten(&text, LONGEST_ANNOTATION))).collect()
    }

    fn never_news(&self) -> impl Iterator<Item = (String, String)> {
        let transition = self.text(TRANSITION).or_else(|| self.title.transition.clone());
        let text = self.text(TEXT).map(|text| shorten(&text::clean(&text), LONGEST_ANNOTATION));
        [("text", text), ("transition", transition)]
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    }
}

/// Tags as `key:value, key:value`; a key with several values has them all, in order, and a bare word is no label.
fn by_key(tags: &str) -> BTreeMap<String, String> {
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (key, value) in tags.split(',').filter_map(|tag| tag.trim().split_once(':')) {
        if !key.is_empty() && present(&Value::from(value)).is_some() {
            values.entry(key).or_default().insert(value);
        }
    }
    values
        .into_iter()
        .map(|(key, values)| (key.to_owned(), values.into_iter().collect::<Vec<_>>().join(",")))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_field_of_our_template_is_read() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datadog/payload.json");
        let template = std::fs::read_to_string(path).unwrap();
        let fields: BTreeMap<String, String> = serde_json::from_str(&template).unwrap();
        assert_eq!((fields["schema"].as_str(), fields["source"].as_str()), (OURS, NAME));
        let annotated = ANNOTATIONS.iter().map(|(_, names)| *names);
        let read: Vec<&str> = KNOWN.iter().copied().chain(annotated).flatten().copied().collect();
        for (field, variable) in &fields {
            let is_read = read.contains(&json::normalised_key(field).as_str());
            assert!(is_read || matches!(field.as_str(), "id" | "source"), "{field} is never read");
            let is_constant = matches!(field.as_str(), "schema" | "source");
            assert!(is_constant || fields::is_placeholder(variable), "{variable} is no variable");
        }
    }

    #[test]
    fn tags_are_labels_by_key() {
        let labels = by_key("team:b, team:a,monitor,env:,url:http://x:1,:y");
        let labels: Vec<(&str, &str)> =
            labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(labels, [("team", "a,b"), ("url", "http://x:1")]);
    }
}
