//! Recorded payloads of AWS, kept beside the checkout where there are any, and what each of them is.

use std::path::Path;

use super::super::tests::bodies;
use super::super::{Intake, find};

const SAMPLES: &str = "../../../shared/samples";

/// Folder, file without its ending, and what it says.
const TABLE: &[(&str, &str, &str)] = &[
    (
        "aws_eventbridge",
        "autoscaling-event-launch-successful",
        "autoscaling resolved error launch-failed",
    ),
    (
        "aws_eventbridge",
        "autoscaling-event-launch-unsuccessful",
        "autoscaling firing error launch-failed",
    ),
    ("aws_eventbridge", "autoscaling-event-lifecycle-action", "alive autoscaling-launch-lifecycle"),
    (
        "aws_eventbridge",
        "autoscaling-event-terminate-successful",
        "autoscaling resolved error terminate-failed",
    ),
    ("aws_eventbridge", "ecs_task_state_change_running", "alive ecs-task-running"),
    (
        "aws_eventbridge",
        "health_abuse_event",
        "health firing critical AWS_ABUSE_COPYRIGHT_DMCA_REPORT",
    ),
    (
        "aws_eventbridge",
        "securityhub_findings_imported_v2_envelope",
        "kept field `detail.findings[0].finding_info` is missing",
    ),
    (
        "cloudwatch",
        "crate_cloudwatch-alarm-composite",
        "cloudwatch firing error CompositeDemo.Main",
    ),
    (
        "cloudwatch",
        "crate_cloudwatch-alarm-composite-with-suppressor-alarm",
        "cloudwatch firing error muted ServiceAggregatedAlarm",
    ),
    (
        "cloudwatch",
        "crate_cloudwatch-alarm-metric",
        "cloudwatch firing error lambda-demo-metric-alarm",
    ),
    (
        "cloudwatch",
        "crate_cloudwatch-alarm-sns-payload-multiple-metrics",
        "cloudwatch firing error EXAMPLE, cloudwatch firing error EXAMPLE",
    ),
    (
        "cloudwatch",
        "crate_cloudwatch-alarm-sns-payload-single-metric",
        "cloudwatch firing error EXAMPLE",
    ),
    ("cloudwatch", "crate_sns-event", "sns firing warning weak snsNetTest"),
    ("cloudwatch", "crate_sns-event-pascal-case", "sns firing warning weak snsNetTest"),
    (
        "cloudwatch",
        "docs_eventbridge_anomaly",
        "cloudwatch firing error EC2 CPU Utilization Anomaly",
    ),
    (
        "cloudwatch",
        "docs_eventbridge_composite_suppressed_muted",
        "cloudwatch firing error muted ServiceAggregatedAlarm",
    ),
    (
        "cloudwatch",
        "docs_eventbridge_configuration_change_delete",
        "alive cloudwatch-configuration-change",
    ),
    (
        "cloudwatch",
        "docs_eventbridge_contributor_state_change",
        "cloudwatch firing error muted DynamoDBInsightsAlarm",
    ),
    (
        "cloudwatch",
        "docs_eventbridge_metric_math",
        "cloudwatch firing error TotalNetworkTrafficTooHigh",
    ),
    (
        "cloudwatch",
        "docs_eventbridge_multi_timeseries_alarm",
        "cloudwatch firing error DynamoDBInsightsAlarm",
    ),
    (
        "cloudwatch",
        "docs_eventbridge_single_metric",
        "cloudwatch firing error muted ServerCpuTooHigh",
    ),
    (
        "cloudwatch",
        "sns_lambda_event_ecs_desired_tasks_alarm",
        "cloudwatch firing error ProdJenkinsMasterCDK",
    ),
    (
        "cloudwatch",
        "sns_message_composite",
        "cloudwatch firing error if-sim-app_427809481713_us-east-1-test_node_monitor",
    ),
    (
        "cloudwatch",
        "sns_message_composite_empty_children",
        "cloudwatch firing error some-alarm-name",
    ),
    (
        "cloudwatch",
        "spaceone_sns_http_notification_ok_anomaly",
        "cloudwatch resolved error ContainerInsight-pod_cpu_utilization",
    ),
    ("sns", "docs_notification", "sns firing warning weak MyTopic"),
    (
        "sns",
        "docs_subscription_confirmation",
        "control arn:aws:sns:us-west-2:123456789012:MyTopic asks to deliver here",
    ),
    (
        "sns",
        "docs_unsubscribe_confirmation",
        "control arn:aws:sns:us-west-2:123456789012:MyTopic delivers here no more",
    ),
];

fn said(intake: &Intake) -> String {
    let alerts = intake.alerts.iter().map(|(_, alert)| {
        let status = if alert.is_firing() { "firing" } else { "resolved" };
        let weak = if alert.identity == crate::alert::Identity::Weak { " weak" } else { "" };
        let muted = if alert.mute.is_some() { " muted" } else { "" };
        format!("{} {status} {}{weak}{muted} {}", alert.source, alert.severity.as_str(), alert.name)
    });
    let alive = intake.heartbeats.iter().map(|(_, name)| format!("alive {name}"));
    let controls = intake.controls.iter().map(|(_, control)| {
        format!("control {}", control.told().split(": if").next().unwrap_or_default())
    });
    let kept = intake.rejects.iter().map(|reject| {
        let message = reject.problem.message.split(';').next().unwrap_or_default();
        format!("kept {} {message}", reject.problem.code)
    });
    alerts.chain(alive).chain(controls).chain(kept).collect::<Vec<_>>().join(", ")
}

#[test]
fn recorded_payloads_say_what_the_table_says() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join(SAMPLES);
    for folder in ["aws_eventbridge", "cloudwatch", "sns"] {
        let bodies = bodies(&samples.join(folder));
        if bodies.is_empty() {
            println!("no recorded payloads of {folder} beside the checkout");
        }
        for body in bodies {
            let said = said(&body.check(find(folder).expect("a source of that name")));
            let file = body.path.file_stem().unwrap().to_str().unwrap();
            println!("{folder:16} {file:60} {said}");
            let known = TABLE.iter().find(|row| (row.0, row.1) == (folder, file));
            if let Some((_, _, expected)) = known {
                assert_eq!(said, *expected, "{folder}/{file}");
            }
        }
    }
}
