//! Reboots that go wrong: which of them certainly did nothing, and that none is tried twice.

use std::time::Duration;

use super::*;
use crate::stub::{self, Answer, Stub};

const DENIED: &str = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors><RequestID>r</RequestID></Response>";
const THROTTLED: &str = "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>slow down</Message></Error></Errors><RequestID>r</RequestID></Response>";
const BROKEN: &str = "<Response><Errors><Error><Code>InternalError</Code><Message>oh</Message></Error></Errors><RequestID>r</RequestID></Response>";
const DONE: &str = "<RebootInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId><return>true</return></RebootInstancesResponse>";

async fn reboot(answer: Answer) -> (Result<String, ApplyError>, usize) {
    let stub = Stub::start(vec![answer]).await;
    let mut hands = Ec2Reboot::new(&stub.config);
    let short = TimeoutConfig::builder().operation_timeout(Duration::from_millis(500)).build();
    let config = aws_sdk_ec2::config::Builder::from(&stub.config).timeout_config(short).build();
    hands.client = Client::from_conf(config);
    let answer = hands.reboot("i-0123456789abcdef0").await;
    (answer, stub.requests())
}

async fn check_refused(answer: Answer) {
    let (result, requests) = reboot(answer.clone()).await;
    assert!(matches!(result, Err(ApplyError::Refused(_))), "{answer:?}: {result:?}");
    assert_eq!(requests, 1, "{answer:?}");
}

async fn check_unknown(answer: Answer) {
    let (result, requests) = reboot(answer.clone()).await;
    assert!(matches!(result, Err(ApplyError::Unknown(_))), "{answer:?}: {result:?}");
    assert_eq!(requests, 1, "a call that may have been made was repeated: {answer:?}");
}

#[tokio::test]
async fn a_no_in_the_words_of_ec2_is_a_refusal() {
    check_refused(Answer::Http(403, DENIED)).await;
    check_refused(Answer::Http(400, DENIED)).await;
    check_refused(Answer::Http(503, THROTTLED)).await;
}

#[tokio::test]
async fn no_answer_or_a_vague_one_is_unknown_and_never_repeated() {
    check_unknown(Answer::Close).await;
    check_unknown(Answer::Hang).await;
    check_unknown(Answer::Http(500, BROKEN)).await;
    check_unknown(Answer::Http(503, "")).await;
    check_unknown(Answer::Http(502, "<html>bad gateway</html>")).await;
    check_unknown(Answer::Http(403, "<html>blocked by a proxy</html>")).await;
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_done() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = unused.local_addr().unwrap();
    drop(unused);
    for endpoint in [format!("http://{address}"), "http://no-such-host.invalid".to_owned()] {
        let hands = Ec2Reboot::new(&stub::config(&endpoint).await);
        let result = hands.reboot("i-0123456789abcdef0").await;
        assert!(matches!(result, Err(ApplyError::Refused(_))), "{endpoint}: {result:?}");
    }
}

#[tokio::test]
async fn the_receipt_is_the_id_of_the_request() {
    let (result, requests) = reboot(Answer::Http(200, DONE)).await;
    assert_eq!((result.unwrap().as_str(), requests), ("request req-0", 1));
}

#[tokio::test]
async fn what_cannot_be_read_is_no_reading() {
    let stub = Stub::start(vec![Answer::Http(403, DENIED)]).await;
    let hands = Ec2Reboot::new(&stub.config);
    let target = Target { kind: "ec2.instance".to_owned(), id: "i-0123456789abcdef0".to_owned() };
    let error = hands.observe(&target, Questions::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "UnauthorizedOperation: no");
    assert!(hands.status(&target.id).await.is_err());
}
