//! Amazon EventBridge: one address for the events of every AWS service that Firebreak knows.

use super::{Entrance, event};
use crate::sources::{Delivery, Intake, Source};

/// Takes every form in which AWS hands over events; see [`super`].
pub(in crate::sources) struct EventBridge;

impl Source for EventBridge {
    fn name(&self) -> &'static str {
        "eventbridge"
    }

    fn also_known_as(&self) -> &'static [&'static str] {
        &["aws_eventbridge"]
    }

    fn summary(&self) -> &'static str {
        "Amazon EventBridge: alarms, findings and state changes of every AWS service that has a source here"
    }

    fn identity(&self) -> &'static str {
        "as in the source that the event belongs to"
    }

    fn resolves(&self) -> &'static str {
        "as in the source that the event belongs to"
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Intake {
        super::parse(delivery, Entrance::Any, event::REMEDY)
    }
}
