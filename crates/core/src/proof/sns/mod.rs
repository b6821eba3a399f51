//! Amazon SNS over HTTPS: the message carries an RSA signature, and names the certificate that it verifies with.
//!
//! The order matters. Only a message of a listed topic makes anybody fetch a certificate, only from the SNS endpoint
//! of that topic's Region; only a message whose signature and time are good is believed, and of that only what is
//! signed: the body is written anew from those fields. A subscription is confirmed at an address that is made here.
//! See <https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html>.

mod address;
mod certificate;
mod envelope;

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::replay::TOLERANCE;
use super::{Denied, Nonce, Proven, Request};
pub use address::{CertificateUrl, Confirmation, Topic};
use envelope::{Envelope, Signature};

/// SNS tries for an hour at most; its messages carry the time of their publication.
const MOST_AGE: SignedDuration = SignedDuration::from_mins(75);

/// Which topics may deliver here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sns {
    topics: Vec<Topic>,
}

impl Sns {
    /// No topic: each is refused until the settings list some.
    pub const NO_TOPIC: Self = Self { topics: Vec::new() };

    pub fn of(topics: Vec<Topic>) -> Self {
        Self { topics }
    }

    pub(super) fn lists_nothing(&self) -> bool {
        self.topics.is_empty()
    }

    /// What the request claims, as far as that can be told without its certificate.
    pub fn claim(&self, request: &Request<'_>) -> Result<Claim, Denied> {
        (request.header)("x-amz-sns-message-type").ok_or(Denied::Missing)?;
        if (request.header)("x-amz-sns-rawdelivery").is_some_and(|raw| raw == "true") {
            return Err(Denied::RawDelivery);
        }
        let envelope = Envelope::read(request.body).ok_or(Denied::Malformed)?;
        if self.topics.is_empty() {
            return Err(Denied::NoTopic);
        }
        let topic = self.topics.iter().find(|topic| topic.arn() == envelope.topic_arn);
        let topic = topic.ok_or(Denied::Topic)?.clone();
        let certificate =
            CertificateUrl::read(&envelope.signing_cert_url, &topic).ok_or(Denied::Certificate)?;
        let signature = envelope.signature().ok_or(Denied::Malformed)?;
        Ok(Claim { envelope, topic, certificate, signature })
    }
}

/// A message of a listed topic, whose signature is still to be verified.
#[derive(Debug, Clone)]
pub struct Claim {
    envelope: Envelope,
    topic: Topic,
    certificate: CertificateUrl,
    signature: Signature,
}

impl Claim {
    /// What it must be verified with.
    pub fn certificate(&self) -> &CertificateUrl {
        &self.certificate
    }

    /// `pem` is what was found at [`Claim::certificate`].
    pub fn verify(self, pem: &[u8], request: &Request<'_>) -> Result<Proven, Denied> {
        let Self { envelope, topic, signature, .. } = self;
        let signed = envelope.string_to_sign().ok_or(Denied::Malformed)?;
        certificate::verify(pem, &topic, request.now, signed.as_bytes(), &signature)?;
        let until = fresh_until(envelope.timestamp, request.now)?;
        let confirms = match envelope.asks_to_deliver() {
            Some(token) => Some(Confirmation::of(&topic, token).ok_or(Denied::Malformed)?),
            None => None,
        };
        Ok(Proven {
            by: "sns",
            nonce: Some(Nonce::of(request.source, &[], signed.as_bytes(), until)),
            covers: Some(envelope.signed_part()),
            confirms,
        })
    }
}

fn fresh_until(published: Timestamp, now: Timestamp) -> Result<Timestamp, Denied> {
    let age = now.duration_since(published);
    if age > MOST_AGE || -age > TOLERANCE {
        return Err(Denied::Stale);
    }
    let until = published.checked_add(MOST_AGE + SignedDuration::from_secs(1));
    until.map_err(|_| Denied::Stale)
}
