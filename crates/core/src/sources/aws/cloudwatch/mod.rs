//! Amazon CloudWatch alarms: by EventBridge, as a Lambda alarm action, and inside messages of SNS.
//!
//! **Identity** is the alarm's ARN, and the contributor's id where one time series of several changed. A message of SNS
//! that carries no ARN is given the one that its account, the region of its topic and its name make.
//!
//! **State.** `ALARM` fires, `OK` resolves. The episode begins when `ALARM` was entered; `ALARM` after `ALARM`, which a
//! suppressor leaves behind, goes on with it. What is not a change of that kind is a sign of life: `OK` after `OK`, the first
//! evaluation of a new alarm, a change of its configuration. `INSUFFICIENT_DATA` neither fires nor resolves: a host that
//! died has no data either. `OK` after it resolves what is still open, and nothing else.
//!
//! **Mute.** Alarms that a mute rule mutes or a suppressor suppresses are sent all the same. They are taken in with the
//! sender's [`Mute`](crate::alert::Mute), so that nobody is woken and nothing done; the next message without one is news.
//!
//! **Severity and service.** CloudWatch has neither. `severity: …` in the description says it, else a word of the name
//! (`critical`, `sev2`, `warning`, `P1` at its beginning or end), else it is an error. `service: …` in the description, or a
//! dimension that names one, is the service.
//!
//! Dimensions and contributor attributes become labels in snake case, `InstanceId` as `instance_id`, when all metrics of
//! the alarm agree on them: an action must not have to choose.

mod alarm;
mod event;
mod message;
mod metrics;
mod wording;

use serde_json::{Map, Value};

use super::envelope::Topic;
use super::event::{Event, REMEDY};
use super::{Claim, Entrance, EventSource, Out};
use crate::proof::{self, Scheme};
use crate::sources::{Delivery, Intake, Problem, Source};

const NAME: &str = "cloudwatch";
const STATE_CHANGE: &str = "CloudWatch Alarm State Change";
const CONTRIBUTOR: &str = "CloudWatch Alarm Contributor State Change";
const CONFIGURATION: &str = "CloudWatch Alarm Configuration Change";

pub(in crate::sources) struct CloudWatch;

impl Source for CloudWatch {
    fn name(&self) -> &'static str {
        NAME
    }

    fn schemes(&self) -> &'static [Scheme] {
        proof::SNS
    }

    fn summary(&self) -> &'static str {
        "Amazon CloudWatch alarms, by EventBridge, as a Lambda action or through SNS"
    }

    fn identity(&self) -> &'static str {
        "the alarm's ARN, and the contributor's id of one time series"
    }

    fn resolves(&self) -> &'static str {
        "state `OK`; `INSUFFICIENT_DATA` neither fires nor resolves"
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Intake {
        super::parse(delivery, Entrance::Only(NAME), REMEDY)
    }
}

impl EventSource for CloudWatch {
    fn claims(&self) -> &'static [Claim] {
        &[
            ("aws.cloudwatch", STATE_CHANGE),
            ("aws.cloudwatch", CONTRIBUTOR),
            ("aws.cloudwatch", CONFIGURATION),
        ]
    }

    fn read(&self, event: &Event<'_>, out: &mut Out<'_, '_>) -> Result<(), Problem> {
        if event.detail_type == CONFIGURATION {
            event::configuration(event, out);
            return Ok(());
        }
        event::of_bus(event)?.tell(out);
        Ok(())
    }
}

/// Whether an object is an alarm in one of the forms that are no event of the bus.
pub(super) fn is_alarm(object: &Map<String, Value>) -> bool {
    let has = |name: &str| object.contains_key(name);
    has("alarmData") || (has("AlarmName") && (has("NewStateValue") || has("StateChangeTime")))
}

pub(super) fn read(
    object: &Map<String, Value>,
    topic: Option<&Topic>,
    out: &mut Out<'_, '_>,
) -> Result<(), Problem> {
    let alarm = if object.contains_key("alarmData") {
        event::of_action(object, out.delivery)?
    } else {
        message::read(object, topic, out.delivery)?
    };
    alarm.tell(out);
    Ok(())
}
