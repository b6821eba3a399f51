//! `ec2.reboot`: asks EC2 to reboot one instance.
//!
//! The call only queues a request, is not idempotent and leaves `LaunchTime` unchanged
//! (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RebootInstances.html>): it is sent at most
//! once, and only evidence that is newer than the call counts afterwards.

use jiff::SignedDuration;
use serde_json::{Map, Value};

use super::{Action, Condition, Parameter, Permission, Repeat, Reversal, Signal};
use crate::target::Target;

pub(super) struct Ec2Reboot;

// Status checks run each minute; two of them must have had the time to see the new boot.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-system-instance-status-check.html
const SIGNALS: &[Signal] = &[Signal {
    name: "ec2.status_ok",
    lag: SignedDuration::from_secs(120),
    summary: "the instance runs and both of its status checks pass",
}];

impl Action for Ec2Reboot {
    fn name(&self) -> &'static str {
        "ec2.reboot"
    }

    fn family(&self) -> &'static str {
        "ec2"
    }

    fn summary(&self) -> &'static str {
        "Reboots one EC2 instance that carries the opt-in tag."
    }

    fn target_kind(&self) -> &'static str {
        "ec2.instance"
    }

    fn check_target(&self, id: &str) -> Result<(), &'static str> {
        let digits = id.strip_prefix("i-").unwrap_or_default();
        if (8..=17).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_hexdigit()) {
            Ok(())
        } else {
            Err("an instance id is `i-` and 8 to 17 hexadecimal digits")
        }
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    fn repeat(&self) -> Repeat {
        Repeat::AtMostOnce
    }

    fn reversal(&self) -> Reversal {
        Reversal::Irreversible
    }

    fn signals(&self) -> &'static [Signal] {
        SIGNALS
    }

    fn expected_for(&self) -> SignedDuration {
        SignedDuration::from_mins(5)
    }

    fn permissions(&self) -> &'static [Permission] {
        &[
            Permission {
                sid: "RebootOptedInInstances",
                effect: "Allow",
                actions: &["ec2:RebootInstances"],
                resources: &["arn:${partition}:ec2:${region}:${account}:instance/*"],
                conditions: &[Condition {
                    test: "StringEquals",
                    variable: "aws:ResourceTag/firebreak",
                    values: &["allow"],
                }],
            },
            Permission {
                sid: "ReadInstances",
                effect: "Allow",
                actions: &["ec2:DescribeInstances", "ec2:DescribeInstanceStatus"],
                resources: &["*"],
                conditions: &[Condition {
                    test: "StringEquals",
                    variable: "ec2:Region",
                    values: &["${region}"],
                }],
            },
        ]
    }

    fn effect(&self, target: &Target, _with: &Map<String, Value>) -> String {
        format!(
            "instance {} restarts on the same host; requests to it fail for one to three minutes",
            target.id
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_instance_ids_are_targets() {
        for good in ["i-0abc1234", "i-0123456789abcdef0"] {
            assert!(Ec2Reboot.check_target(good).is_ok(), "{good}");
        }
        for bad in
            ["", "*", "i-", "i-*", "i-0abc", "0abc1234", "i-0abc1234 i-0abc1235", "i-xyzxyzxyz"]
        {
            assert!(Ec2Reboot.check_target(bad).is_err(), "{bad}");
        }
    }
}
