//! A driver died: its run ends, and a person learns of it.

use firebreak_core::ids::IncidentId;
use firebreak_core::incident::Command;
use firebreak_core::run::Takeover;

use crate::command::command;
use crate::record::RecordError;
use crate::remediate::{RemediateError, Remediation, advance};

/// Ends what the dead driver was at. A run of another driver goes on undisturbed. Saying it twice is harmless.
///
/// Whoever calls knows that the driver is dead: it failed, was stopped or ran out of time.
pub async fn driver_died(
    with: Remediation<'_>,
    id: &IncidentId,
    driver: &str,
    how: &str,
) -> Result<(), RemediateError> {
    let incident =
        with.store.load(id).await?.ok_or_else(|| RemediateError::NotFound(id.clone()))?;
    match incident.active_run() {
        Some(run) if run.driver == driver => {
            advance(with, id, driver, Takeover::End).await.map(drop)
        }
        None if incident.is_firing() => {
            let escalate = Command::Escalate { reason: format!("its remediation {how}") };
            match command(with.store, with.clock, id, &escalate).await {
                // Somebody has it already, or it is over.
                Ok(_) | Err(RecordError::Refused(_)) => Ok(()),
                Err(RecordError::NotFound(id)) => Err(RemediateError::NotFound(id)),
                Err(RecordError::Contended(id)) => Err(RemediateError::Contended(id)),
                Err(RecordError::Store(error)) => Err(error.into()),
            }
        }
        Some(_) | None => Ok(()),
    }
}
