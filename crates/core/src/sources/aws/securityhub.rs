//! AWS Security Hub: findings in ASFF as they are imported or picked by hand, insights, and findings in OCSF.
//!
//! **Identity** is the product and the finding's id. A finding is sent again on every update and says when that was, not
//! since when it fails: the same words again are a repeat, and one that fails again after it passed is heard.
//!
//! **State.** `Workflow.Status` `RESOLVED`, `RecordState` `ARCHIVED` and `Compliance.Status` `PASSED` resolve.
//! `SUPPRESSED` is taken in with the sender's mute. An insight is the answer to a person's question: it fires and never
//! resolves.

use serde_json::{Map, Value};

use super::arn::Arn;
use super::event::{Event, REMEDY, field, object_of, objects_of, text_of, texts, time_of};
use super::{Claim, Entrance, EventSource, Out, ocsf};
use crate::alert::{Alert, AlertStatus, Draft, Mute, Severity};
use crate::sources::fields::{self, link, present, shorten};
use crate::sources::{Delivery, Intake, Problem, Source};

pub(super) const NAME: &str = "securityhub";
const SOURCE: &str = "aws.securityhub";
const IMPORTED: &str = "Security Hub Findings - Imported";
const CUSTOM_ACTION: &str = "Security Hub Findings - Custom Action";
const INSIGHT: &str = "Security Hub Insight Results";
const OCSF: &str = "Findings Imported V2";
const LONGEST_ANNOTATION: usize = 1024;
/// Results of an insight that are listed.
const MOST_RESULTS: usize = 20;

pub(in crate::sources) struct SecurityHub;

impl Source for SecurityHub {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "AWS Security Hub by EventBridge: findings (ASFF and OCSF), custom actions and insights"
    }

    fn identity(&self) -> &'static str {
        "product and id of the finding"
    }

    fn resolves(&self) -> &'static str {
        "resolved, archived or passed; insights never"
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Intake {
        super::parse(delivery, Entrance::Only(NAME), REMEDY)
    }
}

impl EventSource for SecurityHub {
    fn claims(&self) -> &'static [Claim] {
        &[(SOURCE, IMPORTED), (SOURCE, CUSTOM_ACTION), (SOURCE, INSIGHT), (SOURCE, OCSF)]
    }

    fn read(&self, event: &Event<'_>, out: &mut Out<'_, '_>) -> Result<(), Problem> {
        if event.detail_type == INSIGHT {
            out.alert(insight(event)?);
            return Ok(());
        }
        let findings = event
            .detail
            .get("findings")
            .and_then(Value::as_array)
            .filter(|findings| !findings.is_empty())
            .ok_or_else(|| Problem::field("detail.findings", "has no finding", REMEDY))?;
        for (index, element) in findings.iter().enumerate() {
            let path = format!("detail.findings[{index}]");
            let alert = match element.as_object() {
                Some(finding) if event.detail_type == OCSF => ocsf::read(finding, &path, event),
                Some(finding) => read(finding, &path, event),
                None => Err(Problem::field(&path, "is not an object", REMEDY)),
            };
            match alert {
                Ok(alert) => out.alert(alert),
                Err(problem) => out.reject(problem, element),
            }
        }
        Ok(())
    }
}

/// A finding in the AWS Security Finding Format.
fn read(finding: &Map<String, Value>, path: &str, event: &Event<'_>) -> Result<Alert, Problem> {
    let id = text_of(finding, "Id")
        .ok_or_else(|| Problem::field(&format!("{path}.Id"), "is missing", REMEDY))?;
    let in_group = |group: &str, name: &str| text_of(object_of(finding, group)?, name);
    let workflow = in_group("Workflow", "Status").or_else(|| text_of(finding, "WorkflowState"));
    let compliance = in_group("Compliance", "Status");
    let record = text_of(finding, "RecordState");
    let is_over = workflow.as_deref() == Some("RESOLVED")
        || record.as_deref() == Some("ARCHIVED")
        || compliance.as_deref() == Some("PASSED");
    let mut times = ["UpdatedAt", "LastObservedAt", "CreatedAt"].iter();
    let at = times.find_map(|name| time_of(finding, name)).unwrap_or(event.at);
    let resource = objects_of(finding, "Resources").next();
    let product = text_of(finding, "ProductArn");
    let rule = in_group("Compliance", "SecurityControlId")
        .or_else(|| text_of(finding, "GeneratorId"))
        .or_else(|| finding_type(finding));
    let tags = resource.and_then(|resource| object_of(resource, "Tags"));
    let service = tags.and_then(|tags| text_of(tags, "service"));
    let mut labels = texts([
        ("account", text_of(finding, "AwsAccountId").or_else(|| event.account.clone())),
        ("region", text_of(finding, "Region").or_else(|| event.region.clone())),
        ("product", product_name(finding, product.as_deref())),
        ("control", in_group("Compliance", "SecurityControlId")),
        ("finding_type", finding_type(finding)),
        ("workflow", workflow.clone()),
        ("compliance", compliance),
        ("action", event.detail("actionName")),
        ("service", service.clone()),
    ]);
    labels.extend(resource.map(resource_labels).unwrap_or_default());
    let remediation = object_of(finding, "Remediation")
        .and_then(|remediation| object_of(remediation, "Recommendation"));
    let remedy = |name: &str| remediation.and_then(|remediation| text_of(remediation, name));
    let mut annotations = texts([
        ("description", text_of(finding, "Description")),
        ("remediation", remedy("Text")),
        ("generator", text_of(finding, "GeneratorId")),
        ("first_observed", text_of(finding, "FirstObservedAt")),
        ("resources", resources(finding)),
    ]);
    for text in annotations.values_mut() {
        *text = shorten(text, LONGEST_ANNOTATION);
    }
    let links = [
        link("Finding", text_of(finding, "SourceUrl").as_deref()),
        link("Remediation", remedy("Url").as_deref()),
    ];
    let status = if is_over { AlertStatus::Resolved } else { AlertStatus::Firing };
    let alert = Draft {
        source: NAME,
        identity: [
            ("id".to_owned(), id.as_str().into()),
            ("product".to_owned(), product.as_deref().unwrap_or_default().into()),
        ]
        .into(),
        status,
        severity: severity(finding),
        service: service.or_else(|| fields::service(&labels)),
        title: text_of(finding, "Title").unwrap_or_else(|| id.clone()),
        name: rule.unwrap_or_else(|| "finding".to_owned()),
        labels,
        annotations,
        episode: None,
        starts_at: at,
        ends_at: is_over.then_some(at),
        links: links.into_iter().flatten().collect(),
    }
    .seal()
    .without_start();
    Ok(if workflow.as_deref() == Some("SUPPRESSED") && !is_over {
        alert.muted(Mute { by: "a suppressed workflow in Security Hub".to_owned(), until: None })
    } else {
        alert
    })
}

/// `Label` says it; old products have only a number from 0 to 100.
fn severity(finding: &Map<String, Value>) -> Severity {
    let severity = object_of(finding, "Severity");
    let text = |name: &str| severity.and_then(|severity| text_of(severity, name));
    if let Some(word) = text("Label").and_then(|label| Severity::from_word(&label)) {
        return word;
    }
    match text("Normalized").and_then(|number| number.parse::<f64>().ok()) {
        Some(90.0..) => Severity::Critical,
        Some(70.0..) => Severity::Error,
        Some(..40.0) => Severity::Info,
        Some(_) | None => Severity::Warning,
    }
}

fn finding_type(finding: &Map<String, Value>) -> Option<String> {
    field(finding, "Types")?.as_array()?.first().and_then(present)
}

fn product_name(finding: &Map<String, Value>, arn: Option<&str>) -> Option<String> {
    text_of(finding, "ProductName").or_else(|| Some(Arn::read(arn?)?.last().to_owned()))
}

fn resource_labels(resource: &Map<String, Value>) -> Vec<(String, String)> {
    let id = text_of(resource, "Id");
    let kind = text_of(resource, "Type");
    let instance = id
        .as_deref()
        .filter(|_| kind.as_deref() == Some("AwsEc2Instance"))
        .map(|id| Arn::read(id).map_or_else(|| id.to_owned(), |arn| arn.last().to_owned()));
    let labels = texts([("resource", id), ("resource_type", kind), ("instance_id", instance)]);
    labels.into_iter().collect()
}

/// All of them, where there are several.
fn resources(finding: &Map<String, Value>) -> Option<String> {
    let all: Vec<String> =
        objects_of(finding, "Resources").filter_map(|resource| text_of(resource, "Id")).collect();
    (all.len() > 1).then(|| all.join("\n"))
}

/// What a person saw in an insight and sent on.
fn insight(event: &Event<'_>) -> Result<Alert, Problem> {
    let arn = event
        .detail("insightArn")
        .or_else(|| event.resources.first().cloned())
        .ok_or_else(|| Problem::field("detail.insightArn", "is missing", REMEDY))?;
    let name = event.detail("insightName").unwrap_or_else(|| arn.clone());
    let results = objects_of(event.detail, "insightResults").flatten().take(MOST_RESULTS);
    let results: Vec<String> =
        results.filter_map(|(of, count)| Some(format!("{of}: {}", present(count)?))).collect();
    Ok(Draft {
        source: NAME,
        identity: [("insight_arn".to_owned(), arn.as_str().into())].into(),
        status: AlertStatus::Firing,
        severity: Severity::Warning,
        service: None,
        title: name.clone(),
        name,
        labels: texts([
            ("account", event.account.clone()),
            ("region", event.region.clone()),
            ("action", event.detail("actionName")),
            ("result_type", event.detail("resultType")),
        ]),
        annotations: texts([
            ("description", event.detail("actionDescription")),
            ("results", Some(results.join("\n")).filter(|text| !text.is_empty())),
        ]),
        episode: None,
        starts_at: event.at,
        ends_at: None,
        links: Vec::new(),
    }
    .seal())
}
