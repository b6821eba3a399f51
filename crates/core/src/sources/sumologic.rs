//! Sumo Logic: monitors through the template `firebreak.sumologic.v1`, other templates and scheduled searches.
//!
//! Sumo Logic has no body of its own: it fills in a template. Field names are therefore read without case and
//! separators and by all the names that common templates give them. Group values (`group` of our template, or
//! `AlertGroup`) become labels beside `monitor` and `monitor_id`.
//!
//! **Identity.** An alert and its recovery carry the same alert page (`AlertResponseUrl`), also when they are sent
//! again; group values do not, because a recovery has no results to take them from. So the identity is the alert id at
//! the end of that address, with its host, since each deployment counts for itself, and the level, because `Critical`
//! may end while `Warning` goes on. A new episode is a new fingerprint; the group key still joins it with the last one.
//! Without the address, the monitor id and the group values take its place. Without a monitor id nothing identifies the
//! alert and it is weak. A recovery that names no level (`Normal`) ends all three.
//!
//! **Doubt.** A trigger type that is missing or unknown fires, since telling fails open, but as a weak alert, since
//! acting fails closed. So does one that is said twice, because text from a log line may have been pasted unescaped.
//! Fields cut out of a broken body give no group labels: a target must not come from there.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::{self, link, present, shorten};
use super::template::{self, Body, Template};
use super::times::{Time, time};
use super::{Delivery, Intake, Problem, Source, json};
use crate::alert::{Alert, AlertStatus, Draft, Severity};
use crate::fingerprint::{Field, IdentityInputs};

const NAME: &str = "sumologic";
const OURS: &str = "firebreak.sumologic.v1";
const REMEDY: &str =
    "use the template `firebreak.sumologic.v1`, with every variable between double quotes";
/// Bytes of one annotation; results and queries can be far longer and are a click away.
const LONGEST_ANNOTATION: usize = 8192;

// Names of each field, normalised, ours first.
const MONITOR: &[&str] = &["name", "monitorname", "searchname"];
const ALERT: &[&str] = &["alertname"];
const TRIGGER: &[&str] = &["triggertype", "trigger"];
const ID: &[&str] = &["monitorid", "id"];
const ALERT_URL: &[&str] = &["alerturl", "alertresponseurl"];
const SOURCE_URL: &[&str] = &["sourceurl"];
const QUERY_URL: &[&str] = &["queryurl", "triggerqueryurl", "searchqueryurl", "clienturl"];
const START: &[&str] = &["startms", "triggertimestart"];
const END: &[&str] = &["endms", "triggertimeend"];
const SCHEMA: &[&str] = &["schema"];
const GROUP: &[&str] = &["alertgroup"];
const RESULTS: &[&str] =
    &["results", "resultsjson", "aggregateresultsjson", "rows", "rawresultsjson"];
/// What a scheduled search sends beside its name.
const SEARCH: &[&str] = &["searchname", "timerange", "firetime", "timetrigger"];
/// Annotation names and the fields that they come from.
const ANNOTATIONS: &[(&str, &[&str])] = &[
    ("condition", &["condition", "triggercondition"]),
    ("description", &["description", "searchdescription", "shortdescription"]),
    ("detection", &["detection", "detectionmethod"]),
    ("monitor_type", &["monitortype"]),
    ("query", &["query", "searchquery"]),
    ("results", RESULTS),
    ("results_count", &["n", "numqueryresults", "numresults", "numrawresults"]),
    ("time", &["triggertime", "firetime", "timetrigger"]),
    ("time_range", &["timerange", "triggertimerange"]),
    ("value", &["value", "triggervalue"]),
];
/// What is never an annotation: it stands elsewhere in the alert, or says nothing.
const ELSEWHERE: &[&[&str]] = &[
    MONITOR,
    ALERT,
    TRIGGER,
    ID,
    ALERT_URL,
    SOURCE_URL,
    QUERY_URL,
    START,
    END,
    GROUP,
    SEARCH,
    SCHEMA,
    &["source"],
];
/// The levels that can be open at the same time, which a recovery without level ends together.
const LEVELS: [&str; 3] = ["critical", "warning", "missing_data"];

pub(super) struct SumoLogic;

impl Source for SumoLogic {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "Sumo Logic monitors and scheduled searches, best with the template firebreak.sumologic.v1"
    }

    fn identity(&self) -> &'static str {
        "host and id of the alert's page and the level, else monitor, group values and level"
    }

    fn resolves(&self) -> &'static str {
        "`trigger_type: Resolved...`, to be listed in the monitor's notification; scheduled searches never"
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Intake {
        template::intake(delivery, REMEDY, |body, intake| {
            let message = match body {
                Body::Whole(map) => Message::whole(map, &mut intake.findings),
                Body::Broken(text) => Message::scanned(&text),
            };
            message.read_into(intake, delivery)
        })
    }
}

struct Message {
    template: Template,
    group: BTreeMap<String, String>,
}

/// What a trigger type says.
struct Trigger {
    status: AlertStatus,
    severity: Severity,
    level: Option<&'static str>,
    is_in_doubt: bool,
}

impl Message {
    fn whole(mut map: serde_json::Map<String, Value>, findings: &mut Vec<String>) -> Self {
        let mut group = BTreeMap::new();
        if let Some(Value::Object(fields)) = map.get("group") {
            group.extend(
                fields.iter().filter_map(|(name, value)| Some((name.clone(), present(value)?))),
            );
            map.remove("group");
        }
        let template = Template::whole(map, findings);
        if template.value(SCHEMA).is_none() {
            group.extend(pairs(&template.text(GROUP).unwrap_or_default()));
        }
        Self { template, group }
    }

    /// Results are left out: what is broken is mostly them, and they are made of other people's text.
    fn scanned(text: &str) -> Self {
        let annotated =
            ANNOTATIONS.iter().map(|(_, names)| *names).filter(|names| *names != RESULTS);
        let known: Vec<&str> =
            annotated.chain(ELSEWHERE.iter().copied()).flatten().copied().collect();
        Self { template: Template::scanned(text, &known), group: BTreeMap::new() }
    }

    fn text(&self, names: &[&str]) -> Option<String> {
        self.template.text(names)
    }

    fn read_into(&self, intake: &mut Intake, delivery: &Delivery<'_>) -> Result<(), Problem> {
        if self.is_connection_test() {
            intake.heartbeats.push((0, "test".to_owned()));
            return Ok(());
        }
        let is_search = self.template.value(TRIGGER).is_none() && self.is_scheduled_search();
        if !is_search && !self.is_monitor() {
            let what = "is missing, and no name with `monitor_id` or `alert_url` stands in for it";
            return Err(Problem::field("trigger_type", what, REMEDY));
        }
        if let Some(other) = self.text(SCHEMA).filter(|schema| schema != OURS) {
            intake.findings.push(format!("the template `{other}` is not known, read as `{OURS}`"));
        }

        let name = [MONITOR, ALERT, &["generatorid"]].iter().find_map(|names| self.text(names));
        let name = name.unwrap_or_else(|| "unnamed monitor".to_owned());
        let word = self.text(TRIGGER).unwrap_or_default();
        let (trigger, identities) = match trigger(&word) {
            Some(trigger) => {
                let identities = self.identities(&trigger, &mut intake.findings);
                (trigger, identities)
            }
            None if is_search => {
                intake.findings.push("a scheduled search never says that it is over".to_owned());
                let trigger = Trigger {
                    status: AlertStatus::Firing,
                    severity: Severity::Warning,
                    level: None,
                    is_in_doubt: false,
                };
                (trigger, vec![IdentityInputs::new()])
            }
            None => {
                intake.findings.push(format!(
                    "`trigger_type` is `{word}`, which means nothing: taken as firing, never acted upon"
                ));
                let trigger = Trigger {
                    status: AlertStatus::Firing,
                    severity: Severity::Error,
                    level: None,
                    is_in_doubt: true,
                };
                (trigger, vec![IdentityInputs::new()])
            }
        };
        for identity in identities {
            let alert = self.alert(name.clone(), &trigger, identity, intake, delivery);
            intake.alerts.push((0, alert));
        }
        Ok(())
    }

    /// Whether nothing was filled in: the button that tests a connection may send the template as it is.
    fn is_connection_test(&self) -> bool {
        // Null is not "nothing": a disputed field is null, and pasted text must not pass an alert off as a test.
        let says_nothing = |names: &&[&str]| {
            self.text(names).is_none()
                && self.template.value(names).is_none_or(|value| !value.is_null())
        };
        [MONITOR, ALERT, TRIGGER, ID, ALERT_URL, START].iter().all(says_nothing)
            && self.template.has_placeholder()
    }

    fn is_scheduled_search(&self) -> bool {
        let is_named = self.text(MONITOR).or_else(|| self.text(&["generatorid"])).is_some();
        let is_search = self.text(SEARCH).or_else(|| self.text(RESULTS)).is_some();
        is_named && is_search && self.text(SCHEMA).is_none()
    }

    fn is_monitor(&self) -> bool {
        let says = |names: &[&str]| self.text(names).is_some();
        let (is_named, is_numbered) = (says(MONITOR) || says(ALERT), says(ID) || says(ALERT_URL));
        let claims = says(SCHEMA) || self.template.value(TRIGGER).is_some();
        says(TRIGGER) || (is_named && is_numbered) || (claims && (is_named || is_numbered))
    }

    /// Host and id of the alert page.
    fn alert_id(&self) -> Option<(String, String)> {
        let url = self.text(ALERT_URL)?;
        let (_, rest) = url.split_once("://")?;
        let (host, _) = rest.split_once('/')?;
        let (_, tail) = rest.rsplit_once("/alert/")?;
        Some((host.to_ascii_lowercase(), fields::leading_id(tail)?))
    }

    /// The monitor's page names the monitor for certain; `Id` is the alert's id in some payloads.
    fn monitor_id(&self) -> Option<String> {
        let from_page = self
            .text(SOURCE_URL)
            .and_then(|url| fields::leading_id(url.rsplit_once("/unified-monitors/")?.1));
        let alert_id = self.alert_id().map(|(_, id)| id);
        from_page.or_else(|| self.text(ID).filter(|id| Some(id) != alert_id.as_ref()))
    }

    /// One identity, or one of each level when a recovery does not say which level it ends.
    fn identities(&self, trigger: &Trigger, findings: &mut Vec<String>) -> Vec<IdentityInputs> {
        let episode: IdentityInputs = if let Some((host, id)) = self.alert_id() {
            [("alert.host".to_owned(), Field::Text(host)), ("alert.id".to_owned(), Field::Text(id))]
                .into()
        } else if let Some(monitor_id) = self.monitor_id().filter(|_| !self.template.is_scanned) {
            if trigger.status == AlertStatus::Resolved {
                findings.push("without `alert_url`, this recovery ends only alerts with the same group values".to_owned());
            }
            let group = self
                .group
                .iter()
                .map(|(name, value)| (format!("group.{name}"), value.as_str().into()));
            group.chain([("monitor.id".to_owned(), Field::Text(monitor_id))]).collect()
        } else {
            findings.push("neither `alert_url` nor `monitor_id` identifies this alert: it is never acted upon".to_owned());
            return vec![IdentityInputs::new()];
        };
        let levels = trigger.level.map_or(LEVELS.to_vec(), |level| vec![level]);
        let of_level = |level: &str| {
            let mut identity = episode.clone();
            identity.insert("level".to_owned(), level.into());
            identity
        };
        levels.into_iter().map(of_level).collect()
    }

    fn alert(
        &self,
        name: String,
        trigger: &Trigger,
        identity: IdentityInputs,
        intake: &mut Intake,
        delivery: &Delivery<'_>,
    ) -> Alert {
        let labels = self.labels(&name);
        let is_start_known = matches!(time(self.template.value(START)), Time::At(_));
        let mut at = |field: &str, names: &[&str]| match time(self.template.value(names)) {
            Time::At(at) => at,
            Time::Absent | Time::Unreadable => {
                let finding = format!(
                    "`{field}` is not a time in epoch milliseconds; the time of arrival stands for it"
                );
                if !intake.findings.contains(&finding) {
                    intake.findings.push(finding);
                }
                delivery.received_at
            }
        };
        let links = [("Alert", ALERT_URL), ("Monitor", SOURCE_URL), ("Query", QUERY_URL)];
        let draft = Draft {
            source: NAME,
            identity,
            status: trigger.status,
            severity: trigger.severity,
            service: fields::service(&labels),
            title: self.text(ALERT).unwrap_or_else(|| name.clone()),
            name,
            annotations: self.annotations(),
            episode: None,
            // A recovery tells its own window, not when the alert began.
            starts_at: at("start_ms", START),
            ends_at: (trigger.status == AlertStatus::Resolved).then(|| at("end_ms", END)),
            links: links
                .iter()
                .filter_map(|(title, names)| link(title, self.text(names).as_deref()))
                .collect(),
            labels,
        };
        let alert =
            if trigger.is_in_doubt { draft.seal_in_doubt("trigger_type") } else { draft.seal() };
        if is_start_known { alert } else { alert.without_start() }
    }

    fn labels(&self, name: &str) -> BTreeMap<String, String> {
        let own = [("monitor", Some(name.to_owned())), ("monitor_id", self.monitor_id())];
        let mut labels = self.group.clone();
        for (label, value) in own.into_iter().filter_map(|(label, value)| Some((label, value?))) {
            // A group field that happens to have the name of one of our labels keeps its value under `group.`.
            if let Some(grouped) = labels.insert(label.to_owned(), value) {
                labels.insert(format!("group.{label}"), grouped);
            }
        }
        labels
    }

    fn annotations(&self) -> BTreeMap<String, String> {
        let known =
            ANNOTATIONS.iter().map(|(name, names)| Some(((*name).to_owned(), self.text(names)?)));
        let read: Vec<&str> = ANNOTATIONS
            .iter()
            .map(|(_, names)| *names)
            .chain(ELSEWHERE.iter().copied())
            .flatten()
            .copied()
            .collect();
        let mut annotations: BTreeMap<String, String> =
            self.template.others(&read).chain(known.flatten()).collect();
        annotations.extend(self.alert_id().map(|(_, id)| ("alert_id".to_owned(), id)));
        for text in annotations.values_mut() {
            *text = shorten(text, LONGEST_ANNOTATION);
        }
        annotations
    }
}

fn trigger(word: &str) -> Option<Trigger> {
    let word = json::normalised_key(word);
    let (status, level) = match word.strip_prefix("resolved") {
        Some(level) => (AlertStatus::Resolved, level),
        None if word == "normal" => (AlertStatus::Resolved, ""),
        None => (AlertStatus::Firing, word.as_str()),
    };
    let (level, severity) = match (level, status) {
        ("critical", _) => (Some("critical"), Severity::Critical),
        ("warning", _) => (Some("warning"), Severity::Warning),
        ("missingdata", _) => (Some("missing_data"), Severity::Warning),
        ("", AlertStatus::Resolved) => (None, Severity::Info),
        _ => return None,
    };
    Some(Trigger { status, severity, level, is_in_doubt: false })
}

/// Reads `field=value, field=value`; a comma inside a value is kept when no field name follows it.
fn pairs(text: &str) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for piece in text.split(", ") {
        match (piece.split_once('='), pairs.last_mut()) {
            (Some((name, value)), _) => {
                pairs.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            (None, Some((_, value))) => value.extend([", ", piece]),
            (None, None) => {}
        }
    }
    pairs.retain(|(name, value)| !name.is_empty() && !fields::is_absent(value));
    pairs
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_field_of_our_template_is_read() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sumo/payload.json");
        let template = std::fs::read_to_string(path).unwrap();
        let fields: serde_json::Map<String, Value> = serde_json::from_str(&template).unwrap();
        assert_eq!((&fields["schema"], &fields["source"]), (&OURS.into(), &NAME.into()));
        let annotated = ANNOTATIONS.iter().map(|(_, names)| *names);
        let read: Vec<&str> =
            ELSEWHERE.iter().copied().chain(annotated).flatten().copied().collect();
        for (field, variable) in &fields {
            let is_read = read.contains(&json::normalised_key(field).as_str());
            assert!(is_read || field == "group", "{field} is never read");
            let is_variable = variable.as_str().is_some_and(fields::is_placeholder);
            let is_constant = matches!(field.as_str(), "schema" | "source" | "group");
            assert!(is_constant || is_variable, "{variable} is no variable");
        }
    }
}
