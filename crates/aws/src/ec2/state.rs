//! What EC2's answers say of an instance.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    Instance, InstanceState, InstanceStateName, InstanceStatus, SummaryStatus,
};
use aws_smithy_types::date_time::Format;
use firebreak_core::evidence::{Change, Fact, Reading};
use firebreak_engine::ports::ReadError;
use jiff::Timestamp;

/// A terminated instance can still be read for an hour, and is nothing that could be acted on.
pub(super) fn exists(instance: &Instance) -> bool {
    let state = instance.state().and_then(InstanceState::name);
    !matches!(state, Some(InstanceStateName::Terminated | InstanceStateName::ShuttingDown))
}

pub(super) fn name(state: Option<&InstanceState>) -> &str {
    state.and_then(InstanceState::name).map_or("unknown", InstanceStateName::as_str)
}

/// A reboot keeps the launch time; a stop and start, after which this is another boot on another host, does not.
pub(super) fn identity(instance: &Instance) -> Result<String, ReadError> {
    let id = instance.instance_id().unwrap_or_default();
    let launched = instance.launch_time().and_then(|time| time.fmt(Format::DateTime).ok());
    match launched {
        Some(launched) if !id.is_empty() => Ok(format!("{id}@{launched}")),
        _ => Err(ReadError("the answer names no instance id or launch time".to_owned())),
    }
}

pub(super) fn tags(instance: &Instance) -> BTreeMap<String, String> {
    let tags = instance.tags().iter();
    tags.filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
        .collect()
}

/// Good only when the instance runs and both checks pass.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-system-instance-status-check.html>
pub(super) fn reading(status: Option<&InstanceStatus>) -> (Reading, String) {
    let Some(status) = status else {
        return (Reading::Worse, "the instance does not exist".to_owned());
    };
    let summary =
        |status: Option<&SummaryStatus>| status.map_or("unknown", SummaryStatus::as_str).to_owned();
    let instance = summary(status.instance_status().and_then(|summary| summary.status()));
    let system = summary(status.system_status().and_then(|summary| summary.status()));
    let state = name(status.instance_state());
    let detail = format!("{state}, instance status {instance}, system status {system}");
    let reading = match state {
        "running" if instance == "ok" && system == "ok" => Reading::Good,
        "running" | "pending" => Reading::Bad,
        "stopping" | "stopped" | "shutting-down" | "terminated" => Reading::Worse,
        _ => Reading::Unreadable,
    };
    (reading, detail)
}

/// Whether both status checks pass.
pub(super) fn is_healthy(status: &InstanceStatus) -> bool {
    reading(Some(status)).0 == Reading::Good
}

/// EC2 keeps no record of who did what to an instance; its launch, which a stop and start is too, is the one
/// change that it tells of, whoever made it.
pub(super) fn changed(instance: &Instance) -> Fact<Option<Change>> {
    let launched = instance.launch_time().and_then(|time| Timestamp::from_second(time.secs()).ok());
    match launched {
        Some(at) => Fact::Known(Some(Change { by: "whoever launched it".to_owned(), at })),
        None => Fact::Unreadable("the answer names no launch time".to_owned()),
    }
}

/// Set by a pipeline for as long as it deploys; `no` says that it looks after the tag and does not deploy now.
const DEPLOYING: &str = "firebreak:deploying";

/// Who else may replace or change the instance; whether they do so now is theirs to say.
const OWNERS: &[(&str, &str)] = &[
    ("aws:autoscaling:groupName", "the Auto Scaling group"),
    ("aws:cloudformation:stack-name", "the CloudFormation stack"),
];

pub(super) fn deployment(tags: &BTreeMap<String, String>) -> Fact<Option<String>> {
    if let Some(what) = tags.get(DEPLOYING) {
        let none = matches!(what.trim(), "" | "no" | "false");
        return Fact::Known((!none).then(|| what.clone()));
    }
    let owner = OWNERS.iter().find_map(|(tag, words)| Some((words, tags.get(*tag)?)));
    match owner {
        Some((words, name)) => Fact::Unreadable(format!(
            "it belongs to {words} {name}, whose rollouts are not read; let the pipeline tag it {DEPLOYING}=<what>, and `no` afterwards"
        )),
        None => Fact::Known(None),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::InstanceStatusSummary;

    use super::*;

    fn check(state: &str, instance: &str, system: &str, expected: Reading) {
        let summary = |status: &str| {
            InstanceStatusSummary::builder().status(SummaryStatus::from(status)).build()
        };
        let status = InstanceStatus::builder()
            .instance_state(InstanceState::builder().name(InstanceStateName::from(state)).build())
            .instance_status(summary(instance))
            .system_status(summary(system))
            .build();
        assert_eq!(reading(Some(&status)).0, expected, "{state} {instance} {system}");
    }

    #[test]
    fn only_a_running_instance_with_both_checks_passed_is_good() {
        check("running", "ok", "ok", Reading::Good);
        for doubtful in ["initializing", "insufficient-data", "impaired", "not-applicable", "new"] {
            check("running", doubtful, "ok", Reading::Bad);
            check("running", "ok", doubtful, Reading::Bad);
        }
        check("pending", "initializing", "ok", Reading::Bad);
        check("a-later-state", "ok", "ok", Reading::Unreadable);
    }

    #[test]
    fn an_instance_that_is_down_is_worse_than_before() {
        for down in ["stopping", "stopped", "shutting-down", "terminated"] {
            check(down, "ok", "ok", Reading::Worse);
        }
        assert_eq!(reading(None).0, Reading::Worse);
        assert_eq!(reading(Some(&InstanceStatus::builder().build())).0, Reading::Unreadable);
    }

    fn tagged(tags: &[(&str, &str)]) -> Fact<Option<String>> {
        deployment(
            &tags.iter().map(|(tag, value)| ((*tag).to_owned(), (*value).to_owned())).collect(),
        )
    }

    #[test]
    fn a_deployment_is_what_its_pipeline_says_and_unreadable_where_an_owner_says_nothing() {
        let owner = ("aws:autoscaling:groupName", "web");
        assert_eq!(tagged(&[]), Fact::Known(None));
        assert_eq!(tagged(&[owner, (DEPLOYING, "v42")]), Fact::Known(Some("v42".to_owned())));
        assert_eq!(tagged(&[owner, (DEPLOYING, "no")]), Fact::Known(None));
        let Fact::Unreadable(why) = tagged(&[owner]) else { panic!("nobody said") };
        assert!(why.contains("Auto Scaling group web"), "{why}");
        assert!(matches!(tagged(&[("aws:cloudformation:stack-name", "s")]), Fact::Unreadable(_)));
    }

    #[test]
    fn the_launch_is_the_change_that_is_known() {
        let launched = aws_smithy_types::DateTime::from_secs(1_795_000_000);
        let instance = Instance::builder().launch_time(launched).build();
        let Fact::Known(Some(change)) = changed(&instance) else { panic!("it was launched") };
        assert_eq!(change.at.as_second(), 1_795_000_000);
        assert!(matches!(changed(&Instance::builder().build()), Fact::Unreadable(_)));
    }
}
