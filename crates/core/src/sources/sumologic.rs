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
//! acting fails closed. Fields cut out of a broken body give no group labels: a target must not come from there.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::{self, Time, is_placeholder, link, present, shorten, time};
use super::{Delivery, Intake, Problem, Source, json};
use crate::alert::{Alert, AlertStatus, Draft, Severity};
use crate::fingerprint::{Field, IdentityInputs};

const NAME: &str = "sumologic";
const SCHEMA: &str = "firebreak.sumologic.v1";
const REMEDY: &str =
    "use the template `firebreak.sumologic.v1`, with every variable between double quotes";
/// Bytes of one annotation; results and queries can be far longer and are a click away.
const LONGEST_ANNOTATION: usize = 8192;

// Names of each field, normalised, the best first.
const MONITOR: &[&str] = &["name", "monitorname", "searchname"];
const ALERT: &[&str] = &["alertname"];
const TRIGGER: &[&str] = &["triggertype", "trigger"];
const ID: &[&str] = &["monitorid", "id"];
const ALERT_URL: &[&str] = &["alertresponseurl", "alerturl"];
const SOURCE_URL: &[&str] = &["sourceurl"];
const QUERY_URL: &[&str] = &["queryurl", "triggerqueryurl", "searchqueryurl", "clienturl"];
const START: &[&str] = &["startms", "triggertimestart"];
const END: &[&str] = &["endms", "triggertimeend"];
const GROUP: &[&str] = &["alertgroup"];
/// What only a scheduled search sends.
const SEARCH: &[&str] =
    &["searchname", "timerange", "firetime", "timetrigger", "results", "rows", "rawresultsjson"];
/// Annotation names and the fields that they come from.
const ANNOTATIONS: &[(&str, &[&str])] = &[
    ("condition", &["condition", "triggercondition"]),
    ("description", &["description", "searchdescription", "shortdescription"]),
    ("detection", &["detection", "detectionmethod"]),
    ("monitor_type", &["monitortype"]),
    ("query", &["query", "searchquery"]),
    ("results", &["results", "resultsjson", "aggregateresultsjson", "rows", "rawresultsjson"]),
    ("results_count", &["n", "numqueryresults", "numresults", "numrawresults"]),
    ("time_range", &["timerange", "triggertimerange"]),
    ("value", &["value", "triggervalue"]),
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

    fn parse(&self, delivery: &Delivery<'_>) -> Intake {
        let mut intake = Intake::default();
        let understood = match json::read(delivery, REMEDY) {
            Ok(parsed) => {
                intake.findings = parsed.findings;
                match parsed.value {
                    Value::Object(map) => Message::whole(map).read_into(&mut intake, delivery),
                    _ => Err(Problem {
                        code: "shape",
                        message: format!("the body is not a JSON object; {REMEDY}"),
                    }),
                }
            }
            Err(broken) if broken.is_scannable() => {
                intake
                    .findings
                    .push(format!("only single fields could be read: {}", broken.problem.message));
                Message::scanned(&broken.text).read_into(&mut intake, delivery).map_err(|_| {
                    intake.findings.clear();
                    broken.problem
                })
            }
            Err(broken) => Err(broken.problem),
        };
        if let Err(problem) = understood {
            intake.reject_all(delivery, problem);
        }
        intake
    }
}

/// The filled-in template.
struct Message {
    /// Top-level fields by normalised name.
    fields: BTreeMap<String, Value>,
    group: BTreeMap<String, String>,
    /// Whether it was cut out of a body that is not JSON.
    is_scanned: bool,
}

/// What a trigger type says.
struct Trigger {
    status: AlertStatus,
    severity: Severity,
    level: Option<&'static str>,
}

impl Message {
    fn whole(mut map: serde_json::Map<String, Value>) -> Self {
        let group = match map.remove("group") {
            Some(Value::Object(group)) => group
                .into_iter()
                .filter_map(|(name, value)| Some((name, present(&value)?)))
                .collect(),
            Some(other) => {
                map.insert("group".to_owned(), other);
                BTreeMap::new()
            }
            None => BTreeMap::new(),
        };
        let mut fields = BTreeMap::new();
        for (key, value) in map {
            let earlier = fields.entry(json::normalised_key(&key)).or_insert(Value::Null);
            if present(earlier).is_none() {
                *earlier = value;
            }
        }
        let mut message = Self { fields, group, is_scanned: false };
        for (name, value) in pairs(&message.text(GROUP).unwrap_or_default()) {
            message.group.entry(name).or_insert(value);
        }
        message
    }

    fn scanned(text: &str) -> Self {
        let annotated = ANNOTATIONS.iter().map(|(_, names)| *names);
        let known =
            [MONITOR, ALERT, TRIGGER, ID, ALERT_URL, SOURCE_URL, QUERY_URL, START, END, SEARCH];
        let known: Vec<&str> = known.into_iter().chain(annotated).flatten().copied().collect();
        Self { fields: json::scan(text, &known), group: BTreeMap::new(), is_scanned: true }
    }

    fn text(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.fields.get(*name).and_then(present))
    }

    fn value(&self, names: &[&str]) -> Option<&Value> {
        names.iter().find_map(|name| self.fields.get(*name))
    }

    fn read_into(&self, intake: &mut Intake, delivery: &Delivery<'_>) -> Result<(), Problem> {
        if self.is_connection_test() {
            intake.heartbeats.push((0, "test".to_owned()));
            return Ok(());
        }
        let name = self.text(MONITOR).or_else(|| self.text(ALERT));
        let is_ours = self.note_template(&mut intake.findings);
        if self.value(TRIGGER).is_none() && !is_ours {
            if self.is_scheduled_search() {
                let name = name
                    .or_else(|| self.text(&["generatorid"]))
                    .unwrap_or_else(|| "unnamed search".to_owned());
                let trigger = Trigger {
                    status: AlertStatus::Firing,
                    severity: Severity::Warning,
                    level: None,
                };
                intake.findings.push(
                    "a scheduled search never says that it is over; use a monitor".to_owned(),
                );
                let alert = self.alert(name, &trigger, IdentityInputs::new(), intake, delivery);
                intake.alerts.push((0, alert));
                return Ok(());
            }
            if name.is_none() || (self.text(ID).is_none() && self.alert_id().is_none()) {
                return Err(wrong(
                    "trigger_type",
                    "is missing, and this is no scheduled search either",
                ));
            }
        }
        if name.is_none()
            && self.text(ID).is_none()
            && self.alert_id().is_none()
            && self.text(TRIGGER).is_none()
        {
            return Err(wrong(
                "name",
                "is missing, and so are `monitor_id`, `alert_url` and `trigger_type`",
            ));
        }

        let name = name.unwrap_or_else(|| "unnamed monitor".to_owned());
        let word = self.text(TRIGGER).unwrap_or_default();
        let Some(trigger) = trigger(&word) else {
            intake.findings.push(format!(
                "the trigger type `{word}` is not known: taken as firing, and never acted upon"
            ));
            let trigger =
                Trigger { status: AlertStatus::Firing, severity: Severity::Error, level: None };
            let alert = self.alert(name, &trigger, IdentityInputs::new(), intake, delivery);
            intake.alerts.push((0, alert));
            return Ok(());
        };
        for identity in self.identities(&trigger, &mut intake.findings) {
            let alert = self.alert(name.clone(), &trigger, identity, intake, delivery);
            intake.alerts.push((0, alert));
        }
        Ok(())
    }

    /// Whether nothing was filled in: the button that tests a connection may send the template as it is.
    fn is_connection_test(&self) -> bool {
        let names_nothing =
            [MONITOR, ALERT, TRIGGER, ID].iter().all(|names| self.text(names).is_none());
        names_nothing
            && self.fields.values().any(|value| value.as_str().is_some_and(is_placeholder))
    }

    fn is_scheduled_search(&self) -> bool {
        let is_named = self.text(MONITOR).or_else(|| self.text(&["generatorid"])).is_some();
        is_named && self.text(SEARCH).is_some()
    }

    fn note_template(&self, findings: &mut Vec<String>) -> bool {
        match self.text(&["schema"]).as_deref() {
            Some(SCHEMA) => true,
            Some(other) => {
                findings.push(format!(
                    "the template `{other}` is not known and was read as `{SCHEMA}`"
                ));
                true
            }
            None => false,
        }
    }

    /// Host and id of the alert page.
    fn alert_id(&self) -> Option<(String, String)> {
        let url = self.text(ALERT_URL)?;
        let (_, rest) = url.split_once("://")?;
        let (host, _) = rest.split_once('/')?;
        let (_, tail) = rest.rsplit_once("/alert/")?;
        Some((host.to_ascii_lowercase(), leading_id(tail)?))
    }

    /// The monitor's page names the monitor for certain; `Id` is the alert's id in some payloads.
    fn monitor_id(&self) -> Option<String> {
        let from_page = self
            .text(SOURCE_URL)
            .and_then(|url| leading_id(url.rsplit_once("/unified-monitors/")?.1));
        let alert_id = self.alert_id().map(|(_, id)| id);
        from_page.or_else(|| self.text(ID).filter(|id| Some(id) != alert_id.as_ref()))
    }

    /// One identity, or one of each level when a recovery does not say which level it ends.
    fn identities(&self, trigger: &Trigger, findings: &mut Vec<String>) -> Vec<IdentityInputs> {
        let episode: IdentityInputs = if let Some((host, id)) = self.alert_id() {
            [("alert.host".to_owned(), Field::Text(host)), ("alert.id".to_owned(), Field::Text(id))]
                .into()
        } else if let Some(monitor_id) = self.monitor_id().filter(|_| !self.is_scanned) {
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
        let mut at = |names: &[&str]| match time(self.value(names)) {
            Time::At(at) => at,
            Time::Absent | Time::Unreadable => {
                let field = names.first().copied().unwrap_or_default();
                let finding = format!(
                    "`{field}` is not epoch milliseconds; the time of arrival stands for it"
                );
                if !intake.findings.contains(&finding) {
                    intake.findings.push(finding);
                }
                delivery.received_at
            }
        };
        let links = [("Alert", ALERT_URL), ("Monitor", SOURCE_URL), ("Query", QUERY_URL)];
        Draft {
            source: NAME,
            identity,
            status: trigger.status,
            severity: trigger.severity,
            service: fields::service(&labels),
            title: self.text(ALERT).unwrap_or_else(|| name.clone()),
            name,
            annotations: self.annotations(),
            // A recovery tells its own window, not when the alert began.
            starts_at: at(START),
            ends_at: (trigger.status == AlertStatus::Resolved).then(|| at(END)),
            links: links
                .iter()
                .filter_map(|(title, names)| link(title, self.text(names).as_deref()))
                .collect(),
            labels,
        }
        .seal()
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
        let mut annotations: BTreeMap<String, String> = ANNOTATIONS
            .iter()
            .filter_map(|(name, names)| {
                Some(((*name).to_owned(), shorten(&self.text(names)?, LONGEST_ANNOTATION)))
            })
            .collect();
        annotations.extend(self.alert_id().map(|(_, id)| ("alert_id".to_owned(), id)));
        let read = [
            MONITOR, ALERT, TRIGGER, ID, ALERT_URL, SOURCE_URL, QUERY_URL, START, END, GROUP,
            SEARCH,
        ];
        let read: Vec<&str> = read
            .into_iter()
            .chain(ANNOTATIONS.iter().map(|(_, names)| *names))
            .flatten()
            .copied()
            .collect();
        for (key, value) in &self.fields {
            let is_read = read.contains(&key.as_str())
                || matches!(key.as_str(), "schema" | "source" | "triggertime");
            if let Some(text) = present(value).filter(|_| !is_read) {
                annotations.insert(key.clone(), shorten(&text, LONGEST_ANNOTATION));
            }
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
    Some(Trigger { status, severity, level })
}

/// The identifier at the start of a piece of an address.
fn leading_id(text: &str) -> Option<String> {
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
        .unwrap_or(text.len());
    text.get(..end).filter(|id| !id.is_empty()).map(str::to_owned)
}

/// Reads `field=value, field=value`; a comma inside a value is kept when no field name follows it.
fn pairs(text: &str) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for piece in text.split(", ") {
        match (piece.split_once('='), pairs.last_mut()) {
            (Some((name, value)), _) => {
                pairs.push((name.trim().to_owned(), value.trim().to_owned()))
            }
            (None, Some((_, value))) => value.extend([", ", piece]),
            (None, None) => {}
        }
    }
    pairs.retain(|(name, value)| !name.is_empty() && !fields::is_absent(value));
    pairs
}

fn wrong(field: &str, what: &str) -> Problem {
    Problem { code: "field", message: format!("`{field}` {what}; {REMEDY}") }
}
