//! Secrets that change, break and cannot be read.

use super::*;
use crate::stub::{Answer, Stub};

const ANSWER: &str = r#"{"Name":"s","SecretString":"{\"sources\":{\"sumologic\":[\"0123456789abcdef\",\"fedcba9876543210\"],\"alertmanager\":[\"short\"]},\"channels\":{\"hook\":\"whsec_abc\",\"odd\":7}}"}"#;
const CHANGED: &str =
    r#"{"Name":"s","SecretString":"{\"sources\":{\"sumologic\":\"a-new-secret-of-size\"}}"}"#;
const NOT_JSON: &str = r#"{"Name":"s","SecretString":"hunter2 hunter2"}"#;
const FAILED: &str = r#"{"__type":"ResourceNotFoundException","message":"gone"}"#;

fn at(minutes: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
}

async fn secrets(answers: Vec<Answer>) -> (ManagedSecrets, Stub) {
    let stub = Stub::start(answers).await;
    (ManagedSecrets::new(&stub.config, "s"), stub)
}

async fn current(secrets: &ManagedSecrets, minutes: i64) -> String {
    let document = secrets.document(at(minutes)).await.unwrap();
    document.source("sumologic").unwrap().unwrap().current.reveal().to_owned()
}

#[tokio::test]
async fn each_secret_stands_for_itself() {
    let (secrets, _stub) = secrets(vec![Answer::Http(200, ANSWER)]).await;
    assert!(secrets.of_source("sumologic").await.unwrap().unwrap().previous.is_some());
    assert!(secrets.of_source("datadog").await.unwrap().is_none());
    let unfit = secrets.of_source("alertmanager").await.unwrap_err().to_string();
    assert!(unfit.contains("sources.alertmanager") && !unfit.contains("short\""), "{unfit}");
    assert_eq!(secrets.of_channel("hook").await.unwrap().as_deref(), Some("whsec_abc"));
    assert_eq!(secrets.of_channel("pager").await.unwrap(), None);
    assert!(secrets.of_channel("odd").await.is_err());
}

#[tokio::test]
async fn a_document_is_read_once_in_five_minutes() {
    let (secrets, stub) =
        secrets(vec![Answer::Http(200, ANSWER), Answer::Http(200, CHANGED)]).await;
    for minute in [0, 1, 4] {
        assert_eq!(current(&secrets, minute).await, "0123456789abcdef");
    }
    assert_eq!(stub.requests(), 1);
    assert_eq!(current(&secrets, 5).await, "a-new-secret-of-size");
    assert_eq!(stub.requests(), 2);
}

#[tokio::test]
async fn a_stale_document_serves_an_hour_and_no_longer() {
    let (secrets, stub) = secrets(vec![Answer::Http(200, ANSWER), Answer::Http(400, FAILED)]).await;
    for minute in [0, 6, 59] {
        assert_eq!(current(&secrets, minute).await, "0123456789abcdef");
    }
    assert_eq!(stub.requests(), 3);
    let error = secrets.document(at(61)).await.err().unwrap();
    assert!(error.to_string().contains("ResourceNotFoundException: gone"), "{error}");
}

#[tokio::test]
async fn without_a_document_nobody_is_let_in_and_nothing_is_told() {
    let (unreadable, _stub) = secrets(vec![Answer::Http(400, FAILED)]).await;
    assert!(unreadable.warm().await.is_err());
    let (broken, _stub) = secrets(vec![Answer::Http(200, NOT_JSON)]).await;
    let error = broken.of_source("sumologic").await.unwrap_err().to_string();
    assert!(error.contains("line 1") && !error.contains("hunter2"), "{error}");
}
