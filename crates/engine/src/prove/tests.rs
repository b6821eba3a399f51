//! What is asked of the world for a proof, in which order, and what its silence means.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use firebreak_core::proof::{
    CertificateUrl, Confirmation, Denied, Proven, Request, SNS, Scheme, Secrets, Sns, Topic,
};
use jiff::{SignedDuration, Timestamp};

use super::{Certificates, NotProven, Prove, prove};
use crate::ports::{SecretError, SecretSource, TopicHost, TopicHostError};

const SIGNED: &str = include_str!("../../../../events/sns/signed_alarm_v2.json");
const CERTIFICATE: &str = include_str!("../../../../events/sns/certificates/good.pem");
const OTHER: &str = include_str!("../../../../events/sns/certificates/other_name.pem");
const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:alarms";
const TOKEN: &str = "a-current-secret-0123";

/// A vault that holds one token, holds none, or is closed.
#[derive(Clone, Copy)]
enum Vault {
    Token,
    Empty,
    Closed,
}

#[async_trait]
impl SecretSource for Vault {
    async fn of_source(&self, _source: &str) -> Result<Option<Secrets>, SecretError> {
        match self {
            Vault::Token => Ok(serde_json::from_value(serde_json::json!([TOKEN])).ok()),
            Vault::Empty => Ok(None),
            Vault::Closed => Err(SecretError("closed".to_owned())),
        }
    }

    async fn of_channel(&self, _channel: &str) -> Result<Option<String>, SecretError> {
        Ok(None)
    }
}

/// An endpoint of SNS that gives its answers in turn, the last one again and again, and counts.
struct Endpoint {
    answers: Mutex<Vec<Result<&'static str, u16>>>,
    asked: AtomicUsize,
}

impl Endpoint {
    /// 0 stands for no answer at all.
    fn new(answers: &[Result<&'static str, u16>]) -> Arc<Self> {
        let answers = Mutex::new(answers.iter().rev().copied().collect());
        Arc::new(Self { answers, asked: AtomicUsize::new(0) })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl TopicHost for Endpoint {
    async fn certificate(&self, _at: &CertificateUrl) -> Result<Vec<u8>, TopicHostError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop().unwrap() } else { answers[0] };
        match answer {
            Ok(pem) => Ok(pem.as_bytes().to_vec()),
            Err(0) => Err(TopicHostError::Unavailable("no answer".to_owned())),
            Err(status) => Err(TopicHostError::Refused(status)),
        }
    }

    async fn confirm(&self, _confirmation: &Confirmation) -> Result<(), TopicHostError> {
        Ok(())
    }
}

fn now() -> Timestamp {
    "2026-11-21T04:00:22Z".parse().unwrap()
}

fn listed() -> Vec<Scheme> {
    let topics = vec![Topic::try_from(TOPIC.to_owned()).unwrap()];
    vec![Scheme::Sns(Sns::of(topics)), Scheme::Bearer]
}

struct Try<'a> {
    vault: Vault,
    certificates: &'a Certificates,
    schemes: &'a [Scheme],
    authorization: Option<&'a str>,
    body: &'a str,
    now: Timestamp,
}

impl Try<'_> {
    async fn prove(&self) -> Result<Proven, NotProven> {
        let header = |name: &str| match name {
            "authorization" => self.authorization,
            "x-amz-sns-message-type" => self.body.contains("Signature").then_some("Notification"),
            _ => None,
        };
        let request = Request {
            source: "sns",
            header: &header,
            body: self.body.as_bytes(),
            caller: None,
            now: self.now,
        };
        let with = Prove { secrets: &self.vault, certificates: self.certificates };
        prove(with, self.schemes, &request).await
    }
}

fn denied(result: &Result<Proven, NotProven>) -> Option<Denied> {
    match result {
        Err(NotProven::Denied(denied)) => Some(*denied),
        _ => None,
    }
}

#[tokio::test]
async fn a_certificate_is_fetched_once_and_again_after_a_day() {
    let endpoint = Endpoint::new(&[Ok(CERTIFICATE)]);
    let certificates = Certificates::of(Arc::<Endpoint>::clone(&endpoint));
    let schemes = listed();
    let mut attempt = Try {
        vault: Vault::Closed,
        certificates: &certificates,
        schemes: &schemes,
        authorization: None,
        body: SIGNED,
        now: now(),
    };
    for _ in 0..3 {
        assert_eq!(attempt.prove().await.unwrap().by, "sns", "no secret is needed");
    }
    assert_eq!(endpoint.asked(), 1);
    attempt.now = now() + SignedDuration::from_hours(25);
    // The secrets, which come after it, cannot be read: whoever is not proven must try again.
    assert!(matches!(attempt.prove().await, Err(NotProven::Secret(_))));
    assert_eq!(endpoint.asked(), 2);
}

#[tokio::test]
async fn nobody_is_asked_for_a_topic_that_is_not_listed() {
    let endpoint = Endpoint::new(&[Ok(CERTIFICATE)]);
    let certificates = Certificates::of(Arc::<Endpoint>::clone(&endpoint));
    let attempt = Try {
        vault: Vault::Token,
        certificates: &certificates,
        schemes: SNS,
        authorization: None,
        body: SIGNED,
        now: now(),
    };
    assert_eq!(denied(&attempt.prove().await), Some(Denied::NoTopic));
    let elsewhere = SIGNED
        .replace("https://sns.eu-west-1.amazonaws.com/", "https://sns.eu-west-1.evil.example/");
    let schemes = listed();
    let attempt = Try { schemes: &schemes, body: &elsewhere, ..attempt };
    assert_eq!(denied(&attempt.prove().await), Some(Denied::Certificate));
    assert_eq!(endpoint.asked(), 0);
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_is_no_reason_to_deny() {
    let endpoint = Endpoint::new(&[Err(0), Err(404), Ok(OTHER), Ok(CERTIFICATE)]);
    let certificates = Certificates::of(Arc::<Endpoint>::clone(&endpoint));
    let schemes = listed();
    let attempt = Try {
        vault: Vault::Token,
        certificates: &certificates,
        schemes: &schemes,
        authorization: None,
        body: SIGNED,
        now: now(),
    };
    assert!(matches!(attempt.prove().await, Err(NotProven::Certificate(_))));
    assert_eq!(denied(&attempt.prove().await), Some(Denied::Certificate));
    assert_eq!(denied(&attempt.prove().await), Some(Denied::Certificate));
    // Another proof of the same request holds all the same.
    let bearer = format!("Bearer {TOKEN}");
    let attempt = Try { authorization: Some(&bearer), ..attempt };
    assert_eq!(attempt.prove().await.unwrap().by, "bearer");
}

#[tokio::test]
async fn secrets_that_cannot_be_read_let_nobody_in_and_deny_nobody() {
    let certificates = Certificates::of(Endpoint::new(&[Err(0)]));
    let bearer = format!("Bearer {TOKEN}");
    let attempt = Try {
        vault: Vault::Closed,
        certificates: &certificates,
        schemes: &[Scheme::Bearer],
        authorization: Some(&bearer),
        body: "{}",
        now: now(),
    };
    assert!(matches!(attempt.prove().await, Err(NotProven::Secret(_))));
    let attempt = Try { vault: Vault::Empty, ..attempt };
    assert_eq!(denied(&attempt.prove().await), Some(Denied::NotSetUp));
    let attempt = Try { vault: Vault::Token, ..attempt };
    assert_eq!(attempt.prove().await.unwrap().by, "bearer");
    let attempt = Try { schemes: &[], ..attempt };
    assert_eq!(denied(&attempt.prove().await), Some(Denied::Missing));
}
