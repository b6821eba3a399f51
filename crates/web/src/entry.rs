//! Who may use API and console: the holder of the API token, by header or by the console's cookie.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use firebreak_core::proof::{Secrets, shared_token};

use crate::answer::Failure;
use crate::api::Api;

/// The cookie that the console sets after a login.
pub(crate) const COOKIE: &str = "firebreak_session";

/// Lets a request through only with the token.
pub(crate) async fn require_token(
    State(secrets): State<Arc<Secrets>>,
    request: Request,
    next: Next,
) -> Response {
    if holds_token(request.headers(), &secrets) {
        next.run(request).await
    } else {
        Failure::unauthorized().into_response()
    }
}

/// Lets a request through with the token, or with the token of an agent.
pub(crate) async fn require_token_or_agent(
    State(api): State<Api>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    if holds_token(headers, &api.token) || holds_token(headers, &api.agent_token) {
        next.run(request).await
    } else {
        Failure::unauthorized().into_response()
    }
}

/// Whether the headers prove the token.
pub(crate) fn holds_token(headers: &HeaderMap, secrets: &Secrets) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    shared_token(&header, secrets).is_ok()
}

/// Whether the console's cookie proves the token.
pub(crate) fn holds_cookie(headers: &HeaderMap, secrets: &Secrets) -> bool {
    let Some(token) = cookie(headers) else { return false };
    let bearer = format!("Bearer {token}");
    let header = |name: &str| (name == "authorization").then_some(bearer.as_str());
    shared_token(&header, secrets).is_ok()
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get(header::COOKIE)?.to_str().ok()?;
    all.split(';').find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}
