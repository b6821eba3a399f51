//! Amazon GuardDuty findings. They are sent anew as they grow, and GuardDuty never says that one is over.
//!
//! An update while the finding is open is news of it; one after it was resolved opens it again. A finding that somebody
//! archived, or a suppression rule did, is resolved.

use jiff::SignedDuration;
use serde_json::{Map, Value};

use super::arn::Arn;
use super::event::{Event, REMEDY, object_of, objects_of, text_of, texts, time_of};
use super::{Claim, Entrance, EventSource, Out, console};
use crate::alert::{AlertStatus, Draft, Severity};
use crate::sources::fields::{self, shorten};
use crate::sources::{Delivery, Intake, Problem, Source};

const NAME: &str = "guardduty";
const LONGEST_ANNOTATION: usize = 1024;

pub(in crate::sources) struct GuardDuty;

impl Source for GuardDuty {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "Amazon GuardDuty findings by EventBridge; they never say that they are over"
    }

    fn identity(&self) -> &'static str {
        "the finding's ARN"
    }

    fn resolves(&self) -> &'static str {
        "archived; otherwise a day after the last update"
    }

    fn expire_after(&self) -> Option<SignedDuration> {
        Some(SignedDuration::from_hours(24))
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Intake {
        super::parse(delivery, Entrance::Only(NAME), REMEDY)
    }
}

impl EventSource for GuardDuty {
    fn claims(&self) -> &'static [Claim] {
        &[("aws.guardduty", "GuardDuty Finding")]
    }

    fn read(&self, event: &Event<'_>, out: &mut Out<'_, '_>) -> Result<(), Problem> {
        let id = event.required("id")?;
        let kind = event.required("type")?;
        let account = event.detail("accountId").or_else(|| event.account.clone());
        let region = event.detail("region").or_else(|| event.region.clone());
        let arn = event.detail("arn");
        let identity = if let Some(arn) = &arn {
            [("arn".to_owned(), arn.as_str().into())].into()
        } else {
            let of = |value: &Option<String>| value.as_deref().unwrap_or_default().into();
            [
                ("account".to_owned(), of(&account)),
                ("id".to_owned(), id.as_str().into()),
                ("region".to_owned(), of(&region)),
            ]
            .into()
        };
        let service = object_of(event.detail, "service");
        let in_service = |name: &str| service.and_then(|service| text_of(service, name));
        let is_archived = in_service("archived").as_deref() == Some("true");
        let status = if is_archived { AlertStatus::Resolved } else { AlertStatus::Firing };
        let at = event
            .time("updatedAt")
            .or_else(|| service.and_then(|service| time_of(service, "eventLastSeen")))
            .unwrap_or(event.at);
        let resource = object_of(event.detail, "resource");
        let instance = resource.and_then(|resource| object_of(resource, "instanceDetails"));
        let of_resource = |group: &str, name: &str| {
            let group = resource.and_then(|resource| object_of(resource, group))?;
            text_of(group, name)
        };
        let bucket = resource.and_then(|resource| objects_of(resource, "s3BucketDetails").next());
        let mut labels = texts([
            ("account", account),
            ("region", region.clone()),
            ("finding_type", Some(kind.clone())),
            ("resource_type", resource.and_then(|resource| text_of(resource, "resourceType"))),
            ("instance_id", instance.and_then(|instance| text_of(instance, "instanceId"))),
            ("access_key_id", of_resource("accessKeyDetails", "accessKeyId")),
            ("user_name", of_resource("accessKeyDetails", "userName")),
            ("bucket", bucket.and_then(|bucket| text_of(bucket, "name"))),
            (
                "cluster_name",
                of_resource("eksClusterDetails", "name")
                    .or_else(|| of_resource("ecsClusterDetails", "name")),
            ),
            ("function_name", of_resource("lambdaDetails", "functionName")),
            ("db_instance_identifier", of_resource("rdsDbInstanceDetails", "dbInstanceIdentifier")),
        ]);
        labels.extend(instance.and_then(service_tag).map(|name| ("service".to_owned(), name)));
        let partition = arn
            .as_deref()
            .and_then(Arn::read)
            .map_or_else(|| "aws".to_owned(), |arn| arn.partition);
        let path =
            format!("guardduty/home?region={{region}}#/findings?fId={}", console::escape(&id));
        let link = region.and_then(|region| console::page("Finding", &partition, &region, &path));
        let mut annotations = texts([
            ("description", event.detail("description")),
            ("severity", event.detail("severity")),
            ("count", in_service("count")),
            ("first_seen", in_service("eventFirstSeen")),
            ("last_seen", in_service("eventLastSeen")),
            (
                "action",
                service
                    .and_then(|service| object_of(service, "action"))
                    .and_then(|action| text_of(action, "actionType")),
            ),
        ]);
        for text in annotations.values_mut() {
            *text = shorten(text, LONGEST_ANNOTATION);
        }
        let alert = Draft {
            source: NAME,
            identity,
            status,
            severity: severity(event, out),
            service: fields::service(&labels),
            title: event.detail("title").unwrap_or_else(|| kind.clone()),
            name: kind,
            labels,
            annotations,
            episode: None,
            starts_at: at,
            ends_at: is_archived.then_some(at),
            links: link.into_iter().collect(),
        }
        .seal();
        out.alert(alert.without_start());
        Ok(())
    }
}

/// Low 1 to 3.9, medium 4 to 6.9, high 7 to 8.9, critical 9 to 10.
fn severity(event: &Event<'_>, out: &mut Out<'_, '_>) -> Severity {
    let number = event.detail("severity").and_then(|text| text.parse::<f64>().ok());
    match number {
        Some(9.0..) => Severity::Critical,
        Some(7.0..) => Severity::Error,
        Some(4.0..) => Severity::Warning,
        Some(0.0..) => Severity::Info,
        Some(_) | None => {
            out.find("`detail.severity` is no number from 1 to 10 and was read as high".to_owned());
            Severity::Error
        }
    }
}

fn service_tag(instance: &Map<String, Value>) -> Option<String> {
    let tags = objects_of(instance, "tags");
    let mut named = tags.filter_map(|tag| Some((text_of(tag, "key")?, text_of(tag, "value")?)));
    named.find(|(key, _)| key.eq_ignore_ascii_case("service")).map(|(_, value)| value)
}
