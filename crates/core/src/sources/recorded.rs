//! Recorded payloads of real senders, kept beside the checkout where there are any: one table of what becomes of each.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::tests::Body;
use super::{Intake, Source, find};
use crate::alert::{Alert, Identity};

/// Holds one folder for each kind of sender; it stands beside the checkout or further up.
const RECORDED: &str = "shared/samples";
/// Folders that are called otherwise than their source.
const SOURCES: [(&str, &str); 1] = [("aws_eventbridge", "eventbridge")];
/// Folders that hold no messages about alerts.
const OTHERS: [(&str, &str); 3] = [
    ("apigateway", "requests as API Gateway hands them on: their body is what a source reads"),
    ("kubernetes", "objects and events of a cluster, read by the hands there"),
    ("slack", "what people press, read where plans are approved"),
];

/// What a file should become, where that is not at least one alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Instead {
    Heartbeat,
    Quarantined(&'static str),
    Control,
}

use Instead::{Control, Heartbeat, Quarantined};

const INSTEAD: &[(&str, Instead)] = &[
    ("aws_eventbridge/autoscaling-event-lifecycle-action.json", Heartbeat),
    ("aws_eventbridge/ecs_task_state_change_running.json", Heartbeat),
    ("aws_eventbridge/securityhub_findings_imported_v2_envelope.json", Quarantined("field")),
    ("cloudwatch/docs_eventbridge_configuration_change_delete.json", Heartbeat),
    // The headers of a request, and templates that nobody filled in.
    ("datadog/nudgebee_request_headers.json", Quarantined("field")),
    ("datadog/template_alertnow_all_variables.json", Heartbeat),
    ("datadog/template_keep.json", Heartbeat),
    ("pagerduty/docs_service_updated_v3.json", Heartbeat),
    ("sns/docs_subscription_confirmation.json", Control),
    ("sns/docs_unsubscribe_confirmation.json", Control),
    ("sumologic/docs_delivered_example_INVALID.txt", Quarantined("json")),
    ("sumologic/docs_hierarchical_template_INVALID.txt", Heartbeat),
    // The event of API Gateway around a body.
    ("sumologic/securityhub_forwarder_proxy_event_REBUILT.json", Quarantined("field")),
    ("sumologic/squyre_scheduled_search_apigw_rest_event.json", Quarantined("field")),
    ("sumologic/template_keep_connection.json", Heartbeat),
    ("sumologic/template_opsgenie_default.json", Heartbeat),
    ("sumologic/template_servicenow_generic_webhook.json", Heartbeat),
];

struct Recorded {
    /// Folder and name.
    file: String,
    path: PathBuf,
    folder: String,
}

fn recorded() -> Vec<Recorded> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut folders = above.map(|folder| folder.join(RECORDED));
    let Some(Ok(folders)) = folders.find(|root| root.is_dir()).map(std::fs::read_dir) else {
        return Vec::new();
    };
    let mut found: Vec<Recorded> = folders
        .map(|folder| folder.unwrap().path())
        .filter(|folder| folder.is_dir())
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
            let folder = name(path.parent().unwrap());
            Recorded { file: format!("{folder}/{}", name(&path)), folder, path }
        })
        .collect();
    found.sort_by(|one, other| one.file.cmp(&other.file));
    found
}

impl Recorded {
    fn source(&self) -> Option<&'static dyn Source> {
        let name = SOURCES.iter().find(|(folder, _)| *folder == self.folder);
        find(name.map_or(self.folder.as_str(), |(_, source)| source))
    }

    fn is_as_it_should(&self, intake: &Intake) -> bool {
        let instead =
            INSTEAD.iter().find(|(file, _)| *file == self.file).map(|(_, instead)| *instead);
        match instead {
            None => !intake.alerts.is_empty() && intake.rejects.is_empty(),
            Some(Heartbeat) => !intake.heartbeats.is_empty() && intake.alerts.is_empty(),
            Some(Control) => !intake.controls.is_empty() && intake.alerts.is_empty(),
            Some(Quarantined(code)) => {
                intake.alerts.is_empty()
                    && intake.rejects.iter().any(|reject| reject.problem.code == code)
            }
        }
    }
}

fn shown(alert: &Alert) -> String {
    format!(
        "{} {}{} {} {}",
        if alert.is_firing() { "firing" } else { "resolved" },
        alert.severity.as_str(),
        if alert.identity == Identity::Weak { " weak" } else { "" },
        alert.fingerprint,
        alert.title.chars().take(60).collect::<String>(),
    )
}

fn rows(intake: &Intake) -> Vec<String> {
    let alerts = intake.alerts.iter().map(|(_, alert)| shown(alert));
    let heartbeats = intake.heartbeats.iter().map(|(_, name)| format!("heartbeat {name}"));
    let controls = intake.controls.iter().map(|(_, control)| control.told());
    let rejects = intake
        .rejects
        .iter()
        .map(|reject| format!("quarantined [{}] {}", reject.problem.code, reject.problem.message));
    alerts.chain(heartbeats).chain(controls).chain(rejects).collect()
}

#[test]
fn every_recorded_payload_becomes_an_alert_or_a_named_reason() {
    let recorded = recorded();
    if recorded.is_empty() {
        println!("no recorded payloads beside the checkout");
        return;
    }
    let (mut table, mut wrong) = (String::new(), Vec::new());
    for file in &recorded {
        let mut line = |source: &str, what: &str| {
            writeln!(table, "{:<62} {source:<14} {what}", file.file).unwrap();
        };
        if let Some((_, why)) = OTHERS.iter().find(|(folder, _)| *folder == file.folder) {
            line("-", &format!("no alert: {why}"));
            continue;
        }
        let Some(source) = file.source() else {
            wrong.push(format!("{}: no source reads this folder", file.file));
            continue;
        };
        let intake = Body::read(file.path.clone()).check(source);
        for row in rows(&intake) {
            line(source.name(), &row);
        }
        if !file.is_as_it_should(&intake) {
            wrong.push(format!("{}: {:?}", file.file, rows(&intake)));
        }
    }
    println!("{table}");
    assert!(wrong.is_empty(), "{}\n{table}", wrong.join("\n"));
    for (file, _) in INSTEAD {
        assert!(recorded.iter().any(|other| other.file == *file), "{file} is not there");
    }
}
