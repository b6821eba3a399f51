//! Amazon SNS over the whole way: a signed message comes in, its certificate is fetched over TLS, and only then is
//! anything believed or confirmed.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::sns_endpoint::Endpoint;
use crate::world::{Answer, World};

const ALARM: &[u8] = include_bytes!("../../../../events/sns/signed_alarm_v2.json");
const OLD_ALARM: &[u8] = include_bytes!("../../../../events/sns/signed_alarm_v1.json");
const SUBSCRIPTION: &[u8] = include_bytes!("../../../../events/sns/signed_subscription.json");
const GOOD: &[u8] = include_bytes!("../../../../events/sns/certificates/good.pem");
const EXPIRED: &[u8] = include_bytes!("../../../../events/sns/certificates/expired.pem");
const OTHER: &[u8] = include_bytes!("../../../../events/sns/certificates/other_name.pem");
const CERTIFICATE_PATH: &str = "/SimpleNotificationService-0123456789abcdef.pem";
const LISTED: &str = "sources: { SOURCE: { proof: [sns: { topics: ['arn:aws:sns:eu-west-1:111122223333:alarms'] }] } }";
const SOURCE: &str = "sns";

fn world(endpoint: &Endpoint) -> World {
    World::with_endpoint(&LISTED.replace("SOURCE", SOURCE), Arc::new(endpoint.client()))
}

async fn post(world: &World, kind: &str, body: &[u8]) -> Answer {
    let headers = [
        ("x-amz-sns-message-type".to_owned(), kind.to_owned()),
        ("content-type".to_owned(), "text/plain; charset=UTF-8".to_owned()),
    ];
    world.post(SOURCE, &headers, body, None).await
}

fn forged(body: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert!(text.contains(from));
    text.replace(from, to).into_bytes()
}

#[tokio::test]
async fn a_signed_message_is_taken_in_once_and_its_certificate_is_fetched_once() {
    let endpoint = Endpoint::start(GOOD).await;
    let world = world(&endpoint);
    let first = post(&world, "Notification", ALARM).await;
    assert_eq!(first.status, 202, "{}", first.body);
    assert!(
        first.body["findings"].as_array().is_none_or(|findings| !findings
            .iter()
            .any(|f| f.as_str().unwrap().contains("before")))
    );
    let again = post(&world, "Notification", ALARM).await;
    assert!(
        again.body["findings"][0].as_str().unwrap().contains("taken in before"),
        "{}",
        again.body
    );
    assert_eq!(post(&world, "Notification", OLD_ALARM).await.status, 202, "version 1");
    assert_eq!(endpoint.asked(), [CERTIFICATE_PATH]);
}

#[tokio::test]
async fn a_subscription_is_confirmed_at_the_endpoint_and_only_when_it_is_proven() {
    let endpoint = Endpoint::start(GOOD).await;
    let world = world(&endpoint);
    let asks = forged(
        SUBSCRIPTION,
        "https://sns.eu-west-1.amazonaws.com/?Action",
        "https://evil.example/?Action",
    );
    assert_eq!(post(&world, "SubscriptionConfirmation", &asks).await.status, 401);
    let stranger = forged(SUBSCRIPTION, "111122223333:alarms", "999999999999:alarms");
    assert_eq!(post(&world, "SubscriptionConfirmation", &stranger).await.status, 401);
    assert_eq!(endpoint.asked(), [CERTIFICATE_PATH]);

    let yes = post(&world, "SubscriptionConfirmation", SUBSCRIPTION).await;
    assert_eq!(yes.status, 202, "{}", yes.body);
    assert!(yes.body["findings"][0].as_str().unwrap().contains("delivers here from now on"));
    let asked = endpoint.asked();
    assert_eq!(asked.len(), 1);
    assert!(
        asked[0].starts_with(
            "/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:111122223333:alarms&Token="
        ),
        "{asked:?}"
    );
    assert_eq!(world.incidents().await, 0);

    endpoint.gives(500, b"");
    assert_eq!(post(&world, "SubscriptionConfirmation", SUBSCRIPTION).await.status, 503);
    world.clock.forward(SignedDuration::from_hours(2));
    assert_eq!(post(&world, "SubscriptionConfirmation", SUBSCRIPTION).await.status, 401, "too old");
}

#[tokio::test]
async fn nothing_is_fetched_from_elsewhere() {
    let endpoint = Endpoint::start(GOOD).await;
    let world = world(&endpoint);
    for (from, to) in [
        ("https://sns.eu-west-1.amazonaws.com/Simple", "https://evil.example/Simple"),
        ("https://sns.eu-west-1.amazonaws.com/Simple", "http://sns.eu-west-1.amazonaws.com/Simple"),
        (
            "https://sns.eu-west-1.amazonaws.com/Simple",
            "https://sns.us-east-1.amazonaws.com/Simple",
        ),
        (".pem", ".crt"),
        (":alarms", ":other"),
    ] {
        assert_eq!(
            post(&world, "Notification", &forged(ALARM, from, to)).await.status,
            401,
            "{to}"
        );
    }
    assert_eq!(endpoint.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_certificate_that_is_not_one_of_sns_denies_and_one_that_is_not_there_yet_does_not() {
    for (status, given, answer) in [
        (200, EXPIRED, 401),
        (200, OTHER, 401),
        (404, GOOD, 401),
        (302, GOOD, 401),
        (503, GOOD, 503),
        (200, &GOOD[..200], 503),
    ] {
        let endpoint = Endpoint::start(GOOD).await;
        endpoint.gives(status, given);
        let world = world(&endpoint);
        assert_eq!(post(&world, "Notification", ALARM).await.status, answer, "{status}");
    }
    let endpoint = Endpoint::start(GOOD).await;
    let world = World::with_endpoint(
        &LISTED.replace("SOURCE", SOURCE),
        Arc::new(endpoint.client_of_the_system()),
    );
    assert_eq!(
        post(&world, "Notification", ALARM).await.status,
        503,
        "nobody vouches for this endpoint"
    );
    assert_eq!(endpoint.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_forged_message_is_denied_with_the_genuine_certificate() {
    let endpoint = Endpoint::start(GOOD).await;
    let world = world(&endpoint);
    let wrong = forged(ALARM, "api-5xx", "api-4xx");
    assert_eq!(post(&world, "Notification", &wrong).await.status, 401);
    assert_eq!(post(&world, "Notification", ALARM).await.status, 202);
    world.clock.forward(SignedDuration::from_mins(80));
    assert_eq!(post(&world, "Notification", ALARM).await.status, 401, "too old");
    world.clock.set("2026-11-21T03:50:00Z".parse().unwrap());
    assert_eq!(post(&world, "Notification", ALARM).await.status, 401, "from the future");
}
