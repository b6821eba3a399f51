//! Who sends: a delivery is looked at only when its sender has proven itself, and only once.

use axum::body::Bytes;
use axum::http::HeaderMap;
use firebreak_core::proof::{Caller, Confirmation, Nonce, Proven, Request};
use firebreak_core::sources::Source;
use firebreak_engine::ingest::Report;
use firebreak_engine::prove::{NotProven, Prove, prove};

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

/// What is to be done with a request whose sender is proven.
pub(crate) enum Admitted {
    /// To be taken in.
    Delivery(Ticket),
    /// Nothing is left to do: the sender's own question was answered, or this came before.
    Done(Report),
}

/// A delivery that was let in.
pub(crate) struct Ticket {
    /// What is proven of the body.
    pub(crate) body: Bytes,
    nonce: Option<Nonce>,
}

/// Answers 401 to all that is wrong with a proof alike, and 503 where it cannot be checked now.
pub(crate) async fn authenticate(
    webhooks: &Webhooks,
    arrived: Arrived<'_>,
) -> Result<Admitted, Failure> {
    let source = arrived.source.name();
    let proven = proven(webhooks, arrived).await?;
    if let Some(confirmation) = &proven.confirms {
        return confirm(webhooks, source, confirmation).await.map(Admitted::Done);
    }
    if let Some(nonce) = &proven.nonce {
        let known = webhooks.store.is_known(nonce, webhooks.clock.now()).await;
        if known.inspect_err(|_| webhooks.metrics.refused(source, "nonce"))? {
            webhooks.metrics.alert(source, "replayed");
            return Ok(Admitted::Done(Report {
                findings: vec![
                    "this delivery was taken in before; nothing was done again".to_owned(),
                ],
                ..Report::default()
            }));
        }
    }
    let body = proven.covers.map_or_else(|| arrived.body.clone(), Bytes::from);
    Ok(Admitted::Delivery(Ticket { body, nonce: proven.nonce }))
}

async fn proven(webhooks: &Webhooks, arrived: Arrived<'_>) -> Result<Proven, Failure> {
    let source = arrived.source.name();
    let header = |name: &str| arrived.headers.get(name).and_then(|value| value.to_str().ok());
    let request = Request {
        source,
        header: &header,
        body: arrived.body,
        caller: arrived.caller,
        now: webhooks.clock.now(),
    };
    let with = Prove { secrets: &*webhooks.secrets, certificates: &webhooks.certificates };
    let schemes = webhooks.policy.schemes(arrived.source);
    prove(with, &schemes, &request).await.map_err(|why| {
        let reason = match why {
            NotProven::Denied(denied) => {
                tracing::info!(source, reason = denied.as_str(), "a delivery was denied: {denied}");
                webhooks.metrics.denied(source, denied.as_str());
                webhooks.metrics.traffic().denied(source);
                return Failure::unauthorized();
            }
            NotProven::Secret(_) => "secret",
            NotProven::Certificate(_) => "certificate",
        };
        tracing::error!(source, error = %why, "a delivery cannot be authenticated");
        webhooks.metrics.refused(source, reason);
        Failure::unavailable("proof_unavailable", "the sender cannot be authenticated now")
    })
}

async fn confirm(
    webhooks: &Webhooks,
    source: &'static str,
    confirmation: &Confirmation,
) -> Result<Report, Failure> {
    let topic = confirmation.topic();
    webhooks.certificates.confirm(confirmation).await.map_err(|error| {
        tracing::error!(source, topic, %error, "a subscription cannot be confirmed");
        webhooks.metrics.refused(source, "confirmation");
        Failure::unavailable("unconfirmed", "the subscription cannot be confirmed now")
    })?;
    tracing::info!(source, topic, "a subscription was confirmed");
    Ok(Report { findings: vec![format!("{topic} delivers here from now on")], ..Report::default() })
}

impl Ticket {
    /// Remembers the delivery once all of it is durable; not before, since a sender whose answer was lost sends it
    /// again, and must find that it was taken in and not that it was seen.
    ///
    /// That it cannot be remembered is no failure of the delivery: a replay is then recognised by what it says.
    pub(crate) async fn settle(self, webhooks: &Webhooks) {
        let Some(nonce) = self.nonce else { return };
        if let Err(error) = webhooks.store.remember(&nonce, webhooks.clock.now()).await {
            tracing::warn!(%error, "a delivery is stored and its nonce is not");
        }
    }
}
