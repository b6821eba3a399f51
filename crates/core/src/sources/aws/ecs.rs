//! Amazon ECS: tasks that stopped although nobody wanted it, services that cannot be served, deployments that failed.
//!
//! * A task that stopped fires when it failed to start, its essential container failed, its host was lost, or a health
//!   check killed it. Tasks that people, deployments and scaling stop are signs of life, and so is every other state.
//!   Updates of one task are ordered by the time that comes with their `version`; a stopped task never comes back.
//! * `WARN` and `ERROR` of a service fire, `SERVICE_STEADY_STATE` resolves them. A failed deployment is resolved by the
//!   next one that completes.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::arn::Arn;
use super::event::{Event, REMEDY, objects_of, text_of, texts};
use super::{Claim, Entrance, EventSource, Out, console};
use crate::alert::{Alert, AlertStatus, Draft, Link, Severity};
use crate::sources::fields::shorten;
use crate::sources::{Delivery, Intake, Problem, Source};

const NAME: &str = "ecs";
const TASK: &str = "ECS Task State Change";
const SERVICE: &str = "ECS Service Action";
const DEPLOYMENT: &str = "ECS Deployment State Change";
/// Containers whose end is told.
const MOST_CONTAINERS: usize = 10;
const LONGEST_REASON: usize = 512;

pub(in crate::sources) struct Ecs;

impl Source for Ecs {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "Amazon ECS by EventBridge: tasks that stopped abnormally, service actions and deployments that failed"
    }

    fn identity(&self) -> &'static str {
        "ARN of the task or of the service"
    }

    fn resolves(&self) -> &'static str {
        "tasks after an hour; services by `SERVICE_STEADY_STATE`, deployments by the next that completes"
    }

    fn expire_after(&self) -> Option<SignedDuration> {
        Some(SignedDuration::from_hours(1))
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Intake {
        super::parse(delivery, Entrance::Only(NAME), REMEDY)
    }
}

impl EventSource for Ecs {
    fn claims(&self) -> &'static [Claim] {
        &[("aws.ecs", TASK), ("aws.ecs", SERVICE), ("aws.ecs", DEPLOYMENT)]
    }

    fn read(&self, event: &Event<'_>, out: &mut Out<'_, '_>) -> Result<(), Problem> {
        match event.detail_type.as_str() {
            TASK => task(event, out),
            _ => of_service(event, out),
        }
    }
}

fn task(event: &Event<'_>, out: &mut Out<'_, '_>) -> Result<(), Problem> {
    let arn = event.required("taskArn")?;
    let status = event.required("lastStatus")?;
    if status != "STOPPED" {
        out.alive(&format!("task-{}", status.to_lowercase().replace('_', "-")));
        return Ok(());
    }
    let Some(why) = abnormal(event) else {
        out.alive("task-stopped-as-wanted");
        return Ok(());
    };
    let task = Arn::read(&arn);
    let (service, family) = owner(event);
    let id = task.as_ref().map_or(arn.as_str(), Arn::last).to_owned();
    let at = event.time("updatedAt").or_else(|| event.time("stoppedAt")).unwrap_or(event.at);
    let of = service.clone().or_else(|| family.clone()).unwrap_or_else(|| id.clone());
    let containers: Vec<String> =
        containers(event).take(MOST_CONTAINERS).map(|container| container.told()).collect();
    let cluster = event.detail("clusterArn").and_then(|arn| Arn::read(&arn));
    let mut labels = around(event, cluster.as_ref());
    labels.extend(texts([
        ("service_name", service.clone()),
        ("task_family", family.clone()),
        ("task_id", Some(id)),
        ("stop_code", event.detail("stopCode")),
        ("launch_type", event.detail("launchType")),
        ("availability_zone", event.detail("availabilityZone")),
    ]));
    let alert = Draft {
        source: NAME,
        identity: [("task_arn".to_owned(), arn.as_str().into())].into(),
        status: AlertStatus::Firing,
        severity: Severity::Error,
        service: service.or(family),
        name: "task-stopped".to_owned(),
        title: format!("{of}: {}", shorten(&why, 160)),
        labels,
        annotations: texts([
            ("reason", event.detail("stoppedReason").map(|text| shorten(&text, LONGEST_REASON))),
            ("containers", Some(containers.join("\n")).filter(|told| !told.is_empty())),
            ("task_definition", event.detail("taskDefinitionArn")),
        ]),
        episode: None,
        starts_at: at,
        ends_at: None,
        links: task_link(task.as_ref(), cluster.as_ref()).into_iter().collect(),
    }
    .seal();
    out.alert(alert.without_start());
    Ok(())
}

struct Container {
    name: String,
    exit_code: Option<i64>,
    reason: Option<String>,
}

impl Container {
    fn has_failed(&self) -> bool {
        self.exit_code.is_some_and(|code| code != 0)
    }

    fn told(&self) -> String {
        let code = self.exit_code.map(|code| format!(" exited with {code}")).unwrap_or_default();
        let reason = self.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{}{code}{}", self.name, shorten(&reason, LONGEST_REASON))
    }
}

fn containers(event: &Event<'_>) -> impl Iterator<Item = Container> {
    objects_of(event.detail, "containers").map(|container| Container {
        name: text_of(container, "name").unwrap_or_else(|| "a container".to_owned()),
        exit_code: text_of(container, "exitCode").and_then(|code| code.parse().ok()),
        reason: text_of(container, "reason"),
    })
}

/// Why a stopped task is a problem, or `None` when somebody wanted it to stop.
fn abnormal(event: &Event<'_>) -> Option<String> {
    let reason = event.detail("stoppedReason");
    let said = || reason.clone().unwrap_or_else(|| "stopped for no given reason".to_owned());
    let failed = || containers(event).find(Container::has_failed).map(|container| container.told());
    match event.detail("stopCode").as_deref() {
        Some("UserInitiated") => None,
        // Scaling and deployments kill containers too; only a health check is bad news.
        Some("ServiceSchedulerInitiated") => {
            reason.filter(|reason| reason.to_ascii_lowercase().contains("health check"))
        }
        Some("EssentialContainerExited") => failed().or_else(|| {
            let out_of_nothing = containers(event).all(|container| container.exit_code.is_none());
            out_of_nothing.then(said)
        }),
        Some(_) => Some(said()),
        None => failed().or_else(|| containers(event).find_map(|container| container.reason)),
    }
}

/// Service and family, from the group and the task definition.
fn owner(event: &Event<'_>) -> (Option<String>, Option<String>) {
    let group = event.detail("group").unwrap_or_default();
    let service = group.strip_prefix("service:").map(str::to_owned);
    let definition = event.detail("taskDefinitionArn").and_then(|arn| Arn::read(&arn));
    let family = definition.and_then(|arn| {
        let (family, _) = arn.resource.strip_prefix("task-definition/")?.split_once(':')?;
        Some(family.to_owned())
    });
    (service, family.or_else(|| group.strip_prefix("family:").map(str::to_owned)))
}

fn around(event: &Event<'_>, cluster: Option<&Arn>) -> BTreeMap<String, String> {
    texts([
        ("account", event.account.clone()),
        ("region", event.region.clone()),
        ("cluster_name", cluster.map(|arn| arn.last().to_owned())),
    ])
}

fn task_link(task: Option<&Arn>, cluster: Option<&Arn>) -> Option<Link> {
    let (task, cluster) = (task?, cluster?);
    let path = format!(
        "ecs/v2/clusters/{}/tasks/{}?region={{region}}",
        console::escape(cluster.last()),
        console::escape(task.last())
    );
    console::page("Task", &task.partition, &task.region, &path)
}

/// A service action or the state of a deployment.
fn of_service(event: &Event<'_>, out: &mut Out<'_, '_>) -> Result<(), Problem> {
    let name = event.required("eventName")?;
    let level = event.required("eventType")?;
    let is_deployment = event.detail_type == DEPLOYMENT;
    let kind = if is_deployment { "deployment" } else { "service" };
    let severity = match (level.as_str(), name.as_str()) {
        ("ERROR", _) => Some(Severity::Error),
        ("WARN", _) => Some(Severity::Warning),
        ("INFO", "SERVICE_STEADY_STATE" | "SERVICE_DEPLOYMENT_COMPLETED") => None,
        ("INFO", other) => {
            out.alive(&other.to_ascii_lowercase().replace('_', "-"));
            return Ok(());
        }
        (other, _) => {
            let what = format!("is `{other}`, none of INFO, WARN and ERROR");
            return Err(Problem::field("detail.eventType", &what, REMEDY));
        }
    };
    let arn = event
        .resource("ecs")
        .ok_or_else(|| Problem::field("resources", "has no service", REMEDY))?;
    let at = ["updatedAt", "createdAt"].iter().find_map(|name| event.time(name));
    let alert = service_alert(event, &arn, (kind, &name, severity), at.unwrap_or(event.at));
    out.alert(alert.without_start());
    Ok(())
}

fn service_alert(
    event: &Event<'_>,
    arn: &Arn,
    (kind, name, severity): (&str, &str, Option<Severity>),
    at: Timestamp,
) -> Alert {
    let service = arn.last().to_owned();
    let cluster = event.detail("clusterArn").and_then(|arn| Arn::read(&arn)).or_else(|| {
        let mut parts = arn.resource.strip_prefix("service/")?.split('/');
        let (cluster, _) = (parts.next()?, parts.next()?);
        Some(Arn { resource: format!("cluster/{cluster}"), ..arn.clone() })
    });
    let mut labels = around(event, cluster.as_ref());
    labels.extend(texts([
        ("service_name", Some(service.clone())),
        ("event_name", Some(name.to_owned())),
    ]));
    let path = cluster.as_ref().map(|cluster| {
        format!(
            "ecs/v2/clusters/{}/services/{}?region={{region}}",
            console::escape(cluster.last()),
            console::escape(&service)
        )
    });
    let link = path.and_then(|path| console::page("Service", &arn.partition, &arn.region, &path));
    let reason = event.detail("reason");
    let title = match &reason {
        Some(reason) if severity.is_some() => {
            format!("{service}: {name} ({})", shorten(reason, 120))
        }
        _ => format!("{service}: {name}"),
    };
    Draft {
        source: NAME,
        identity: [
            ("kind".to_owned(), kind.into()),
            ("service_arn".to_owned(), arn.to_string().as_str().into()),
        ]
        .into(),
        status: if severity.is_some() { AlertStatus::Firing } else { AlertStatus::Resolved },
        severity: severity.unwrap_or(Severity::Info),
        service: Some(service),
        name: format!("{kind}-failed"),
        title,
        labels,
        annotations: texts([
            ("reason", reason.map(|text| shorten(&text, LONGEST_REASON))),
            ("deployment", event.detail("deploymentId")),
            ("capacity_providers", listed(event.detail, "capacityProviderArns")),
            ("container_instances", listed(event.detail, "containerInstanceArns")),
        ]),
        episode: None,
        starts_at: at,
        ends_at: severity.is_none().then_some(at),
        links: link.into_iter().collect(),
    }
    .seal()
}

fn listed(detail: &Map<String, Value>, name: &str) -> Option<String> {
    let list = detail.get(name)?.as_array()?;
    let texts: Vec<&str> = list.iter().filter_map(Value::as_str).take(MOST_CONTAINERS).collect();
    Some(texts.join("\n")).filter(|text| !text.is_empty())
}
