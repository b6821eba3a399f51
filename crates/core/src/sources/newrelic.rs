//! New Relic: workflows, whose body is a template, and the classic alerts before them.
//!
//! The template is rarely changed, but it may be, so names are read without case and separators. An issue is one
//! alert: its id is the identity and names the episode, since an issue that is closed never opens again. It is told of
//! several times (each incident that joins it), and what only counts those messages is never news. Times may be `N/A`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::fields::{self, link, present};
use super::template::{self, Template};
use super::times::{Time, time};
use super::{Delivery, Intake, Problem, Source};
use crate::alert::{Alert, AlertStatus, Draft, Severity};
use crate::fingerprint::{Field, IdentityInputs};

const NAME: &str = "newrelic";
const REMEDY: &str =
    "use the default template of the workflow's webhook, with texts written as `{{ json text }}`";

// Names of each field, normalised, those of workflows first.
const ISSUE: &[&str] = &["id", "issueid"];
const INCIDENT: &[&str] = &["incidentid"];
const ACCOUNT: &[&str] = &["accountid", "nraccountid"];
const STATE: &[&str] = &["state", "issuestate", "currentstate", "status"];
const PRIORITY: &[&str] = &["priority", "severity"];
const TITLE: &[&str] = &["title", "issuetitle", "annotationstitle", "details"];
const CONDITIONS: &[&str] = &["alertconditionnames", "conditionnames", "conditionname"];
const POLICIES: &[&str] = &["alertpolicynames", "policynames", "policyname"];
const ENTITIES: &[&str] = &["impactedentities", "entitiesdatanames", "entitynames", "entityname"];
const TARGETS: &[&str] = &["targets"];
const CREATED: &[&str] = &["createdat", "activatedat"];
/// When a classic alert was told of.
const SENT: &[&str] = &["timestamp", "timestamputciso"];
const UPDATED: &[&str] = &["closedat", "updatedat"];
const URL: &[&str] = &["issueurl", "issuepageurl", "incidenturl"];
const RUNBOOK: &[&str] = &["runbookurl"];
/// What is looked for in a body that is not JSON. Lists are not, so that no target comes from there.
const KNOWN: &[&[&str]] =
    &[ISSUE, INCIDENT, ACCOUNT, STATE, PRIORITY, TITLE, CREATED, UPDATED, SENT, URL];
/// Labels and the fields that name one thing each.
const LABELS: &[(&str, &[&str])] = &[
    ("account_id", ACCOUNT),
    ("environment", &["environment", "env"]),
    ("service", &["service", "servicename"]),
    ("team", &["team", "owner"]),
    ("workflow", &["workflowname"]),
];

pub(super) struct NewRelic;

impl Source for NewRelic {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "New Relic workflows with their default template, and classic alerts"
    }

    fn identity(&self) -> &'static str {
        "id of the issue; of a classic alert account and incident"
    }

    fn resolves(&self) -> &'static str {
        "`state: CLOSED`"
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Intake {
        template::intake(delivery, REMEDY, |body, intake| {
            let known: Vec<&str> = KNOWN.iter().copied().flatten().copied().collect();
            Issue(Template::of(body, &known, &mut intake.findings)).read_into(intake, delivery)
        })
    }
}

struct Issue(Template);

impl Issue {
    fn text(&self, names: &[&str]) -> Option<String> {
        self.0.text(names)
    }

    /// The distinct texts of a list, or of a text alone, in order.
    fn list(&self, names: &[&str]) -> Vec<String> {
        let Some(value) = self.0.value(names) else { return Vec::new() };
        let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        let told = |item: &Value| present(item).or_else(|| present(item.get("name")?));
        items.iter().filter_map(told).collect::<BTreeSet<String>>().into_iter().collect()
    }

    fn read_into(&self, intake: &mut Intake, delivery: &Delivery<'_>) -> Result<(), Problem> {
        let says = |names: &[&str]| self.text(names).is_some();
        let says_nothing = ![ISSUE, INCIDENT, STATE, CONDITIONS].iter().any(|names| says(names));
        if says_nothing && self.0.has_placeholder() {
            intake.heartbeats.push((0, "test".to_owned()));
            return Ok(());
        }
        let title = self.list(TITLE).join(", ");
        let is_named = !title.is_empty() || !self.list(CONDITIONS).is_empty();
        if !says(STATE) && !(is_named && (says(ISSUE) || says(INCIDENT))) {
            let what = "is missing, and no title with an issue's `id` stands in for it";
            return Err(Problem::field("state", what, REMEDY));
        }
        let alert = self.alert(title, intake, delivery);
        intake.alerts.push((0, alert));
        Ok(())
    }

    fn alert(&self, title: String, intake: &mut Intake, delivery: &Delivery<'_>) -> Alert {
        let word = self.text(STATE).unwrap_or_default();
        let status = match word.to_ascii_lowercase().as_str() {
            "created" | "activated" | "acknowledged" | "open" => Some(AlertStatus::Firing),
            "closed" | "deactivated" => Some(AlertStatus::Resolved),
            _ => None,
        };
        let mut at = |names: &[&str], field: &str| match time(self.0.value(names)) {
            Time::At(at) => Some(at),
            Time::Absent | Time::Unreadable => {
                let finding = format!("`{field}` is no time; the time of arrival stands for it");
                intake.findings.push(finding);
                None
            }
        };
        let is_classic = self.0.value(SENT).is_some() && self.0.value(CREATED).is_none();
        let sent = if is_classic { at(SENT, "timestamp") } else { None };
        let sent = sent.unwrap_or(delivery.received_at);
        let began = if is_classic { None } else { at(CREATED, "createdAt") };
        let ends_at = (status == Some(AlertStatus::Resolved)).then(|| {
            let over = if is_classic { None } else { at(UPDATED, "updatedAt") };
            over.unwrap_or(sent)
        });
        let conditions = self.list(CONDITIONS).join(", ");
        let name = [&conditions, &title].into_iter().find(|name| !name.is_empty());
        let name = name.cloned().unwrap_or_else(|| "untitled issue".to_owned());
        let labels = self.labels(&conditions);
        let links = [
            link("Issue", self.text(URL).as_deref()),
            link("Runbook", self.text(RUNBOOK).as_deref()),
        ];
        let draft = Draft {
            source: NAME,
            identity: self.identity(),
            status: status.unwrap_or(AlertStatus::Firing),
            severity: self.severity(&mut intake.findings),
            service: fields::service(&labels).or_else(|| labels.get("entity").cloned()),
            title: if title.is_empty() { name.clone() } else { title },
            name,
            annotations: self.annotations(),
            episode: self.text(ISSUE).or_else(|| self.text(INCIDENT)),
            starts_at: began.unwrap_or(sent),
            ends_at,
            links: links.into_iter().flatten().collect(),
            labels,
        };
        let mut alert = if status.is_some() {
            draft.seal()
        } else {
            intake.findings.push(format!(
                "`state` is `{word}`, which means nothing: taken as firing, never acted upon"
            ));
            draft.seal_in_doubt("state")
        };
        alert.annotations.extend(self.never_news());
        if began.is_some() { alert } else { alert.without_start() }
    }

    fn identity(&self) -> IdentityInputs {
        let text = |value: String| Field::Text(value);
        if let Some(issue) = self.text(ISSUE) {
            return [("issue.id".to_owned(), text(issue))].into();
        }
        let Some(incident) = self.text(INCIDENT) else { return IdentityInputs::new() };
        let account = self.text(ACCOUNT).map_or(Field::Missing, Field::Text);
        [("account.id".to_owned(), account), ("incident.id".to_owned(), text(incident))].into()
    }

    fn severity(&self, findings: &mut Vec<String>) -> Severity {
        let Some(word) = self.text(PRIORITY) else { return Severity::Warning };
        Severity::from_word(&word).unwrap_or_else(|| {
            findings.push(format!("`priority` `{word}` is not known and was read as warning"));
            Severity::Warning
        })
    }

    /// An entity is a label only where it is the only one: a target must not be a guess.
    fn labels(&self, conditions: &str) -> BTreeMap<String, String> {
        let mut entities = self.list(ENTITIES);
        if entities.is_empty() {
            entities = self.list(TARGETS);
        }
        let only = if let [entity] = entities.as_slice() { Some(entity.clone()) } else { None };
        let said = |text: String| Some(text).filter(|text| !text.is_empty());
        let own = [
            ("condition", said(conditions.to_owned())),
            ("entity", only),
            ("policy", said(self.list(POLICIES).join(", "))),
        ];
        let named = LABELS.iter().map(|(label, names)| (*label, self.text(names)));
        own.into_iter()
            .chain(named)
            .filter_map(|(label, value)| Some((label.to_owned(), value?)))
            .collect()
    }

    fn annotations(&self) -> BTreeMap<String, String> {
        let entities = self.list(ENTITIES);
        let several = (entities.len() > 1).then(|| entities.join(", "));
        let said = |name: &str| self.text(&[name]);
        let annotations =
            [("details", said("details")), ("entities", several), ("owner", said("owner"))];
        let said = annotations.into_iter();
        said.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }

    fn never_news(&self) -> impl Iterator<Item = (String, String)> {
        let said = [("incidents", "totalincidents"), ("trigger", "trigger")];
        said.into_iter().filter_map(|(name, field)| Some((name.to_owned(), self.text(&[field])?)))
    }
}
