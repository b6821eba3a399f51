//! Amazon EC2: instances that stop or go away, and spot instances that are about to.
//!
//! `shutting-down`, `stopped` and `terminated` fire, `running` resolves; `pending` and `stopping` are on the way to one
//! of them. A terminated instance never runs again, so nothing will resolve its alert.

use jiff::SignedDuration;

use super::event::{Event, REMEDY, texts};
use super::{Claim, Entrance, EventSource, Out, console};
use crate::alert::{AlertStatus, Draft, Severity};
use crate::sources::{Delivery, Intake, Problem, Source};

const NAME: &str = "ec2";
const STATE_CHANGE: &str = "EC2 Instance State-change Notification";
const SPOT: &str = "EC2 Spot Instance Interruption Warning";

pub(in crate::sources) struct Ec2;

impl Source for Ec2 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "Amazon EC2 by EventBridge: instances that stopped or are gone, and spot interruptions"
    }

    fn identity(&self) -> &'static str {
        "instance, with account and Region"
    }

    fn resolves(&self) -> &'static str {
        "`running`; a terminated instance after a day"
    }

    fn expire_after(&self) -> Option<SignedDuration> {
        Some(SignedDuration::from_hours(24))
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Intake {
        super::parse(delivery, Entrance::Only(NAME), REMEDY)
    }
}

impl EventSource for Ec2 {
    fn claims(&self) -> &'static [Claim] {
        &[("aws.ec2", STATE_CHANGE), ("aws.ec2", SPOT)]
    }

    fn read(&self, event: &Event<'_>, out: &mut Out<'_, '_>) -> Result<(), Problem> {
        let instance = event.required("instance-id")?;
        if event.detail_type == SPOT {
            let action = event.detail("instance-action").unwrap_or_else(|| "terminate".to_owned());
            let title = format!("{instance}: AWS will {action} this spot instance in two minutes");
            let change = Change { name: "spot-interruption", title, is_over: false };
            change.tell(event, &instance, &action, out);
            return Ok(());
        }
        let state = event.required("state")?;
        let is_over = match state.as_str() {
            "running" => true,
            "shutting-down" | "stopped" | "terminated" => false,
            "pending" | "stopping" => {
                out.alive(&state);
                return Ok(());
            }
            other => {
                let what = format!("is `{other}`, which is no state of an instance");
                return Err(Problem::field("detail.state", &what, REMEDY));
            }
        };
        let title = format!("{instance} is {state}");
        Change { name: "instance-state", title, is_over }.tell(event, &instance, &state, out);
        Ok(())
    }
}

struct Change {
    name: &'static str,
    title: String,
    is_over: bool,
}

impl Change {
    fn tell(self, event: &Event<'_>, instance: &str, state: &str, out: &mut Out<'_, '_>) {
        let text = |value: &Option<String>| value.as_deref().unwrap_or_default().into();
        let path = format!(
            "ec2/home?region={{region}}#InstanceDetails:instanceId={}",
            console::escape(instance)
        );
        let partition = event.resource("ec2").map_or_else(|| "aws".to_owned(), |arn| arn.partition);
        let link = event
            .region
            .as_deref()
            .and_then(|region| console::page("Instance", &partition, region, &path));
        let alert = Draft {
            source: NAME,
            identity: [
                ("account".to_owned(), text(&event.account)),
                ("change".to_owned(), self.name.into()),
                ("instance_id".to_owned(), instance.into()),
                ("region".to_owned(), text(&event.region)),
            ]
            .into(),
            status: if self.is_over { AlertStatus::Resolved } else { AlertStatus::Firing },
            severity: Severity::Warning,
            service: None,
            name: self.name.to_owned(),
            title: self.title,
            labels: texts([
                ("account", event.account.clone()),
                ("region", event.region.clone()),
                ("instance_id", Some(instance.to_owned())),
                ("state", Some(state.to_owned())),
            ]),
            annotations: [].into(),
            episode: None,
            starts_at: event.at,
            ends_at: self.is_over.then_some(event.at),
            links: link.into_iter().collect(),
        }
        .seal();
        out.alert(if event.is_dated { alert } else { alert.without_start() });
    }
}
