//! The envelope of an SNS message: which fields there are, and which of them the signature covers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

/// The fields that are signed, and those that say how. A field that is there twice makes the whole unreadable.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Envelope {
    #[serde(rename = "Type")]
    kind: String,
    message_id: String,
    pub(super) topic_arn: String,
    subject: Option<String>,
    message: String,
    #[serde(rename = "Timestamp")]
    written_timestamp: String,
    #[serde(skip)]
    pub(super) timestamp: Timestamp,
    signature_version: String,
    signature: String,
    #[serde(rename = "SigningCertURL")]
    pub(super) signing_cert_url: String,
    #[serde(rename = "SubscribeURL")]
    subscribe_url: Option<String>,
    token: Option<String>,
}

/// The bytes of a signature, by the version that SNS gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Signature {
    /// Version 1.
    Sha1(Vec<u8>),
    /// Version 2, by the topic's attribute `SignatureVersion`.
    Sha256(Vec<u8>),
}

impl Envelope {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let envelope: Self = serde_json::from_slice(body).ok()?;
        let timestamp = envelope.written_timestamp.parse().ok()?;
        // A line break in a field that has none would let one signed text be read as two messages.
        let one_line = |text: &str| !text.contains('\n');
        if !one_line(&envelope.message_id) || !envelope.subject.as_deref().is_none_or(one_line) {
            return None;
        }
        Some(Self { timestamp, ..envelope })
    }

    pub(super) fn signature(&self) -> Option<Signature> {
        let bytes = STANDARD.decode(&self.signature).ok()?;
        match self.signature_version.as_str() {
            "1" => Some(Signature::Sha1(bytes)),
            "2" => Some(Signature::Sha256(bytes)),
            _ => None,
        }
    }

    /// Name and value of each signed field on a line of its own, in the order of their names; `None` where one is
    /// missing or the type is not known.
    pub(super) fn string_to_sign(&self) -> Option<String> {
        let fields = match self.kind.as_str() {
            "Notification" => vec![
                ("Message", Some(&self.message)),
                ("MessageId", Some(&self.message_id)),
                ("Subject", self.subject.as_ref()),
                ("Timestamp", Some(&self.written_timestamp)),
                ("TopicArn", Some(&self.topic_arn)),
                ("Type", Some(&self.kind)),
            ],
            "SubscriptionConfirmation" | "UnsubscribeConfirmation" => vec![
                ("Message", Some(&self.message)),
                ("MessageId", Some(&self.message_id)),
                ("SubscribeURL", Some(self.subscribe_url.as_ref()?)),
                ("Timestamp", Some(&self.written_timestamp)),
                ("Token", Some(self.token.as_ref()?)),
                ("TopicArn", Some(&self.topic_arn)),
                ("Type", Some(&self.kind)),
            ],
            _ => return None,
        };
        let lines = fields.into_iter().filter_map(|(name, value)| Some([name, "\n", value?, "\n"]));
        Some(lines.flatten().collect())
    }

    /// The envelope with its signed fields and no other: what stood beside them could come from anybody.
    pub(super) fn signed_part(&self) -> Vec<u8> {
        let mut part = json!({
            "Type": self.kind,
            "MessageId": self.message_id,
            "TopicArn": self.topic_arn,
            "Message": self.message,
            "Timestamp": self.written_timestamp,
        });
        let optional = match self.kind.as_str() {
            "Notification" => [("Subject", &self.subject), ("Subject", &None)],
            _ => [("SubscribeURL", &self.subscribe_url), ("Token", &self.token)],
        };
        for (name, value) in optional {
            if let (Some(value), Some(fields)) = (value, part.as_object_mut()) {
                fields.insert(name.to_owned(), json!(value));
            }
        }
        part.to_string().into_bytes()
    }

    /// The token of a topic that asks whether it may deliver here.
    pub(super) fn asks_to_deliver(&self) -> Option<&str> {
        self.token.as_deref().filter(|_| self.kind == "SubscriptionConfirmation")
    }
}
