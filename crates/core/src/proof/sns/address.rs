//! Addresses of SNS: topics that may deliver, where their certificates are, where a subscription is confirmed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A topic, by its whole ARN: `arn:aws:sns:eu-west-1:111122223333:alarms`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Topic {
    arn: String,
    region: String,
    domain: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no ARN of a topic, such as `arn:aws:sns:eu-west-1:111122223333:alarms`")]
pub struct NotATopic(String);

impl TryFrom<String> for Topic {
    type Error = NotATopic;

    fn try_from(arn: String) -> Result<Self, NotATopic> {
        let parts: Vec<&str> = arn.split(':').collect();
        let [prefix, partition, service, region, account, name] = parts.as_slice() else {
            return Err(NotATopic(arn));
        };
        let domain = match *partition {
            "aws" | "aws-us-gov" => "amazonaws.com",
            "aws-cn" => "amazonaws.com.cn",
            _ => return Err(NotATopic(arn)),
        };
        let is_region = !region.is_empty()
            && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        let is_name = !name.is_empty() && name.bytes().all(is_plain);
        if *prefix == "arn" && *service == "sns" && is_region && is_account && is_name {
            let region = (*region).to_owned();
            Ok(Self { region, domain: domain.to_owned(), arn })
        } else {
            Err(NotATopic(arn))
        }
    }
}

impl From<Topic> for String {
    fn from(topic: Topic) -> Self {
        topic.arn
    }
}

impl Topic {
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The endpoint of SNS in the topic's Region; nothing is ever asked of another host.
    fn host(&self) -> String {
        format!("sns.{}.{}", self.region, self.domain)
    }

    /// Whom certificates of the Region are made out to, oldest habit first.
    pub(super) fn certified_names(&self) -> [String; 4] {
        let (region, domain) = (&self.region, &self.domain);
        let regional = if region.starts_with("us-gov-") { "us-gov-west-1" } else { region };
        [
            "sns.amazonaws.com".to_owned(),
            self.host(),
            format!("sns-signing.{region}.{domain}"),
            format!("sns-{regional}.{domain}"),
        ]
    }
}

/// Where a certificate of SNS is: `https://sns.<region>.amazonaws.com/<name>.pem` and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertificateUrl(String);

impl CertificateUrl {
    pub(super) fn read(text: &str, topic: &Topic) -> Option<Self> {
        let (host, file) = text.strip_prefix("https://")?.split_once('/')?;
        let name = file.strip_suffix(".pem")?;
        let named = !name.is_empty() && name.len() <= 128 && name.bytes().all(is_plain);
        (host == topic.host() && named).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The yes to a topic that asks whether it may deliver: its address is made from topic and token, both signed.
#[derive(Clone, PartialEq, Eq)]
pub struct Confirmation {
    topic: String,
    url: String,
}

impl Confirmation {
    pub(super) fn of(topic: &Topic, token: &str) -> Option<Self> {
        let is_token =
            (1..=1024).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_alphanumeric());
        is_token.then(|| Self {
            topic: topic.arn.clone(),
            url: format!(
                "https://{}/?Action=ConfirmSubscription&TopicArn={}&Token={token}",
                topic.host(),
                topic.arn
            ),
        })
    }

    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Holds the token: not for logs.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Debug for Confirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confirmation").field("topic", &self.topic).finish_non_exhaustive()
    }
}

/// Letters and digits, and what may stand between them without a meaning of its own in an address.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(arn: &str) -> Topic {
        Topic::try_from(arn.to_owned()).unwrap()
    }

    #[test]
    fn a_topic_is_a_whole_arn() {
        for good in [
            "arn:aws:sns:eu-west-1:111122223333:alarms",
            "arn:aws-cn:sns:cn-north-1:111122223333:a_b-c.fifo",
            "arn:aws-us-gov:sns:us-gov-east-1:111122223333:A1",
        ] {
            assert_eq!(topic(good).arn(), good);
        }
        for bad in [
            "",
            "*",
            "arn:aws:sns:eu-west-1:111122223333:*",
            "arn:aws:sns:eu-west-1:111122223333:alarms:subscription",
            "arn:aws:sns:eu-west-1:1111:alarms",
            "arn:aws:sqs:eu-west-1:111122223333:alarms",
            "arn:aws:sns::111122223333:alarms",
            "arn:aws:sns:evil.example/:111122223333:alarms",
            "arn:aws-iso:sns:us-iso-east-1:111122223333:alarms",
            "arn:aws:sns:eu-west-1:111122223333:a&b",
        ] {
            assert!(Topic::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn certificates_are_fetched_from_the_region_of_the_topic_alone() {
        let west = topic("arn:aws:sns:eu-west-1:111122223333:alarms");
        let read = |text: &str| CertificateUrl::read(text, &west).is_some();
        assert!(read("https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-f3ecfb72.pem"));
        for bad in [
            "http://sns.eu-west-1.amazonaws.com/a.pem",
            "https://sns.eu-west-2.amazonaws.com/a.pem",
            "https://sns.eu-west-1.amazonaws.com.cn/a.pem",
            "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
            "https://evil.example/sns.eu-west-1.amazonaws.com/a.pem",
            "https://sns.eu-west-1.amazonaws.com@evil.example/a.pem",
            "https://sns.eu-west-1.amazonaws.com:8443/a.pem",
            "https://SNS.eu-west-1.amazonaws.com/a.pem",
            "https://sns.eu-west-1.amazonaws.com/a.pem?x=.pem",
            "https://sns.eu-west-1.amazonaws.com/?Action=x&y=.pem",
            "https://sns.eu-west-1.amazonaws.com/a/b.pem",
            "https://sns.eu-west-1.amazonaws.com/%2e.pem",
            "https://sns.eu-west-1.amazonaws.com/a.pem#.pem",
            "https://sns.eu-west-1.amazonaws.com/a.crt",
            "https://sns.eu-west-1.amazonaws.com/.pem",
            "https://sns.eu-west-1.amazonaws.com\\evil.example/a.pem",
            " https://sns.eu-west-1.amazonaws.com/a.pem",
            "",
        ] {
            assert!(!read(bad), "{bad}");
        }
        let china = topic("arn:aws-cn:sns:cn-north-1:111122223333:alarms");
        assert!(
            CertificateUrl::read("https://sns.cn-north-1.amazonaws.com.cn/a.pem", &china).is_some()
        );
        assert!(
            CertificateUrl::read("https://sns.cn-north-1.amazonaws.com/a.pem", &china).is_none()
        );
    }

    #[test]
    fn a_confirmation_goes_to_the_endpoint_of_the_topic_and_shows_no_token() {
        let west = topic("arn:aws:sns:eu-west-1:111122223333:alarms");
        let yes = Confirmation::of(&west, "2336412f37fb687f5d51").unwrap();
        assert_eq!(
            yes.url(),
            "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription\
             &TopicArn=arn:aws:sns:eu-west-1:111122223333:alarms&Token=2336412f37fb687f5d51"
        );
        assert!(!format!("{yes:?}").contains("2336412f37fb"));
        for bad in ["", "a&Action=DeleteTopic", "a b", "a#", "a%26"] {
            assert!(Confirmation::of(&west, bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn each_partition_has_its_names() {
        let names = |arn: &str| topic(arn).certified_names();
        assert!(
            names("arn:aws:sns:af-south-1:111122223333:a")
                .contains(&"sns-signing.af-south-1.amazonaws.com".to_owned())
        );
        assert!(
            names("arn:aws-cn:sns:cn-north-1:111122223333:a")
                .contains(&"sns-cn-north-1.amazonaws.com.cn".to_owned())
        );
        assert!(
            names("arn:aws-us-gov:sns:us-gov-east-1:111122223333:a")
                .contains(&"sns-us-gov-west-1.amazonaws.com".to_owned())
        );
    }
}
