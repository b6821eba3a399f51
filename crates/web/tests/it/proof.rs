//! Signed deliveries: taken in once, denied alike, and never let in because something could not be read.

use firebreak_core::proof::{Caller, Hmac, Scheme, Secret};
use jiff::SignedDuration;

use crate::world::{Answer, SECRET, World};

const FIRING: &[u8] = include_bytes!("../../../../events/alertmanager/firing.json");
const RESOLVED: &[u8] = include_bytes!("../../../../events/alertmanager/resolved.json");
const SIGNED: &str = "sources: { alertmanager: { proof: [standard_webhooks] } }";
const STANDARD: Scheme = Scheme::StandardWebhooks;

fn headers(world: &World, scheme: &Scheme, id: &str, body: &[u8]) -> Vec<(String, String)> {
    let secret = Secret::new(SECRET.to_owned()).unwrap();
    scheme.sign(&secret, id, body, world.now()).unwrap()
}

async fn send(world: &World, id: &str, body: &[u8]) -> Answer {
    world.post("alertmanager", &headers(world, &STANDARD, id, body), body, None).await
}

#[tokio::test]
async fn a_delivery_that_comes_again_is_answered_and_not_taken_in_again() {
    let world = World::new(SIGNED);
    let recorded = headers(&world, &STANDARD, "msg_1", FIRING);
    let first = world.post("alertmanager", &recorded, FIRING, None).await;
    assert_eq!((first.status, first.accepted()), (202, 1));

    // A retry by the sender, stamped anew, after the answer was lost.
    world.clock.forward(SignedDuration::from_secs(30));
    let retry = send(&world, "msg_1", FIRING).await;
    assert_eq!((retry.status, retry.accepted()), (202, 0));
    assert!(retry.body["findings"][0].as_str().unwrap().contains("taken in before"));
    // A replay by somebody else, to the letter.
    let replay = world.post("alertmanager", &recorded, FIRING, None).await;
    assert_eq!((replay.status, replay.accepted()), (202, 0));
    world.clock.forward(SignedDuration::from_mins(6));
    let late = world.post("alertmanager", &recorded, FIRING, None).await;
    assert_eq!((late.status, late.accepted()), (401, 0));

    let next = send(&world, "msg_2", RESOLVED).await;
    assert_eq!((next.status, next.accepted()), (202, 1));
    assert_eq!(world.incidents().await, 1);
}

#[tokio::test]
async fn another_message_under_a_used_id_is_not_lost() {
    let world = World::new(SIGNED);
    assert_eq!(send(&world, "msg_1", FIRING).await.accepted(), 1);
    assert_eq!(send(&world, "msg_1", RESOLVED).await.accepted(), 1);
}

#[tokio::test]
async fn a_delivery_that_was_not_stored_is_not_remembered() {
    let world = World::new(SIGNED);
    world.sabotage(
        "CREATE TRIGGER broken BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'full'); END",
    );
    assert_eq!(send(&world, "msg_1", FIRING).await.status, 503);
    world.sabotage("DROP TRIGGER broken");
    let retry = send(&world, "msg_1", FIRING).await;
    assert_eq!(
        (retry.status, retry.accepted()),
        (202, 1),
        "the retry must not be taken for a repeat"
    );
}

#[tokio::test]
async fn what_is_stored_is_accepted_even_if_it_cannot_be_remembered() {
    let world = World::new(SIGNED);
    world.sabotage(
        "CREATE TRIGGER broken BEFORE INSERT ON nonces BEGIN SELECT RAISE(ABORT, 'full'); END",
    );
    let first = send(&world, "msg_1", FIRING).await;
    assert_eq!((first.status, first.accepted()), (202, 1));
    let replay = send(&world, "msg_1", FIRING).await;
    assert_eq!(replay.body["accepted"][0]["outcome"], "duplicate", "known by what it says");
    assert_eq!(world.incidents().await, 1);
}

#[tokio::test]
async fn whoever_cannot_be_checked_is_told_to_come_again() {
    let world = World::new(SIGNED);
    world.sabotage("ALTER TABLE nonces RENAME TO lost");
    assert_eq!(send(&world, "msg_1", FIRING).await.status, 503);
    world.sabotage("ALTER TABLE lost RENAME TO nonces");
    assert_eq!(send(&world, "msg_1", FIRING).await.status, 202);
    world.close_the_vault();
    let closed = send(&world, "msg_2", FIRING).await;
    assert_eq!((closed.status, &closed.body["error"]["code"]), (503, &"proof_unavailable".into()));
}

#[tokio::test]
async fn only_the_proofs_that_the_policy_lists_count() {
    let world = World::new(SIGNED);
    let bearer = headers(&world, &Scheme::Bearer, "", FIRING);
    assert_eq!(world.post("alertmanager", &bearer, FIRING, None).await.status, 401);
    assert_eq!(world.post("sumologic", &bearer, b"{}", None).await.status, 202, "not listed there");

    let grafana = Scheme::Hmac(Hmac::GRAFANA);
    let world = World::new(
        "sources: { alertmanager: { proof: [hmac: { header: X-Sign, prefix: 'sha256=' }] } }",
    );
    let foreign = headers(&world, &grafana, "", FIRING);
    assert_eq!(world.post("alertmanager", &foreign, FIRING, None).await.status, 401);
    let form = Hmac { header: "x-sign".into(), prefix: "sha256=".into(), ..Hmac::PAGERDUTY };
    let own = headers(&world, &Scheme::Hmac(form), "", FIRING);
    assert_eq!(world.post("alertmanager", &own, FIRING, None).await.accepted(), 1);
    assert_eq!(
        world.post("alertmanager", &own, FIRING, None).await.accepted(),
        1,
        "it signs no time"
    );
    assert_eq!(world.post("alertmanager", &own, RESOLVED, None).await.status, 401);
}

#[tokio::test]
async fn a_caller_of_the_gateway_is_let_in_by_its_list_alone() {
    let world = World::new(
        "sources: { alertmanager: { proof: [iam: { principals: ['arn:aws:iam::111122223333:role/sumo'] }, \
         jwt: { claims: { client_id: [datadog] } }] } }",
    );
    let iam = |role: &str| Caller::Iam {
        arn: format!("arn:aws:sts::111122223333:assumed-role/{role}/s"),
        account: "111122223333".to_owned(),
    };
    let jwt = |client: &str| Caller::Jwt {
        claims: [("client_id".to_owned(), client.to_owned())].into(),
        scopes: Vec::new(),
    };
    // No secret is needed, so none has to be readable.
    world.close_the_vault();
    let post = async |caller| world.post("alertmanager", &[], FIRING, caller).await.status;
    assert_eq!(post(Some(iam("sumo"))).await, 202);
    assert_eq!(post(Some(jwt("datadog"))).await, 202);
    assert_eq!(post(Some(iam("other"))).await, 401);
    assert_eq!(post(Some(jwt("other"))).await, 401);
    assert_eq!(post(None).await, 401);
    let said = [(
        "x-amzn-request-context",
        r#"{"authorizer":{"iam":{"userArn":"arn:aws:sts::111122223333:assumed-role/sumo/s"}}}"#,
    )];
    let said: Vec<(String, String)> =
        said.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    assert_eq!(world.post("alertmanager", &said, FIRING, None).await.status, 401);
}

#[tokio::test]
async fn every_denial_sounds_the_same() {
    let world = World::new(SIGNED);
    let mut heard = Vec::new();
    let good = headers(&world, &STANDARD, "msg_1", FIRING);
    for change in 0..4 {
        let mut headers = good.clone();
        match change {
            0 => headers.clear(),
            1 => headers.truncate(1),
            2 => headers[2].1 = "v1,AAAA".to_owned(),
            _ => headers[1].1 = "1".to_owned(),
        }
        let answer = world.post("alertmanager", &headers, FIRING, None).await;
        assert_eq!(answer.status, 401, "{change}");
        heard.push(answer.body);
    }
    heard.dedup();
    assert_eq!(heard.len(), 1, "{heard:?}");
}
