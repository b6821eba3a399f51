//! Findings in the Open Cybersecurity Schema Framework, as the new Security Hub sends them.

use serde_json::{Map, Value};

use super::arn::Arn;
use super::event::{Event, REMEDY, object_of, objects_of, text_of, texts, time_of};
use super::securityhub::NAME;
use crate::alert::{Alert, AlertStatus, Draft, Mute, Severity};
use crate::sources::Problem;
use crate::sources::fields::{link, shorten};

const LONGEST_ANNOTATION: usize = 1024;
/// Ids of states: suppressed by a person, and the three that are an end.
const SUPPRESSED: &str = "3";
const OVER: [&str; 3] = ["4", "5", "6"];

pub(super) fn read(
    finding: &Map<String, Value>,
    path: &str,
    event: &Event<'_>,
) -> Result<Alert, Problem> {
    let info = object_of(finding, "finding_info")
        .or_else(|| objects_of(finding, "finding_info_list").next())
        .ok_or_else(|| Problem::field(&format!("{path}.finding_info"), "is missing", REMEDY))?;
    let id = text_of(info, "uid")
        .ok_or_else(|| Problem::field(&format!("{path}.finding_info.uid"), "is missing", REMEDY))?;
    let metadata = object_of(finding, "metadata");
    let product = metadata.and_then(|metadata| object_of(metadata, "product"));
    let of_product = |name: &str| product.and_then(|product| text_of(product, name));
    let cloud = object_of(finding, "cloud");
    let account = cloud
        .and_then(|cloud| object_of(cloud, "account"))
        .and_then(|account| text_of(account, "uid"));
    let compliance = object_of(finding, "compliance");
    let of_compliance = |name: &str| compliance.and_then(|compliance| text_of(compliance, name));
    let state = text_of(finding, "status_id");
    // The third activity of a finding is its end; the first status of a check is that it passed.
    let is_over = state.as_deref().is_some_and(|state| OVER.contains(&state))
        || text_of(finding, "activity_id").as_deref() == Some("3")
        || of_compliance("status_id").as_deref() == Some("1");
    let is_suppressed = state.as_deref() == Some(SUPPRESSED);
    let resource = objects_of(finding, "resources").next();
    let service = resource.and_then(service_tag);
    let type_of = || info.get("types")?.as_array()?.first()?.as_str().map(str::to_owned);
    let kind = of_compliance("control").or_else(type_of);
    let instance = resource.and_then(|resource| {
        let id = text_of(resource, "uid")?;
        let id = Arn::read(&id).map_or_else(|| id.clone(), |arn| arn.last().to_owned());
        id.starts_with("i-").then_some(id)
    });
    let labels = texts([
        ("account", account.or_else(|| event.account.clone())),
        (
            "region",
            cloud.and_then(|cloud| text_of(cloud, "region")).or_else(|| event.region.clone()),
        ),
        ("product", of_product("name").or_else(|| of_product("uid"))),
        ("control", of_compliance("control")),
        ("finding_type", type_of()),
        ("class", text_of(finding, "class_name").or_else(|| text_of(finding, "class_uid"))),
        ("status", text_of(finding, "status")),
        ("resource", resource.and_then(|resource| text_of(resource, "uid"))),
        ("resource_type", resource.and_then(|resource| text_of(resource, "type"))),
        ("instance_id", instance),
        ("service", service.clone()),
    ]);
    let remediation = object_of(finding, "remediation");
    let mut annotations = texts([
        ("description", text_of(info, "desc").or_else(|| text_of(finding, "message"))),
        ("remediation", remediation.and_then(|remediation| text_of(remediation, "desc"))),
    ]);
    for text in annotations.values_mut() {
        *text = shorten(text, LONGEST_ANNOTATION);
    }
    let at = time_of(info, "modified_time")
        .or_else(|| time_of(info, "modified_time_dt"))
        .or_else(|| time_of(finding, "time"))
        .or_else(|| time_of(finding, "time_dt"))
        .unwrap_or(event.at);
    let reference = remediation
        .and_then(|remediation| remediation.get("references")?.as_array()?.first()?.as_str());
    let links =
        [link("Finding", text_of(info, "src_url").as_deref()), link("Remediation", reference)];
    let alert = Draft {
        source: NAME,
        identity: [
            ("id".to_owned(), id.as_str().into()),
            ("product".to_owned(), of_product("uid").unwrap_or_default().as_str().into()),
        ]
        .into(),
        status: if is_over { AlertStatus::Resolved } else { AlertStatus::Firing },
        severity: severity(finding),
        service,
        title: text_of(info, "title").unwrap_or_else(|| id.clone()),
        name: kind.unwrap_or_else(|| "finding".to_owned()),
        labels,
        annotations,
        episode: None,
        starts_at: at,
        ends_at: is_over.then_some(at),
        links: links.into_iter().flatten().collect(),
    }
    .seal()
    .without_start();
    Ok(if is_suppressed && !is_over {
        alert.muted(Mute { by: "a suppressed finding in Security Hub".to_owned(), until: None })
    } else {
        alert
    })
}

fn severity(finding: &Map<String, Value>) -> Severity {
    match text_of(finding, "severity_id").as_deref() {
        Some("5" | "6") => Severity::Critical,
        Some("4") => Severity::Error,
        Some("3") => Severity::Warning,
        Some("1" | "2") => Severity::Info,
        _ => text_of(finding, "severity")
            .and_then(|word| Severity::from_word(&word))
            .unwrap_or(Severity::Warning),
    }
}

/// The names of tags are free; this one is what people use.
fn service_tag(resource: &Map<String, Value>) -> Option<String> {
    let tags = objects_of(resource, "tags");
    let mut named = tags.filter_map(|tag| Some((text_of(tag, "name")?, text_of(tag, "value")?)));
    named.find(|(name, _)| name.eq_ignore_ascii_case("service")).map(|(_, value)| value)
}
