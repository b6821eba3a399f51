//! `sns`: publishes to an SNS topic, as text that an e-mail or a phone shows as it is.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Channel, ChannelSettings, Delivery, Reply, Request, only_settings, text_setting};
use crate::notification::Notification;

pub(super) struct Sns;

/// What SNS takes as a subject: ASCII without control characters, less than 100 characters.
const SUBJECT: usize = 99;

impl Channel for Sns {
    fn kind(&self) -> &'static str {
        "sns"
    }

    fn summary(&self) -> &'static str {
        "Publishes readable text to an SNS topic, with attributes for filter policies."
    }

    fn needs_secret(&self) -> bool {
        false
    }

    fn check(&self, settings: &ChannelSettings) -> Result<(), String> {
        only_settings(settings, &["topic_arn"])?;
        check_topic(text_setting(settings, "topic_arn")?)
    }

    fn request(
        &self,
        settings: &ChannelSettings,
        _secret: Option<&str>,
        notification: &Notification,
        _now: Timestamp,
    ) -> Result<Request, String> {
        self.check(settings)?;
        Ok(Request::Topic {
            arn: text_setting(settings, "topic_arn")?.to_owned(),
            subject: subject(&notification.title),
            message: message(notification),
            attributes: attributes(notification),
        })
    }

    fn classify(&self, reply: &Reply) -> Delivery {
        match reply {
            Reply::Published { message_id } => {
                Delivery::Delivered { detail: format!("published as {message_id}") }
            }
            Reply::None { error } => Delivery::Again { reason: error.clone() },
            Reply::Http { status, .. } => {
                Delivery::Again { reason: format!("a topic answered like a web server: {status}") }
            }
        }
    }
}

fn check_topic(arn: &str) -> Result<(), String> {
    let parts: Vec<&str> = arn.split(':').collect();
    let [prefix, partition, service, region, account, name] = parts.as_slice() else {
        return Err(format!(
            "`topic_arn` is `{arn}`; give the ARN of a topic, such as `arn:aws:sns:eu-central-1:123456789012:oncall`"
        ));
    };
    let named = !region.is_empty() && !account.is_empty() && !name.is_empty();
    if *prefix != "arn" || !partition.starts_with("aws") || *service != "sns" || !named {
        return Err(format!("`topic_arn` is `{arn}`, which is not the ARN of an SNS topic"));
    }
    if std::path::Path::new(name).extension().is_some_and(|end| end == "fifo") {
        return Err("`topic_arn` names a FIFO topic; give a standard topic".to_owned());
    }
    Ok(())
}

fn subject(title: &str) -> String {
    let ascii = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    if title.chars().count() <= SUBJECT {
        return title.chars().map(ascii).collect();
    }
    let kept: String = title.chars().take(SUBJECT - 3).map(ascii).collect();
    format!("{kept}...")
}

fn message(notification: &Notification) -> String {
    let mut lines = vec![notification.title.clone(), String::new(), notification.text.clone()];
    lines.push(String::new());
    lines.extend(notification.facts.iter().map(|fact| format!("{}: {}", fact.name, fact.value)));
    if !notification.links.is_empty() {
        lines.push(String::new());
        lines.extend(notification.links.iter().map(|link| format!("{}: {}", link.title, link.url)));
    }
    lines
        .extend([String::new(), format!("event {} of {}", notification.event_id, notification.at)]);
    lines.join("\n")
}

fn attributes(notification: &Notification) -> BTreeMap<String, String> {
    [
        ("severity", notification.severity.as_str()),
        ("service", notification.service.as_str()),
        ("incident", notification.incident.as_str()),
        ("occasion", notification.occasion.as_str()),
        ("event_id", notification.event_id.as_str()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_what_sns_takes() {
        assert_eq!(subject("Zürich → down"), "Z?rich ? down");
        let long = subject(&"é".repeat(300));
        assert_eq!(long.len(), 99);
        assert!(long.ends_with("..."));
    }

    #[test]
    fn only_standard_topics_are_taken() {
        assert!(check_topic("arn:aws:sns:eu-central-1:123456789012:oncall").is_ok());
        assert!(check_topic("arn:aws-us-gov:sns:us-gov-west-1:123456789012:oncall").is_ok());
        for bad in [
            "oncall",
            "arn:aws:sqs:eu-central-1:123456789012:oncall",
            "arn:aws:sns:eu-central-1:123456789012:",
            "arn:aws:sns:eu-central-1:123456789012:oncall.fifo",
            "arn:aws:sns:eu-central-1:123456789012:oncall:0a1b",
        ] {
            assert!(check_topic(bad).unwrap_err().contains("`topic_arn`"), "{bad}");
        }
    }

    #[test]
    fn no_answer_is_tried_again() {
        assert!(matches!(
            Sns.classify(&Reply::None { error: "throttled".to_owned() }),
            Delivery::Again { .. }
        ));
        assert!(matches!(
            Sns.classify(&Reply::Published { message_id: "m-1".to_owned() }),
            Delivery::Delivered { .. }
        ));
    }
}
