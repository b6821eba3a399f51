//! Amazon Resource Names: which partition, service, region, account and thing a message is about.

use std::fmt;

/// `arn:partition:service:region:account:resource`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arn {
    pub(super) partition: String,
    pub(super) service: String,
    pub(super) region: String,
    pub(super) account: String,
    /// May hold colons and slashes of its own.
    pub(super) resource: String,
}

impl Arn {
    /// Spaces around the parts before the resource are dropped: the vendor's own examples have them.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.trim().splitn(6, ':').map(str::trim);
        let mut next = || parts.next().map(str::to_owned);
        let is_arn = next()? == "arn";
        let (partition, service, region, account) = (next()?, next()?, next()?, next()?);
        let resource = next()?;
        (is_arn && !partition.is_empty() && !service.is_empty() && !resource.is_empty())
            .then_some(Self { partition, service, region, account, resource })
    }

    /// What follows the last slash or colon: the name of a task, a distribution, an instance.
    pub(super) fn last(&self) -> &str {
        self.resource.rsplit(['/', ':']).next().unwrap_or_default()
    }

    pub(super) fn region(&self) -> Option<String> {
        Some(self.region.clone()).filter(|region| !region.is_empty())
    }

    pub(super) fn account(&self) -> Option<String> {
        Some(self.account.clone()).filter(|account| !account.is_empty())
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account, resource } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_read_with_stray_spaces_and_keeps_those_of_the_name() {
        let arn =
            Arn::read("arn:aws:cloudwatch:us-east-1: 111122223333:alarm:EC2 CPU: high").unwrap();
        assert_eq!((&*arn.region, &*arn.account), ("us-east-1", "111122223333"));
        assert_eq!(
            arn.to_string(),
            "arn:aws:cloudwatch:us-east-1:111122223333:alarm:EC2 CPU: high"
        );
        let task = Arn::read("arn:aws-cn:ecs:cn-north-1:1:task/web/c13b").unwrap();
        assert_eq!((&*task.partition, task.last()), ("aws-cn", "c13b"));
        let global = Arn::read("arn:aws:health:global::event/AWS_X").unwrap();
        assert_eq!((global.account(), global.region()), (None, Some("global".to_owned())));
        for wrong in ["", "instance-arn", "arn:aws:sns:EXAMPLE", "arn:::::x", "urn:aws:a:b:c:d"] {
            assert_eq!(Arn::read(wrong), None, "{wrong}");
        }
    }
}
