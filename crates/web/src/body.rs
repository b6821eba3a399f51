//! The body of a delivery: whole, bounded in size and time, and never the reason why an answer gets lost.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use http_body_util::BodyExt as _;

use crate::answer::Failure;

/// A larger body is answered 413. Alertmanager groups of thousands fit; API Gateway itself takes 10 MB.
pub(crate) const MOST_BODY: usize = 1024 * 1024;

/// What is read of a body that is too large before it is answered: a sender that is still sending may never
/// see the answer.
const MOST_DISCARDED: usize = 8 * MOST_BODY;

/// A body that takes longer to arrive holds up others.
const WITHIN: Duration = Duration::from_secs(20);

pub(crate) async fn whole(body: Body) -> Result<Bytes, Failure> {
    tokio::time::timeout(WITHIN, read(body)).await.unwrap_or_else(|_| Err(cut_off()))
}

async fn read(mut body: Body) -> Result<Bytes, Failure> {
    let mut bytes = Vec::new();
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| cut_off())?.into_data() else { continue };
        seen += data.len();
        if seen <= MOST_BODY {
            bytes.extend_from_slice(&data);
        } else {
            bytes = Vec::new();
        }
        if seen > MOST_DISCARDED {
            break;
        }
    }
    if seen > MOST_BODY {
        let message =
            format!("a delivery has at most {MOST_BODY} bytes; send fewer alerts at once");
        return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message));
    }
    Ok(bytes.into())
}

fn cut_off() -> Failure {
    Failure::unavailable("cut_off", "the body did not arrive whole, send it again")
}
