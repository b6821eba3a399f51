//! Proof of the sender: what a request must show before its body is looked at.
//!
//! Everything here is decided from the request, the secrets and the time that are handed in. What must be asked for
//! elsewhere (a certificate of SNS) is named, fetched by the caller and handed back.

mod accepted;
mod basic;
mod bearer;
mod caller;
mod hmac;
mod replay;
mod secret;
mod sns;
mod standard_webhooks;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

pub use accepted::Accepted;
pub use caller::{Caller, Iam, Jwt};
pub use hmac::{Encoding, Hmac, Stamp};
pub use replay::{Nonce, TOLERANCE};
pub use secret::{Secret, Secrets, UnfitSecret};
pub use sns::{CertificateUrl, Claim, Confirmation, Sns, Topic};

/// A way of proving who sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// `Authorization: Bearer <secret>`.
    Bearer,
    /// `Authorization: Basic <base64 of user:secret, or of the secret alone>`; the user may be anything.
    Basic,
    /// A keyed hash of the body in a header.
    Hmac(Hmac),
    /// Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    StandardWebhooks,
    /// An RSA signature of Amazon SNS. Checked with [`Sns::claim`], since it takes a certificate.
    Sns(Sns),
    /// The claims of a token that a JWT authorizer of API Gateway has verified.
    Jwt(Jwt),
    /// The AWS principal whose signature API Gateway has verified.
    Iam(Iam),
}

/// What every sender can do.
pub const SHARED_TOKEN: &[Scheme] = &[Scheme::Bearer, Scheme::Basic];

/// What Grafana can do.
pub const GRAFANA: &[Scheme] = &[Scheme::Hmac(Hmac::GRAFANA), Scheme::Bearer, Scheme::Basic];

/// What `PagerDuty` can do.
pub const PAGERDUTY: &[Scheme] = &[Scheme::Hmac(Hmac::PAGERDUTY), Scheme::Bearer, Scheme::Basic];

/// What a sender of one's own should do, and what it can do else.
pub const STANDARD_WEBHOOKS: &[Scheme] = &[Scheme::StandardWebhooks, Scheme::Bearer, Scheme::Basic];

/// What Amazon SNS can do.
pub const SNS: &[Scheme] = &[Scheme::Sns(Sns::NO_TOPIC), Scheme::Bearer, Scheme::Basic];

/// Why a request is not let in, from the least to the most that was shown. Callers count and log it, and
/// answer the same 401 to each, so that a guess learns nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Denied {
    #[error("no proof was sent")]
    Missing,
    #[error("no secret is set up for this source")]
    NotSetUp,
    #[error("the proof is not in a form that this source takes")]
    Malformed,
    #[error("raw message delivery leaves the signature out: turn it off for this subscription")]
    RawDelivery,
    #[error(
        "no topic may deliver: list its ARN in the policy, `sources: {{ <source>: {{ proof: [{{ sns: {{ topics: [...] }} }}] }} }}`"
    )]
    NoTopic,
    #[error("the topic is not on the list of this source")]
    Topic,
    #[error("the certificate is none of SNS: its address, its name or its dates are others")]
    Certificate,
    #[error("the proof is wrong")]
    Wrong,
    #[error(
        "the proof is right and its time is not: too old, or ahead of the clock here; compare the clocks"
    )]
    Stale,
    #[error("the caller is known and is not on the list of this source")]
    NotAllowed,
}

impl Denied {
    /// The label of the counter.
    pub fn as_str(self) -> &'static str {
        match self {
            Denied::Missing => "missing",
            Denied::NotSetUp => "not_set_up",
            Denied::RawDelivery => "raw_delivery",
            Denied::NoTopic => "no_topic",
            Denied::Topic => "topic",
            Denied::Certificate => "certificate",
            Denied::Malformed => "malformed",
            Denied::Wrong => "wrong",
            Denied::Stale => "stale",
            Denied::NotAllowed => "not_allowed",
        }
    }
}

/// A request as far as a proof may look at it.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The name of the source that it came in for.
    pub source: &'a str,
    /// Finds a header by its lower-case name.
    pub header: &'a (dyn Fn(&str) -> Option<&'a str> + Sync),
    /// The bytes as they came, before anything is decoded: what a signature is made over.
    pub body: &'a [u8],
    /// Who API Gateway says the caller is. From the function's event and never from a header.
    pub caller: Option<&'a Caller>,
    pub now: Timestamp,
}

/// That a request was sent by who may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The word of the scheme that held.
    pub by: &'static str,
    /// What makes the same delivery known when it comes again; `None` where the scheme has nothing of the kind.
    pub nonce: Option<Nonce>,
    /// What of the body is proven, where that is not all of it: the rest must not be read.
    pub covers: Option<Vec<u8>>,
    /// What the sender asks for instead of delivering an alert.
    pub confirms: Option<Confirmation>,
}

impl Scheme {
    /// The word for settings, logs and help texts.
    pub fn word(&self) -> &'static str {
        match self {
            Scheme::Bearer => "bearer",
            Scheme::Basic => "basic",
            Scheme::Hmac(_) => "hmac",
            Scheme::StandardWebhooks => "standard_webhooks",
            Scheme::Sns(_) => "sns",
            Scheme::Jwt(_) => "jwt",
            Scheme::Iam(_) => "iam",
        }
    }

    /// Whether it is checked with the secrets of the source.
    pub fn needs_secret(&self) -> bool {
        match self {
            Scheme::Bearer | Scheme::Basic | Scheme::Hmac(_) | Scheme::StandardWebhooks => true,
            Scheme::Sns(_) | Scheme::Jwt(_) | Scheme::Iam(_) => false,
        }
    }

    /// Whether the request holds by this scheme; without secrets those that need one never do, and SNS never does
    /// without its certificate.
    pub fn check(
        &self,
        request: &Request<'_>,
        secrets: Option<&Secrets>,
    ) -> Result<Proven, Denied> {
        let secrets = || secrets.ok_or(Denied::Missing);
        let nonce = match self {
            Scheme::Bearer => bearer::check(request.header, secrets()?).map(|()| None),
            Scheme::Basic => basic::check(request.header, secrets()?).map(|()| None),
            Scheme::Hmac(hmac) => hmac.check(request, secrets()?),
            Scheme::StandardWebhooks => standard_webhooks::check(request, secrets()?).map(Some),
            Scheme::Sns(_) => Err(Denied::Missing),
            Scheme::Jwt(jwt) => jwt.check(request.caller).map(|()| None),
            Scheme::Iam(iam) => iam.check(request.caller).map(|()| None),
        }?;
        Ok(Proven { by: self.word(), nonce, covers: None, confirms: None })
    }

    /// The headers that prove a request by this scheme; `None` where a secret alone is not enough.
    pub fn sign(
        &self,
        secret: &Secret,
        id: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Option<Vec<(String, String)>> {
        match self {
            Scheme::Bearer => Some(vec![bearer::header(secret)]),
            Scheme::Basic => Some(vec![basic::header(secret)]),
            Scheme::Hmac(hmac) => hmac.sign(secret, id, body, now),
            Scheme::StandardWebhooks => standard_webhooks::sign(secret, id, body, now),
            Scheme::Sns(_) | Scheme::Jwt(_) | Scheme::Iam(_) => None,
        }
    }
}

/// Lets the request in if any of the schemes accepts it; else the reason that came closest.
pub fn verify(
    schemes: &[Scheme],
    request: &Request<'_>,
    secrets: Option<&Secrets>,
) -> Result<Proven, Denied> {
    let mut reason = Denied::Missing;
    for scheme in schemes {
        match scheme.check(request, secrets) {
            Ok(proven) => return Ok(proven),
            Err(denied) => reason = reason.max(denied),
        }
    }
    Err(reason)
}

/// Whether the `Authorization` header holds the secret, as bearer or as basic.
pub fn shared_token<'a>(
    header: &(dyn Fn(&str) -> Option<&'a str> + Sync),
    secrets: &Secrets,
) -> Result<(), Denied> {
    bearer::check(header, secrets).or_else(|_| basic::check(header, secrets))
}

/// What stands behind the word in the `Authorization` header.
fn credentials<'a>(
    header: &(dyn Fn(&str) -> Option<&'a str> + Sync),
    word: &str,
) -> Result<&'a str, Denied> {
    let authorization = header("authorization").ok_or(Denied::Missing)?;
    let (found, credentials) = authorization.trim().split_once(' ').ok_or(Denied::Malformed)?;
    if found.eq_ignore_ascii_case(word) { Ok(credentials.trim()) } else { Err(Denied::Malformed) }
}

fn accept(secrets: &Secrets, candidate: &[u8]) -> Result<(), Denied> {
    if candidate.is_empty() {
        return Err(Denied::Malformed);
    }
    if secrets.accept(candidate) { Ok(()) } else { Err(Denied::Wrong) }
}
