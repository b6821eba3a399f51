//! What each scheme takes and refuses, against recorded signatures and an independent library.

use std::slice::from_ref;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::*;

pub(super) const CURRENT: &str = "a-current-secret-0123";
pub(super) const PREVIOUS: &str = "the-previous-secret-9";
pub(super) const BODY: &[u8] = br#"{"alerts":[]}"#;

pub(super) fn now() -> Timestamp {
    Timestamp::from_second(1_795_224_030).unwrap()
}

pub(super) fn secrets(list: &[&str]) -> Secrets {
    serde_json::from_value(serde_json::json!(list)).unwrap()
}

pub(super) fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned()).unwrap()
}

/// A request in the making.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Sent {
    pub(super) fn new(headers: &[(&str, &str)], body: &[u8]) -> Self {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Self { headers, body: body.to_vec() }
    }

    pub(super) fn signed(scheme: &Scheme, secret_text: &str, at: Timestamp) -> Self {
        let headers = scheme.sign(&secret(secret_text), "msg_1", BODY, at).unwrap();
        Self { headers, body: BODY.to_vec() }
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn check(
        &self,
        schemes: &[Scheme],
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<Proven, Denied> {
        let header = |name: &str| {
            self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
        };
        let request =
            Request { source: "test", header: &header, body: &self.body, caller: None, now };
        verify(schemes, &request, Some(secrets))
    }
}

fn authorized(authorization: Option<&str>, secrets: &Secrets) -> Result<(), Denied> {
    let headers: Vec<(&str, &str)> =
        authorization.map(|value| ("authorization", value)).into_iter().collect();
    let sent = Sent::new(&headers, BODY);
    let proven = sent.check(SHARED_TOKEN, secrets, now());
    let header = |name: &str| authorization.filter(|_| name == "authorization");
    assert_eq!(shared_token(&header, secrets).is_ok(), proven.is_ok());
    proven.map(|proven| assert_eq!(proven.nonce, None))
}

fn basic(text: &str) -> String {
    format!("Basic {}", STANDARD.encode(text))
}

#[test]
fn both_live_secrets_open_in_both_forms() {
    let both = secrets(&[CURRENT, PREVIOUS]);
    for secret in [CURRENT, PREVIOUS] {
        for good in [
            format!("Bearer {secret}"),
            format!("bearer  {secret} "),
            basic(secret),
            basic(&format!(":{secret}")),
            basic(&format!("sumo:{secret}")),
        ] {
            assert_eq!(authorized(Some(&good), &both), Ok(()), "{good}");
        }
    }
}

#[test]
fn a_replaced_secret_no_longer_opens() {
    let one = secrets(&[CURRENT]);
    assert_eq!(authorized(Some(&format!("Bearer {CURRENT}")), &one), Ok(()));
    assert_eq!(authorized(Some(&format!("Bearer {PREVIOUS}")), &one), Err(Denied::Wrong));
    let crossed = basic(&format!("{CURRENT}:{PREVIOUS}"));
    assert_eq!(authorized(Some(&crossed), &one), Err(Denied::Wrong));
}

#[test]
fn each_refusal_has_its_reason() {
    let one = secrets(&[CURRENT]);
    assert_eq!(authorized(None, &one), Err(Denied::Missing));
    assert_eq!(Sent::new(&[], b"").check(&[], &one, now()), Err(Denied::Missing));
    for malformed in
        ["", "Bearer", "Bearer ", CURRENT, "Digest abc", "Basic !!!", "Basic ", "Basic Og=="]
    {
        assert_eq!(authorized(Some(malformed), &one), Err(Denied::Malformed), "{malformed}");
    }
    let almost = CURRENT.get(1..).unwrap();
    for wrong in
        [format!("Bearer {almost}"), format!("Bearer {CURRENT}, Bearer {CURRENT}"), basic("a:b")]
    {
        assert_eq!(authorized(Some(&wrong), &one), Err(Denied::Wrong), "{wrong}");
    }
}

#[test]
fn one_scheme_alone_refuses_the_other() {
    let bearer = Sent::signed(&Scheme::Bearer, CURRENT, now());
    let secrets = secrets(&[CURRENT]);
    assert_eq!(bearer.check(&[Scheme::Basic], &secrets, now()), Err(Denied::Malformed));
    assert_eq!(bearer.check(&[Scheme::Bearer], &secrets, now()).unwrap().by, "bearer");
}

#[test]
fn without_secrets_nothing_that_needs_one_holds() {
    for scheme in [Scheme::Bearer, Scheme::Hmac(Hmac::GRAFANA), Scheme::StandardWebhooks] {
        let sent = Sent::signed(&scheme, CURRENT, now());
        let header = |name: &str| {
            sent.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
        };
        let request =
            Request { source: "t", header: &header, body: BODY, caller: None, now: now() };
        assert_eq!(scheme.check(&request, None), Err(Denied::Missing));
    }
}

/// The values were made with `openssl dgst -sha256 -hmac <secret>`.
#[test]
fn each_sender_signs_what_it_signs() {
    let plain = "b1e1a0a8b6c6aab1a6b2b6d1d8a9c3f9";
    let check = |scheme: Scheme, headers: &[(&str, &str)], body: &[u8], nonce: bool| {
        let proven = Sent::new(headers, body).check(&[scheme], &secrets(&[plain]), now()).unwrap();
        assert_eq!(proven.nonce.is_some(), nonce, "{headers:?}");
    };
    check(
        Scheme::Hmac(Hmac::GRAFANA),
        &[(
            "x-grafana-alerting-signature",
            "2a394061509130a751f1850ae6f180710792a1a8d865c6f74d03846a5bccdc65",
        )],
        BODY,
        false,
    );
    check(
        Scheme::Hmac(Hmac::GRAFANA),
        &[
            (
                "x-grafana-alerting-signature",
                "5fca26da9825540454a6ee5eb69a32fd2b688aec4601b6e95f2f6422671d97d4",
            ),
            ("x-grafana-alerting-timestamp", "1795224000"),
        ],
        BODY,
        true,
    );
    let pagerduty = Scheme::Hmac(Hmac::PAGERDUTY);
    check(
        pagerduty,
        &[(
            "x-pagerduty-signature",
            "v1=2a394061509130a751f1850ae6f180710792a1a8d865c6f74d03846a5bccdc65",
        )],
        BODY,
        true,
    );
}

/// The example of Slack's own documentation, whose secret is public.
#[test]
fn slack_v0_is_taken_as_slack_documents_it() {
    let body = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&\
channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&\
response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&\
trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let sent = Sent::new(
        &[
            ("x-slack-request-timestamp", "1531420618"),
            (
                "x-slack-signature",
                "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
            ),
        ],
        body,
    );
    let secrets = secrets(&["8f742231b10e8888abcd99yyyzzz85a5"]);
    let slack = [Scheme::Hmac(Hmac::SLACK)];
    let at = |seconds: i64| Timestamp::from_second(1_531_420_618 + seconds).unwrap();
    assert!(sent.check(&slack, &secrets, at(299)).unwrap().nonce.is_some());
    assert_eq!(sent.check(&slack, &secrets, at(301)), Err(Denied::Stale));
    let without = Sent::new(&[("x-slack-signature", &sent.headers[1].1)], body);
    assert_eq!(without.check(&slack, &secrets, at(0)), Err(Denied::Malformed));
}

#[test]
fn one_good_signature_among_several_is_enough() {
    let pagerduty = Scheme::Hmac(Hmac::PAGERDUTY);
    let value = |text: &str| Sent::signed(&pagerduty, text, now()).headers[0].1.clone();
    let (current, other) = (value(CURRENT), value("another-secret-of-ours"));
    let check = |shown: &str| {
        let sent = Sent::new(&[("x-pagerduty-signature", shown)], BODY);
        sent.check(from_ref(&pagerduty), &secrets(&[CURRENT]), now()).map(drop)
    };
    assert_eq!(check(&format!("{other},{current}")), Ok(()));
    assert_eq!(check(&format!("{other}, {current}")), Ok(()));
    assert_eq!(check(&format!("v2=abc,{current}")), Ok(()));
    assert_eq!(check(&other), Err(Denied::Wrong));
    assert_eq!(check(&[other.as_str(); 8].join(",")), Err(Denied::Wrong));
    let ninth = format!("{},{current}", [other.as_str(); 8].join(","));
    assert_eq!(check(&ninth), Err(Denied::Wrong), "more than eight are not looked at");
    for malformed in
        ["", "v1=", "v1=abc", current.strip_prefix("v1=").unwrap(), current.get(..66).unwrap()]
    {
        assert_eq!(check(malformed), Err(Denied::Malformed), "{malformed}");
    }
}

/// A signature over `<time>:<body>` must not be good for ever as one over a body that begins with the time.
#[test]
fn a_stamped_signature_does_not_pass_without_its_stamp() {
    let grafana = [Scheme::Hmac(Hmac::GRAFANA)];
    let sent = Sent::signed(&grafana[0], CURRENT, now());
    let secrets = secrets(&[CURRENT]);
    assert!(sent.check(&grafana, &secrets, now()).is_ok());
    let signature = sent.headers[0].1.as_str();
    let mut forged = Sent::new(&[("x-grafana-alerting-signature", signature)], BODY);
    assert_eq!(forged.check(&grafana, &secrets, now()), Err(Denied::Wrong));
    forged.body = [format!("{}:", now().as_second()).as_bytes(), BODY].concat();
    assert_eq!(forged.check(&grafana, &secrets, now()), Err(Denied::Wrong));
}

#[test]
fn standard_webhooks_agree_with_the_reference_library() {
    let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let library = standardwebhooks::Webhook::new(secret).unwrap();
    let stamp = now().as_second().to_string();
    let signature = library.sign("msg_1", now().as_second(), BODY).unwrap();
    let sent = Sent::new(
        &[
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", &stamp),
            ("webhook-signature", &signature),
        ],
        BODY,
    );
    let check = |sent: &Sent, at| {
        sent.check(&[Scheme::StandardWebhooks], &secrets(&[secret]), at).map(|proven| proven.nonce)
    };
    assert!(check(&sent, now()).unwrap().is_some());
    let ours = Sent::signed(&Scheme::StandardWebhooks, secret, now());
    assert_eq!(ours.headers, sent.headers);

    let rotated =
        sent.clone().with("webhook-signature", &format!("v1,bm90aGluZw== v2,x {signature}"));
    assert!(check(&rotated, now()).is_ok());
    for (name, value) in [("webhook-id", "msg_2"), ("webhook-timestamp", "1795224031")] {
        assert_eq!(check(&sent.clone().with(name, value), now()), Err(Denied::Wrong));
    }
    for (name, value) in
        [("webhook-id", ""), ("webhook-timestamp", "now"), ("webhook-signature", "v1,")]
    {
        assert_eq!(check(&sent.clone().with(name, value), now()), Err(Denied::Malformed));
    }
    assert_eq!(check(&sent, now() + SignedDuration::from_mins(6)), Err(Denied::Stale));
    assert_eq!(check(&sent, now() - SignedDuration::from_mins(6)), Err(Denied::Stale));
}

#[test]
fn a_retry_of_standard_webhooks_is_the_same_delivery() {
    let nonce = |at: Timestamp, body: &[u8]| {
        let headers = Scheme::StandardWebhooks.sign(&secret(CURRENT), "msg_1", body, at).unwrap();
        let sent = Sent { headers, body: body.to_vec() };
        sent.check(&[Scheme::StandardWebhooks], &secrets(&[CURRENT]), at)
            .unwrap()
            .nonce
            .unwrap()
            .key
    };
    let later = now() + SignedDuration::from_mins(1);
    assert_eq!(nonce(now(), BODY), nonce(later, BODY), "a retry is stamped anew");
    assert_ne!(
        nonce(now(), BODY),
        nonce(now(), b"{}"),
        "another message under a used id is not lost"
    );
}

#[test]
fn a_public_key_verifies_what_its_owner_signed() {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let key = format!("whpk_{}", STANDARD.encode(pair.public_key()));
    let stamp = now().as_second().to_string();
    let signed = [format!("msg_1.{stamp}.").as_bytes(), BODY].concat();
    let signature = format!("v1a,{}", STANDARD.encode(pair.sign(&signed)));
    let sent = Sent::new(
        &[
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", &stamp),
            ("webhook-signature", &signature),
        ],
        BODY,
    );
    let schemes =
        [Scheme::StandardWebhooks, Scheme::Hmac(Hmac::GRAFANA), Scheme::Bearer, Scheme::Basic];
    let secrets = secrets(&[&key, CURRENT]);
    assert!(sent.check(&schemes, &secrets, now()).is_ok());
    let mut other = sent.clone();
    other.body.push(b' ');
    assert_eq!(other.check(&schemes, &secrets, now()), Err(Denied::Wrong));
    // Everybody knows the key: it opens nothing and signs nothing.
    for scheme in &schemes {
        assert!(
            !matches!(scheme, Scheme::StandardWebhooks | Scheme::Hmac(_))
                || scheme.sign(&secret(&key), "m", BODY, now()).is_none()
        );
    }
    let bearer = Sent::new(&[("authorization", &format!("Bearer {key}"))], BODY);
    assert_eq!(bearer.check(&schemes, &secrets, now()), Err(Denied::Wrong));
}

#[test]
fn the_reason_that_came_closest_is_the_one_given() {
    let schemes = [Scheme::Hmac(Hmac::GRAFANA), Scheme::Bearer];
    let stale = Sent::signed(&schemes[0], CURRENT, now());
    let late = now() + SignedDuration::from_hours(1);
    assert_eq!(stale.check(&schemes, &secrets(&[CURRENT]), late), Err(Denied::Stale));
    let both = stale.with("authorization", "Bearer wrong");
    assert_eq!(both.check(&schemes, &secrets(&[CURRENT]), late), Err(Denied::Stale));
}
