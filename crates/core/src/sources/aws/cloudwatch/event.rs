//! Alarms in the spelling of the bus: events, and the alarm action of Lambda.

use serde_json::{Map, Value};

use super::super::arn::Arn;
use super::super::event::{Event, object_of, objects_of, text_of, time_of};
use super::super::{Out, event::REMEDY};
use super::CONTRIBUTOR;
use super::alarm::{Alarm, Child, Contributor, Previous, State, arn_of};
use super::metrics::Metrics;
use crate::alert::Mute;
use crate::sources::fields::present;
use crate::sources::{Delivery, Problem, unique};

/// What CloudWatch writes into the state of an alarm that was never evaluated.
const INITIAL: &str = "Unchecked: Initial alarm creation";

/// How the fields around the alarm are called, which differs between a bus and an action.
struct Around<'a> {
    path: &'a str,
    arn: Option<Arn>,
    account: Option<String>,
    region: Option<String>,
    at: Option<jiff::Timestamp>,
    received_at: jiff::Timestamp,
    needs_contributor: bool,
}

pub(super) fn of_bus(event: &Event<'_>) -> Result<Alarm, Problem> {
    let around = Around {
        path: "detail",
        arn: event.resource("cloudwatch"),
        account: event.account.clone(),
        region: event.region.clone(),
        at: event.is_dated.then_some(event.at),
        received_at: event.at,
        needs_contributor: event.detail_type == CONTRIBUTOR,
    };
    read(event.detail, around)
}

/// What CloudWatch hands to a Lambda function that is an action of the alarm.
pub(super) fn of_action(
    object: &Map<String, Value>,
    delivery: &Delivery<'_>,
) -> Result<Alarm, Problem> {
    let data = object_of(object, "alarmData")
        .ok_or_else(|| Problem::field("alarmData", "is not an object", REMEDY))?;
    let around = Around {
        path: "alarmData",
        arn: text_of(object, "alarmArn").and_then(|arn| Arn::read(&arn)),
        account: text_of(object, "accountId"),
        region: text_of(object, "region"),
        at: time_of(object, "time"),
        received_at: delivery.received_at,
        needs_contributor: false,
    };
    read(data, around)
}

/// A change of an alarm's configuration is no alert; that an alarm is gone is worth a word.
pub(super) fn configuration(event: &Event<'_>, out: &mut Out<'_, '_>) {
    if event.detail("operation").as_deref() == Some("delete") {
        let name = event.detail("alarmName").unwrap_or_else(|| "an alarm".to_owned());
        out.find(format!("`{name}` was deleted: what it fired is resolved by hand"));
    }
    out.alive("configuration-change");
}

fn read(data: &Map<String, Value>, around: Around<'_>) -> Result<Alarm, Problem> {
    let at = |name: &str| format!("{}.{name}", around.path);
    let name = text_of(data, "alarmName")
        .ok_or_else(|| Problem::field(&at("alarmName"), "is missing", REMEDY))?;
    let state = object_of(data, "state")
        .ok_or_else(|| Problem::field(&at("state"), "is not an object", REMEDY))?;
    let contributor = contributor(data);
    if around.needs_contributor && contributor.is_none() {
        return Err(Problem::field(&at("alarmContributor.id"), "is missing", REMEDY));
    }
    let before = object_of(data, "previousState");
    let previous = Previous {
        state: before
            .and_then(|before| text_of(before, "value"))
            .and_then(|word| State::from_word(&word)),
        at: before.and_then(|before| time_of(before, "timestamp")),
        is_initial: before
            .and_then(|before| text_of(before, "reason"))
            .is_some_and(|reason| reason.starts_with(INITIAL)),
    };
    let configuration = object_of(data, "configuration").cloned().unwrap_or_default();
    let reason_data = reason_data(state);
    let mut metrics = Metrics::read(&configuration);
    let threshold = reason_data.as_ref().and_then(|data| text_of(data, "threshold"));
    metrics.threshold = metrics.threshold.or(threshold);
    let changed = time_of(state, "timestamp").or(around.at);
    let own = |arn: &Arn| (arn.account(), arn.region());
    let (own_account, own_region) = around.arn.as_ref().map(own).unwrap_or_default();
    let account = own_account.or(around.account);
    let region = own_region.or(around.region);
    Ok(Alarm {
        arn: around.arn.or_else(|| arn_of(account.as_deref(), region.as_deref(), &name)),
        account,
        region,
        contributor,
        state: State::read(&at("state.value"), text_of(state, "value"))?,
        previous,
        at: changed.unwrap_or(around.received_at),
        is_dated: changed.is_some(),
        reason: text_of(state, "reason"),
        description: text_of(&configuration, "description"),
        rule: text_of(&configuration, "alarmRule"),
        children: reason_data.map(|data| children(&data)).unwrap_or_default(),
        metrics,
        mute: mute(data, state, &configuration),
        name,
    })
}

fn contributor(data: &Map<String, Value>) -> Option<Contributor> {
    let contributor = object_of(data, "alarmContributor")?;
    let attributes = object_of(contributor, "attributes").into_iter().flatten();
    Some(Contributor {
        id: text_of(contributor, "id")?,
        attributes: attributes
            .filter_map(|(name, value)| Some((name.clone(), present(value)?)))
            .collect(),
    })
}

/// JSON inside a string; some senders have it as an object.
fn reason_data(state: &Map<String, Value>) -> Option<Map<String, Value>> {
    if let Some(data) = object_of(state, "reasonData") {
        return Some(data.clone());
    }
    let (data, _) = unique::read(text_of(state, "reasonData")?.as_bytes()).ok()?;
    data.as_object().cloned()
}

fn children(data: &Map<String, Value>) -> Vec<Child> {
    objects_of(data, "triggeringAlarms")
        .filter_map(|child| {
            let state = object_of(child, "state").and_then(|state| text_of(state, "value"));
            Some(Child { arn: text_of(child, "arn")?, state: state.unwrap_or_default() })
        })
        .collect()
}

/// A suppressor has no end that it could tell; a mute rule has.
pub(super) fn mute(
    data: &Map<String, Value>,
    state: &Map<String, Value>,
    configuration: &Map<String, Value>,
) -> Option<Mute> {
    if let Some(by) = text_of(state, "actionsSuppressedBy") {
        let suppressor = text_of(configuration, "actionsSuppressor");
        let by =
            suppressor.map_or_else(|| by.clone(), |suppressor| format!("{by} of {suppressor}"));
        return Some(Mute { by, until: None });
    }
    let detail = object_of(data, "muteDetail")?;
    Some(Mute {
        by: text_of(detail, "mutedByArn").unwrap_or_else(|| "a mute rule".to_owned()),
        until: time_of(detail, "muteWindowEnd"),
    })
}
