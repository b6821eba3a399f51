//! AWS Health: issues of AWS itself, planned changes, notices and reports of abuse.
//!
//! Identity is the event's ARN with the account that it affects. The Region of delivery is no part of it: an event of
//! `global` comes through two Regions and is the same. So is each page of an event with very many entities; every page
//! is an update. An episode changes at `lastUpdatedTime`; when AWS says that something started or will start is an
//! annotation, since it may lie in the future or be corrected later.

use jiff::Timestamp;

use super::arn::Arn;
use super::event::{Event, REMEDY, objects_of, text_of, texts};
use super::{Claim, Entrance, EventSource, Out};
use crate::alert::{AlertStatus, Draft, Link, Severity};
use crate::sources::fields::shorten;
use crate::sources::{Delivery, Intake, Problem, Source};

const NAME: &str = "health";
const ABUSE: &str = "AWS Health Abuse Event";
const LONGEST_DESCRIPTION: usize = 2048;
/// Entities that are listed.
const MOST_ENTITIES: usize = 20;

pub(in crate::sources) struct Health;

impl Source for Health {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "AWS Health by EventBridge: issues, scheduled changes, notices and abuse reports"
    }

    fn identity(&self) -> &'static str {
        "ARN of the event and account, whatever the Region of delivery"
    }

    fn resolves(&self) -> &'static str {
        "`statusCode: closed`"
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Intake {
        super::parse(delivery, Entrance::Only(NAME), REMEDY)
    }
}

impl EventSource for Health {
    fn claims(&self) -> &'static [Claim] {
        &[("aws.health", "AWS Health Event"), ("aws.health", ABUSE)]
    }

    fn read(&self, event: &Event<'_>, out: &mut Out<'_, '_>) -> Result<(), Problem> {
        let arn = event.required("eventArn")?;
        let code = event.required("eventTypeCode")?;
        let account = event.detail("affectedAccount").or_else(|| event.account.clone());
        let region = event.detail("eventRegion").or_else(|| Arn::read(&arn)?.region());
        let status_code = event.detail("statusCode");
        let is_over = status_code.as_deref() == Some("closed");
        let category = event.detail("eventTypeCategory").unwrap_or_else(|| "issue".to_owned());
        let at = event.time("lastUpdatedTime").unwrap_or(event.at);
        let entities = entities(event);
        // One entity alone may be a target; among several nobody chooses.
        let entity = entities.first().filter(|_| entities.len() == 1).cloned();
        let service = event.detail("service").map(|service| service.to_lowercase());
        let is_instance = entity.as_deref().is_some_and(|entity| instance_of(entity).is_some());
        let labels = texts([
            ("account", account.clone()),
            ("region", region),
            ("aws_service", service),
            ("category", Some(category.clone())),
            ("event_type", Some(code.clone())),
            ("status", status_code.clone()),
            ("instance_id", entity.as_deref().filter(|_| is_instance).and_then(instance_of)),
            ("entity", entity),
        ]);
        let more = entities.len().saturating_sub(MOST_ENTITIES);
        let more = (more > 0).then(|| format!("and {more} more"));
        let listed: Vec<String> = entities.into_iter().take(MOST_ENTITIES).chain(more).collect();
        let listed = listed.join("\n");
        let said_at = |name: &str| event.time(name).map(|at: Timestamp| at.to_string());
        let page = event
            .detail("totalPages")
            .filter(|pages| pages != "1")
            .and_then(|pages| Some(format!("{} of {pages}", event.detail("page")?)));
        let description = description(event);
        let annotations = texts([
            ("description", description.map(|text| shorten(&text, LONGEST_DESCRIPTION))),
            ("entities", Some(listed).filter(|listed| !listed.is_empty())),
            ("starts", said_at("startTime")),
            ("ends", said_at("endTime")),
            ("page", page),
        ]);
        let alert = Draft {
            source: NAME,
            identity: [
                ("account".to_owned(), account.as_deref().unwrap_or_default().into()),
                ("event_arn".to_owned(), arn.as_str().into()),
            ]
            .into(),
            status: if is_over { AlertStatus::Resolved } else { AlertStatus::Firing },
            severity: severity(event, &category),
            service: None,
            title: title(&code, status_code.as_deref()),
            name: code,
            labels,
            annotations,
            episode: None,
            starts_at: at,
            ends_at: is_over.then_some(at),
            links: vec![Link {
                title: "Health dashboard".to_owned(),
                url: "https://health.aws.amazon.com/health/home#/account/dashboard/open-issues"
                    .to_owned(),
            }],
        }
        .seal();
        out.alert(alert.without_start());
        Ok(())
    }
}

/// An issue of this account is an error; one that AWS tells everybody of may not touch it.
fn severity(event: &Event<'_>, category: &str) -> Severity {
    let is_public = event.detail("eventScopeCode").as_deref() == Some("PUBLIC");
    match category {
        "issue" if event.detail_type == ABUSE => Severity::Critical,
        "issue" if !is_public => Severity::Error,
        "accountNotification" => Severity::Info,
        _ => Severity::Warning,
    }
}

fn title(code: &str, status: Option<&str>) -> String {
    match status {
        Some("upcoming") => format!("{code} is planned"),
        _ => code.to_owned(),
    }
}

fn entities(event: &Event<'_>) -> Vec<String> {
    let listed: Vec<String> = objects_of(event.detail, "affectedEntities")
        .filter_map(|entity| {
            text_of(entity, "entityValue").or_else(|| text_of(entity, "entityArn"))
        })
        .collect();
    if listed.is_empty() { event.resources.clone() } else { listed }
}

/// English where there is a choice.
fn description(event: &Event<'_>) -> Option<String> {
    let told = || objects_of(event.detail, "eventDescription");
    let is_english = |language: &str| language.to_ascii_lowercase().starts_with("en");
    told()
        .find(|told| text_of(told, "language").is_none_or(|language| is_english(&language)))
        .or_else(|| told().next())
        .and_then(|told| text_of(told, "latestDescription"))
}

fn instance_of(entity: &str) -> Option<String> {
    let id = Arn::read(entity).map_or_else(|| entity.to_owned(), |arn| arn.last().to_owned());
    id.starts_with("i-").then_some(id)
}
