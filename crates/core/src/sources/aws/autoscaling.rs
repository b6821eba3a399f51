//! Amazon EC2 Auto Scaling: groups that cannot launch or terminate instances, and instance refreshes that fail.
//!
//! What fails fires for the group; the next success of the same kind resolves it. Lifecycle actions and checkpoints are
//! signs of life.

use super::arn::Arn;
use super::event::{Event, REMEDY, object_of, text_of, texts};
use super::{Claim, Entrance, EventSource, Out, console};
use crate::alert::{AlertStatus, Draft, Severity};
use crate::sources::{Delivery, Intake, Problem, Source};

const NAME: &str = "autoscaling";
const SOURCE: &str = "aws.autoscaling";

pub(in crate::sources) struct AutoScaling;

impl Source for AutoScaling {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "Amazon EC2 Auto Scaling by EventBridge: launches, terminations and refreshes that fail"
    }

    fn identity(&self) -> &'static str {
        "group and kind of activity, with account and Region"
    }

    fn resolves(&self) -> &'static str {
        "the next success of the same kind"
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Intake {
        super::parse(delivery, Entrance::Only(NAME), REMEDY)
    }
}

/// What an event means: nothing but a sign of life, or the state of one kind of activity.
enum Meaning {
    Alive(&'static str),
    Activity { kind: &'static str, has_failed: bool },
}

fn meaning(detail_type: &str) -> Meaning {
    let activity = |kind, has_failed| Meaning::Activity { kind, has_failed };
    match detail_type {
        "EC2 Instance Launch Successful" => activity("launch", false),
        "EC2 Instance Launch Unsuccessful" => activity("launch", true),
        "EC2 Instance Terminate Successful" => activity("terminate", false),
        "EC2 Instance Terminate Unsuccessful" => activity("terminate", true),
        "EC2 Auto Scaling Instance Refresh Succeeded" => activity("refresh", false),
        "EC2 Auto Scaling Instance Refresh Failed" => activity("refresh", true),
        "EC2 Instance-launch Lifecycle Action" => Meaning::Alive("launch-lifecycle"),
        "EC2 Instance-terminate Lifecycle Action" => Meaning::Alive("terminate-lifecycle"),
        _ => Meaning::Alive("refresh"),
    }
}

impl EventSource for AutoScaling {
    fn claims(&self) -> &'static [Claim] {
        &[
            (SOURCE, "EC2 Instance Launch Successful"),
            (SOURCE, "EC2 Instance Launch Unsuccessful"),
            (SOURCE, "EC2 Instance Terminate Successful"),
            (SOURCE, "EC2 Instance Terminate Unsuccessful"),
            (SOURCE, "EC2 Instance-launch Lifecycle Action"),
            (SOURCE, "EC2 Instance-terminate Lifecycle Action"),
            (SOURCE, "EC2 Auto Scaling Instance Refresh Started"),
            (SOURCE, "EC2 Auto Scaling Instance Refresh Checkpoint Reached"),
            (SOURCE, "EC2 Auto Scaling Instance Refresh Cancelled"),
            (SOURCE, "EC2 Auto Scaling Instance Refresh Succeeded"),
            (SOURCE, "EC2 Auto Scaling Instance Refresh Failed"),
        ]
    }

    fn read(&self, event: &Event<'_>, out: &mut Out<'_, '_>) -> Result<(), Problem> {
        let group = event.required("AutoScalingGroupName")?;
        let (kind, has_failed) = match meaning(&event.detail_type) {
            Meaning::Alive(name) => {
                out.alive(name);
                return Ok(());
            }
            Meaning::Activity { kind, has_failed } => (kind, has_failed),
        };
        let at = event.time("EndTime").unwrap_or(event.at);
        let text = |value: &Option<String>| value.as_deref().unwrap_or_default().into();
        let zone = object_of(event.detail, "Details")
            .and_then(|details| text_of(details, "Availability Zone"));
        let path = format!(
            "ec2/home?region={{region}}#AutoScalingGroupDetails:id={}",
            console::escape(&group)
        );
        let partition = event.resources.iter().find_map(|text| Arn::read(text));
        let partition = partition.map_or_else(|| "aws".to_owned(), |arn| arn.partition);
        let link = event
            .region
            .as_deref()
            .and_then(|region| console::page("Auto Scaling group", &partition, region, &path));
        let alert = Draft {
            source: NAME,
            identity: [
                ("account".to_owned(), text(&event.account)),
                ("activity".to_owned(), kind.into()),
                ("group".to_owned(), group.as_str().into()),
                ("region".to_owned(), text(&event.region)),
            ]
            .into(),
            status: if has_failed { AlertStatus::Firing } else { AlertStatus::Resolved },
            severity: Severity::Error,
            service: None,
            name: format!("{kind}-failed"),
            title: title(kind, &group, has_failed),
            labels: texts([
                ("account", event.account.clone()),
                ("region", event.region.clone()),
                ("auto_scaling_group_name", Some(group.clone())),
                ("instance_id", event.detail("EC2InstanceId")),
                ("availability_zone", zone),
            ]),
            annotations: texts([
                ("status", event.detail("StatusCode")),
                ("status_message", event.detail("StatusMessage")),
                ("cause", event.detail("Cause")),
                ("description", event.detail("Description")),
                ("refresh", event.detail("InstanceRefreshId")),
            ]),
            episode: None,
            starts_at: at,
            ends_at: (!has_failed).then_some(at),
            links: link.into_iter().collect(),
        }
        .seal();
        out.alert(alert.without_start());
        Ok(())
    }
}

fn title(kind: &str, group: &str, has_failed: bool) -> String {
    let what = match (kind, has_failed) {
        ("refresh", true) => "its instance refresh failed",
        ("refresh", false) => "its instance refresh succeeded",
        ("launch", true) => "cannot launch an instance",
        ("launch", false) => "launched an instance",
        (_, true) => "cannot terminate an instance",
        (_, false) => "terminated an instance",
    };
    format!("{group}: {what}")
}
