//! Proving a sender: the schemes of a source are tried with what the world must be asked for.

mod certificates;

#[cfg(test)]
mod tests;

use firebreak_core::proof::{Denied, Proven, Request, Scheme, Sns};

use crate::ports::{SecretError, SecretSource, TopicHostError};
pub use certificates::Certificates;

/// What proving works with.
#[derive(Clone, Copy)]
pub struct Prove<'a> {
    pub secrets: &'a dyn SecretSource,
    pub certificates: &'a Certificates,
}

/// Why a request is not let in.
#[derive(Debug, thiserror::Error)]
pub enum NotProven {
    #[error(transparent)]
    Denied(#[from] Denied),
    /// It may be good and cannot be checked now: the sender should try again.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// As above.
    #[error(transparent)]
    Certificate(TopicHostError),
}

/// Lets the request in if any of the schemes accepts it; else the reason that came closest.
///
/// Those that need no secret come first: they hold also while the secrets cannot be read. A secret or a certificate
/// that cannot be read is no reason to deny, and none to let in.
pub async fn prove(
    with: Prove<'_>,
    schemes: &[Scheme],
    request: &Request<'_>,
) -> Result<Proven, NotProven> {
    let mut closest = Denied::Missing;
    let mut unreachable = None;
    for scheme in schemes.iter().filter(|scheme| !scheme.needs_secret()) {
        let checked = match scheme {
            Scheme::Sns(sns) => by_certificate(with.certificates, sns, request).await,
            other => other.check(request, None).map_err(NotProven::Denied),
        };
        match checked {
            Ok(proven) => return Ok(proven),
            Err(NotProven::Denied(denied)) => closest = closest.max(denied),
            Err(unread) => unreachable = Some(unread),
        }
    }
    if schemes.iter().any(Scheme::needs_secret) {
        let secrets = with.secrets.of_source(request.source).await?;
        for scheme in schemes.iter().filter(|scheme| scheme.needs_secret()) {
            match scheme.check(request, secrets.as_ref()) {
                Ok(proven) => return Ok(proven),
                Err(denied) => closest = closest.max(denied),
            }
        }
        if secrets.is_none() {
            closest = closest.max(Denied::NotSetUp);
        }
    }
    Err(unreachable.unwrap_or(NotProven::Denied(closest)))
}

async fn by_certificate(
    certificates: &Certificates,
    sns: &Sns,
    request: &Request<'_>,
) -> Result<Proven, NotProven> {
    let claim = sns.claim(request)?;
    let pem = match certificates.get(claim.certificate(), request.now).await {
        Ok(pem) => pem,
        Err(TopicHostError::Refused(_)) => return Err(Denied::Certificate.into()),
        Err(unreachable) => return Err(NotProven::Certificate(unreachable)),
    };
    Ok(claim.verify(&pem, request)?)
}
