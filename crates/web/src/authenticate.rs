//! Who sends: a delivery is looked at only when its sender has proven itself.

use axum::body::Bytes;
use axum::http::HeaderMap;
use firebreak_core::proof::{self, Caller, Proven, Request};
use firebreak_core::sources::Source;

use crate::answer::Failure;
use crate::webhooks::Webhooks;

/// A request as it came in, before anything of it is believed.
#[derive(Clone, Copy)]
pub(crate) struct Arrived<'a> {
    pub(crate) source: &'static dyn Source,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a Bytes,
    pub(crate) caller: Option<&'a Caller>,
}

/// Answers 401 to all that is wrong with a proof alike, and 503 where it cannot be checked now.
pub(crate) async fn authenticate(
    webhooks: &Webhooks,
    arrived: Arrived<'_>,
) -> Result<Proven, Failure> {
    let source = arrived.source.name();
    let secrets = webhooks.secrets.of_source(source).await.map_err(|error| {
        tracing::error!(source, %error, "a delivery cannot be authenticated");
        webhooks.metrics.refused(source, "secret");
        Failure::unavailable("secret_unavailable", "the sender cannot be authenticated now")
    })?;
    let header = |name: &str| arrived.headers.get(name).and_then(|value| value.to_str().ok());
    let request = Request {
        source,
        header: &header,
        body: arrived.body,
        caller: arrived.caller,
        now: webhooks.clock.now(),
    };
    proof::verify(arrived.source.schemes(), &request, secrets.as_ref()).map_err(|denied| {
        let reason = if secrets.is_some() { denied.as_str() } else { "not_set_up" };
        tracing::info!(source, reason, "a delivery was denied");
        webhooks.metrics.denied(source, reason);
        Failure::unauthorized()
    })
}
