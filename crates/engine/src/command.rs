//! What people do to an incident.

use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Command, Incident, Refusal};

use crate::ports::{Clock, IncidentStore};
use crate::record::{RecordError, record};

/// Carries a command out on the latest state of the incident.
pub async fn command(
    store: &dyn IncidentStore,
    clock: &dyn Clock,
    id: &IncidentId,
    command: &Command,
) -> Result<Incident, RecordError<Refusal>> {
    let now = clock.now();
    record(store, clock, id, |incident| command.clone().decide(incident, now)).await
}
