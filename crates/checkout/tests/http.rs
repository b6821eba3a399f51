//! The service over real HTTP on a loopback port: what the runbooks, the demo and Prometheus rely on.
#![expect(clippy::unwrap_used, reason = "a failing helper should panic")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use firebreak_checkout::{Knobs, Running, start};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn started(knobs: Knobs) -> Running {
    start(SocketAddr::from(([127, 0, 0, 1], 0)), knobs).await.unwrap()
}

async fn call(checkout: &Running, method: &str, path: &str, body: &str) -> (u16, String) {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: checkout\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let mut stream = TcpStream::connect(checkout.addr()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

async fn call_json(checkout: &Running, method: &str, path: &str, body: &str) -> (u16, Value) {
    let (status, body) = call(checkout, method, path, body).await;
    (status, serde_json::from_str(&body).unwrap())
}

async fn statuses(checkout: &Running, requests: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..requests {
        statuses.push(call(checkout, "POST", "/checkout", "{}").await.0);
    }
    statuses
}

#[tokio::test]
async fn a_sound_checkout_places_orders() {
    let checkout = started(Knobs::default()).await;
    for method in ["GET", "POST"] {
        let answer = call_json(&checkout, method, "/checkout", "").await;
        assert_eq!(answer, (200, json!({ "order": "placed", "degraded": false })));
    }
    assert_eq!(call(&checkout, "GET", "/healthz", "").await.0, 200);
    checkout.stop().await.unwrap();
}

#[tokio::test]
async fn errors_follow_the_rate_and_the_degraded_path_ends_them() {
    let knobs = Knobs { error_rate: "0.3".parse().unwrap(), ..Knobs::default() };
    let checkout = started(knobs).await;
    assert_eq!(statuses(&checkout, 10).await, [200, 200, 200, 500, 200, 200, 500, 200, 200, 500]);

    let (status, _) = call(&checkout, "PUT", "/admin/flags/error_rate", r#"{"value": 1}"#).await;
    assert_eq!(status, 200);
    assert_eq!(statuses(&checkout, 3).await, [500; 3]);

    call(&checkout, "PUT", "/admin/flags/degraded_mode", r#"{"value": true}"#).await;
    let answer = call_json(&checkout, "GET", "/checkout", "").await;
    assert_eq!(answer, (200, json!({ "order": "placed", "degraded": true })));
    assert_eq!(statuses(&checkout, 10).await, [200; 10]);
    checkout.stop().await.unwrap();
}

#[tokio::test]
async fn latency_slows_checkouts_down_except_degraded_ones() {
    let knobs = Knobs { latency_ms: "80".parse().unwrap(), ..Knobs::default() };
    let checkout = started(knobs).await;
    let since = Instant::now();
    statuses(&checkout, 1).await;
    assert!(since.elapsed() >= Duration::from_millis(80), "answered after {:?}", since.elapsed());

    call(&checkout, "PUT", "/admin/flags/latency_ms", r#"{"value": 60000}"#).await;
    call(&checkout, "PUT", "/admin/flags/degraded_mode", r#"{"value": true}"#).await;
    assert_eq!(statuses(&checkout, 1).await, [200]);
    checkout.stop().await.unwrap();
}

#[tokio::test]
async fn a_flag_is_read_set_and_read_again_with_a_rising_version() {
    let checkout = started(Knobs::default()).await;
    let path = "/admin/flags/degraded_mode";
    let off = json!({
        "name": "degraded_mode", "value": false, "version": 1, "changed_by": null, "changed_at": null,
    });
    assert_eq!(call_json(&checkout, "GET", path, "").await, (200, off));
    let (status, on) =
        call_json(&checkout, "PUT", path, r#"{"value": true, "if_version": 1}"#).await;
    assert_eq!((status, &on["value"], &on["version"]), (200, &json!(true), &json!(2)));
    assert!(on["changed_by"] == "somebody" && on["changed_at"].is_string(), "{on}");
    assert_eq!(call_json(&checkout, "GET", path, "").await, (200, on.clone()));

    let (status, answer) =
        call_json(&checkout, "PUT", path, r#"{"value": false, "if_version": 1}"#).await;
    assert_eq!(
        (status, &answer["error"]["code"], &answer["current"]),
        (409, &json!("version_mismatch"), &on)
    );
    assert_eq!(call_json(&checkout, "GET", path, "").await, (200, on));

    let (_, other) = call_json(&checkout, "GET", "/admin/flags/error_rate", "").await;
    assert_eq!(other["version"], 1, "each flag has its own version");
    checkout.stop().await.unwrap();
}

#[tokio::test]
async fn a_refused_change_says_which_field_and_what_would_be_right() {
    let checkout = started(Knobs::default()).await;
    for (flag, body, field, remedy) in [
        (
            "error_rate",
            r#"{"value": 30}"#,
            "value",
            "`error_rate` must be a number from 0 to 1, such as 0.3",
        ),
        (
            "error_rate",
            r#"{"value": "0.3"}"#,
            "value",
            "`error_rate` must be a number from 0 to 1, such as 0.3",
        ),
        ("degraded_mode", r#"{"value": 1}"#, "value", "`degraded_mode` must be true or false"),
        ("latency_ms", r#"{"value": 1.5}"#, "value", "whole milliseconds from 0 to 60000"),
        ("latency_ms", r#"{"value": -1}"#, "value", "whole milliseconds from 0 to 60000"),
        ("latency_ms", r#"{"valeu": 1}"#, "body", r#"the body must be {"value": ...}"#),
        ("latency_ms", "", "body", r#"the body must be {"value": ...}"#),
    ] {
        let path = format!("/admin/flags/{flag}");
        let (status, answer) = call_json(&checkout, "PUT", &path, body).await;
        assert_eq!((status, &answer["error"]["field"]), (422, &json!(field)), "{flag} {body}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(remedy), "{flag} {body}: {message}");
        assert_eq!(call_json(&checkout, "GET", &path, "").await.1["version"], 1, "{flag} {body}");
    }
    for method in ["GET", "PUT"] {
        let (status, answer) =
            call_json(&checkout, method, "/admin/flags/turbo", r#"{"value": 1}"#).await;
        assert_eq!(status, 404);
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains("degraded_mode, error_rate, latency_ms"), "{message}");
    }
    checkout.stop().await.unwrap();
}

#[tokio::test]
async fn metrics_count_what_happened() {
    let knobs = Knobs { error_rate: "0.5".parse().unwrap(), ..Knobs::default() };
    let checkout = started(knobs).await;
    statuses(&checkout, 4).await;
    call(&checkout, "PUT", "/admin/flags/degraded_mode", r#"{"value": true}"#).await;
    let (_, text) = call(&checkout, "GET", "/metrics", "").await;
    for line in [
        "checkout_requests_total 4",
        "checkout_errors_total 2",
        "checkout_request_duration_seconds_count 4",
        "checkout_degraded_mode 1",
    ] {
        assert!(text.lines().any(|it| it == line), "no `{line}` in\n{text}");
    }
    checkout.stop().await.unwrap();
}

#[tokio::test]
async fn stopping_lets_a_request_under_way_finish() {
    let knobs = Knobs { latency_ms: "300".parse().unwrap(), ..Knobs::default() };
    let checkout = started(knobs).await;
    let addr = checkout.addr();
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(b"GET /checkout HTTP/1.1\r\nhost: checkout\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    checkout.stop().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(TcpStream::connect(addr).await.is_err(), "still listening");
}
