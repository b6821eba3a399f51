//! Publishing to SNS topics, for the channels that reach people through them.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use firebreak_core::channels::{Reply, Request};
use firebreak_engine::ports::Sender;

use crate::failure;

/// <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>: less than 100 characters.
const LONGEST_SUBJECT: usize = 99;

/// [`Sender`] of [`Request::Topic`]; other requests get no answer from it.
#[derive(Debug, Clone)]
pub struct TopicSender {
    client: Client,
}

impl TopicSender {
    /// Each request is sent once: whether to try again is for the caller to say.
    pub fn new(config: &SdkConfig) -> Self {
        let once = aws_sdk_sns::config::Builder::from(config).retry_config(RetryConfig::disabled());
        Self { client: Client::from_conf(once.build()) }
    }
}

#[async_trait]
impl Sender for TopicSender {
    async fn send(&self, request: &Request) -> Reply {
        let Request::Topic { arn, subject, message, attributes } = request else {
            return Reply::None { error: "this sender publishes to topics only".to_owned() };
        };
        // An empty value is refused by SNS and says nothing.
        let attributes = attributes.iter().filter(|(_, value)| !value.is_empty());
        let attributes = attributes.map(|(name, value)| {
            let text = MessageAttributeValue::builder().data_type("String").string_value(value);
            (name.clone(), text.build().expect("the data type is set above"))
        });
        let published = self
            .client
            .publish()
            .topic_arn(arn)
            .set_subject(plain(subject))
            .message(message)
            .set_message_attributes(Some(attributes.collect()))
            .send()
            .await;
        match published {
            Ok(answer) => Reply::Published { message_id: answer.message_id.unwrap_or_default() },
            Err(error) => Reply::None { error: failure::words(&error) },
        }
    }
}

/// SNS refuses a subject that is not one short line of ASCII; a page must not fail over a heading.
fn plain(subject: &str) -> Option<String> {
    let printable = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    let line: String = subject
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .map(printable)
        .take(LONGEST_SUBJECT)
        .collect();
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_one_short_line_of_ascii() {
        let check = |given: &str, expected: Option<&str>| {
            assert_eq!(plain(given).as_deref(), expected, "{given:?}");
        };
        check("Resolved: slow-api-data", Some("Resolved: slow-api-data"));
        check("a\r\n b\tc ", Some("a b c"));
        check("größer", Some("gr??er"));
        check(" \n", None);
        check(&"x".repeat(300), Some(&"x".repeat(99)));
    }
}
