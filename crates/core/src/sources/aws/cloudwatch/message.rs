//! Alarms in the spelling of topics: the JSON that CloudWatch publishes to Amazon SNS.

use serde_json::{Map, Value};

use super::super::arn::Arn;
use super::super::envelope::Topic;
use super::super::event::{REMEDY, object_of, objects_of, text_of, time, time_of};
use super::alarm::{Alarm, Child, Contributor, Previous, State, arn_of};
use super::metrics::Metrics;
use crate::sources::fields::present;
use crate::sources::{Delivery, Problem};

/// `Region` is a name for people, so account and region come from ARNs.
pub(super) fn read(
    message: &Map<String, Value>,
    topic: Option<&Topic>,
    delivery: &Delivery<'_>,
) -> Result<Alarm, Problem> {
    let name = text_of(message, "AlarmName")
        .ok_or_else(|| Problem::field("AlarmName", "is missing", REMEDY))?;
    let arn = text_of(message, "AlarmArn").and_then(|arn| Arn::read(&arn));
    let topic_arn = topic.and_then(|topic| topic.arn.as_ref());
    let account = arn.as_ref().and_then(Arn::account).or_else(|| text_of(message, "AWSAccountId"));
    let region = arn.as_ref().or(topic_arn).and_then(Arn::region);
    let sent_at = topic.and_then(|topic| topic.timestamp.as_ref()).and_then(time);
    let changed = time_of(message, "StateChangeTime").or(sent_at);
    let trigger = object_of(message, "Trigger").cloned().unwrap_or_default();
    Ok(Alarm {
        arn: arn.or_else(|| arn_of(account.as_deref(), region.as_deref(), &name)),
        account,
        region,
        contributor: contributor(message),
        state: State::read("NewStateValue", text_of(message, "NewStateValue"))?,
        previous: Previous {
            state: text_of(message, "OldStateValue").and_then(|word| State::from_word(&word)),
            ..Previous::default()
        },
        at: changed.unwrap_or(delivery.received_at),
        is_dated: changed.is_some(),
        reason: text_of(message, "NewStateReason"),
        description: text_of(message, "AlarmDescription"),
        rule: text_of(message, "AlarmRule"),
        children: objects_of(message, "TriggeringChildren")
            .filter_map(|child| {
                let state = object_of(child, "State").and_then(|state| text_of(state, "Value"));
                Some(Child { arn: text_of(child, "Arn")?, state: state.unwrap_or_default() })
            })
            .collect(),
        metrics: Metrics::read(&trigger),
        mute: super::event::mute(message, message, &trigger),
        name,
    })
}

/// AWS documents no form for contributors in topics, so those that its other interfaces use are looked for.
fn contributor(message: &Map<String, Value>) -> Option<Contributor> {
    let object = object_of(message, "AlarmContributor");
    let id = object
        .and_then(|object| text_of(object, "Id"))
        .or_else(|| text_of(message, "AlarmContributorId"))
        .or_else(|| text_of(message, "ContributorId"))?;
    let attributes = object
        .and_then(|object| object_of(object, "Attributes"))
        .or_else(|| object_of(message, "AlarmContributorAttributes"))
        .or_else(|| object_of(message, "ContributorAttributes"));
    let attributes = attributes
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), present(value)?)))
        .collect();
    Some(Contributor { id, attributes })
}
