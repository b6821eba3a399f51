//! Proof of the sender: no headers and no body are let in that differ from what was signed.

use std::collections::BTreeSet;

use fastrand::Rng;
use firebreak_core::proof::{
    Hmac, Proven, Request, Scheme, Secret, Secrets, Sns, Topic, UnfitSecret, verify,
};
use jiff::Timestamp;

use super::Target;
use crate::corpus::{files, root};

const SECRET: &str = "a-current-secret-0123";
const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:alarms";

fn signed_at() -> Timestamp {
    Timestamp::from_second(1_795_233_620).unwrap_or_default()
}

pub(super) fn targets() -> Vec<Target> {
    vec![requests(), messages(), certificates(), secrets()]
}

fn schemes() -> Vec<Scheme> {
    vec![
        Scheme::Hmac(Hmac::GRAFANA),
        Scheme::Hmac(Hmac::PAGERDUTY),
        Scheme::Hmac(Hmac::SLACK),
        Scheme::StandardWebhooks,
        Scheme::Bearer,
        Scheme::Basic,
    ]
}

fn secret() -> Result<Secret, UnfitSecret> {
    Secret::new(SECRET.to_owned())
}

/// Requests as lines `name: value`, an empty line and the body.
fn requests() -> Target {
    let bodies = [&b"{}"[..], br#"{"alerts":[]}"#, b"payload=%7B%7D"];
    let Ok(secret) = secret() else { panic!("the secret is unfit") };
    let mut seeds = Vec::new();
    for scheme in schemes() {
        for body in bodies {
            let headers = scheme.sign(&secret, "msg_1", body, signed_at()).unwrap_or_default();
            let lines: String =
                headers.iter().map(|(name, value)| [name, ": ", value, "\n"].concat()).collect();
            seeds.push([lines.as_bytes(), b"\n", body].concat());
        }
    }
    let genuine: BTreeSet<Vec<u8>> = bodies.iter().map(|body| body.to_vec()).collect();
    let secrets = Secrets::from(secret);
    Target::new("proof_requests", seeds, move |input, _| {
        let (headers, body) = split(input);
        let Some(proven) = proven(&headers, body, &secrets) else { return };
        // Who knows the secret may say anything; a signature is for one body.
        let by_token = matches!(proven.by, "bearer" | "basic");
        assert!(
            by_token || genuine.contains(body),
            "a body that nobody signed was let in by {}",
            proven.by
        );
        let said = headers.iter().any(|(_, value)| value.contains(SECRET) || value.len() > 20);
        assert!(said, "somebody without a proof was let in");
    })
}

fn split(input: &[u8]) -> (Vec<(String, String)>, &[u8]) {
    let end = input.windows(2).position(|pair| pair == b"\n\n").unwrap_or(input.len());
    let head = String::from_utf8_lossy(input.get(..end).unwrap_or_default()).into_owned();
    let pairs = head.lines().filter_map(|line| line.split_once(": "));
    let headers = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    (headers, input.get(end + 2..).unwrap_or_default())
}

fn proven(headers: &[(String, String)], body: &[u8], secrets: &Secrets) -> Option<Proven> {
    let header = |name: &str| {
        headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    };
    let request = Request { source: "fuzz", header: &header, body, caller: None, now: signed_at() };
    verify(&schemes(), &request, Some(secrets)).ok()
}

/// Messages of SNS with their genuine certificate.
fn messages() -> Target {
    let folder = root().join("events/sns");
    let seeds: Vec<Vec<u8>> = files(&folder, &|path| {
        path.to_string_lossy().contains("/signed_")
            && !path.to_string_lossy().ends_with(".alert.json")
    })
    .into_iter()
    .map(|(_, body)| body)
    .collect();
    let pem = std::fs::read(folder.join("certificates/good.pem")).unwrap_or_default();
    let genuine: BTreeSet<Option<Vec<u8>>> =
        seeds.iter().filter_map(|body| by_sns(body, &pem)).map(|proven| proven.covers).collect();
    assert_eq!(genuine.len(), 4, "the samples of SNS hold four different messages");
    Target::new("proof_sns", seeds, move |input, _| {
        if let Some(proven) = by_sns(input, &pem) {
            assert!(genuine.contains(&proven.covers), "something was let in that SNS did not sign");
        }
    })
}

fn by_sns(body: &[u8], pem: &[u8]) -> Option<Proven> {
    let header = |name: &str| (name == "x-amz-sns-message-type").then_some("Notification");
    let request = Request { source: "fuzz", header: &header, body, caller: None, now: signed_at() };
    let topic = Topic::try_from(TOPIC.to_owned()).ok()?;
    Sns::of(vec![topic]).claim(&request).ok()?.verify(pem, &request).ok()
}

/// Certificates, with a genuine message.
fn certificates() -> Target {
    let folder = root().join("events/sns");
    let seeds = files(&folder.join("certificates"), &|_| true);
    let body = std::fs::read(folder.join("signed_alarm_v2.json")).unwrap_or_default();
    Target::new(
        "proof_certificate",
        seeds.into_iter().map(|(_, pem)| pem).collect(),
        move |input, _: &mut Rng| drop(by_sns(&body, input)),
    )
}

fn secrets() -> Target {
    let seeds = [
        r#"["a-current-secret-0123", "the-previous-secret-9"]"#,
        r#""whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD""#,
    ];
    let seeds = seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect();
    Target::new("proof_secrets", seeds, |input, _| {
        if let Ok(secrets) = serde_json::from_slice::<Secrets>(input) {
            assert_eq!(format!("{:?}", secrets.current), "***", "a secret was shown");
            assert!(secrets.current.reveal().chars().count() >= 16, "a short secret was taken");
        }
    })
}
