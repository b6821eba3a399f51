//! Error answers: one shape, a stable code, and a message that says what to do.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use firebreak_core::incident::Refusal;
use firebreak_engine::ports::StoreError;
use firebreak_engine::record::RecordError;
use jiff::SignedDuration;
use serde::Serialize;

/// An answer other than success: `{"error": {"code", "message"}}`.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// Seconds, for 503.
    retry_after: u64,
}

#[derive(Serialize)]
struct Body<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    code: &'a str,
    message: &'a str,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after: 5 }
    }

    /// The same words whatever was wrong: a guess learns nothing.
    pub(crate) fn unauthorized() -> Self {
        let message = "not authenticated: send `Authorization: Bearer <token>`";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", what)
    }

    #[must_use]
    pub(crate) fn retry_after(mut self, wait: SignedDuration) -> Self {
        // Rounded up: who comes a moment too early waits again.
        self.retry_after = u64::try_from(wait.as_secs()).unwrap_or_default().clamp(0, 299) + 1;
        self
    }

    /// 503 and never 429: some senders drop an alert for good on any 4xx.
    pub(crate) fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = Json(Body { error: Inner { code: self.code, message: &self.message } });
        let mut response = (self.status, body).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(self.retry_after));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let schemes = HeaderValue::from_static("Bearer, Basic realm=\"firebreak\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, schemes);
        }
        response
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "the store failed");
        match error {
            StoreError::Unavailable(_) => {
                Self::unavailable("store_unavailable", "nothing was lost, send it again")
            }
            StoreError::Corrupt(_) => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "corrupt",
                "a stored record cannot be read",
            ),
        }
    }
}

impl From<RecordError<Refusal>> for Failure {
    fn from(error: RecordError<Refusal>) -> Self {
        match error {
            RecordError::NotFound(id) => Self::not_found(format!("there is no incident {id}")),
            RecordError::Contended(_) => Self::unavailable("contended", error.to_string()),
            RecordError::Store(error) => error.into(),
            RecordError::Refused(refusal) => {
                Self::new(StatusCode::CONFLICT, "refused", refusal.to_string())
            }
        }
    }
}
